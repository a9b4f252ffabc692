import { canary } from '../canary.ts'
import type { Person } from '../people.ts'
import type { Random } from '../random.ts'
import { alphanumerics } from '../random.ts'
import { second, unix } from '../times.ts'
import type { Resource, Script } from '../writes.ts'

export interface Payment {
  readonly intentId: string
  readonly chargeId: string
  readonly succeededAt: number
  readonly order: string
  readonly intent: Resource
  readonly charge: Resource
}

const id = (random: Random, prefix: string) => `${prefix}_1${random.text(23, alphanumerics)}`

function event(script: Script, random: Random, type: string, at: number, object: Resource, previous?: Resource): void {
  const eventId = id(random, 'evt')
  script.write('stripe.events', eventId, at, {
    id: eventId,
    object: 'event',
    api_version: '2026-07-29.dahlia',
    created: unix(at),
    data: previous ? { object, previous_attributes: previous } : { object },
    livemode: false,
    pending_webhooks: 0,
    request: { id: id(random, 'req'), idempotency_key: random.text(24, alphanumerics) },
    type,
  })
}

export function customerIdOf(person: Person, random: Random): string {
  return `cus_${person.ref?.slice(0, 14) ?? random.text(14, alphanumerics)}`
}

function balanceTransaction(balanceId: string, source: string, amount: number, at: number): Resource {
  return {
    id: balanceId,
    object: 'balance_transaction',
    amount,
    available_on: unix(at) + 172_800,
    created: unix(at),
    currency: 'usd',
    description: canary('stripe.balance.description', balanceId),
    exchange_rate: null,
    fee: 0,
    fee_details: [],
    net: amount,
    reporting_category: amount < 0 ? 'refund' : 'charge',
    source,
    status: 'available',
    type: amount < 0 ? 'refund' : 'charge',
  }
}

