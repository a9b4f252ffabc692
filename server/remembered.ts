export interface Remembered<T> {
  readonly value: T
  /** Domain time it is true for, epoch ms. */
  readonly asOf: number
}

export interface RememberOptions {
  /** Domain clock and wall clock, epoch ms. */
  readonly now: () => number
  readonly wallNow: () => number
  readonly liveUpToMs?: number
  readonly leastEveryMs?: number
  readonly most?: number
  /** How long counting took, ms. */
  readonly stopwatch?: () => number
}

/** Counting may take this share of the time between two. */
const shareOfTime = 1 / 20

/**
 * What is counted over a whole table for one reader. What counts quickly is counted whenever it is asked for; what does not is answered
 * as last counted, and counted anew beside the request, so that only the first reader waits.
 */
export function remember<T>(options: RememberOptions): (key: string, count: () => Promise<T>) => Promise<Remembered<T>> {
  const { now, wallNow, liveUpToMs = 25, leastEveryMs = 15_000, most = 200, stopwatch = () => performance.now() } = options
  const known = new Map<string, Remembered<T> & { countedAt: number; tookMs: number }>()
  const running = new Map<string, Promise<Remembered<T>>>()

  function countNow(key: string, count: () => Promise<T>): Promise<Remembered<T>> {
    const before = running.get(key)
    if (before) return before
    const run = (async () => {
      const asOf = now()
      const started = stopwatch()
      const value = await count()
      known.delete(key)
      known.set(key, { value, asOf, countedAt: wallNow(), tookMs: stopwatch() - started })
      for (const oldest of known.keys()) {
        if (known.size <= most) break
        known.delete(oldest)
      }
      return { value, asOf }
    })().finally(() => running.delete(key))
    running.set(key, run)
    return run
  }

  return async (key, count) => {
    const last = known.get(key)
    if (last === undefined || last.tookMs <= liveUpToMs) return countNow(key, count)
    // Whoever counts beside the request tells nobody of a failure: the next reader asks again, and the answer says as of when it is.
    if (wallNow() - last.countedAt >= Math.max(leastEveryMs, last.tookMs / shareOfTime)) countNow(key, count).catch(() => {})
    return { value: last.value, asOf: last.asOf }
  }
}
