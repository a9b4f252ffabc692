import type { Acts, Deed } from '../acts.ts'
import { canary } from '../canary.ts'
import { day, unix } from '../times.ts'
import type { ToolDefinition, ToolRequest, ToolResponse } from '../tool-server.ts'
import { rateWindow } from '../tool-server.ts'
import type { Stored, World } from '../world.ts'
import type { Collection, Json, Resource } from '../writes.ts'
import { cancellationOf, refundOf } from './acts.ts'

export interface StripeOptions {
  readonly world: World
  readonly acts: Acts
  readonly apiKey: string
  readonly requestsPerSecond: number
  readonly wall: () => number
}

const eventsKeptMs = 30 * day
const keysKeptMs = day
const cancellable = ['requires_payment_method', 'requires_capture', 'requires_confirmation', 'requires_action']
const lists: Readonly<Record<string, { readonly collection: Collection; readonly filters: readonly string[] }>> = {
  payment_intents: { collection: 'stripe.payment_intents', filters: ['customer'] },
  charges: { collection: 'stripe.charges', filters: ['customer', 'payment_intent'] },
  refunds: { collection: 'stripe.refunds', filters: ['charge', 'payment_intent'] },
  events: { collection: 'stripe.events', filters: ['type'] },
}
const createdOperators = ['gt', 'gte', 'lt', 'lte']

const fail = (status: number, type: string, code: string | null, message: string): ToolResponse => ({
  status,
  body: {
    error: {
      ...(code === null ? {} : { code, doc_url: `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}` }),
      message,
      type,
    },
  },
})
const missing = (what: string, id: string) => fail(404, 'invalid_request_error', 'resource_missing', `No such ${what}: '${id}'`)

