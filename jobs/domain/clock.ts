/** The domain clock: the tools' time, by which everything is judged. It only advances. Leases and backoff use wall time instead. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }

export function frozenClock(at: number): Clock {
  return { now: () => at }
}
