import { toEpoch } from './expectations/zoned-time.ts'

export type BucketUnit = 'hour' | 'day' | 'week'

export interface TimeBuckets {
  readonly unit: BucketUnit
  /** Epoch ms, one more than there are buckets: bucket n begins at `bounds[n]` and ends before `bounds[n + 1]`. */
  readonly bounds: readonly number[]
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const hoursUpTo = 2 * dayMs
const daysUpTo = 92 * dayMs
const bucketsAtMost = 400

/**
 * Cuts a range into hours, days or weeks of a zone, by its length. The first bucket begins with the hour, day or Monday that holds
 * `from`, the last ends at `to`: a running day is shown as far as it went.
 */
export function timeBuckets(from: number, to: number, zone: string): TimeBuckets {
  const length = Math.max(0, to - from)
  if (length <= hoursUpTo) return { unit: 'hour', bounds: upTo(to, Math.floor(from / hourMs) * hourMs, (at) => at + hourMs) }
  const nextDay = (at: number) => dayStart(at + dayMs + dayMs / 2, zone)
  if (length <= daysUpTo) return { unit: 'day', bounds: upTo(to, dayStart(from, zone), nextDay) }
  const monday = dayStart(dayStart(from, zone) + dayMs / 2 - ((weekday(from, zone) + 6) % 7) * dayMs, zone)
  const nextWeek = (at: number) => dayStart(at + 7 * dayMs + dayMs / 2, zone)
  return { unit: 'week', bounds: upTo(to, monday, nextWeek) }
}

function upTo(to: number, first: number, next: (at: number) => number): number[] {
  const bounds = [first]
  for (let at = next(first); at < to && bounds.length < bucketsAtMost; at = next(at)) bounds.push(at)
  return [...bounds, Math.max(to, first + 1)]
}

const dates = new Map<string, Intl.DateTimeFormat>()

/** Midnight of the day of a zone that holds an instant; where midnight is skipped, the day's first instant. */
export function dayStart(at: number, zone: string): number {
  return toEpoch(dateIn(at, zone), zone) ?? at
}

/** `2026-11-20` */
export function dateIn(at: number, zone: string): string {
  let format = dates.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' })
    dates.set(zone, format)
  }
  return format.format(at)
}

/** 0 is Sunday. */
function weekday(at: number, zone: string): number {
  return new Date(`${dateIn(at, zone)}T00:00:00Z`).getUTCDay()
}
