const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** A length of time in at most two units: `3 d 4 h`, `12 min`, `8 s`. */
export function duration(ms: number): string {
  const length = Math.abs(ms)
  if (length < minuteMs) return `${Math.round(length / 1000)} s`
  if (length < hourMs) return `${Math.floor(length / minuteMs)} min`
  if (length < dayMs) return two(length, hourMs, 'h', minuteMs, 'min')
  return two(length, dayMs, 'd', hourMs, 'h')
}

function two(length: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const bigs = Math.floor(length / big)
  const smalls = Math.floor((length - bigs * big) / small)
  return smalls > 0 && bigs < 10 ? `${bigs} ${bigUnit} ${smalls} ${smallUnit}` : `${bigs} ${bigUnit}`
}

/** `5 min ago`, `in 2 h`, `now` */
export function relative(at: number, now: number): string {
  const distance = at - now
  if (Math.abs(distance) < 10_000) return 'now'
  return distance < 0 ? `${duration(distance)} ago` : `in ${duration(distance)}`
}

const formats = new Map<string, Intl.DateTimeFormat>()

function format(zone: string, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone} ${name}`
  const known = formats.get(key)
  if (known) return known
  const made = new Intl.DateTimeFormat('en-GB', { timeZone: zone, ...options })
  formats.set(key, made)
  return made
}

/** `20 Nov 2026, 14:05:09 EST` */
export function absolute(at: number, zone: string): string {
  return format(zone, 'absolute', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  }).format(at)
}

/** `20 Nov, 14:05` */
export function dayAndTime(at: number, zone: string): string {
  return format(zone, 'dayAndTime', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }).format(at)
}

export function day(at: number, zone: string): string {
  return format(zone, 'day', { weekday: 'short', day: 'numeric', month: 'short' }).format(at)
}

export function clock(at: number, zone: string): string {
  return format(zone, 'clock', { hour: '2-digit', minute: '2-digit' }).format(at)
}
