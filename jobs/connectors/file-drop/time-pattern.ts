import { dayMs, dayStart, digits, inRange, shape, timeOfDay, zoneOffset } from './clock-text.ts'
import type { TimeReader, WallClock } from './clock-text.ts'

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const tokens = ['yyyy', 'MMM', 'MM', 'M', 'dd', 'd', 'HH', 'H', 'hh', 'h', 'mm', 'm', 'ss', 's', 'SSSSSS', 'SSS', 'a', 'XXX'] as const
export type Token = (typeof tokens)[number]
export type Part = { readonly token: Token } | { readonly literal: string }

/** The parts of a pattern such as `dd/MM/yyyy HH:mm`, or what is wrong with it. */
export function compilePattern(format: string): readonly Part[] | string {
  const parts: Part[] = []
  for (let at = 0; at < format.length; ) {
    if (format[at] === "'") {
      const end = format.indexOf("'", at + 1)
      if (end < 0) return "the format has an opening ' without a closing one"
      parts.push({ literal: format.slice(at + 1, end) || "'" })
      at = end + 1
      continue
    }
    const token = tokens.find((candidate) => format.startsWith(candidate, at))
    if (token !== undefined) parts.push({ token })
    else if (/[A-Za-z]/.test(format[at]!))
      return `the format has "${format[at]}", which means nothing; expected iso, epoch-s, epoch-ms or a pattern of ${tokens.join(', ')} (other letters in quotes: 'T')`
    else parts.push({ literal: format[at]! })
    at += token?.length ?? 1
  }
  return parts
}

export function patternReader(column: string, format: string, clock: WallClock | null): TimeReader {
  const compiled = compilePattern(format)
  const parts = typeof compiled === 'string' ? [] : compiled
  const hasHour = parts.some((part) => 'token' in part && /^[Hh]/.test(part.token))

  /** The wall clock as if it were UTC and the stated offset in minutes; NaN when the text does not fit. */
  const parse = (text: string): { local: number; offset: number | undefined } => {
    const broken = { local: Number.NaN, offset: undefined }
    let at = 0
    let year = 0
    let month = 0
    let day = 0
    let hour = 0
    let minute = 0
    let second = 0
    let ms = 0
    let afternoon: boolean | null = null
    let offset: number | undefined
    const number = (width: number, fixed: boolean): number => {
      let length = fixed ? width : 0
      if (!fixed) while (length < width && at + length < text.length && !Number.isNaN(digits(text, at + length, 1))) length += 1
      const value = length === 0 || at + length > text.length ? Number.NaN : digits(text, at, length)
      at += length
      return value
    }
    for (const part of parts) {
      if ('literal' in part) {
        if (!text.startsWith(part.literal, at)) return broken
        at += part.literal.length
        continue
      }
      switch (part.token) {
        case 'yyyy':
          year = number(4, true)
          break
        case 'MMM':
          month = monthNames.indexOf(text.slice(at, at + 3).toLowerCase()) + 1
          at += 3
          break
        case 'MM':
        case 'M':
          month = number(2, part.token === 'MM')
          break
        case 'dd':
        case 'd':
          day = number(2, part.token === 'dd')
          break
        case 'HH':
        case 'H':
          hour = number(2, part.token === 'HH')
          break
        case 'hh':
        case 'h':
          hour = number(2, part.token === 'hh')
          if (hour === 0 || hour > 12) return broken
          break
        case 'mm':
        case 'm':
          minute = number(2, part.token === 'mm')
          break
        case 'ss':
        case 's':
          second = number(2, part.token === 'ss')
          break
        case 'SSS':
          ms = number(3, true)
          break
        case 'SSSSSS':
          ms = Math.floor(number(6, true) / 1000)
          break
        case 'a': {
          const half = text.slice(at, at + 2).toUpperCase()
          if (half !== 'AM' && half !== 'PM') return broken
          afternoon = half === 'PM'
          at += 2
          break
        }
        case 'XXX': {
          const end = text[at] === 'Z' || text[at] === 'z' ? at + 1 : text[at + 3] === ':' ? at + 6 : at + 5
          offset = zoneOffset(text.slice(0, end), at) ?? Number.NaN
          at = end
          break
        }
      }
    }
    if (at !== text.length) return broken
    if (afternoon !== null) hour = (hour % 12) + (afternoon ? 12 : 0)
    return { local: dayStart(year, month, day) + timeOfDay(hour, minute, second) + ms, offset }
  }
  return {
    column,
    read(text) {
      const { local, offset } = parse(text)
      if (offset !== undefined) return inRange(local - offset * 60_000)
      return clock === null ? Number.NaN : inRange(clock.toInstant(local))
    },
    isDay: () => !hasHour,
    endOfDay(text) {
      const { local, offset } = parse(text)
      if (offset !== undefined) return local + dayMs - offset * 60_000 - 1
      return clock === null ? Number.NaN : clock.toInstant(local + dayMs) - 1
    },
    explain: (text) =>
      text === ''
        ? `column ${column} is empty; expected a time`
        : `column ${column} holds "${shape(text)}", which does not fit the format ${format}`,
  }
}
