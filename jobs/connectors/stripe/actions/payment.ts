import { z } from 'zod'
import { unlessMissing } from '../../act.ts'
import type { ActContext, EvidenceRef } from '../../connector.ts'
import { readEnvelope } from '../../pass.ts'
import { id, text } from '../../record.ts'
import type { Sent } from '../../sent.ts'
import { readObject } from '../client.ts'
import type { StripeConfig } from '../index.ts'

type Context = ActContext<StripeConfig>

const paymentSchema = z.object({
  object: z.literal('payment_intent'),
  id,
  status: text,
  amount: z.int(),
  currency: text.regex(/^[a-z]{3}$/),
  latest_charge: z.object({ captured: z.boolean(), amount_captured: z.int(), amount_refunded: z.int(), disputed: z.boolean() }).nullable(),
})
export type Payment = z.infer<typeof paymentSchema>

export const paymentId = z
  .string()
  .regex(/^pi_[A-Za-z0-9]{3,120}$/)
  .describe('The payment, as Stripe numbers it: pi_…')

/** The payment as Stripe shows it now; null: it knows none of that id. @throws ToolError */
export async function readPayment(ctx: Context, payment: string): Promise<Payment | null> {
  const response = await unlessMissing(readObject(ctx, 'payment_intents', payment))
  return response === null ? null : readEnvelope(ctx, paymentSchema, response.json, 'the payment')
}

export const unknownPayment = (ctx: Context, payment: string) =>
  `Stripe (${ctx.connection}) knows no payment ${payment}. Was the run started on a record of another connection?`

export const paymentEvidence = (payment: string): EvidenceRef => ({ stream: 'payment_intents', externalId: payment })

const errorSchema = z.object({
  error: z.object({
    type: z.string().regex(/^[a-z_]{3,40}$/),
    code: z
      .string()
      .regex(/^[a-z_]{3,60}$/)
      .nullish(),
  }),
})

/** The type and code of Stripe's no: words of a closed list, unlike its message. https://docs.stripe.com/error-codes */
export function refusalOf(sent: Extract<Sent, { kind: 'not_done' }>): { type: string | null; code: string | null } {
  const { error } = errorSchema.safeParse(sent.json).data ?? {}
  return { type: error?.type ?? null, code: error?.code ?? null }
}

// https://docs.stripe.com/currencies#zero-decimal and #three-decimal: not those of ISO 4217 throughout.
const withoutDecimals = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '))
const threeDecimals = new Set('bhd jod kwd omr tnd'.split(' '))

/** Minor units as people write them: 12900 usd → `129.00 USD`. */
export function inWords(minor: number, currency: string): string {
  const decimals = withoutDecimals.has(currency) ? 0 : threeDecimals.has(currency) ? 3 : 2
  const digits = String(minor).padStart(decimals + 1, '0')
  const number = decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
  return `${number} ${currency.toUpperCase()}`
}
