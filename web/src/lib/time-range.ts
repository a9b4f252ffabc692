import { dayAndTime } from './format/time.ts'

/** A range as it stands in the address: `now`, `now-24h` (m, h, d, w), or an ISO instant. `to` is not part of the range. */
export interface RangeText {
  readonly from: string
  readonly to: string
}

export interface Bounds {
  /** Epoch ms. */
  readonly from: number
  readonly to: number
}

export const presets = [
  { id: '24h', title: 'Last 24 hours' },
  { id: '7d', title: 'Last 7 days' },
  { id: '30d', title: 'Last 30 days' },
  { id: '90d', title: 'Last 90 days' },
] as const
export type Preset = (typeof presets)[number]['id']

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
const unitTitles = { m: 'minute', h: 'hour', d: 'day', w: 'week' } as const
type Unit = keyof typeof unitMs
/** Twenty years: no range of a console is longer, and times stay within what a database holds. */
const longestMs = 20 * 366 * unitMs.d

export const lastOf = (preset: Preset): RangeText => ({ from: `now-${preset}`, to: 'now' })

function back(text: string): { amount: number; unit: Unit } | undefined {
  const [, amount, unit] = /^now-(\d{1,6})([mhdw])$/.exec(text) ?? []
  return amount && unit && Number(amount) * unitMs[unit as Unit] <= longestMs ? { amount: Number(amount), unit: unit as Unit } : undefined
}

/** Epoch ms of one end of a range; undefined for what is neither `now…` nor an ISO instant with its zone. */
export function instantOf(text: string, now: number): number | undefined {
  if (text === 'now') return now
  const relative = back(text)
  if (relative) return now - relative.amount * unitMs[relative.unit]
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : at
}

/** The range an address asks for; what makes no sense is the fallback, never an error. */
export function readRange(search: Pick<URLSearchParams, 'get'>, fallback: RangeText): RangeText {
  const asked = { from: search.get('from') ?? fallback.from, to: search.get('to') ?? fallback.to }
  const bounds = [instantOf(asked.from, 0), instantOf(asked.to, 0)] as const
  if (bounds[0] === undefined || bounds[1] === undefined) return fallback
  const areAlike = asked.from.startsWith('now') === asked.to.startsWith('now')
  return areAlike && bounds[0] >= bounds[1] ? fallback : asked
}

export function boundsOf(range: RangeText, now: number): Bounds {
  const from = instantOf(range.from, now) ?? now
  const to = instantOf(range.to, now) ?? now
  return from <= to ? { from, to } : { from: to, to: from }
}

/** `Last 7 days`, `Last 36 hours`, `18 Nov, 05:00 – 20 Nov, 10:00` */
export function rangeTitle(range: RangeText, now: number, zone: string): string {
  const since = range.to === 'now' ? back(range.from) : undefined
  if (since) return since.amount === 1 ? `Last ${unitTitles[since.unit]}` : `Last ${since.amount} ${unitTitles[since.unit]}s`
  const { from, to } = boundsOf(range, now)
  return `${dayAndTime(from, zone)} – ${range.to === 'now' ? 'now' : dayAndTime(to, zone)}`
}

const parts = new Map<string, Intl.DateTimeFormat>()

/** `2026-11-20T10:30`: what a clock on a wall of `zone` shows, as a datetime-local field wants it. */
export function wallTimeIn(at: number, zone: string): string {
  const format =
    parts.get(zone) ??
    new Intl.DateTimeFormat('sv-SE', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    })
  parts.set(zone, format)
  return format.format(at).replace(' ', 'T')
}

/**
 * Epoch ms of a wall clock's time in `zone`. A time that a change of clocks skips is read as if they had not changed
 * yet; of a time that comes twice, the first is meant.
 */
export function instantOfWallTime(text: string, zone: string): number | undefined {
  const asUtc = Date.parse(`${text.slice(0, 16)}Z`)
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(text) || Number.isNaN(asUtc)) return undefined
  const offsetAt = (at: number) => Date.parse(`${wallTimeIn(at, zone)}Z`) - Math.floor(at / unitMs.m) * unitMs.m
  const candidates = [offsetAt(asUtc - unitMs.d), offsetAt(asUtc + unitMs.d)].map((offset) => asUtc - offset)
  const shown = candidates.filter((at) => wallTimeIn(at, zone) === text.slice(0, 16))
  return shown.length ? Math.min(...shown) : candidates[0]
}
