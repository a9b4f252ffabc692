const waitMs = 3_000

/**
 * Where the keyboard stands after a navigation. Forward: the heading of the new page. Back: the link one had followed,
 * as soon as the page shows it, unless the reader has moved on meanwhile.
 */
export function placeFocus(from: URL, isBack: boolean): void {
  const main = document.getElementById('main')
  if (!main || isPlaced(main)) return
  const heading = document.getElementById('page-title') ?? main
  heading.focus({ preventScroll: true })
  if (!isBack) return
  const find = () => [...main.querySelectorAll<HTMLAnchorElement>('a[href]')].find((link) => link.pathname === from.pathname)
  const stands = document.activeElement
  const focusIfThere = (): boolean => {
    if (document.activeElement !== stands && document.activeElement !== document.body) return true
    const link = find()
    link?.focus({ preventScroll: true })
    return link !== undefined
  }
  if (focusIfThere()) return
  const watching = new MutationObserver(() => {
    if (focusIfThere()) watching.disconnect()
  })
  watching.observe(main, { childList: true, subtree: true })
  setTimeout(() => watching.disconnect(), waitMs)
}

/** A page that puts the focus somewhere itself knows better. */
function isPlaced(main: HTMLElement): boolean {
  const active = document.activeElement
  return active !== null && active !== main && main.contains(active)
}
