import { z } from '@hono/zod-openapi'
import type { TimeSpan } from '../db/records/findings.ts'
import { toEpoch } from '../jobs/domain/expectations/zoned-time.ts'
import { spanOf, spanShape } from './shapes/time-span.ts'

const sample = { now: Date.parse('2026-01-15T12:00:00Z'), timeZone: 'UTC' }

/** A span as people write one: `<from>..<to>`, `<now`, `>now-24h`, `today`, `yesterday`, `2026-03-02` or `2026-03-02..2026-03-04`. */
export const shortSpanShape = z
  .string()
  .max(80)
  .refine((text) => readSpan(text, sample) !== null, 'expected a time span such as <now, now-24h..now, today or 2026-03-02')
  .optional()
  .openapi({ type: 'string', example: '<now' })

/** Days are days of the zone, the last one included; the end of any other span is not. Null: it is none. */
export function readSpan(text: string, { now, timeZone }: { readonly now: number; readonly timeZone: string }): TimeSpan | null {
  const today = new Intl.DateTimeFormat('sv-SE', { timeZone }).format(now)
  const named = text === 'today' ? today : text === 'yesterday' ? nextDay(today, -1) : text
  const [first = '', last = first, more] = named.split('..')
  if (more === undefined && isDay(first) && isDay(last)) {
    const from = toEpoch(first, timeZone)
    const to = toEpoch(nextDay(last, 1), timeZone)
    return from === null || to === null || to <= from ? null : { from, to }
  }
  const span = named.replace(/^<=?(?!\.)(.+)$/, '..$1').replace(/^>=?(.+)$/, '$1..')
  return spanShape.safeParse(span).success ? (spanOf('span', span, now).span ?? null) : null
}

const isDay = (text: string) => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`))
const nextDay = (day: string, by: number) => new Date(Date.parse(`${day}T00:00:00Z`) + by * 86_400_000).toISOString().slice(0, 10)