/** A payment intent that succeeds `settlesAfterMs` later: seconds for a card, hours for a bank debit. */
export function pay(
  script: Script,
  random: Random,
  person: Person,
  customerId: string,
  at: number,
  options: { purpose: 'enrolment' | 'renewal'; order?: string; source: string; settlesAfterMs?: number; amount?: number },
): Payment {
  const payer = person.payer ?? person
  const settlesAfterMs = options.settlesAfterMs ?? random.int(2, 20) * second
  const slow = settlesAfterMs > 3600 * second
  const succeededAt = at + settlesAfterMs
  const intentId = id(random, 'pi')
  const chargeId = id(random, slow ? 'py' : 'ch')
  const amount = options.amount ?? random.pick([12_900, 14_900, 18_900])
  const order = options.order ?? `ord_${random.text(12, alphanumerics)}`
  const metadata: Record<string, string> = {
    order_id: order,
    purpose: options.purpose,
    source: options.source,
    internal_note: canary('stripe.metadata', intentId),
  }
  if (person.ref !== null) metadata.tl_ref = person.ref
  const customer = person.payer ? `cus_${intentId.slice(4, 18)}` : customerId
  const methodType = slow ? 'us_bank_account' : 'card'
  const paymentMethod = id(random, 'pm')
  const base = {
    id: intentId,
    object: 'payment_intent',
    amount,
    amount_capturable: 0,
    amount_details: { tip: {} },
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: { enabled: true },
    canceled_at: null,
    cancellation_reason: null,
    capture_method: 'automatic',
    client_secret: `${intentId}_secret_${random.text(24, alphanumerics)}`,
    confirmation_method: 'automatic',
    created: unix(at),
    currency: 'usd',
    customer,
    description: canary('stripe.description', intentId),
    last_payment_error: null,
    livemode: false,
    metadata,
    next_action: null,
    on_behalf_of: null,
    payment_method: paymentMethod,
    payment_method_options: {},
    payment_method_types: [methodType],
    processing: null,
    receipt_email: random.chance(0.3) ? payer.email.toUpperCase() : payer.email,
    review: null,
    setup_future_usage: null,
    shipping: null,
    statement_descriptor: null,
    statement_descriptor_suffix: 'CARE',
    transfer_data: null,
    transfer_group: null,
  }
  const balanceId = id(random, 'txn')

  const settled: Resource = {
    id: chargeId,
    object: 'charge',
    amount,
    amount_captured: amount,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: balanceId,
    billing_details: {
      address: { city: null, country: 'US', line1: null, line2: null, postal_code: '10001', state: null },
      email: payer.email,
      name: `${payer.given} ${payer.family}`,
      phone: random.chance(0.6) && person.payer === null && !person.sharesFrontDesk ? payer.phone : null,
    },
    calculated_statement_descriptor: 'NORTHWIND CARE',
    captured: true,
    created: unix(slow ? at : succeededAt),
    currency: 'usd',
    customer,
    description: canary('stripe.description', chargeId),
    disputed: false,
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    fraud_details: {},
    livemode: false,
    metadata,
    on_behalf_of: null,
    outcome: {
      network_status: 'approved_by_network',
      reason: null,
      risk_level: 'normal',
      seller_message: 'Payment complete.',
      type: 'authorized',
    },
    paid: true,
    payment_intent: intentId,
    payment_method: paymentMethod,
    payment_method_details: slow
      ? {
          type: 'us_bank_account',
          us_bank_account: {
            account_holder_type: 'individual',
            account_type: 'checking',
            bank_name: 'TEST BANK',
            fingerprint: random.text(16, alphanumerics),
            last4: '6789',
            routing_number: '110000000',
          },
        }
      : {
          type: 'card',
          card: {
            brand: 'visa',
            checks: { address_line1_check: null, address_postal_code_check: 'pass', cvc_check: 'pass' },
            country: 'US',
            exp_month: 8,
            exp_year: 2030,
            fingerprint: random.text(16, alphanumerics),
            funding: 'credit',
            installments: null,
            last4: '4242',
            mandate: null,
            network: 'visa',
            three_d_secure: null,
            wallet: null,
          },
        },
    receipt_email: payer.email,
    receipt_number: null,
    receipt_url: `https://pay.example.com/receipts/${encodeURIComponent(payer.email)}`,
    refunded: false,
    review: null,
    shipping: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: 'CARE',
    status: 'succeeded',
    transfer_data: null,
    transfer_group: null,
  }
  // A card is charged when it succeeds; a bank debit stands as a pending charge until the bank answers.
  const processing: Resource = { ...base, amount_received: 0, latest_charge: slow ? chargeId : null, status: 'processing' }
  script.write('stripe.payment_intents', intentId, at, processing)
  event(script, random, 'payment_intent.created', at, {
    ...base,
    amount_received: 0,
    latest_charge: null,
    status: 'requires_payment_method',
  })
  if (slow) {
    script.write('stripe.charges', chargeId, at, { ...settled, balance_transaction: null, paid: false, status: 'pending' })
    event(script, random, 'payment_intent.processing', at + second, processing)
  }
  const charge = settled
  const intent: Resource = { ...base, amount_received: amount, latest_charge: chargeId, status: 'succeeded' }
  script.write('stripe.charges', chargeId, succeededAt, charge)
  script.write('stripe.balance_transactions', balanceId, succeededAt, balanceTransaction(balanceId, chargeId, amount, succeededAt))
  script.write('stripe.payment_intents', intentId, succeededAt, intent)
  event(script, random, 'charge.succeeded', succeededAt, charge)
  event(script, random, 'payment_intent.succeeded', succeededAt, intent)
  return { intentId, chargeId, succeededAt, order, intent, charge }
}

/** The whole amount back; the charge says so, and an event of each kind tells it. */
export function refund(script: Script, random: Random, payment: Payment, at: number): string {
  const refundId = id(random, 're')
  const balanceId = id(random, 'txn')
  const body: Resource = {
    id: refundId,
    object: 'refund',
    amount: payment.charge.amount ?? 0,
    balance_transaction: balanceId,
    charge: payment.chargeId,
    created: unix(at),
    currency: 'usd',
    metadata: { internal_note: canary('stripe.refund.metadata', refundId) },
    payment_intent: payment.intentId,
    reason: 'requested_by_customer',
    receipt_number: null,
    source_transfer_reversal: null,
    status: 'succeeded',
    transfer_reversal: null,
  }
  const charge: Resource = { ...payment.charge, amount_refunded: payment.charge.amount ?? 0, refunded: true }
  script.write('stripe.refunds', refundId, at, body)
  script.write('stripe.balance_transactions', balanceId, at, balanceTransaction(balanceId, refundId, -Number(body.amount), at))
  script.write('stripe.charges', payment.chargeId, at, charge)
  event(script, random, 'refund.created', at, body)
  event(script, random, 'charge.refunded', at, charge, { amount_refunded: 0, refunded: false })
  return refundId
}
