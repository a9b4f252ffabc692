import { dayMs, dayStart, digits, inRange, shape, timeOfDay, utc, zoneOffset } from './clock-text.ts'
import type { TimeReader, WallClock } from './clock-text.ts'
import { compilePattern, patternReader } from './time-pattern.ts'
import type { Token } from './time-pattern.ts'
import { Zone } from './zone.ts'

export type { TimeReader } from './clock-text.ts'

export interface TimeSpec {
  readonly column: string
  readonly format: string
  readonly zone: string | null
}

/** What is wrong with a time format or its zone; null when it can be used. */
export function explainTimeFormat(format: string, zone: string | null | undefined): string | null {
  if (zone) {
    try {
      new Intl.DateTimeFormat('en', { timeZone: zone })
    } catch {
      return 'the zone is unknown; expected one such as Europe/Rome, America/New_York or UTC'
    }
  }
  if (format === 'iso' || format === 'epoch-s' || format === 'epoch-ms') return null
  const parts = compilePattern(format)
  if (typeof parts === 'string') return parts
  const has = (token: Token) => parts.some((part) => 'token' in part && part.token === token)
  if (!has('yyyy') || !(has('MM') || has('M') || has('MMM')) || !(has('dd') || has('d'))) {
    return 'the format needs a year (yyyy), a month (MM, M or MMM) and a day (dd or d), such as yyyy-MM-dd HH:mm:ss'
  }
  if ((has('h') || has('hh')) && !has('a')) return 'the format has a 12-hour clock (h) without AM or PM (a); for a 24-hour clock write HH'
  if (!zone && !has('XXX')) return 'times of this format state no zone; add zone: Europe/Rome (the zone in which the tool writes its times)'
  return null
}

export function makeTimeReader({ column, format, zone }: TimeSpec): TimeReader {
  if (format === 'epoch-s') return epochReader(column, 1000)
  if (format === 'epoch-ms') return epochReader(column, 1)
  const clock = zone === null ? null : zone === 'UTC' || zone === 'Etc/UTC' ? utc : new Zone(zone)
  return format === 'iso' ? isoReader(column, clock) : patternReader(column, format, clock)
}

function epochReader(column: string, unitMs: number): TimeReader {
  const name = unitMs === 1 ? 'epoch-ms' : 'epoch-s'
  return {
    column,
    read: (text) => (/^-?\d{1,15}(?:\.\d{1,9})?$/.test(text) ? inRange(Math.round(Number(text) * unitMs)) : Number.NaN),
    isDay: () => false,
    endOfDay: () => Number.NaN,
    explain(text) {
      if (text === '') return `column ${column} is empty; expected a time`
      const value = Number(text)
      if (!Number.isFinite(value)) return `column ${column} holds "${shape(text)}", which is no number; its format is ${name}`
      const other = unitMs === 1 ? value * 1000 : value
      return `the time in column ${column} is outside 1900–2200 as ${name}${Number.isNaN(inRange(other)) ? '' : `; is it ${unitMs === 1 ? 'epoch-s' : 'epoch-ms'}?`}`
    },
  }
}

function isoReader(column: string, clock: WallClock | null): TimeReader {
  const day = (text: string) =>
    text.charCodeAt(4) === 45 && text.charCodeAt(7) === 45
      ? dayStart(digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2))
      : Number.NaN
  const isDay = (text: string) => text.length === 10
  const noZone = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)?$/
  return {
    column,
    isDay,
    read(text) {
      const date = day(text)
      if (isDay(text)) return clock === null ? Number.NaN : inRange(clock.toInstant(date))
      const separator = text.charCodeAt(10)
      if ((separator !== 84 && separator !== 32 && separator !== 116) || text.charCodeAt(13) !== 58) return Number.NaN
      let second = 0
      let fraction = 0
      let at = 16
      if (text.charCodeAt(16) === 58) {
        second = digits(text, 17, 2)
        at = 19
        const point = text.charCodeAt(19)
        if (point === 46 || point === 44) {
          let scale = 100
          for (at = 20; at < text.length; at += 1) {
            const code = text.charCodeAt(at) - 48
            if (!(code >= 0 && code <= 9)) break
            if (scale >= 1) fraction += code * scale
            scale /= 10
          }
          if (at === 20) return Number.NaN
        }
      }
      if (text.charCodeAt(at) === 32 && at + 1 < text.length) at += 1
      const local = date + timeOfDay(digits(text, 11, 2), digits(text, 14, 2), second) + fraction
      const offset = zoneOffset(text, at)
      if (offset !== undefined) return inRange(local - offset * 60_000)
      return clock === null ? Number.NaN : inRange(clock.toInstant(local))
    },
    endOfDay: (text) => (clock === null ? Number.NaN : clock.toInstant(day(text) + dayMs) - 1),
    explain(text) {
      if (text === '') return `column ${column} is empty; expected a time`
      if (clock === null && noZone.test(text) && !Number.isNaN(day(text))) {
        const shown = isDay(text) ? shape(text) : text
        return `the time "${shown}" in column ${column} has no zone; add zone: Europe/Rome (the zone in which the tool writes it) to its time in connections.yaml`
      }
      return `column ${column} holds "${shape(text)}", which is no ISO time; expected one such as 2024-01-02T10:00:00Z, or set the format of this column, such as "dd/MM/yyyy HH:mm"`
    },
  }
}
