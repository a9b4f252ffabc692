import { historyDays } from './plan.ts'
import { randomFrom } from './random.ts'
import { day, hour, minute } from './times.ts'

export const tools = ['stripe', 'calcom', 'twilio', 'fhir'] as const
export type Tool = (typeof tools)[number]

/** The tool answers nothing useful in [from, to). */
export interface Outage {
  readonly tool: Tool
  readonly from: number
  readonly to: number
  /** Only requests whose URL contains this; absent: all. */
  readonly path?: string
}

/** The live part of the demo: on most days one tool is down for some hours, so that a connection goes blind while one watches. */
export function outageOf(seed: number, startAt: number, at: number): Outage | null {
  const dayIndex = Math.floor((at - startAt) / day)
  if (dayIndex < historyDays) return null
  const random = randomFrom(seed, 'outage', dayIndex)
  if (!random.chance(0.7)) return null
  const from = startAt + dayIndex * day + random.int(2 * 60, 18 * 60) * minute
  const outage: Outage = { tool: random.pick(tools), from, to: from + random.int(2, 4) * hour }
  return at >= outage.from && at < outage.to ? outage : null
}
