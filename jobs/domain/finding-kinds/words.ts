import type { Deadline, Step } from '../program.ts'

type Detail = Readonly<Record<string, string | number | boolean | null>>

/** What things are called where a finding is shown. A verdict's `detail` holds names and numbers; only here they become words. */
export interface Names {
  /** The title of a step, or its name as one says it. */
  step(name: string): string
  tool(connection: string): string
}

/** `steps`: of the program the finding is about; `tools`: titles by connection. What is not in them is said by its own name. */
export function namesFrom(steps: ReadonlyMap<string, Pick<Step, 'title'>>, tools: ReadonlyMap<string, string>): Names {
  return {
    step: (name) => steps.get(name)?.title ?? spoken(name),
    tool: (connection) => tools.get(connection) ?? connection,
  }
}

export const plainNames: Names = namesFrom(new Map(), new Map())

/** A detail as a word of a sentence; the fallback keeps the sentence true when it is not known. */
export function text(detail: Detail, key: string, fallback: string): string {
  const value = detail[key]
  return value === undefined || value === null || value === '' ? fallback : String(value)
}

/** A step in a sentence, quoted since its title may be a sentence of its own: “Visit held”. */
export function step(detail: Detail, key: string, names: Names, fallback: string): string {
  const name = text(detail, key, '')
  return name === '' ? fallback : `“${names.step(name)}”`
}

/** `intake_done` is "Intake done". */
export function spoken(name: string): string {
  return capital(name.replaceAll(/[_\s-]+/g, ' ').trim())
}

export function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** A state of a tool as one says it: `no_show` is "no show", and one its connector does not know is named as such. */
export function state(value: string): string {
  const unknown = /^unknown:(.*)$/s.exec(value)?.[1]
  if (unknown !== undefined) return `unknown (${unknown})`
  return runTogether[value] ?? value.replaceAll('_', ' ')
}
const runTogether: Readonly<Record<string, string>> = { noshow: 'no-show' }

/** A field of a stream, `<connection>.<stream>.<field>`: its tool, and its name unless that is the plain status. */
export function field(address: string, names: Names): { tool: string; field: string | null } {
  const parts = address.split('.')
  const name = parts.at(-1) ?? address
  return { tool: names.tool(parts[0] ?? address), field: name === 'status' ? null : spokenField(name) }
}

/** `startsAt` is "starts at". */
export function spokenField(name: string): string {
  return name.replaceAll(/(?<=[a-z])(?=[A-Z])|_/g, ' ').toLowerCase()
}

/** When a promised step was to come: ` within 15 minutes after “Visit booked”`, ` by 2 hours before the start of “Visit booked”`. */
export function deadline(detail: Detail, names: Names): string {
  const anchor = step(detail, 'after', names, '')
  const { withinMs, withinField } = detail
  if (typeof withinMs !== 'number') return anchor === '' ? '' : ` after ${anchor} before the journey ended`
  if (typeof withinField !== 'string') return ` within ${inFullWords(withinMs)}${anchor === '' ? '' : ` after ${anchor}`}`
  return ` by ${momentBy(withinMs, withinField)}${anchor === '' ? '' : ` of ${anchor}`}`
}

/** `2 hours before the start` */
function momentBy(ms: number, field: string): string {
  const moment = moments[field] ?? `“${spokenField(field)}”`
  return ms === 0 ? moment : `${inFullWords(ms)} ${ms < 0 ? 'before' : 'after'} ${moment}`
}
const moments: Readonly<Record<string, string>> = { startsAt: 'the start', endsAt: 'the end' }

/** From when a promised step may come: `30 hours before the start`, `2 hours after it`. */
export function earliest({ offsetMs, field: anchorField }: Deadline): string {
  return anchorField === null ? `${inFullWords(offsetMs)} ${offsetMs < 0 ? 'before' : 'after'} it` : momentBy(offsetMs, anchorField)
}

export function duration(detail: Detail, key: string, fallback: string): string {
  const value = detail[key]
  return typeof value === 'number' ? inFullWords(value) : fallback
}

export function times(count: number): string {
  return count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`
}

/** The two largest units: `2d 3h`, `14m`, `40s`. */
export function inWords(ms: number): string {
  return unitsOf(ms)
    .map(({ count, unit }) => `${count}${unit.charAt(0)}`)
    .join(' ')
}

/** The two largest units as one says them: `2 days 3 hours`, `15 minutes`; up to two days in hours, as people do. */
export function inFullWords(ms: number): string {
  const hours = Math.abs(ms) / 3_600_000
  if (hours >= 24 && hours < 48 && Number.isInteger(hours)) return `${hours} hours`
  return unitsOf(ms)
    .map(({ count, unit }) => `${count} ${unit}${count === 1 ? '' : 's'}`)
    .join(' ')
}

function unitsOf(ms: number): { count: number; unit: string }[] {
  const seconds = Math.round(Math.abs(ms) / 1000)
  const parts = [
    { count: Math.floor(seconds / 86_400), unit: 'day' },
    { count: Math.floor(seconds / 3600) % 24, unit: 'hour' },
    { count: Math.floor(seconds / 60) % 60, unit: 'minute' },
    { count: seconds % 60, unit: 'second' },
  ]
  const first = parts.findIndex(({ count }) => count > 0)
  if (first === -1) return [{ count: 0, unit: 'second' }]
  // Nobody asks for the seconds of half an hour.
  const units = parts[first]?.unit === 'minute' && parts[first].count >= 10 ? 1 : 2
  return parts.slice(first, first + units).filter(({ count }) => count > 0)
}
