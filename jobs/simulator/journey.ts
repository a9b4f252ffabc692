import type { Booking, Service } from './calcom/records.ts'
import { book, cancel, reschedule, services } from './calcom/records.ts'
import { canary } from './canary.ts'
import type { Chart, EhrAppointment } from './fhir/records.ts'
import { answerIntake, chartAppointment, offboard, openChart, setAppointmentStatus, sharePlan, visit } from './fhir/records.ts'
import type { Person } from './people.ts'
import type { Fault, Plan, Variation } from './plan.ts'
import type { Random } from './random.ts'
import { customerIdOf, pay, refund } from './stripe/records.ts'
import { day, hour, minute, second } from './times.ts'
import type { Truth } from './truth.ts'
import type { Delivery } from './twilio/records.ts'
import { receive, send } from './twilio/records.ts'
import type { Resource, Write } from './writes.ts'
import { Script } from './writes.ts'

/** The promises of the demo program, as its injector must know them. */
export const promises = {
  intakeWithin: 3 * day,
  confirmedWithin: 15 * minute,
  reminderNotBefore: 30 * hour,
  followUpWithin: 24 * hour,
  planWithin: 48 * hour,
  seenWithin: 14 * day,
  settle: 30 * minute,
  stuckAfter: 10 * day,
  belongsWithin: 24 * hour,
} as const

export interface JourneyScript {
  readonly writes: readonly Write[]
  readonly truths: readonly Truth[]
}

interface Options {
  readonly person: Person
  readonly plan: Plan
  readonly random: Random
  readonly arrivesAt: number
  /** From when on Cal.com shows a field nobody knew. */
  readonly newFieldFrom: number
}

const bookings = (externalId: string) => ({ stream: 'booking.bookings', externalId })
const messages = (externalId: string) => ({ stream: 'texts.messages', externalId })
const payments = (externalId: string) => ({ stream: 'billing.payment_intents', externalId })
const ehr = (stream: string, externalId: string) => ({ stream: `ehr.${stream}`, externalId })

/** The next start of a visit at or after `at`: on the half hour, between 13:00 and 21:30 UTC (morning to afternoon in New York). */
function nextSlot(at: number): number {
  let slot = Math.ceil(at / (30 * minute)) * 30 * minute
  while (new Date(slot).getUTCHours() < 13 || new Date(slot).getUTCHours() > 21) slot += 30 * minute
  return slot
}

