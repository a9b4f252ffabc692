/** How a stream stood in one stretch of time. `none`: nothing of it was known yet. */
export type Freshness = 'ok' | 'late' | 'error' | 'none'

export interface PassCell {
  /** Number of the cell; below 0: before the strip begins. */
  readonly cell: number
  /** Passes that ended completely, and passes that failed, among those begun in the cell. */
  readonly complete: number
  readonly failed: number
  /** Whether the last one that ended in the cell failed. */
  readonly endedFailed: boolean
}

export interface FreshnessStrip {
  readonly cells: number
  readonly cellMs: number
  /** A complete pass is on time while no older than this. */
  readonly lateAfterMs: number
}

/**
 * One state per cell. A failed pass shows in its cell and holds until one completes; then the stream is `late` once its last complete
 * pass is older than its schedule allows.
 */
export function freshnessOf(passes: readonly PassCell[], { cells, cellMs, lateAfterMs }: FreshnessStrip): Freshness[] {
  const onTimeFor = Math.max(1, Math.ceil(lateAfterMs / cellMs))
  const byCell = new Map(passes.map((pass) => [pass.cell, pass]))
  let lastComplete: number | undefined
  let isFailing = false
  const first = Math.min(0, ...passes.map(({ cell }) => cell))
  const states: Freshness[] = []
  for (let cell = first; cell < cells; cell++) {
    const here = byCell.get(cell)
    if (here?.complete) lastComplete = cell
    if (here) isFailing = here.endedFailed
    if (cell < 0) continue
    if (isFailing || here?.failed) states.push('error')
    else if (lastComplete === undefined) states.push('none')
    else states.push(cell - lastComplete <= onTimeFor ? 'ok' : 'late')
  }
  return states
}

const badness: Readonly<Record<Freshness, number>> = { error: 3, late: 2, none: 1, ok: 0 }

/** A connection is as fresh as its worst stream. */
export function worstFreshness(strips: readonly (readonly Freshness[])[], cells: number): Freshness[] {
  return Array.from({ length: cells }, (_, cell) =>
    strips.reduce<Freshness>(
      (worst, strip) => (badness[strip[cell] ?? 'none'] > badness[worst] ? (strip[cell] ?? 'none') : worst),
      strips.length ? 'ok' : 'none',
    ),
  )
}