/** Stripe's API as far as payments go: newest-first lists, an event log kept for 30 days, expansion, refunds and cancellations by key. */
export function stripe({ world, acts, apiKey, requestsPerSecond, wall }: StripeOptions): ToolDefinition {
  const limit = rateWindow(requestsPerSecond, 1000, wall)
  const replays = new Map<string, { readonly parameters: string; readonly response: ToolResponse; readonly at: number }>()

  const charge = (id: Json | undefined) => (typeof id === 'string' ? world.all('stripe.charges').get(id)?.body : undefined)
  const refundsOf = (chargeId: Json | undefined): Resource[] =>
    newestFirst([...world.all('stripe.refunds').values()].filter(({ body }) => body.charge === chargeId)).map(({ body }) => body)

  const expand = (object: Resource, paths: readonly string[]): Resource => {
    let result = object
    const rest = (field: string) => paths.filter((path) => path.startsWith(`${field}.`)).map((path) => path.slice(field.length + 1))
    const wants = (field: string) => paths.some((path) => path === field || path.startsWith(`${field}.`))
    if (wants('latest_charge')) {
      const found = charge(object.latest_charge)
      if (found) result = { ...result, latest_charge: expand(found, rest('latest_charge')) }
    }
    if (wants('charge')) {
      const found = charge(object.charge)
      if (found) result = { ...result, charge: expand(found, rest('charge')) }
    }
    if (wants('refunds') && object.object === 'charge')
      result = {
        ...result,
        refunds: { object: 'list', data: refundsOf(object.id), has_more: false, url: `/v1/charges/${String(object.id)}/refunds` },
      }
    if (wants('balance_transaction') && typeof object.balance_transaction === 'string') {
      const found = world.all('stripe.balance_transactions').get(object.balance_transaction)
      if (found) result = { ...result, balance_transaction: found.body }
    }
    return result
  }

  const list = (name: string, query: URLSearchParams, now: number): ToolResponse => {
    const spec = lists[name]
    if (spec === undefined) return missing('resource', name)
    const allowed = new Set([
      'limit',
      'starting_after',
      'ending_before',
      'expand[]',
      'types[]',
      'created',
      ...createdOperators.map((op) => `created[${op}]`),
      ...spec.filters,
    ])
    for (const key of query.keys())
      if (!allowed.has(key.replace(/\[\d+\]$/, '[]')) || (key.startsWith('types') && name !== 'events'))
        return fail(400, 'invalid_request_error', 'parameter_unknown', `Received unknown parameter: ${key}`)
    const size = Number(query.get('limit') ?? 10)
    if (!Number.isInteger(size) || size < 1 || size > 100)
      return fail(400, 'invalid_request_error', null, 'This value must be between 1 and 100 (inclusive): limit')
    const types = [...query.entries()].filter(([key]) => key.startsWith('types[')).map(([, value]) => value)
    const items = newestFirst([...world.all(spec.collection).values()]).filter(({ body }) => {
      const created = Number(body.created)
      if (name === 'events' && created < unix(now - eventsKeptMs)) return false
      if (types.length > 0 && !types.includes(String(body.type))) return false
      if (spec.filters.some((field) => query.has(field) && String(body[field]) !== query.get(field))) return false
      return createdOperators.every((op) => {
        const bound = query.get(`created[${op}]`)
        if (bound === null) return true
        const value = Number(bound)
        return op === 'gt' ? created > value : op === 'gte' ? created >= value : op === 'lt' ? created < value : created <= value
      })
    })
    const after = query.get('starting_after')
    const before = query.get('ending_before')
    const anchor = after ?? before
    if (anchor !== null && !world.all(spec.collection).has(anchor)) return missing(name.slice(0, -1).replace('_', ' '), anchor)
    const at = anchor === null ? -1 : items.findIndex(({ id }) => id === anchor)
    const from = before === null ? at + 1 : Math.max(0, at - size)
    const page = items.slice(from, before === null ? from + size : at)
    const paths = expansions(query).map((path) => path.replace(/^data\./, ''))
    const hasMore = before === null ? from + page.length < items.length : from > 0
    return {
      status: 200,
      body: { object: 'list', data: page.map(({ body }) => expand(body, paths)), has_more: hasMore, url: `/v1/${name}` },
    }
  }

  /** What the request asks for, or why not. */
  const deedOf = (request: ToolRequest, name: string, id: string | undefined, verb: string | undefined): Deed | ToolResponse => {
    const form = new URLSearchParams(request.body)
    const key = keyOf(request)
    const allowed = name === 'refunds' ? ['payment_intent', 'charge', 'amount', 'reason'] : ['cancellation_reason']
    for (const field of form.keys())
      if (!allowed.includes(field) && !field.startsWith('expand[') && !(name === 'refunds' && /^metadata\[[^\]]{1,40}\]$/.test(field)))
        return fail(400, 'invalid_request_error', 'parameter_unknown', `Received unknown parameter: ${field}`)
    if (name === 'payment_intents') {
      const found = world.all('stripe.payment_intents').get(id ?? '')
      if (found === undefined || verb !== 'cancel') return missing('payment_intent', id ?? '')
      if (!cancellable.includes(String(found.body.status)))
        return fail(
          400,
          'invalid_request_error',
          'payment_intent_unexpected_state',
          `You cannot cancel this PaymentIntent because it has a status of ${String(found.body.status)}. ${canary('stripe.error', found.id)}`,
        )
      return cancellationOf(world, found.body, form.get('cancellation_reason'), key)
    }
    const intent = form.get('payment_intent')
    const chargeId =
      form.get('charge') ?? (intent === null ? null : String(world.all('stripe.payment_intents').get(intent)?.body.latest_charge ?? ''))
    const found = chargeId === null ? undefined : charge(chargeId)
    if (found === undefined || chargeId === null) return missing('charge', chargeId ?? intent ?? '')
    const left = Number(found.amount) - Number(found.amount_refunded)
    const amount = Number(form.get('amount') ?? left)
    if (left <= 0)
      return fail(
        400,
        'invalid_request_error',
        'charge_already_refunded',
        `Charge ${chargeId} has already been refunded. ${canary('stripe.error', chargeId)}`,
      )
    if (!Number.isInteger(amount) || amount < 1 || amount > left)
      return fail(400, 'invalid_request_error', null, 'Refund amount is greater than unrefunded amount on charge')
    return refundOf(world, chargeId, form, key)
  }

  /** A key answers for a day with what was answered first, saved failures included: https://docs.stripe.com/api/idempotent_requests */
  const write = (request: ToolRequest, name: string, id: string | undefined, verb: string | undefined): ToolResponse => {
    const key = keyOf(request)
    const parameters = `${request.url.pathname} ${request.body}`
    const saved = key === null ? undefined : replays.get(key)
    const earlier = saved !== undefined && request.now - saved.at < keysKeptMs ? saved : undefined
    if (earlier && earlier.parameters !== parameters)
      return fail(
        400,
        'idempotency_error',
        null,
        'Keys for idempotent requests can only be used with the same parameters they were first used with.',
      )
    if (earlier) return { ...earlier.response, headers: { 'idempotent-replayed': 'true' } }
    const deed = deedOf(request, name, id, verb)
    if (!('make' in deed)) return deed
    const response = acts.run(name === 'refunds' ? 'stripe.refund' : 'stripe.cancel', request, deed)
    const { isCut: _, ...kept } = response
    if (key !== null) replays.set(key, { parameters, response: kept, at: request.now })
    return response
  }

  return {
    name: 'stripe',
    contentType: 'application/json',
    error: (_status, code, message) => ({
      error: { code, message, type: code === 'rate_limited' ? 'invalid_request_error' : 'api_error' },
    }),
    headers: () => ({ 'stripe-version': '2026-07-29.dahlia', 'request-id': 'req_simulated' }),
    handle(request) {
      if (request.headers.authorization !== `Bearer ${apiKey}`) return fail(401, 'invalid_request_error', null, 'Invalid API Key provided.')
      if (!limit.take().allowed)
        return {
          ...fail(429, 'invalid_request_error', 'rate_limit', 'Too many requests hit the API too quickly.'),
          headers: { 'retry-after': '1', 'stripe-rate-limited-reason': 'global-rate' },
        }
      const [, version, name, id, ...more] = request.url.pathname.split('/')
      const [verb] = more
      if (
        request.method === 'POST' &&
        version === 'v1' &&
        ((name === 'refunds' && id === undefined) || (name === 'payment_intents' && verb === 'cancel'))
      )
        return write(request, name, id, verb)
      const spec = version === 'v1' && name !== undefined && more.length === 0 ? lists[name] : undefined
      if (spec === undefined || name === undefined)
        return fail(404, 'invalid_request_error', null, `Unrecognized request URL (${request.method}: ${request.url.pathname}).`)
      if (request.method !== 'GET')
        return fail(404, 'invalid_request_error', null, `Unrecognized request URL (${request.method}: ${request.url.pathname}).`)
      if (id === undefined) return list(name, request.url.searchParams, request.now)
      const found = world.all(spec.collection).get(id)
      return found === undefined
        ? missing(name.slice(0, -1), id)
        : { status: 200, body: expand(found.body, expansions(request.url.searchParams)) }
    },
  }
}

function keyOf({ headers }: ToolRequest): string | null {
  const key = headers['idempotency-key']
  return typeof key === 'string' ? key : null
}

function expansions(query: URLSearchParams): string[] {
  return [...query.entries()].filter(([key]) => key.startsWith('expand[')).map(([, value]) => value)
}

function newestFirst(items: Stored[]): Stored[] {
  return items.sort((a, b) => Number(b.body.created) - Number(a.body.created) || (a.id < b.id ? 1 : -1))
}
