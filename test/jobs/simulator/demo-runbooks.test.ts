import { expect, it } from 'vitest'
import { loadConfiguration } from '../../../jobs/configuration.ts'
import { actionsOfConnections } from '../../../jobs/configured-runbooks.ts'
import { connectors } from '../../../jobs/connectors/index.ts'
import { planRun } from '../../../jobs/domain/plan-run.ts'
import type { PlannedRun, PlanRecord, PlanSubject } from '../../../jobs/domain/plan-run.ts'
import { stepsOfExpectation } from '../../../jobs/domain/runbook-scope.ts'
import { demoDirectory } from '../../../jobs/simulator/demo-configuration.ts'
import { demoSecrets } from '../../../jobs/simulator/simulator.ts'

const { runbooks = [], programs, connections } = await loadConfiguration(demoDirectory, demoSecrets, connectors)
const actions = actionsOfConnections(connections, connectors)
const promises = programs.flatMap(({ program }) => program.expectations)

/** The runbook a promise names, planned on a finding of it. */
function planFor(expectation: string, kind: string, object: string | null, records: Pick<PlanSubject, 'evidence' | 'journey'>): PlannedRun {
  const promise = promises.find(({ name }) => name === expectation)
  const runbook = runbooks.find((one) => one.runbook.key === promise?.runbook)?.runbook
  if (promise === undefined || runbook === undefined) throw new Error(`${expectation} names no runbook`)
  const planning = planRun(
    { runbook, version: 1 },
    {
      finding: {
        id: 'f',
        kind,
        program: 'virtual-care',
        expectation,
        status: 'open',
        objectType: object === null ? null : 'appointment',
        objectId: object,
      },
      steps: stepsOfExpectation(promise),
      ...records,
    },
    {},
    actions,
  )
  if (!planning.ok) throw new Error(planning.why.map(({ message }) => message).join('\n'))
  return planning.plan
}

const record = (role: PlanRecord['role'], stream: string, externalId: string, occurredAt: number, status: string): PlanRecord => ({
  role,
  stream,
  externalId,
  occurredAt,
  status,
  ops: {},
})
const text = `SM${'a1'.repeat(16)}`

it.each([
  ['booking-confirmed', 'booking-confirmation'],
  ['reminded', 'reminder'],
])('%s: sends its template about the booking to the number of a known text', (expectation, template) => {
  const journey = [
    record(null, 'texts.messages', `SM${'b2'.repeat(16)}`, 1, 'delivered'),
    record(null, 'texts.messages', text, 2, 'received'),
  ]
  const plan = planFor(expectation, 'gap', 'bk1', { evidence: [record('anchor', 'booking.bookings', 'bk1', 1, 'accepted')], journey })
  expect(plan.steps.map(({ action, input }) => [action, input])).toEqual([
    ['recheck', { connection: 'booking' }],
    ['recheck', { connection: 'texts' }],
    ['send', { template, recipient_of: text, about: { appointment: 'bk1' } }],
  ])
  expect(plan.approval).toBeNull()
})

it('one-charge: refunds every charge after the first, on an approval', () => {
  const evidence = ['pi_0003', 'pi_0001', 'pi_0002'].map((id, index) =>
    record('culprit', 'billing.payment_intents', id, index, 'succeeded'),
  )
  const plan = planFor('one-charge', 'duplicate', null, { evidence, journey: [] })
  expect(plan.steps.map(({ key, input }) => [key, input])).toEqual([
    ['refund.1', { payment: 'pi_0001', reason: 'duplicate' }],
    ['refund.2', { payment: 'pi_0002', reason: 'duplicate' }],
  ])
  expect(plan).toMatchObject({ approval: { by: 'approver' }, limits: { amountPerDay: { USD: 200_000 } } })
})

it('no-charge-after-leaving: refunds the charge that should not have been', () => {
  const evidence = [
    record('anchor', 'billing.payment_intents', 'pi_0009', 5, 'succeeded'),
    record('observed', 'ehr.tasks', 't1', 4, 'completed'),
  ]
  const plan = planFor('no-charge-after-leaving', 'unexpected', null, { evidence, journey: [] })
  expect(plan.steps.map(({ input }) => input)).toEqual([{ payment: 'pi_0009', reason: 'requested_by_customer' }])
  expect(plan.approval).not.toBeNull()
})

it.each([
  ['cancelled', 'cancelled'],
  ['rejected', 'cancelled'],
  ['accepted', 'booked'],
])('calendar-agrees: a booking that is %s makes the appointment %s', (booking, status) => {
  const evidence = [record('side', 'booking.bookings', 'bk1', 1, booking), record('side', 'ehr.appointments', 'ap1', 2, 'booked')]
  const plan = planFor('calendar-agrees', 'drift', 'bk1', { evidence, journey: [] })
  expect(plan.steps.at(-1)).toMatchObject({
    action: 'set-appointment-status',
    reach: 'record',
    input: { appointment: 'ap1', status },
    verify: { stream: 'ehr.appointments' },
  })
})
