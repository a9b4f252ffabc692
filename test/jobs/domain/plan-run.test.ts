import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRunbook } from '../../../jobs/domain/parse-runbook.ts'
import { planRun } from '../../../jobs/domain/plan-run.ts'
import type { Answers, PlannedRun, PlanRecord, PlanSubject } from '../../../jobs/domain/plan-run.ts'
import type { Runbook } from '../../../jobs/domain/runbook.ts'
import { formatProblem } from '../../../jobs/domain/yaml-source.ts'
import { knownToRunbooks, refundDuplicate } from '../../support/runbook.ts'

function runbookOf(text: string): Runbook {
  const parsed = parseRunbook(text, 'r.yaml', knownToRunbooks)
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
  return parsed.runbook
}

const payment = (externalId: string, occurredAt: number, more: Partial<PlanRecord> = {}): PlanRecord => ({
  role: 'culprit',
  stream: 'billing.payment_intents',
  externalId,
  occurredAt,
  status: 'succeeded',
  ops: { amount: 4900, currency: 'usd' },
  ...more,
})
const message = (externalId: string, template: string): PlanRecord => ({
  role: null,
  stream: 'texts.messages',
  externalId,
  occurredAt: 5,
  status: 'delivered',
  ops: { template },
})
const subject = (more: Partial<PlanSubject['finding']> & Partial<Omit<PlanSubject, 'finding'>> = {}): PlanSubject => {
  const {
    steps = ['paid'],
    evidence = [payment('pi_1', 1), payment('pi_2', 2)],
    journey = [message('SM1', 'a'), message('SM2', 'b')],
    ...finding
  } = more
  return {
    finding: {
      id: 'f',
      kind: 'duplicate',
      program: 'care',
      expectation: 'one-charge',
      status: 'open',
      objectType: null,
      objectId: null,
      ...finding,
    },
    steps,
    evidence,
    journey,
  }
}
const why = { why: 'duplicate' }

const plan = (text: string, of: PlanSubject, answers: Answers = {}) =>
  planRun({ runbook: runbookOf(text), version: 3 }, of, answers, knownToRunbooks.actions)
function planned(text: string, of: PlanSubject, answers: Answers = {}): PlannedRun {
  const found = plan(text, of, answers)
  if (!found.ok) throw new Error(found.why.map((one) => one.message).join('\n'))
  return found.plan
}
function refusals(text: string, of: PlanSubject, answers: Answers = {}): string[] {
  const found = plan(text, of, answers)
  return found.ok ? [] : found.why.map(({ code, at, message: text }) => `${code} ${at ?? '-'}: ${text}`)
}

const resend = (inputs: string) =>
  `runbook: r\ninputs:\n  message: { ${inputs} }\nsteps:\n  send: { do: texts.resend, with: { message: $message } }\n`
const refundAll = (pick: string, perRun = 5) =>
  `runbook: r\ninputs:\n  payment: { from: evidence, stream: billing.payment_intents, pick: ${pick} }\nsteps:\n  refund: { do: billing.refund, with: { payment_intent: $payment } }\n  look: { do: recheck }\nlimits: { per_run: ${perRun} }\n`
const rebook =
  'runbook: r\ninputs:\n  booking: { from: object, type: appointment }\n  start: { ask: time, title: New start }\nsteps:\n  ask: { do: ask-person, with: { question: Did they agree?, answers: [agreed, declined] } }\n  move: { do: booking.rebook, with: { booking: $booking, start: $start }, only_if: { ask: agreed } }\n'

