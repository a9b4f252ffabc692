import { z } from 'zod'
import type { KnownToRunbooks } from '../../jobs/domain/parse-runbook.ts'
import { parseProgram } from '../../jobs/domain/parse-program.ts'
import type { KnownAction } from '../../jobs/domain/runbook.ts'
import { formatProblem } from '../../jobs/domain/yaml-source.ts'

function action(name: string, reach: KnownAction['reach'], input: z.ZodType, stream: string): KnownAction {
  return {
    name,
    title: `Do ${name}`,
    does: `Does ${name}.`,
    reach,
    input,
    repeat: { keyHours: 24, lookUp: true },
    verifyBy: { stream, withinSeconds: 900 },
  }
}

const stripeActions = [
  action(
    'refund',
    'money',
    z.strictObject({
      payment_intent: z.string().regex(/^pi_/).describe('the id of a payment, such as pi_1'),
      amount: z.int().positive().optional().describe('minor units; the whole payment unless said'),
      reason: z.enum(['duplicate', 'requested_by_customer']).optional().describe('duplicate or requested_by_customer'),
    }),
    'payment_intents',
  ),
  action('cancel', 'record', z.strictObject({ payment_intent: z.string().describe('the id of a payment') }), 'payment_intents'),
]
const calcomActions = [
  action(
    'rebook',
    'record',
    z.strictObject({ booking: z.string(), start: z.iso.datetime({ offset: true }).describe('a time') }),
    'bookings',
  ),
]
const twilioActions = [action('resend', 'message', z.strictObject({ message: z.string().describe('the id of a message') }), 'messages')]

const program = parseProgram(
  `program: care
owner: desk
journey: { per: subject, starts: paid }
steps:
  paid: { stream: billing.payment_intents, when: { status: succeeded } }
  booked: { stream: booking.bookings }
expectations:
  one-charge: { at_most: 1, of: paid, runbook: refund-duplicate }
  booked-in-time: { after: paid, expect: booked, within: 3d }
`,
  'programs/care.yaml',
)
if (!program.ok) throw new Error(program.problems.map(formatProblem).join('\n'))

/** The connections of a small clinic, with actions that do nothing. */
export const knownToRunbooks = {
  streams: new Map([
    ['billing.payment_intents', { fields: ['amount', 'currency', 'refund'], statuses: ['succeeded', 'canceled'] }],
    ['booking.bookings', { fields: ['startsAt', 'service'], statuses: ['accepted', 'cancelled'] }],
    ['texts.messages', { fields: ['template', 'direction'], statuses: ['delivered', 'failed'] }],
    ['files.visits', { fields: null, statuses: null }],
  ]),
  owners: new Set(['desk', 'billing-desk']),
  unreadConnections: new Set(['broken']),
  actions: new Map<string, readonly KnownAction[]>([
    ['billing', stripeActions],
    ['booking', calcomActions],
    ['texts', twilioActions],
    ['files', []],
  ]),
  programs: [program.program],
} satisfies KnownToRunbooks

/** The runbook of the documentation. */
export const refundDuplicate = `runbook: refund-duplicate
title: Refund the second charge
purpose: Gives the money of every charge after the first back.
for: { kinds: [duplicate], steps: [paid] }
inputs:
  payment: { title: Payment, from: evidence, stream: billing.payment_intents, role: culprit, pick: last }
  why: { title: Why, ask: choice, of: [duplicate, requested_by_customer] }
steps:
  look: { do: recheck }
  refund:
    title: Refund it
    do: billing.refund
    with: { payment_intent: $payment, reason: $why }
    retry: { attempts: 2, backoff: 30s }
    timeout: 1m
    fallback: { do: ask-person, with: { question: Refund the payment in Stripe by hand and say so here. } }
  tell: { do: mail, with: { subject: A second charge was refunded, to: billing-desk } }
approve: { by: approver, within: 2h }
limits: { per_run: 1, per_day: 50, amount_per_day: { USD: 500, JPY: 60000 } }
roles: [responder]
verify: { within: 30m }
`
