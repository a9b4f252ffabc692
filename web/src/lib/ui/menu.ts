/** How every menu looks. */
export const menuContent =
  'z-50 max-h-[min(28rem,var(--bits-dropdown-menu-content-available-height))] min-w-48 overflow-y-auto rounded-lg border border-line bg-surface p-1 text-sm text-ink shadow-high outline-none'
export const menuItem =
  'flex h-8 cursor-default select-none items-center gap-2 rounded-md px-2 outline-none data-disabled:text-ink-faint data-highlighted:bg-hover'
export const menuLabel = 'px-2 pb-1 pt-1.5 text-xs font-medium text-ink-faint'
export const menuLine = 'my-1 h-px bg-line'
/** A button of the frame's bar that opens one. */
export const menuTrigger = 'grid size-8 place-items-center rounded-full text-ink-soft hover:bg-hover hover:text-ink'
