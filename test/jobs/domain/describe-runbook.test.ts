import { describe, expect, it } from 'vitest'
import {
  describeInput,
  describeLimits,
  describeScope,
  describeSteps,
  missingActions,
  reachOf,
} from '../../../jobs/domain/describe-runbook.ts'
import type { RunbookNames } from '../../../jobs/domain/describe-runbook.ts'
import { parseRunbook } from '../../../jobs/domain/parse-runbook.ts'
import type { Runbook } from '../../../jobs/domain/runbook.ts'
import { knownToRunbooks, refundDuplicate } from '../../support/runbook.ts'

const names: RunbookNames = {
  tools: new Map([
    ['billing', 'Stripe'],
    ['texts', 'Twilio'],
  ]),
  stream: (address) => ({ 'billing.payment_intents': 'Payments', 'texts.messages': 'Messages' })[address] ?? null,
  owner: (key) => (key === 'billing-desk' ? 'Billing desk' : key),
  step: (name) => (name === 'paid' ? 'Enrolment paid' : name),
  kind: (kind) => kind,
  promise: (name) => name,
}
const { actions } = knownToRunbooks

function runbookOf(text: string): Runbook {
  const parsed = parseRunbook(text, 'r.yaml')
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'))
  return parsed.runbook
}

describe('a runbook in words', () => {
  const runbook = runbookOf(refundDuplicate)

  it('tells each step by what it does, with what, how often, and where it must show', () => {
    const [look, refund, tell] = describeSteps(runbook, actions, names)
    expect(look).toMatchObject({ title: 'Look again', tool: null, tries: null, verifiedBy: null, line: 9 })
    expect(refund).toMatchObject({
      title: 'Refund it',
      tool: 'Stripe',
      does: 'Does refund.',
      reach: 'money',
      inputs: [
        { label: 'Payment intent', value: 'Payment' },
        { label: 'Reason', value: 'Why' },
      ],
      tries: 'Tried up to 2 times, 30 seconds apart at first, 1 minute each; only what surely had no effect is tried again.',
      fallback: { title: 'Ask a person', inputs: [{ label: 'Question', value: 'Refund the payment in Stripe by hand and say so here.' }] },
      verifiedBy: 'A read of Stripe · Payments taken afterwards must show it within 30 minutes.',
    })
    expect(tell).toMatchObject({ reach: 'notice', inputs: [{ label: 'Subject' }, { label: 'To', value: 'Billing desk' }] })
  })

  it('tells what it needs, what it is for, and its limits', () => {
    expect(runbook.inputs.map((input) => describeInput(input, names))).toEqual([
      'The last record of Stripe · Payments that the finding names as one of the culprits.',
      'Asked of whoever runs it: duplicate, requested_by_customer.',
    ])
    expect(describeScope(runbook.for, names)).toBe('Findings of the kind “duplicate” about “Enrolment paid”.')
    expect(describeScope({ kinds: [], programs: [], expectations: [], steps: [] }, names)).toBe('Any finding.')
    expect(describeLimits(runbook)).toEqual([
      'One run has at most 1 effect in tools.',
      'All runs of one day have at most 50.',
      'Within one day it moves at most USD 500.00 and JPY 60,000.',
    ])
  })

  it.each([
    ['{ from: object, type: appointment }', 'The appointment that the finding is about.'],
    ['{ ask: number, min: 1, max: 9, whole: true }', 'Asked of whoever runs it: a whole number, at least 1 and at most 9.'],
    ['{ ask: time }', 'Asked of whoever runs it: a time.'],
    ['{ ask: choice, of: { a: One of them, b: b } }', 'Asked of whoever runs it: One of them (a), b.'],
    [
      '{ from: journey, stream: texts.messages, where: { template: [a, b] }, pick: rest }',
      'Every record of Twilio · Messages after the first that the journey shows, with template a or b.',
    ],
    [
      '{ from: evidence, stream: gone.rows, field: status, map: { no_show: cancelled, booked: booked } }',
      'Status of: the one record of gone.rows that the finding names. No show becomes cancelled, booked stays so; with anything else it does not start.',
    ],
  ])('tells the input %s', (input, sentence) => {
    const [read] = runbookOf(`runbook: r\ninputs: { x: ${input} }\nsteps: { a: { do: gone.act, with: { value: $x } } }\n`).inputs
    expect(read && describeInput(read, names)).toBe(sentence)
  })

  it('tells under which answers a step is taken, and that it is taken once per record', () => {
    const [, step] = describeSteps(
      runbookOf(`runbook: r
inputs: { payment: { title: Charge, from: evidence, stream: billing.payment_intents, pick: rest } }
steps:
  sure: { title: Are you sure?, do: ask-person, with: { question: Are you?, answers: [yes, no] } }
  refund: { do: billing.refund, with: { payment_intent: $payment }, only_if: { sure: yes } }
`),
      actions,
      names,
    )
    expect(step?.conditions).toEqual(['Only when “Are you sure?” was answered yes.', 'Once for each “Charge”.'])
  })

  it('tells how far it reaches, and what is not there any more', () => {
    expect(reachOf(runbook, actions)).toBe('money')
    expect(missingActions(runbook, actions)).toEqual([])
    expect(missingActions(runbook, new Map())).toEqual(['billing.refund'])
    expect(describeSteps(runbook, new Map(), names)[1]).toMatchObject({
      isKnown: false,
      does: 'There is no action billing.refund now, so this cannot be done.',
    })
    expect(reachOf(runbookOf('runbook: r\nsteps: { a: { do: wait, with: { for: 1m } } }\n'), actions)).toBe('none')
  })
})
