import { z } from 'zod'
import type { Actor, Ops } from '../../domain/facts.ts'
import { seal } from '../../domain/plain.ts'
import type { Drift, PersonClaim, ReadEvent, ReadRecord, StreamSpec } from '../connector.ts'
import { readMetadata } from '../metadata.ts'
import { id, knownStatus, text, textOrNull, unixTime, versionByProgress } from '../record.ts'
import type { Change } from './client.ts'
import type { StripeConfig } from './index.ts'

const metadata = z.record(z.string(), z.unknown()).nullish()
const amount = z.int()

const refundSchema = z.object({
  id,
  amount,
  currency: text,
  created: unixTime,
  status: text.nullable(),
  reason: textOrNull.optional(),
  payment_intent: id.nullish(),
})

const chargeSchema = z.object({
  created: unixTime,
  amount_refunded: amount,
  billing_details: z.object({ email: textOrNull, name: textOrNull, phone: textOrNull }),
  payment_method_details: z.object({ type: text }).nullish(),
  balance_transaction: z.union([text, z.object({ created: unixTime })]).nullish(),
  refunds: z.object({ data: z.array(refundSchema) }).nullish(),
})
type Charge = z.infer<typeof chargeSchema>

export const paymentIntentSchema = z.object({
  id,
  created: unixTime,
  status: text,
  amount,
  currency: text,
  capture_method: text,
  canceled_at: unixTime.nullish(),
  receipt_email: textOrNull.optional(),
  metadata,
  latest_charge: z.union([text, chargeSchema]).nullable(),
})
export { refundSchema }

/** Ways to pay whose success comes days after the charge was made; the money's own entry says when. */
const immediate = new Set([
  'card',
  'card_present',
  'link',
  'paypal',
  'cashapp',
  'ideal',
  'bancontact',
  'eps',
  'p24',
  'blik',
  'alipay',
  'wechat_pay',
  'revolut_pay',
  'amazon_pay',
  'klarna',
  'affirm',
  'afterpay_clearpay',
  'twint',
  'giropay',
  'swish',
])

export function toPaymentIntent(
  payment: z.infer<typeof paymentIntentSchema>,
  changes: readonly Change[],
  config: StripeConfig,
  spec: StreamSpec,
): { record: ReadRecord; drift: readonly Drift[] } {
  const { status, drift } = knownStatus(payment.status, spec.statuses, 'status')
  const charge = typeof payment.latest_charge === 'string' ? null : payment.latest_charge
  const labels = readMetadata(payment.metadata, config.metadata, config.metadata_fields)
  const actor: Actor = labels.producer === null ? { kind: 'unknown', id: null } : { kind: 'automation', id: labels.producer }
  const unrefunded: Ops = { refund: 'none', amountRefunded: 0 }
  const events: ReadEvent[] = [{ type: 'payment_intent.created', occurredAt: payment.created, status: null, ops: unrefunded, actor }]
  if (payment.status === 'succeeded') {
    events.push({
      type: 'payment_intent.succeeded',
      occurredAt: succeededAt(payment, charge, changes),
      status: 'succeeded',
      ops: unrefunded,
      actor,
    })
  }
  if (payment.canceled_at)
    events.push({ type: 'payment_intent.canceled', occurredAt: payment.canceled_at, status: 'canceled', ops: unrefunded, actor })
  for (const change of changes) {
    if (
      change.status === null ||
      change.type === 'payment_intent.created' ||
      change.type === 'payment_intent.succeeded' ||
      change.type === 'payment_intent.canceled'
    )
      continue
    events.push({
      type: change.type,
      occurredAt: change.at,
      status: knownStatus(change.status, spec.statuses, 'status').status,
      ops: unrefunded,
      actor,
    })
  }
  events.push(...refundEvents(payment.amount, charge, status))
  return {
    drift,
    record: {
      externalId: payment.id,
      updatedAt: Math.max(...events.map((event) => event.occurredAt), ...changes.map((change) => change.at)),
      version: versionByProgress(payment.status, spec.statuses ?? [], charge?.amount_refunded ?? 0),
      status,
      ops: {
        ...labels.ops,
        amount: payment.amount,
        currency: payment.currency,
        refund: refundState(payment.amount, charge),
        amountRefunded: charge?.amount_refunded ?? 0,
      },
      objects: [{ type: 'payment', id: payment.id }, ...labels.objects],
      person: seal(personOf(payment, charge, labels.reference)),
      events,
    },
  }
}

