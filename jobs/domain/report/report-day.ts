import { toEpoch } from '../expectations/zoned-time.ts'

const dayPattern = /^\d{4}-\d{2}-\d{2}$/
const formats = new Map<string, Intl.DateTimeFormat>()

/** The day of the zone's calendar, `2026-03-02`, that a moment lies in. */
export function dayOf(at: number, zone: string): string {
  let format = formats.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', calendar: 'iso8601' })
    formats.set(zone, format)
  }
  return format.format(at)
}

/** First moment of a day, and of the next: 23 or 25 hours apart where the clock is changed. Epoch ms. */
export function boundsOf(day: string, zone: string): { readonly startsAt: number; readonly endsAt: number } {
  return { startsAt: midnight(day, zone), endsAt: midnight(nextDay(day), zone) }
}

export function nextDay(day: string): string {
  return shifted(day, 1)
}

export function previousDay(day: string): string {
  return shifted(day, -1)
}

/** Whether a text is a day of the calendar; 2026-02-30 is none. */
export function isDay(text: string): boolean {
  return dayPattern.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`)) && shifted(text, 0) === text
}

/** Minutes after midnight of `00:15`; null when it is no time. */
export function minutesOf(clock: string): number | null {
  const found = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(clock)
  return found === null ? null : Number(found[1]) * 60 + Number(found[2])
}

/** A clock that stood still for years, or was set forward, is not made up for day by day. */
const daysAtMost = 400

export interface DaysAsked {
  /** The last day closed; null: none. */
  readonly last: string | null
  /** When the first thing was recorded, epoch ms. */
  readonly since: number
  readonly now: number
  readonly zone: string
  /** Minutes after midnight at which the day before is closed. */
  readonly atMinutes: number
}

/** The days that can be closed now, oldest first. */
export function daysToClose({ last, since, now, zone, atMinutes }: DaysAsked): readonly string[] {
  const clock = `${String(Math.floor(atMinutes / 60)).padStart(2, '0')}:${String(atMinutes % 60).padStart(2, '0')}`
  const days: string[] = []
  for (let day = previousDay(dayOf(now, zone)); days.length < daysAtMost; day = previousDay(day)) {
    if (last !== null ? day <= last : boundsOf(day, zone).endsAt <= since) break
    if (now >= (toEpoch(`${nextDay(day)}T${clock}:00`, zone) ?? Number.POSITIVE_INFINITY)) days.push(day)
  }
  return days.reverse()
}

function midnight(day: string, zone: string): number {
  return toEpoch(`${day}T00:00:00`, zone) ?? Number.NaN
}

function shifted(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
}