/** One member's way through the clinic, told to every tool, with what was planted in it. */
export function tellJourney({ person, plan, random, arrivesAt, newFieldFrom }: Options): JourneyScript {
  const script = new Script(random)
  const truths: Truth[] = []
  const plant = (truth: Omit<Truth, 'person' | 'cameAt' | 'until'> & Partial<Pick<Truth, 'cameAt' | 'until'>>) =>
    truths.push({ cameAt: null, until: null, ...truth, person: person.key })
  const fault: Fault | null = plan.fault
  const variation: Variation = fault === null || fault === 'text-to-shared-phone' ? plan.variation : 'plain'
  const told = () => ({ writes: script.writes, truths })
  const within = (from: number, to: number) => random.int(Math.ceil(from / second), Math.floor(to / second)) * second
  const extraFor = (at: number): { extra?: Resource } =>
    at >= newFieldFrom ? { extra: { attendanceMode: canary('calcom.attendanceMode', person.key) } } : {}

  if (fault === 'walk-in-without-payment') {
    const chart = openChart(script, random, person, arrivesAt)
    const seen = visit(random, chart, arrivesAt + within(5 * minute, 20 * minute), within(20 * minute, 45 * minute), null)
    plant({
      kind: 'orphan',
      expectation: 'visit-has-a-member',
      records: [ehr('encounters', seen.id)],
      from: seen.finishedAt + promises.belongsWithin,
    })
    return told()
  }

  // 1. The member pays; the clinic opens a chart.
  const customer = customerIdOf(person, random)
  const settlesAfterMs = random.chance(0.1) ? within(2 * hour, 8 * hour) : within(2 * second, 20 * second)
  const payment = pay(script, random, person, customer, arrivesAt, { purpose: 'enrolment', source: 'checkout', settlesAfterMs })
  const paidAt = payment.succeededAt
  const chart = openChart(script, random, person, paidAt + within(2 * minute, 8 * minute))
  const seenDue = (anchor: number, record: string) =>
    plant({ kind: 'gap', expectation: 'seen-in-time', records: [payments(record)], from: anchor + promises.seenWithin })

  if (fault === 'charged-twice') {
    const again = pay(script, random, person, customer, paidAt + within(60 * second, 140 * second), {
      purpose: 'enrolment',
      source: 'zap-7',
      order: payment.order,
      settlesAfterMs: 3 * second,
    })
    plant({
      kind: 'duplicate',
      expectation: 'one-charge',
      records: [payments(payment.intentId), payments(again.intentId)],
      from: again.succeededAt,
    })
  }

  // 2. Intake, then a booking.
  if (fault === 'intake-missing') {
    plant({ kind: 'gap', expectation: 'intake-in-time', records: [payments(payment.intentId)], from: paidAt + promises.intakeWithin })
    seenDue(paidAt, payment.intentId)
    send(script, random, person, paidAt + within(5 * day, 6 * day), { template: 'goodbye', sender: 'wf-15' })
    return told()
  }
  const hasty = variation === 'no-show' || variation === 'reschedule' || variation === 'rebook'
  const afterVisit = fault === 'intake-after-visit'
  const slowButInTime = variation === 'plain' && fault === null && random.chance(0.06)
  const atOnce = !slowButInTime && random.chance(0.5)
  const slowest = slowButInTime ? 71 * hour : hasty || fault === 'stuck' ? 20 * hour : 40 * hour
  const intakeAt = paidAt + (atOnce ? within(40 * minute, 90 * minute) : within(slowButInTime ? 66 * hour : hour, slowest))
  if (!afterVisit) answerIntake(random, chart, intakeAt)
  const service: Service = random.pick(services)
  const bookedAt = afterVisit
    ? paidAt + within(30 * minute, 60 * minute)
    : intakeAt + (atOnce ? within(5 * minute, 60 * minute) : within(10 * minute, 14 * hour))

  interface Visit {
    booking: Booking
    appointment: EhrAppointment
  }
  const confirm = (booking: Booking, delivery?: Delivery, delay = within(20 * second, (random.chance(0.1) ? 12 : 5) * minute)) =>
    send(script, random, person, booking.at + delay, {
      template: 'booking-confirmation',
      sender: 'wf-12',
      appointment: booking.uid,
      ...(delivery ? { delivery } : {}),
    })
  const toEhr = (booking: Booking, at: number, as: Service = service): EhrAppointment =>
    chartAppointment(random, chart, at, { booking: booking.uid, start: booking.start, service: as })
  const make = (at: number, start: number): Visit => {
    const booking = book(script, random, person, at, { start, service, ...extraFor(at) })
    confirm(booking)
    return { booking, appointment: toEhr(booking, at + within(minute, 9 * minute)) }
  }
  const release = (held: Visit, at: number) => {
    cancel(script, person, held.booking, at)
    setAppointmentStatus(chart, held.appointment, at + within(9 * minute, 24 * minute), 'cancelled')
  }

  // 3. What ordinary life does before the visit.
  const firstStart = afterVisit
    ? bookedAt + within(44 * hour, 50 * hour)
    : nextSlot(bookedAt + within(44 * hour, hasty ? 60 * hour : 96 * hour))
  let held: Visit
  if (
    fault === 'confirmation-missing' ||
    fault === 'confirmation-undelivered' ||
    fault === 'confirmation-late' ||
    fault === 'confirmed-twice' ||
    fault === 'wrong-service-in-ehr'
  ) {
    const booking = book(script, random, person, bookedAt, { start: firstStart, service, ...extraFor(bookedAt) })
    held = {
      booking,
      appointment: toEhr(
        booking,
        bookedAt + within(minute, 9 * minute),
        fault === 'wrong-service-in-ehr' ? (services.find((other) => other !== service) ?? service) : service,
      ),
    }
    const due = bookedAt + promises.confirmedWithin
    if (fault === 'confirmation-missing')
      plant({ kind: 'gap', expectation: 'booking-confirmed', records: [bookings(booking.uid)], from: due })
    else if (fault === 'confirmation-undelivered') {
      confirm(booking, { state: 'undelivered', afterMs: within(30 * second, 3 * minute) })
      plant({ kind: 'gap', expectation: 'booking-confirmed', records: [bookings(booking.uid)], from: due })
    } else if (fault === 'confirmation-late') {
      const message = confirm(booking, { state: 'delivered', afterMs: within(20 * minute, 50 * minute) })
      plant({
        kind: 'late',
        expectation: 'booking-confirmed',
        records: [bookings(booking.uid), messages(message.sid)],
        from: due,
        cameAt: message.finalAt,
      })
    } else if (fault === 'confirmed-twice') {
      const delay = within(30 * second, 4 * minute)
      const first = confirm(booking, { state: 'delivered', afterMs: 10 * second }, delay)
      const second_ = send(script, random, person, booking.at + delay + 40 * second, {
        template: 'booking-confirmation',
        sender: 'zap-7',
        appointment: booking.uid,
        delivery: { state: 'delivered', afterMs: 12 * second },
      })
      plant({
        kind: 'duplicate',
        expectation: 'one-confirmation',
        records: [messages(first.sid), messages(second_.sid)],
        from: second_.finalAt,
      })
    } else {
      confirm(booking)
      plant({
        kind: 'wrong_variant',
        expectation: 'booked-in-ehr',
        records: [bookings(booking.uid), ehr('appointments', held.appointment.id)],
        from: bookedAt + 30 * minute,
      })
    }
  } else held = make(bookedAt, firstStart)

  if (variation === 'cancel-refund') {
    const cancelledAt = Math.min(bookedAt + within(2 * hour, 30 * hour), firstStart - 32 * hour)
    refund(script, random, payment, cancelledAt - 3 * minute)
    release(held, cancelledAt)
    send(script, random, person, cancelledAt + within(40 * minute, 2 * hour), { template: 'goodbye', sender: 'wf-15' })
    return told()
  }
  if (fault === 'stuck') {
    const cancelledAt = bookedAt + within(2 * hour, 8 * hour)
    const ehrAt = cancelledAt + 15 * minute
    cancel(script, person, held.booking, cancelledAt)
    setAppointmentStatus(chart, held.appointment, ehrAt, 'cancelled')
    plant({
      kind: 'stuck',
      expectation: 'keeps-moving',
      records: [payments(payment.intentId), bookings(held.booking.uid), ehr('appointments', held.appointment.id)],
      from: ehrAt + promises.stuckAfter,
    })
    seenDue(paidAt, payment.intentId)
    return told()
  }
  if (variation === 'rebook') {
    const cancelledAt = Math.min(bookedAt + within(2 * hour, 12 * hour), firstStart - 32 * hour)
    release(held, cancelledAt)
    const againAt = cancelledAt + within(hour, 5 * hour)
    held = make(againAt, nextSlot(againAt + within(44 * hour, 60 * hour)))
  }
  if (fault === 'cancelled-but-still-in-ehr') {
    const cancelledAt = bookedAt + within(2 * hour, 8 * hour)
    cancel(script, person, held.booking, cancelledAt)
    plant({
      kind: 'drift',
      expectation: 'calendar-agrees',
      records: [bookings(held.booking.uid), ehr('appointments', held.appointment.id)],
      from: cancelledAt + promises.settle,
    })
    const againAt = cancelledAt + within(hour, 3 * hour)
    held = make(againAt, nextSlot(againAt + within(44 * hour, 60 * hour)))
  }
  if (variation === 'reschedule') {
    for (let times = random.chance(0.2) ? 2 : 1; times > 0; times--) {
      const at = held.booking.at + within(2 * hour, 7 * hour)
      const before = held
      const booking = reschedule(
        script,
        random,
        person,
        before.booking,
        at,
        nextSlot(before.booking.start + within(4 * hour, 26 * hour)),
        extraFor(at).extra,
      )
      setAppointmentStatus(chart, before.appointment, at + within(2 * minute, 5 * minute), 'cancelled')
      confirm(booking)
      held = { booking, appointment: toEhr(booking, at + within(6 * minute, 10 * minute)) }
    }
  }
  if (fault === 'unmapped-ehr-state') {
    const at = bookedAt + within(hour, 3 * hour)
    setAppointmentStatus(chart, held.appointment, at, 'waitlist')
    plant({
      kind: 'unmapped_state',
      expectation: 'calendar-agrees',
      records: [bookings(held.booking.uid), ehr('appointments', held.appointment.id)],
      from: at + promises.settle,
    })
  }

  // 4. Reminder, visit, plan, follow-up.
  const remind = (visited: Visit) => {
    const before = fault === 'reminder-early' ? within(34 * hour, 40 * hour) : within(20 * hour, 25 * hour)
    const message = send(script, random, person, visited.booking.start - before, {
      template: 'reminder',
      sender: 'wf-14',
      appointment: visited.booking.uid,
    })
    if (fault === 'reminder-early')
      plant({
        kind: 'early',
        expectation: 'reminded',
        records: [messages(message.sid), bookings(visited.booking.uid)],
        from: message.finalAt,
      })
  }
  remind(held)
  if (variation === 'no-show') {
    setAppointmentStatus(chart, held.appointment, held.booking.start + 20 * minute, 'noshow')
    const againAt = held.booking.start + within(2 * hour, 8 * hour)
    held = make(againAt, nextSlot(againAt + within(44 * hour, 60 * hour)))
    remind(held)
  }
  const start = held.booking.start
  const keepsEhr = fault !== 'unmapped-ehr-state'
  if (keepsEhr) setAppointmentStatus(chart, held.appointment, start - 5 * minute, 'arrived')
  const seen = visit(random, chart, start + within(0, 5 * minute), within(25 * minute, 48 * minute), held.appointment)
  if (keepsEhr) setAppointmentStatus(chart, held.appointment, seen.finishedAt + within(minute, 10 * minute), 'fulfilled')
  if (afterVisit) {
    const questionnaire = answerIntake(random, chart, Math.min(seen.finishedAt + within(2 * hour, 6 * hour), paidAt + 70 * hour))
    plant({
      kind: 'disorder',
      expectation: 'intake-before-visit',
      records: [ehr('encounters', seen.id), ehr('questionnaire_responses', questionnaire)],
      from: seen.finishedAt,
    })
  }
  if (fault === 'plan-missing')
    plant({ kind: 'gap', expectation: 'plan-shared', records: [ehr('encounters', seen.id)], from: seen.finishedAt + promises.planWithin })
  else sharePlan(random, chart, seen.finishedAt + within(hour, 20 * hour), seen.id)

  const followUpDue = seen.finishedAt + promises.followUpWithin
  let closedAt: number
  if (fault === 'follow-up-missing') {
    closedAt = send(script, random, person, followUpDue + within(10 * hour, 30 * hour), { template: 'goodbye', sender: 'wf-15' }).finalAt
    plant({ kind: 'gap', expectation: 'followed-up', records: [ehr('encounters', seen.id)], from: followUpDue })
  } else {
    const at = fault === 'follow-up-late' ? followUpDue + within(2 * hour, 16 * hour) : seen.finishedAt + within(2 * hour, 20 * hour)
    const message = send(script, random, person, at, { template: 'follow-up', sender: 'wf-15' })
    closedAt = message.finalAt
    if (fault === 'follow-up-late')
      plant({
        kind: 'late',
        expectation: 'followed-up',
        records: [ehr('encounters', seen.id), messages(message.sid)],
        from: followUpDue,
        cameAt: message.finalAt,
      })
  }

  // 5. Afterwards: check-ins, a second instalment, goodbyes.
  afterwards({ script, random, person, chart, customer, closedAt, arrivesAt, fault, variation, plant, within })
  return told()
}

