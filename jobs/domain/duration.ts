export const durationPattern = /^(?=\d)(?:\d{1,6}w)?(?:\d{1,6}d)?(?:\d{1,6}h)?(?:\d{1,6}m)?(?:\d{1,6}s)?$/

export const durationMeaning = 'a duration such as 15m, 2h, 30d or 1h30m (units: w, d, h, m, s)'

const unitMs: Readonly<Record<string, number>> = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 }

/** Milliseconds of `15m`, `2h`, `30d`, `1h30m`; null when it is none. A day is 24 hours. */
export function parseDuration(text: string): number | null {
  if (!durationPattern.test(text)) return null
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+)([wdhms])/g)) total += Number(amount) * unitMs[unit!]!
  return total
}

/** What is wrong with a text that should have been a duration, and what would be right. */
export function explainDuration(text: string): string {
  if (/\bworking\b/.test(text))
    return `"${text}" counts working hours, which this version does not judge yet; give elapsed time, such as 2h`
  const loose = /^\s*(\d+)\s*(w|wk|weeks?|d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?)\s*$/i.exec(text)
  if (loose !== null) return `"${text}" is not a duration; write it as ${loose[1]}${loose[2]![0]!.toLowerCase()}`
  if (/^\d+$/.test(text)) return `"${text}" has no unit; expected ${durationMeaning}`
  if (/^\d*\.\d+/.test(text)) return `"${text}" has a decimal point; expected whole numbers, such as 1h30m`
  return `"${text}" is not a duration; expected ${durationMeaning}`
}
