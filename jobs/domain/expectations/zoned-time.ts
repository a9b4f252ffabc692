const withOffset = /(?:Z|[+-]\d{2}:?\d{2})$/i
const formats = new Map<string, Intl.DateTimeFormat>()

/**
 * Epoch ms of an ISO time. One without an offset is a wall-clock time of the zone: in the hour that occurs twice the first one counts,
 * in the hour that is skipped the clock has moved on. Null when it is no time.
 */
export function toEpoch(text: string, timezone: string): number | null {
  if (withOffset.test(text)) return known(Date.parse(text))
  const wall = known(Date.parse(`${text.length === 10 ? `${text}T00:00:00` : text.replace(' ', 'T')}Z`))
  if (wall === null) return null
  const before = offsetAt(wall - 86_400_000, timezone)
  const candidate = wall - before
  if (offsetAt(candidate, timezone) === before) return candidate
  const after = offsetAt(wall + 86_400_000, timezone)
  return offsetAt(wall - after, timezone) === after ? wall - after : candidate
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value
}

function offsetAt(at: number, timezone: string): number {
  let format = formats.get(timezone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formats.set(timezone, format)
  }
  const part: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(at)) part[type] = Number(value)
  const wall = Date.UTC(part.year!, part.month! - 1, part.day!, part.hour!, part.minute!, part.second!)
  return wall - Math.floor(at / 1000) * 1000
}
