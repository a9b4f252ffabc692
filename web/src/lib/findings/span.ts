import { dayAndTime } from '../format/time.ts'

/** A stretch of time as the address of the findings list says it; the end does not belong to it. Epoch ms, or `now`, `now+24h`. */
export const spanText = (from: number | string | null, to: number | string | null): string => `${endText(from)}..${endText(to)}`

const endText = (end: number | string | null): string => (end === null ? '' : typeof end === 'number' ? new Date(end).toISOString() : end)

/** `20 Nov, 00:00 – 21 Nov, 00:00`, `until now`, `from 20 Nov, 00:00` */
export function spanInWords(span: string, zone: string): string {
  const [from = '', to = ''] = span.split('..').map((end) => (Number.isNaN(Date.parse(end)) ? end : dayAndTime(Date.parse(end), zone)))
  return from && to ? `${from} – ${to}` : from ? `from ${from}` : `until ${to}`
}
