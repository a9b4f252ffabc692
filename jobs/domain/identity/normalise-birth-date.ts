export interface NormalisedBirthDate {
  /** yyyy-MM-dd */
  readonly value: string
  /** 1 January is what forms and registries write when they do not know: it neither links nor separates. */
  readonly weak: boolean
}

/** Version 1: ISO dates (with or without hyphens, a time after it is cut off) that exist, from 1880 on. Anything else is not guessed at. */
export function normaliseBirthDate(raw: string): NormalisedBirthDate | null {
  const match = /^(\d{4})([-/.]?)(\d{2})\2(\d{2})(?:$|[T ])/.exec(raw.trim())
  if (!match) return null
  const [, year, , month, day] = match
  const value = `${year}-${month}-${day}`
  const date = new Date(`${value}T00:00:00Z`)
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== value || value < '1880') return null
  return { value, weak: month === '01' && day === '01' }
}

/** Hex digits of each part's token inside the birth-date veto of a key. */
export const birthDatePartDigits = 16

/** A date without its day, its month and its year: two dates that differ in one of them, a slip, still share a part and do not separate. */
export function birthDateParts(date: string): string[] {
  const [year, month, day] = date.split('-')
  return [`${year}-${month}`, `${year}--${day}`, `-${month}-${day}`]
}
