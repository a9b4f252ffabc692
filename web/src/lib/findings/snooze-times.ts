import { instantOfWallTime, wallTimeIn } from '../time-range.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** When a working day begins, where a snooze should wake. */
const morning = '08:00'

export interface SnoozeChoice {
  readonly id: 'hour' | 'tomorrow' | 'monday'
  readonly title: string
  /** Epoch ms. */
  readonly until: number
}

/** Until when one usually snoozes, by the wall clock of the workspace's zone. */
export function snoozeChoices(now: number, zone: string): SnoozeChoice[] {
  const today = wallTimeIn(now, zone).slice(0, 10)
  const dayAfter = (days: number) => new Date(Date.parse(`${today}T00:00Z`) + days * dayMs).toISOString().slice(0, 10)
  const at = (day: string) => instantOfWallTime(`${day}T${morning}`, zone) ?? now + dayMs
  const weekday = new Date(Date.parse(`${today}T00:00Z`)).getUTCDay()
  return [
    { id: 'hour', title: '1 hour', until: now + hourMs },
    { id: 'tomorrow', title: 'Tomorrow 8:00', until: at(dayAfter(1)) },
    { id: 'monday', title: 'Next Monday 8:00', until: at(dayAfter((8 - weekday) % 7 || 7)) },
  ]
}