function afterwards(told: {
  script: Script
  random: Random
  person: Person
  chart: Chart
  customer: string
  closedAt: number
  arrivesAt: number
  fault: Fault | null
  variation: Variation
  plant: (truth: Omit<Truth, 'person' | 'cameAt' | 'until'>) => void
  within: (from: number, to: number) => number
}): void {
  const { script, random, person, chart, customer, closedAt, fault, variation, plant, within } = told
  const checkIn = (at: number, withRef = true) => send(script, random, person, at, { template: 'check-in', sender: 'wf-15', withRef })
  const renew = (at: number) => pay(script, random, person, customer, at, { purpose: 'renewal', source: 'wf-31', amount: 4_900 })

  if (fault === 'text-after-stop' || variation === 'opt-out') {
    const stoppedAt = closedAt + within(day, 2 * day)
    receive(script, random, person, stoppedAt, 'STOP')
    if (fault !== 'text-after-stop') return
    const message = checkIn(stoppedAt + within(6 * hour, 30 * hour))
    plant({ kind: 'unexpected', expectation: 'no-text-after-stop', records: [messages(message.sid)], from: message.finalAt })
    return
  }
  if (fault === 'charge-after-leaving' || variation === 'leaver') {
    const leftAt = closedAt + within(day, 2 * day)
    offboard(random, chart, leftAt)
    if (fault !== 'charge-after-leaving') return
    const charge = renew(leftAt + within(day, 2 * day))
    plant({ kind: 'unexpected', expectation: 'no-charge-after-leaving', records: [payments(charge.intentId)], from: charge.succeededAt })
    return
  }
  if (fault === 'text-to-shared-phone') {
    const message = checkIn(closedAt + within(day, 2 * day), false)
    plant({ kind: 'ambiguous_identity', expectation: null, records: [messages(message.sid)], from: message.finalAt })
    return
  }
  if (random.chance(0.5)) checkIn(closedAt + within(2 * day, 4 * day))
  // The second of a household always pays its second instalment long after the first one has left: a wrong merge would show.
  if (person.household !== null) renew(told.arrivesAt + 15 * day + within(0, 6 * hour))
  else if (random.chance(0.4)) renew(closedAt + within(3 * day, 6 * day))
}