/** Whoever paid is evidence about the payment; only a reference names the subject. */
function personOf(payment: z.infer<typeof paymentIntentSchema>, charge: Charge | null, reference: string | null): PersonClaim {
  if (reference !== null) return { role: 'self', reference }
  const details = charge?.billing_details
  return {
    role: 'payer',
    emails: [details?.email ?? payment.receipt_email],
    phones: [details?.phone],
    name: { full: details?.name ?? null },
  }
}

function succeededAt(payment: z.infer<typeof paymentIntentSchema>, charge: Charge | null, changes: readonly Change[]): number {
  const delayed = payment.capture_method === 'manual' || !immediate.has(charge?.payment_method_details?.type ?? 'card')
  const entry = charge?.balance_transaction
  if (delayed && typeof entry === 'object' && entry !== null) return entry.created
  if (charge && !delayed) return charge.created
  return changes.find((change) => change.type === 'payment_intent.succeeded')?.at ?? charge?.created ?? payment.created
}

function refundState(total: number, charge: Charge | null): 'none' | 'partial' | 'full' {
  const refunded = charge?.amount_refunded ?? 0
  return refunded === 0 ? 'none' : refunded < total ? 'partial' : 'full'
}

/** The listed refunds are the newest, so their running total is counted back from what stands refunded now. */
function refundEvents(total: number, charge: Charge | null, status: string): ReadEvent[] {
  const standing = (charge?.refunds?.data ?? []).filter((refund) => refund.status !== 'failed' && refund.status !== 'canceled')
  let refunded = charge?.amount_refunded ?? 0
  return standing
    .sort((a, b) => b.created - a.created || (a.id < b.id ? 1 : -1))
    .map((refund): ReadEvent => {
      const amountRefunded = refunded
      refunded = Math.max(0, refunded - refund.amount)
      const ops = { refund: amountRefunded === 0 ? 'none' : amountRefunded < total ? 'partial' : 'full', amountRefunded }
      return { type: 'payment_intent.refunded', occurredAt: refund.created, status, ops, actor: { kind: 'unknown', id: null } }
    })
    .reverse()
}

export function toRefund(
  refund: z.infer<typeof refundSchema>,
  changes: readonly Change[],
  spec: StreamSpec,
): { record: ReadRecord; drift: readonly Drift[] } {
  const { status, drift } = refund.status === null ? { status: null, drift: [] } : knownStatus(refund.status, spec.statuses, 'status')
  const actor: Actor = { kind: 'unknown', id: null }
  const later = changes.filter((change) => change.status !== null && change.type !== 'refund.created')
  return {
    drift,
    record: {
      externalId: refund.id,
      updatedAt: Math.max(refund.created, ...changes.map((change) => change.at)),
      version: versionByProgress(refund.status ?? '', spec.statuses ?? []),
      status,
      ops: { amount: refund.amount, currency: refund.currency, reason: refund.reason ?? null },
      objects: refund.payment_intent ? [{ type: 'payment', id: refund.payment_intent }] : [],
      person: null,
      events: [
        { type: 'refund.created', occurredAt: refund.created, status: later.length === 0 ? status : null, actor },
        ...later.map((change): ReadEvent => ({ type: change.type, occurredAt: change.at, status: change.status, actor })),
      ],
    },
  }
}
