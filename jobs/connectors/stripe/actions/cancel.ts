import { z } from 'zod'
import { alreadyDone, done, mustNot, toolAction, unlikeYes, unlessMissing, withoutYes } from '../../act.ts'
import type { Preflight } from '../../connector.ts'
import { ToolError } from '../../connector.ts'
import type { StripeConfig } from '../index.ts'
import { inWords, paymentEvidence, paymentId, readPayment, refusalOf, unknownPayment } from './payment.ts'

const input = z.strictObject({
  payment: paymentId,
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer', 'abandoned']).optional().describe('What Stripe is told.'),
})

/** https://docs.stripe.com/api/payment_intents/cancel */
const cancellable = new Set(['requires_payment_method', 'requires_capture', 'requires_confirmation', 'requires_action'])
const answerSchema = z.object({ object: z.literal('payment_intent'), id: z.string(), status: z.literal('canceled') })

export const cancel = toolAction<StripeConfig, typeof input>({
  name: 'cancel',
  title: 'Cancel a payment',
  does: 'Ends a payment that has taken no money yet; what was held on the card is let go.',
  reach: 'record',
  repeat: { keyHours: 24, lookUp: true },
  input,
  verifyBy: { stream: 'payment_intents', withinSeconds: 3600 },

  async preflight(ctx, { payment, reason }): Promise<Preflight> {
    const found = await readPayment(ctx, payment)
    if (found === null) return mustNot(unknownPayment(ctx, payment))
    if (found.status === 'canceled')
      return { kind: 'already', message: 'The payment is canceled already.', evidence: paymentEvidence(payment) }
    if (found.status === 'succeeded') return mustNot('The payment has succeeded: it can only be refunded.')
    if (!cancellable.has(found.status)) return mustNot(`The payment is ${found.status}: wait until it settles, then refund it.`)
    return {
      kind: 'ready',
      sends: [
        { label: 'Payment', value: payment },
        { label: 'Cancel', value: inWords(found.amount, found.currency) },
        { label: 'Reason told to Stripe', value: reason ?? 'none' },
      ],
      sees: [{ label: 'Status', value: found.status }],
      amount: null,
    }
  },

  async perform(ctx, { payment, reason }, { idempotencyKey }) {
    const sent = await ctx.http.send(`/v1/payment_intents/${encodeURIComponent(payment)}/cancel`, {
      method: 'POST',
      what: 'the cancellation',
      signal: ctx.signal,
      headers: { 'idempotency-key': idempotencyKey },
      body: { form: { cancellation_reason: reason } },
    })
    if (sent.kind === 'answered') {
      const answer = answerSchema.safeParse(sent.response.json)
      return answer.success && answer.data.id === payment
        ? done('Stripe canceled the payment.', paymentEvidence(payment))
        : unlikeYes(ctx, 'the cancellation')
    }
    if (sent.kind === 'unclear') return withoutYes(sent)
    const { code } = refusalOf(sent)
    if (code === 'payment_intent_unexpected_state') {
      const now = await unlessMissing(readPayment(ctx, payment)).catch((error: unknown) => {
        if (error instanceof ToolError) return null
        throw error
      })
      if (now?.status === 'canceled') return alreadyDone('The payment was canceled already.', paymentEvidence(payment))
    }
    return withoutYes(sent, code === null ? null : `Its code: ${code}.`)
  },

  async lookUp(ctx, { payment }) {
    const found = await readPayment(ctx, payment)
    if (found === null) return null
    return found.status === 'canceled' ? { isDone: true, evidence: paymentEvidence(payment) } : { isDone: false }
  },

  shows: ({ stream, externalId, status, isDeleted }, { payment }) =>
    stream === 'payment_intents' && externalId === payment && status === 'canceled' && !isDeleted,
})
