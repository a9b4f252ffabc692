import { untrack } from 'svelte'
import { preferences } from './preferences.svelte.ts'

/** How the map orders them. `Everywhere` and `Go to` are the frame's; the others belong to the page that is open. */
export const shortcutGroups = ['Everywhere', 'Go to', 'Page', 'List', 'Finding', 'Journey'] as const

/** `keys`: one key (`j`, `?`, `Escape`) or two typed one after the other (`g f`). */
export interface Shortcut {
  keys: string
  label: string
  group: (typeof shortcutGroups)[number]
  run: () => void
}

export const isForEverywhere = (shortcut: Shortcut): boolean => shortcut.group === 'Everywhere' || shortcut.group === 'Go to'

const sequenceMs = 1_000

class Shortcuts {
  active = $state.raw<Shortcut[]>([])
  #pending = ''
  #pendingSince = 0

  /** Registers until the returned function is called; keys of a page win over the same keys everywhere. */
  add(shortcuts: Shortcut[]): () => void {
    this.active = [...this.active, ...shortcuts]
    return () => {
      this.active = this.active.filter((each) => !shortcuts.includes(each))
    }
  }

  /** What the keys do now: one entry for each, the page's own where it has one. */
  get offered(): Shortcut[] {
    return this.active.filter((each) => this.#meant(each.keys) === each)
  }

  #meant(keys: string): Shortcut | undefined {
    const matching = this.active.filter((each) => each.keys === keys)
    return matching.findLast((each) => !isForEverywhere(each)) ?? matching.at(-1)
  }

  handle(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    if (isTyping(event.target) || isInsideLayer(event.target)) return
    if (!preferences.singleKeys && event.key.length === 1) return
    if (event.key === ' ' && isControl(event.target)) return
    const isFresh = event.timeStamp - this.#pendingSince < sequenceMs
    const keys = this.#pending && isFresh ? `${this.#pending} ${event.key}` : event.key
    this.#pending = ''
    const found = this.#meant(keys)
    if (found) {
      event.preventDefault()
      found.run()
    } else if (this.active.some((each) => each.keys.startsWith(`${event.key} `))) {
      this.#pending = event.key
      this.#pendingSince = event.timeStamp
    }
  }
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) && !isCheckbox(target)
  )
}

const isCheckbox = (target: HTMLElement) => target instanceof HTMLInputElement && target.type === 'checkbox'

/** Dialogs and menus have keys of their own. */
function isInsideLayer(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('dialog, [role="dialog"], [role="menu"], [role="listbox"]') !== null
}

const isControl = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.tagName === 'BUTTON' || target.tagName === 'SUMMARY' || isCheckbox(target))

export const shortcuts = new Shortcuts()

/** Registers for as long as the calling component lives. */
export function useShortcuts(list: Shortcut[]): void {
  $effect(() => untrack(() => shortcuts.add(list)))
}
