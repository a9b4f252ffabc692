const storageKey = 'throughline.lastVisit'
/** A page left alone for this long in wall time was left; opening it again is another visit. */
const newVisitAfterMs = 30 * 60_000

interface Kept {
  /** What the picture was as of when the visit before this one ended. */
  before: string | null
  /** What was shown last, and when that was in wall time. */
  shown: string
  wall: number
}

type Store = Pick<Storage, 'getItem' | 'setItem'>

function read(store: Store): Kept | undefined {
  try {
    const kept: unknown = JSON.parse(store.getItem(storageKey) ?? 'null')
    const isKept = kept !== null && typeof kept === 'object' && 'shown' in kept && 'wall' in kept
    return isKept && !Number.isNaN(Date.parse(String(kept.shown))) ? (kept as Kept) : undefined
  } catch {
    return undefined
  }
}

function write(store: Store, kept: Kept): void {
  try {
    store.setItem(storageKey, JSON.stringify(kept))
  } catch {
    // Storage refused: the next visit begins without a memory.
  }
}

/** Until when the reader has seen the picture (domain time); null on a first visit. */
export function lastSeen(store: Store, wallNow: number): string | null {
  const kept = read(store)
  if (!kept) return null
  return wallNow - kept.wall > newVisitAfterMs ? kept.shown : kept.before
}

/** Remembers what is on the screen. `seen`: what `lastSeen` answered for this visit. */
export function noteShown(store: Store, seen: string | null, asOf: string, wallNow: number): void {
  write(store, { before: seen, shown: asOf, wall: wallNow })
}
