import { z } from 'zod'
import { alreadyDone, done, mustNot, toolAction, unknown, unlikeYes, withoutYes } from '../../act.ts'
import type { ActContext, LookUp, Preflight } from '../../connector.ts'
import { readEnvelope } from '../../pass.ts'
import { id, text } from '../../record.ts'
import type { StripeConfig } from '../index.ts'
import { inWords, paymentEvidence, paymentId, readPayment, refusalOf, unknownPayment } from './payment.ts'

/** The metadata key by which a refund of ours is found again. */
const keyName = 'throughline_key'
const pagesAtMost = 10

const input = z.strictObject({
  payment: paymentId,
  amount: z.int().positive().optional().describe('In minor units; absent: all that is left.'),
  refunded_before: z
    .int()
    .nonnegative()
    .optional()
    .describe('With an amount: what stood refunded when it was asked for, minor units; absent: nothing. Another sum in Stripe stops it.'),
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional().describe('What Stripe is told.'),
})
type Input = z.output<typeof input>

const refundSchema = z.object({ object: z.literal('refund'), id, status: text.nullable(), payment_intent: z.string().nullish() })
const listSchema = z.object({
  object: z.literal('list'),
  has_more: z.boolean(),
  data: z.array(z.object({ id, status: text.nullable(), metadata: z.record(z.string(), z.unknown()).nullish() })),
})
const fallenThrough = (status: string | null) => status === 'failed' || status === 'canceled'

export const refund = toolAction<StripeConfig, typeof input>({
  name: 'refund',
  title: 'Refund a payment',
  does: 'Gives a payment back to whoever paid it, whole or in part; Stripe keeps its fee.',
  reach: 'money',
  repeat: { keyHours: 24, lookUp: true },
  input,
  verifyBy: { stream: 'payment_intents', withinSeconds: 3600 },

  async preflight(ctx, { payment, amount, refunded_before: before = 0, reason }): Promise<Preflight> {
    const found = await readPayment(ctx, payment)
    if (found === null) return mustNot(unknownPayment(ctx, payment))
    const charge = found.latest_charge
    if (found.status !== 'succeeded' || charge === null || !charge.captured)
      return mustNot(
        `The payment is ${found.status}: nothing was captured that could be refunded. Cancel it instead, or wait until it settles.`,
      )
    const { amount_captured: captured, amount_refunded: refunded } = charge
    const words = (minor: number) => inWords(minor, found.currency)
    const evidence = paymentEvidence(payment)
    if (refunded >= captured) return { kind: 'already', message: `All of it (${words(captured)}) is refunded already.`, evidence }
    if (amount === undefined && captured < found.amount)
      return mustNot(`Only ${words(captured)} of ${words(found.amount)} was captured. Say the amount to refund.`)
    if (amount !== undefined && refunded === before + amount)
      return { kind: 'already', message: `${words(refunded)} stands refunded already.`, evidence }
    if (amount !== undefined && refunded !== before)
      return mustNot(
        `${words(refunded)} stands refunded, not ${words(before)}: someone refunded meanwhile. Look at the payment, then start again with what is refunded now.`,
      )
    const left = captured - refunded
    if (amount !== undefined && amount > left)
      return mustNot(`${words(amount)} is more than is left to refund: ${words(left)} of ${words(captured)}.`)
    if (charge.disputed) return mustNot('The bank disputes this payment: a refund would pay it back twice. Answer the dispute in Stripe.')
    const minor = amount ?? left
    return {
      kind: 'ready',
      sends: [
        { label: 'Payment', value: payment },
        { label: 'Refund', value: amount === undefined ? `${words(minor)}, all that is left` : words(minor) },
        { label: 'Reason told to Stripe', value: reason ?? 'none' },
        { label: 'Marked with', value: 'the key of this step, in the metadata of the refund' },
      ],
      sees: [
        { label: 'Status', value: found.status },
        { label: 'Captured', value: words(captured) },
        { label: 'Refunded so far', value: words(refunded) },
      ],
      amount: { minor, currency: found.currency.toUpperCase() },
    }
  },

  async perform(ctx, { payment, amount, reason }, { idempotencyKey }) {
    const sent = await ctx.http.send('/v1/refunds', {
      method: 'POST',
      what: 'the refund',
      signal: ctx.signal,
      headers: { 'idempotency-key': idempotencyKey },
      // All that is left is for Stripe to know: the same words in every attempt, as a key demands.
      body: { form: { payment_intent: payment, amount, reason, [`metadata[${keyName}]`]: idempotencyKey } },
    })
    const evidence = paymentEvidence(payment)
    if (sent.kind === 'answered') {
      const made = refundSchema.safeParse(sent.response.json)
      if (!made.success || (made.data.payment_intent ?? payment) !== payment) return unlikeYes(ctx, 'the refund')
      if (fallenThrough(made.data.status))
        return {
          outcome: 'refused',
          message: `Stripe made refund ${made.data.id}, and it ${made.data.status} at once. Nothing was paid back.`,
          evidence: null,
        }
      return done(
        `Stripe took refund ${made.data.id}${made.data.status === 'succeeded' ? '' : `; it is ${made.data.status ?? 'on its way'}`}.`,
        evidence,
      )
    }
    if (sent.kind === 'unclear')
      return sent.isReplay
        ? unknown(
            'Stripe gave again the failure it had saved for this key, and will do so for a day. Nothing is sent with another key: look at the payment in Stripe and record what you found.',
          )
        : withoutYes(sent)
    const { type, code } = refusalOf(sent)
    if (code === 'charge_already_refunded' && amount === undefined) return alreadyDone('All of it was refunded already.', evidence)
    if (type === 'idempotency_error')
      return unknown(
        'Stripe knows this key from a request with other words, which may have been done. Look at the payment before anything is repeated.',
      )
    return withoutYes(sent, code === null ? null : `Its code: ${code}.`)
  },

  lookUp: (ctx, { payment }, { idempotencyKey }) => findByKey(ctx, payment, idempotencyKey),

  /** The sum that stands refunded, exactly: a refund that was made twice is not what was asked for. */
  shows({ stream, externalId, ops, isDeleted }, { payment, amount, refunded_before: before = 0 }: Input) {
    if (stream !== 'payment_intents' || externalId !== payment || isDeleted) return false
    return amount === undefined ? ops.refund === 'full' && ops.amountRefunded === ops.amount : ops.amountRefunded === before + amount
  },
})

async function findByKey(ctx: ActContext<StripeConfig>, payment: string, key: string): Promise<LookUp> {
  let after: string | undefined
  for (let page = 0; page < pagesAtMost; page++) {
    const response = await ctx.http.get('/v1/refunds', {
      what: 'refunds',
      signal: ctx.signal,
      query: { payment_intent: payment, limit: 100, starting_after: after },
    })
    const list = readEnvelope(ctx, listSchema, response.json, 'refunds')
    const ours = list.data.find(({ metadata, status }) => metadata?.[keyName] === key && !fallenThrough(status))
    if (ours) return { isDone: true, evidence: paymentEvidence(payment) }
    after = list.data.at(-1)?.id
    if (!list.has_more || after === undefined) return { isDone: false }
  }
  return null
}
