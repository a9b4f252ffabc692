const storageKey = 'throughline.recent'
const kept = 12

/** A page of one thing that was opened in this browser: its address and its heading. */
export interface Visited {
  readonly href: string
  readonly title: string
}

export function recentPages(): Visited[] {
  try {
    const saved: unknown = JSON.parse(localStorage.getItem(storageKey) ?? '[]')
    return Array.isArray(saved) ? saved.filter(isVisited).slice(0, kept) : []
  } catch {
    return []
  }
}

/** Pages of one thing only: lists are in the navigation. The newest comes first. */
export function rememberPage(href: string, heading: string): void {
  const title = heading.trim()
  if (!/^\/[a-z]+\/[^/]/.test(href) || href.startsWith('/help') || href.startsWith('/settings') || !title) return
  try {
    const others = recentPages().filter((each) => each.href !== href)
    localStorage.setItem(storageKey, JSON.stringify([{ href, title }, ...others].slice(0, kept)))
  } catch {
    // Storage refused: there is no list of recent pages then.
  }
}

function isVisited(value: unknown): value is Visited {
  return (
    typeof value === 'object' &&
    value !== null &&
    'href' in value &&
    typeof value.href === 'string' &&
    // Whatever was stored: a path of this console, never an address elsewhere.
    /^\/[a-z]/.test(value.href) &&
    'title' in value &&
    typeof value.title === 'string'
  )
}
