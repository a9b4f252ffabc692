import { isHouseholdHead, isHouseholdMember, placeInBlock } from './people.ts'
import { randomFrom } from './random.ts'

/** What ordinary life does to a journey; none of it is a fault. */
export const variations = ['plain', 'reschedule', 'cancel-refund', 'no-show', 'rebook', 'opt-out', 'leaver'] as const
export type Variation = (typeof variations)[number]

/** What an injector may do to one journey. */
export const faults = [
  'confirmation-missing',
  'confirmation-undelivered',
  'intake-missing',
  'follow-up-missing',
  'plan-missing',
  'confirmation-late',
  'follow-up-late',
  'reminder-early',
  'intake-after-visit',
  'text-after-stop',
  'charge-after-leaving',
  'wrong-service-in-ehr',
  'confirmed-twice',
  'charged-twice',
  'cancelled-but-still-in-ehr',
  'unmapped-ehr-state',
  'stuck',
  'walk-in-without-payment',
  'text-to-shared-phone',
] as const
export type Fault = (typeof faults)[number]

export interface Plan {
  readonly variation: Variation
  readonly fault: Fault | null
}

export const historyDays = 30
export const historyPeople = 400

/** How many of each stand in the history, and the last day on which such a journey may begin so that the fault is known before the history ends. */
const planted: Readonly<Record<Fault, { readonly times: number; readonly lastDay: number }>> = {
  'confirmation-missing': { times: 3, lastDay: 25 },
  'confirmation-undelivered': { times: 2, lastDay: 25 },
  'intake-missing': { times: 3, lastDay: 14 },
  'follow-up-missing': { times: 3, lastDay: 16 },
  'plan-missing': { times: 2, lastDay: 16 },
  'confirmation-late': { times: 3, lastDay: 25 },
  'follow-up-late': { times: 3, lastDay: 17 },
  'reminder-early': { times: 3, lastDay: 20 },
  'intake-after-visit': { times: 3, lastDay: 25 },
  'text-after-stop': { times: 3, lastDay: 14 },
  'charge-after-leaving': { times: 3, lastDay: 12 },
  'wrong-service-in-ehr': { times: 3, lastDay: 25 },
  'confirmed-twice': { times: 4, lastDay: 25 },
  'charged-twice': { times: 3, lastDay: 27 },
  'cancelled-but-still-in-ehr': { times: 4, lastDay: 23 },
  'unmapped-ehr-state': { times: 3, lastDay: 24 },
  stuck: { times: 4, lastDay: 12 },
  'walk-in-without-payment': { times: 3, lastDay: 26 },
  'text-to-shared-phone': { times: 3, lastDay: 15 },
}

/** People who begin on a day: 400 over the history, then more often, so that there is something to watch. */
export function arrivalsOn(dayIndex: number): number {
  if (dayIndex < historyDays) return dayIndex % 3 === 0 ? 14 : 13
  return 60
}

export function dayOfArrival(index: number): number {
  let seen = 0
  for (let dayIndex = 0; ; dayIndex++) {
    seen += arrivalsOn(dayIndex)
    if (index < seen) return dayIndex
  }
}

/** Households, front desks and payers stay free of planted faults, except where the fault is about them. */
function mayCarry(fault: Fault, index: number): boolean {
  if (fault === 'text-to-shared-phone') return isHouseholdMember(index) && Math.floor(index / 20) % 3 === 0
  return ![3, 4, 9, 12, 16].includes(placeInBlock(index))
}

function planHistory(seed: number): ReadonlyMap<number, Fault> {
  const random = randomFrom(seed, 'plan')
  const order = random.shuffle(Array.from({ length: historyPeople }, (_, index) => index))
  const chosen = new Map<number, Fault>()
  // The narrowest windows choose first, so that each finds its people.
  for (const fault of [...faults].sort((a, b) => planted[a].lastDay - planted[b].lastDay)) {
    const people = order.filter((index) => !chosen.has(index) && mayCarry(fault, index) && dayOfArrival(index) <= planted[fault].lastDay)
    for (const index of people.slice(0, planted[fault].times)) chosen.set(index, fault)
  }
  return chosen
}

const liveFaultShare = 0.35
/** Faults that show within hours come more often while one watches. */
const quick: readonly Fault[] = [
  'charged-twice',
  'confirmation-missing',
  'confirmation-undelivered',
  'confirmation-late',
  'confirmed-twice',
  'wrong-service-in-ehr',
  'cancelled-but-still-in-ehr',
]

export function planner(seed: number): (index: number) => Plan {
  const history = planHistory(seed)
  return (index) => {
    const random = randomFrom(seed, 'variation', index)
    const lately = dayOfArrival(index) >= historyDays - 4 && dayOfArrival(index) < historyDays
    const share = random.next()
    // Cancellations are more frequent towards the end of the history, so that some are always under way when the live part begins.
    const cancels = lately ? 0.34 : 0.14
    let variation: Variation = 'plain'
    if (isHouseholdHead(index)) variation = 'leaver'
    else if (isHouseholdMember(index)) variation = 'plain'
    else if (share < cancels / 2) variation = 'cancel-refund'
    else if (share < cancels) variation = 'rebook'
    else if (share < cancels + 0.1) variation = 'reschedule'
    else if (share < cancels + 0.15) variation = 'no-show'
    else if (share < cancels + 0.21 && ![9, 12, 16].includes(placeInBlock(index))) variation = 'opt-out'
    else if (share < cancels + 0.26) variation = 'leaver'
    const fault = history.get(index) ?? null
    // Those who came last carry the faults that fall due while one begins to watch.
    if (fault !== null || (index < historyPeople && dayOfArrival(index) < historyDays - 3)) return { variation, fault }
    if (!random.chance(liveFaultShare)) return { variation, fault: null }
    const possible = [...faults, ...quick, ...quick].filter((one) => mayCarry(one, index))
    return { variation, fault: possible.length === 0 ? null : random.pick(possible) }
  }
}
