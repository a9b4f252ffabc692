/** The pieces times are read from. What does not fit is NaN, so that a row costs no exception. */

export const dayMs = 86_400_000
const earliest = Date.UTC(1900, 0, 1)
const latest = Date.UTC(2200, 0, 1)
const daysInMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Reads the times of one column. */
export interface TimeReader {
  readonly column: string
  /** Epoch milliseconds, or NaN when the text is no such time; `explain` then says why. */
  read(text: string): number
  /** True where the text states a day and no time of day. */
  isDay(text: string): boolean
  /** The last millisecond of the stated day. */
  endOfDay(text: string): number
  explain(text: string): string
}

export interface WallClock {
  toInstant(localMs: number): number
}
export const utc: WallClock = { toInstant: (localMs) => localMs }

export function inRange(instant: number): number {
  return instant >= earliest && instant < latest ? instant : Number.NaN
}

/** The text with digits masked: it shows the form of a cell without showing what stands in it. */
export function shape(text: string): string {
  const masked = text.slice(0, 30).replace(/[0-9]/g, '9').replace(/\p{L}/gu, 'x')
  return text.length > 30 ? `${masked}…` : masked
}

export function digits(text: string, from: number, count: number): number {
  let value = 0
  for (let index = from; index < from + count; index += 1) {
    const code = text.charCodeAt(index) - 48
    if (!(code >= 0 && code <= 9)) return Number.NaN
    value = value * 10 + code
  }
  return value
}

export function dayStart(year: number, month: number, day: number): number {
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth[month - 1]!)) return Number.NaN
  if (month === 2 && day === 29 && (year % 4 !== 0 || (year % 100 === 0 && year % 400 !== 0))) return Number.NaN
  return Date.UTC(year, month - 1, day)
}

export function timeOfDay(hour: number, minute: number, second: number): number {
  if (!(hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 60)) return Number.NaN
  return (hour * 3600 + minute * 60 + second) * 1000
}

/** Minutes east of UTC of `Z`, `+02:00`, `+0200` or `+02`, from `at` to the end; undefined when there is none, NaN when it is broken. */
export function zoneOffset(text: string, at: number): number | undefined {
  if (at === text.length) return undefined
  const sign = text.charCodeAt(at)
  if ((sign === 90 || sign === 122) && at + 1 === text.length) return 0
  if (sign !== 43 && sign !== 45) return Number.NaN
  const rest = text.length - at - 1
  const hour = digits(text, at + 1, 2)
  const minute =
    rest === 2 ? 0 : rest === 4 ? digits(text, at + 3, 2) : rest === 5 && text[at + 3] === ':' ? digits(text, at + 4, 2) : Number.NaN
  if (!(hour <= 15 && minute <= 59)) return Number.NaN
  return (sign === 43 ? 1 : -1) * (hour * 60 + minute)
}
