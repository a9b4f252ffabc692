/** What is known of some activations at one elapsed time, ms since their start (or, signed, until their deadline). */
export interface ElapsedGroup {
  readonly elapsedMs: number
  /** The awaited step came exactly then. */
  readonly came: number
  /** Last seen then, and it had not come: nobody knows how long it will still take. */
  readonly unfinished: number
}

export interface CurvePoint {
  readonly elapsedMs: number
  /** Share that has come by then, 0 to 1. */
  readonly share: number
  /** How many were still waited for just before: what the point rests on. */
  readonly atRisk: number
}

/**
 * The share that has come by each elapsed time, with unfinished ones counted for as long as they were seen and not beyond (Kaplan and
 * Meier 1958). One seen to a time is still waited for at that time: at a tie, what came counts first. One point per time at which
 * something came, in order; empty where nothing came.
 */
export function timeToEvent(groups: readonly ElapsedGroup[]): CurvePoint[] {
  const byTime = new Map<number, { came: number; unfinished: number }>()
  let atRisk = 0
  for (const { elapsedMs, came, unfinished } of groups) {
    const known = byTime.get(elapsedMs)
    byTime.set(elapsedMs, { came: (known?.came ?? 0) + came, unfinished: (known?.unfinished ?? 0) + unfinished })
    atRisk += came + unfinished
  }
  const points: CurvePoint[] = []
  let waiting = 1
  for (const [elapsedMs, { came, unfinished }] of [...byTime].sort(([a], [b]) => a - b)) {
    if (came > 0) {
      waiting *= 1 - came / atRisk
      points.push({ elapsedMs, share: 1 - waiting, atRisk })
    }
    atRisk -= came + unfinished
  }
  return points
}

/** The share that has come by a time. */
export function shareBy(points: readonly CurvePoint[], elapsedMs: number): number {
  return points.findLast((point) => point.elapsedMs <= elapsedMs)?.share ?? 0
}

/** When a share has come: a half is the median. Null: as far as is known, it never does. */
export function timeOfShare(points: readonly CurvePoint[], share: number): number | null {
  // Shares are products of rounded factors: a half may stand as a hair less.
  return points.find((point) => point.share >= share - 1e-9)?.elapsedMs ?? null
}
