import type { Deed, Made } from '../acts.ts'
import { canary } from '../canary.ts'
import { randomFrom } from '../random.ts'
import { second, unix } from '../times.ts'
import type { World } from '../world.ts'
import type { Collection, Resource, Write } from '../writes.ts'

const error: Resource = { error: { message: canary('stripe.error', 'act'), type: 'api_error' } }

const written =
  (at: number) =>
  (collection: Collection, id: string, body: Resource): Write => ({ visibleAt: at, updatedAt: at, collection, id, body })

function event(at: number, id: string, type: string, object: Resource): Write {
  return written(at)('stripe.events', id, {
    id,
    object: 'event',
    api_version: '2026-07-29.dahlia',
    created: unix(at),
    data: { object },
    livemode: false,
    pending_webhooks: 0,
    request: { id: null, idempotency_key: null },
    type,
  })
}

/** Metadata as a form writes it: `metadata[key]=value`. */
function metadataOf(form: URLSearchParams): Resource {
  return Object.fromEntries(
    [...form].flatMap(([name, value]) => {
      const field = /^metadata\[(.+)\]$/.exec(name)?.[1]
      return field === undefined ? [] : [[field, value]]
    }),
  )
}

/** A refund of a charge, of all that is left where the form names no amount. */
export function refundOf(world: World, chargeId: string, form: URLSearchParams, key: string | null): Deed {
  const chargeNow = () => world.all('stripe.charges').get(chargeId)?.body ?? {}
  return {
    target: String(chargeNow().payment_intent),
    key,
    status: 200,
    error,
    make(at, { nth, isPart }): Made {
      const charge = chargeNow()
      const left = Number(charge.amount) - Number(charge.amount_refunded)
      const wanted = Number(form.get('amount') ?? (left > 0 ? left : charge.amount))
      const amount = isPart ? Math.floor(wanted / 2) : wanted
      const made = [...world.all('stripe.refunds').values()].filter(({ body }) => body.charge === chargeId).length
      const random = randomFrom(world.seed, 'refund', chargeId, made + nth)
      const id = `re_1${random.text(23, '0123456789abcdef')}`
      const body: Resource = {
        id,
        object: 'refund',
        amount,
        balance_transaction: `txn_1${random.text(23, '0123456789abcdef')}`,
        charge: chargeId,
        created: unix(at),
        currency: charge.currency ?? 'usd',
        metadata: metadataOf(form),
        payment_intent: charge.payment_intent ?? null,
        reason: form.get('reason'),
        receipt_number: null,
        source_transfer_reversal: null,
        status: 'succeeded',
        transfer_reversal: null,
      }
      const refunded = Number(charge.amount_refunded) + amount
      const changed: Resource = { ...charge, amount_refunded: refunded, refunded: refunded >= Number(charge.amount) }
      const write = written(at)
      return {
        id,
        body,
        writes: [
          write('stripe.refunds', id, body),
          write('stripe.charges', chargeId, changed),
          event(at, `evt_0${id.slice(4)}`, 'refund.created', body),
          event(at, `evt_1${id.slice(4)}`, 'charge.refunded', changed),
        ],
        undo: (then) => [
          written(then)('stripe.refunds', id, { ...body, status: 'failed', failure_reason: 'lost_or_stolen_card' }),
          written(then)('stripe.charges', chargeId, charge),
          event(then, `evt_2${id.slice(4)}`, 'refund.failed', { ...body, status: 'failed' }),
        ],
      }
    },
  }
}

export function cancellationOf(world: World, intent: Resource, reason: string | null, key: string | null): Deed {
  const id = String(intent.id)
  return {
    target: id,
    key,
    status: 200,
    error,
    make(at, { nth, isPart }): Made {
      const random = randomFrom(world.seed, 'cancel', id, nth)
      const eventId = `evt_1${random.text(23, '0123456789abcdef')}`
      const canceled: Resource = {
        ...intent,
        ...(isPart ? {} : { status: 'canceled', canceled_at: unix(at) }),
        cancellation_reason: reason,
        amount_capturable: 0,
      }
      return {
        id,
        body: { ...canceled, status: 'canceled', canceled_at: unix(at) },
        writes: [
          written(at)('stripe.payment_intents', id, canceled),
          event(at, eventId, isPart ? 'payment_intent.amount_capturable_updated' : 'payment_intent.canceled', canceled),
        ],
        undo: (then) => [
          written(then)('stripe.payment_intents', id, intent),
          event(then + second, `${eventId}u`, 'payment_intent.amount_capturable_updated', intent),
        ],
      }
    },
  }
}
