import type { Occurrence } from './expectations/expectation.ts'

export interface PassedStep {
  readonly step: string
  readonly at: number
}

/** The steps a journey passed, each once, by its first occurrence that still stands. Occurrences are in canonical order. */
export function pathOf(occurrences: readonly Pick<Occurrence, 'step' | 'at' | 'undoneAt'>[]): PassedStep[] {
  const seen = new Set<string>()
  const path: PassedStep[] = []
  for (const { step, at, undoneAt } of occurrences) {
    if (undoneAt !== null || seen.has(step)) continue
    seen.add(step)
    path.push({ step, at })
  }
  return path
}

/** Times are counted in buckets that grow with them: each is a fifth longer than the one before, so a median told from them is within 10 %. */
const growth = 1.2
const mostSeconds = 2_147_483_647

/** Bucket of a time in seconds; 0 is less than a second. */
export function timeBucketOf(seconds: number): number {
  if (seconds < 1) return 0
  return 1 + Math.floor(Math.log(Math.min(seconds, mostSeconds)) / Math.log(growth))
}

/** A time that stands for its bucket, ms: the geometric middle. */
export function timeOfBucket(bucket: number): number {
  return bucket <= 0 ? 0 : Math.round(growth ** (bucket - 0.5) * 1000)
}

/** Bounds of the buckets from 1 on, in seconds, for `width_bucket`: that counts as `timeBucketOf` does. */
export const timeBounds: readonly number[] = Array.from({ length: timeBucketOf(mostSeconds) }, (_, index) => growth ** index)

/** The time by which half had come, ms; null: nothing was counted. */
export function medianOfBuckets(counts: readonly { readonly bucket: number; readonly journeys: number }[]): number | null {
  const all = counts.reduce((sum, { journeys }) => sum + journeys, 0)
  let before = 0
  for (const { bucket, journeys } of [...counts].sort((a, b) => a.bucket - b.bucket)) {
    before += journeys
    if (before * 2 >= all && all > 0) return timeOfBucket(bucket)
  }
  return null
}