describe('planRun', () => {
  it('resolves every input and keeps the order of the file', () => {
    const run = planned(refundDuplicate, subject(), why)
    expect(run).toMatchObject({
      runbook: 'refund-duplicate',
      version: 3,
      findingId: 'f',
      approval: { by: 'approver', withinMs: 7_200_000 },
      limits: { perRun: 1, perDay: 50 },
      verifyMs: 1_800_000,
      inputs: [
        { name: 'payment', title: 'Payment', values: ['pi_2'], from: 'billing.payment_intents' },
        { name: 'why', title: 'Why', values: ['duplicate'], from: null },
      ],
    })
    expect(run.steps.map(({ key }) => key)).toEqual(['look', 'refund', 'tell'])
    expect(run.steps[1]).toMatchObject({
      title: 'Refund it',
      connection: 'billing',
      action: 'refund',
      reach: 'money',
      input: { payment_intent: 'pi_2', reason: 'duplicate' },
      attempts: 2,
      backoffMs: 30_000,
      timeoutMs: 60_000,
      keyMs: 86_400_000,
      mayLookUp: true,
      verify: { stream: 'billing.payment_intents', withinMs: 1_800_000 },
      fallback: { connection: null, action: 'ask-person', input: { answers: ['done', 'not-possible'], within: '24h' } },
    })
    expect(JSON.parse(JSON.stringify(run))).toEqual(run)
  })

  it.each<[string, Record<string, PlanRecord[]>, (string | number)[]]>([
    ['only', { evidence: [payment('pi_9', 1)] }, ['pi_9']],
    ['first', {}, ['pi_1']],
    ['last', {}, ['pi_2']],
    ['all', {}, ['pi_1', 'pi_2']],
    ['rest', { evidence: [payment('pi_3', 3), payment('pi_1', 1), payment('pi_2', 2)] }, ['pi_2', 'pi_3']],
    // One record that the finding names twice is one record; equal times go by id.
    ['all', { evidence: [payment('pi_2', 1), payment('pi_1', 1), payment('pi_1', 1, { role: 'anchor' })] }, ['pi_1', 'pi_2']],
  ])('picks %s of the records', (pick, of, ids) => {
    const run = planned(refundAll(pick), subject(of))
    const refunds = run.steps.filter(({ action }) => action === 'refund')
    expect(refunds.map(({ input }) => input.payment_intent)).toEqual(ids)
    expect(refunds.map(({ key }) => key)).toEqual(ids.length === 1 ? ['refund'] : ids.map((_, index) => `refund.${index + 1}`))
    expect(run.steps.at(-1)?.key).toBe('look')
  })

  it('takes a record of the journey by its fields, or a field of a record', () => {
    const run = planned(resend('from: journey, stream: texts.messages, where: { template: [b, c] }'), subject())
    expect(run.steps[0]?.input).toEqual({ message: 'SM2' })
    expect(run.approval).toBeNull()
    expect(run.verifyMs).toBe(900_000)
    const amount = planned(
      'runbook: r\ninputs:\n  a: { from: evidence, stream: billing.payment_intents, pick: last, field: amount }\nsteps:\n  x: { do: billing.refund, with: { payment_intent: pi_2, amount: $a } }\n',
      subject(),
    )
    expect(amount.steps[0]?.input).toEqual({ payment_intent: 'pi_2', amount: 4900 })
  })

  it('maps a field by a closed list, and does nothing for a value that is not in it', () => {
    const text =
      'runbook: r\ninputs:\n  why: { from: evidence, stream: billing.payment_intents, pick: last, field: status, map: { succeeded: duplicate } }\nsteps:\n  x: { do: billing.refund, with: { payment_intent: pi_2, reason: $why } }\n'
    expect(planned(text, subject()).steps[0]?.input).toEqual({ payment_intent: 'pi_2', reason: 'duplicate' })
    expect(refusals(text, subject({ evidence: [payment('pi_1', 1, { status: 'canceled' })] }))).toEqual([
      'missing why: The record of billing.payment_intents shows "status" as canceled, and the runbook says nothing for it: only for succeeded.',
    ])
  })

  it('looks again at every connection that may settle the finding, and says how long it waits', () => {
    const text = 'runbook: r\nsteps:\n  look: { do: recheck }\n  rest: { do: wait, with: { for: 1h30m } }\n'
    const steps = planned(text, subject({ streams: ['booking.bookings', 'texts.messages'] })).steps
    expect(steps.map(({ key, input }) => [key, input])).toEqual([
      ['look.billing', { connection: 'billing' }],
      ['look.booking', { connection: 'booking' }],
      ['look.texts', { connection: 'texts' }],
      ['rest', { for: '1h30m', ms: 5_400_000 }],
    ])
  })

  it('keeps what hangs on an answer of the run itself, and turns times to UTC', () => {
    const run = planned(rebook, subject({ objectType: 'appointment', objectId: 'b1' }), { start: '2026-11-21T09:00:00+02:00' })
    expect(run.steps[1]).toMatchObject({
      input: { booking: 'b1', start: '2026-11-21T07:00:00.000Z' },
      onlyIf: [{ asked: 'ask', answers: ['agreed'] }],
    })
  })

  it('leaves out what a choice leaves out, and asks for no input of it', () => {
    const text =
      'runbook: r\ninputs:\n  how: { ask: choice, of: [money, ask] }\n  payment: { from: evidence, stream: billing.payment_intents, pick: only }\nsteps:\n  refund: { do: billing.refund, with: { payment_intent: $payment }, only_if: { how: money } }\n  ask: { do: ask-person, with: { question: Call them }, only_if: { how: ask } }\n  after: { do: recheck, only_if: { ask: done } }\n'
    const run = planned(text, subject({ evidence: [] }), { how: 'ask' })
    expect(run.steps.map(({ key }) => key)).toEqual(['ask', 'after'])
    expect(run.leftOut).toEqual([{ step: 'refund', because: '"how" was answered "ask"' }])
    expect(planned(text, subject({ evidence: [payment('pi_1', 1)] }), { how: 'money' }).leftOut.map(({ step }) => step)).toEqual([
      'ask',
      'after',
    ])
  })

  it('asks for approval of money even where the stored version says none', () => {
    const stored = { ...runbookOf(refundAll('last')), approve: null }
    expect(planRun({ runbook: stored, version: 1 }, subject(), {}, knownToRunbooks.actions)).toMatchObject({
      ok: true,
      plan: { approval: { by: 'approver', withinMs: 14_400_000 } },
    })
  })

  it.each<[string, string, PlanSubject, Answers, string[]]>([
    [
      'a finding that is closed',
      refundDuplicate,
      subject({ status: 'verified' }),
      why,
      ['not_open -: This finding is closed (verified): there is nothing to recover.'],
    ],
    [
      'a finding that is acted on',
      refundDuplicate,
      subject({ status: 'verifying' }),
      why,
      ['not_open -: A run is at work on this finding already'],
    ],
    [
      'another kind',
      refundDuplicate,
      subject({ kind: 'gap' }),
      why,
      ['not_for -: "Refund the second charge" is not for this finding: it is for findings of the kind duplicate, and this is gap.'],
    ],
    [
      'another step',
      refundDuplicate,
      subject({ steps: ['booked'] }),
      why,
      ['it is for promises about paid, and this one speaks of booked.'],
    ],
    ['a promise that is gone', refundDuplicate, subject({ steps: null }), why, ['this one speaks of no step.']],
    [
      'no such record',
      refundDuplicate,
      subject({ evidence: [] }),
      why,
      ['missing payment: This finding names no record of billing.payment_intents that fits "Payment"'],
    ],
    [
      'several where one is meant',
      refundAll('only'),
      subject(),
      {},
      ['ambiguous payment: 2 records of billing.payment_intents fit "payment"'],
    ],
    [
      'nothing after the first',
      refundAll('rest'),
      subject({ evidence: [payment('pi_1', 1)] }),
      {},
      ['missing payment: Only one record of billing.payment_intents is left'],
    ],
    ['too many effects', refundAll('all', 1), subject(), {}, ['limit -: It would have 2 effects in tools, and one run of it may have 1.']],
    [
      'no object of that type',
      rebook,
      subject(),
      { start: '2026-11-21T09:00:00Z' },
      ['missing booking: This finding is about no appointment'],
    ],
    ['an unanswered question', refundDuplicate, subject(), {}, ['answer why: "Why" is not answered yet.']],
    [
      'an answer outside of the list',
      refundDuplicate,
      subject(),
      { why: 'angry' },
      ['answer why: "Why" is answered by one of duplicate, requested_by_customer.'],
    ],
    [
      'an answer nobody asked for',
      refundDuplicate,
      subject(),
      { ...why, amount: 5 },
      ['answer amount: This runbook asks nothing called "amount".'],
    ],
    [
      'a time without its offset',
      rebook,
      subject({ objectType: 'appointment', objectId: 'b' }),
      { start: '2026-11-21T09:00:00' },
      ['answer start: "New start" is a time with its offset'],
    ],
    [
      'an id the tool would not take',
      refundAll('last'),
      subject({ evidence: [payment('ch_1', 1)] }),
      {},
      ['input refund: billing.refund does not take this "payment_intent"'],
    ],
  ])('refuses %s', (_, text, of, answers, expected) => {
    const found = refusals(text, of, answers)
    expect(found).toHaveLength(expected.length)
    for (const [index, line] of expected.entries()) expect(found[index]).toContain(line)
  })

  it('refuses an action that is not there any more', () => {
    const runbook = runbookOf(refundAll('last'))
    expect(planRun({ runbook, version: 1 }, subject(), {}, new Map())).toMatchObject({ ok: false, why: [{ code: 'action', at: 'refund' }] })
    expect(planRun({ runbook, version: 1 }, subject(), {}, new Map([['billing', []]]))).toMatchObject({
      why: [{ message: 'There is no action billing.refund any more. Apply a version of the runbook without it.' }],
    })
  })

  it('plans the same from the same facts, in whatever order they come', () => {
    const runbooks = ['first', 'last', 'all', 'rest'].map((pick) => runbookOf(refundAll(pick)))
    const record = fc.record({ externalId: fc.constantFrom('pi_1', 'pi_2', 'pi_3', 'pi_4'), occurredAt: fc.integer({ min: 0, max: 3 }) })
    const some = fc.uniqueArray(record, { selector: ({ externalId }) => externalId, minLength: 2 })
    const twice = some.chain((records) =>
      fc.tuple(fc.constant(records), fc.shuffledSubarray(records, { minLength: records.length, maxLength: records.length })),
    )
    fc.assert(
      fc.property(twice, ([records, shuffled]) => {
        const plans = [records, shuffled].map((order) => {
          const evidence = order.map(({ externalId, occurredAt }) => payment(externalId, occurredAt))
          return runbooks.map((runbook) => planRun({ runbook, version: 3 }, subject({ evidence }), {}, knownToRunbooks.actions))
        })
        expect(plans[1]).toEqual(plans[0])
        expect(plans[0]?.every(({ ok }) => ok)).toBe(true)
      }),
      { numRuns: 20 },
    )
  })
})
