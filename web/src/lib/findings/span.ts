import { dayAndTime } from '../format/time.ts'

/** A stretch of time as the address of the findings list says it; the end does not belong to it. Epoch ms, or `now`, `now+24h`. */
export const spanText = (from: number | string | null, to: number | string | null): string => `${endText(from)}..${endText(to)}`

const endText = (end: number | string | null): string => (end === null ? '' : typeof end === 'number' ? new Date(end).toISOString() : end)

/** `20 Nov, 00:00 – 21 Nov, 00:00`, `before now`, `from 20 Nov, 00:00`, `today` */
export function spanInWords(span: string, zone: string): string {
  if (!/\.\.|^[<>]/.test(span)) return span
  const ends = span
    .replace(/^<=?/, '..')
    .replace(/^>=?(.+)$/, '$1..')
    .split('..')
  const [from = '', to = ''] = ends.map((end) =>
    /T/.test(end) && !Number.isNaN(Date.parse(end)) ? dayAndTime(Date.parse(end), zone) : end,
  )
  return from && to ? `${from} – ${to}` : from ? `from ${from}` : `before ${to}`
}
