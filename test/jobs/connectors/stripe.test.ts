import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { charge, paymentIntent, refund } from '../../../jobs/connectors/stripe/fixtures/payments.ts'
import { stripe } from '../../../jobs/connectors/stripe/index.ts'
import { unseal } from '../../../jobs/domain/plain.ts'
import type { Answer, FakeTool, Session } from '../../support/faketool.ts'
import { openSession, startFakeTool } from '../../support/faketool.ts'

let tool: FakeTool
let session: Session
const config = { metadata: { order: 'order_id', reference: 'tl_ref', producer: 'source' }, metadata_fields: { purpose: 'purpose' } }
beforeEach(async () => {
  tool = await startFakeTool()
  session = openSession(stripe, tool, config, { api_key: 'sk_test_1' })
})
afterEach(async () => {
  await session.http.close()
  await tool.close()
})

const list = (data: readonly unknown[], more = false): Answer => ({ json: { object: 'list', url: '/v1/x', has_more: more, data } })
const entry = (id: string, type: string, created: number, object: object) => ({
  id,
  object: 'event',
  type,
  created,
  livemode: false,
  pending_webhooks: 0,
  data: { object },
})
async function readOne(row: unknown) {
  tool.on('/v1/payment_intents', list([row]))
  const page = await session.poll('payment_intents', null)
  return { page, record: page.records[0] }
}

describe('a payment', () => {
  test('keeps amounts, state, order and the times Stripe states', async () => {
    const { page, record } = await readOne(paymentIntent)
    expect(page.drift).toEqual([])
    expect(record).toMatchObject({
      externalId: paymentIntent.id,
      status: 'succeeded',
      ops: { amount: 19900, currency: 'usd', refund: 'none', amountRefunded: 0, purpose: 'enrolment' },
      objects: [
        { type: 'payment', id: paymentIntent.id },
        { type: 'order', id: 'ord_77' },
      ],
      updatedAt: charge.created * 1000,
    })
    expect(record?.events).toEqual([
      {
        type: 'payment_intent.created',
        occurredAt: 1772452800000,
        status: null,
        ops: { refund: 'none', amountRefunded: 0 },
        actor: { kind: 'automation', id: 'wf-12' },
      },
      {
        type: 'payment_intent.succeeded',
        occurredAt: 1772452805000,
        status: 'succeeded',
        ops: { refund: 'none', amountRefunded: 0 },
        actor: { kind: 'automation', id: 'wf-12' },
      },
    ])
  })
  test('is claimed by whoever paid, as a payer only', async () => {
    const { record } = await readOne(paymentIntent)
    expect(record?.person && unseal(record.person)).toEqual({
      role: 'payer',
      emails: ['ana.canary@example.org'],
      phones: ['+12015550123'],
      name: { full: 'Ana Canary' },
    })
  })
  test('is about the subject its reference names, and then the payer is left out', async () => {
    const { record } = await readOne({ ...paymentIntent, metadata: { tl_ref: 'abc' } })
    expect(record?.person && unseal(record.person)).toEqual({ role: 'self', reference: 'abc' })
  })
  test('keeps nothing else: no text a person wrote is in what is stored', async () => {
    const { page } = await readOne(paymentIntent)
    const stored = JSON.stringify({ ...page, records: page.records.map((record) => ({ ...record, person: null })) })
    expect(stored).not.toMatch(/canary|secret|example\.org|5550123/i)
  })
  test('refunded in two parts tells each state at its time', async () => {
    const parts = [
      { ...refund, id: 're_2', amount: 14900, created: 1772460000 },
      { ...refund, id: 're_1', amount: 5000, created: 1772456400 },
      { ...refund, id: 're_0', amount: 1, created: 1772456000, status: 'failed' },
    ]
    const refunded = {
      ...charge,
      amount_refunded: 19900,
      refunded: true,
      refunds: { object: 'list', data: parts, has_more: false, url: '' },
    }
    const { record } = await readOne({ ...paymentIntent, latest_charge: refunded })
    expect(record?.ops).toMatchObject({ refund: 'full', amountRefunded: 19900 })
    expect(record?.events.slice(2)).toMatchObject([
      { type: 'payment_intent.refunded', occurredAt: 1772456400000, status: 'succeeded', ops: { refund: 'partial', amountRefunded: 5000 } },
      { type: 'payment_intent.refunded', occurredAt: 1772460000000, status: 'succeeded', ops: { refund: 'full', amountRefunded: 19900 } },
    ])
  })
  test('captured later succeeded when the money moved', async () => {
    const captured = { ...charge, balance_transaction: { id: 'txn_1', object: 'balance_transaction', created: 1772500000 } }
    const { record } = await readOne({ ...paymentIntent, capture_method: 'manual', latest_charge: captured })
    expect(record?.events[1]).toMatchObject({ type: 'payment_intent.succeeded', occurredAt: 1772500000000 })
  })
  test('P5: processing, succeeded and refunded within one second: the later state is the newer version', async () => {
    const second = { ...charge, created: paymentIntent.created }
    const states = [
      { ...paymentIntent, status: 'processing', latest_charge: second },
      { ...paymentIntent, latest_charge: second },
      { ...paymentIntent, latest_charge: { ...second, amount_refunded: 5000 } },
      { ...paymentIntent, latest_charge: { ...second, amount_refunded: 19900 } },
    ]
    const versions: string[] = []
    for (const state of states) versions.push(String((await readOne(state)).record?.version))
    expect(versions).toEqual([...versions].sort())
    expect(new Set(versions).size).toBe(4)
  })
  test('P13: currencies without or with three minor digits keep their integers', async () => {
    for (const [currency, amount] of [
      ['jpy', 500],
      ['kwd', 12345],
    ] as const) {
      const { record } = await readOne({ ...paymentIntent, currency, amount })
      expect(record?.ops).toMatchObject({ currency, amount })
    }
  })
})

describe('reading', () => {
  test('the first pass lists objects, the next ones ask the event log and read each changed payment once', async () => {
    tool.on('/v1/payment_intents', list([paymentIntent]))
    const first = await session.pass('payment_intents', null)
    expect(first.last.coverage).toEqual({ from: null, to: tool.now, complete: true })

    tool.now = session.now = (tool.now ?? 0) + 300_000
    tool.on(
      '/v1/events',
      list([
        entry('evt_3', 'charge.refunded', 1772453000, {
          id: charge.id,
          object: 'charge',
          payment_intent: paymentIntent.id,
          status: 'succeeded',
        }),
        entry('evt_2', 'payment_intent.succeeded', 1772452805, { id: paymentIntent.id, object: 'payment_intent', status: 'succeeded' }),
        entry('evt_1', 'payment_intent.processing', 1772452802, { id: paymentIntent.id, object: 'payment_intent', status: 'processing' }),
      ]),
    )
    tool.on(`/v1/payment_intents/${paymentIntent.id}`, { json: paymentIntent })
    const second = await session.pass('payment_intents', first.cursor)
    const since = (tool.now - 300_000) / 1000 - 900
    expect(tool.ledger.find((one) => one.path === '/v1/events')?.query.get('created[gte]')).toBe(String(since))
    expect(tool.ledger.filter((one) => one.path.startsWith('/v1/payment_intents/'))).toHaveLength(1)
    expect(second.records).toHaveLength(1)
    expect(second.records[0]?.events.map((event) => [event.type, event.status])).toContainEqual(['payment_intent.processing', 'processing'])
    expect(second.records[0]?.updatedAt).toBe(1772453000000)
    expect(second.last.coverage).toEqual({ from: since * 1000, to: tool.now, complete: true })
  })
  test('the same payment says the same by list and by event log, so nothing counts twice', async () => {
    const listed = await readOne(paymentIntent)
    tool.on(
      '/v1/events',
      list([
        entry('evt_2', 'payment_intent.succeeded', 1772452806, { id: paymentIntent.id, object: 'payment_intent', status: 'succeeded' }),
      ]),
    )
    tool.on(`/v1/payment_intents/${paymentIntent.id}`, { json: paymentIntent })
    const logged = await session.poll('payment_intents', listed.page.cursor)
    expect(logged.records[0]?.events).toEqual(listed.record?.events)
  })
  test('an event log older than its thirty days is not trusted: the objects are listed again', async () => {
    tool.on('/v1/payment_intents', list([]))
    const page = await session.poll('payment_intents', { at: 'rest', since: session.now - 40 * 86_400_000 })
    expect(page.coverage.from).toBeNull()
    expect(tool.ledger.every((one) => one.path === '/v1/payment_intents')).toBe(true)
  })
  test('a full sweep names its pages', async () => {
    tool.on('/v1/payment_intents', [list([{ ...paymentIntent, id: 'pi_b' }], true), list([{ ...paymentIntent, id: 'pi_a' }])])
    const { pages } = await session.pass('payment_intents', { at: 'rest', since: session.now }, { mode: 'full' })
    expect(pages.map((page) => page.sweep?.lastPage)).toEqual([false, true])
    expect(new Set(pages.map((page) => page.sweep?.id)).size).toBe(1)
    expect(tool.ledger[1]?.query.get('starting_after')).toBe('pi_b')
  })
  test('a payment that is gone becomes a tombstone', async () => {
    tool.on(
      '/v1/events',
      list([entry('evt_1', 'payment_intent.canceled', 1772452805, { id: 'pi_gone', object: 'payment_intent', status: 'canceled' })]),
    )
    const page = await session.poll('payment_intents', { at: 'rest', since: session.now })
    expect(page.records).toMatchObject([{ externalId: 'pi_gone', deleted: true }])
  })
  test('refunds are read the same way and belong to their payment', async () => {
    tool.on('/v1/refunds', list([refund]))
    const { records, last } = await session.pass('refunds', null)
    expect(last.drift).toEqual([])
    expect(records).toMatchObject([
      {
        externalId: refund.id,
        status: 'succeeded',
        objects: [{ type: 'payment', id: paymentIntent.id }],
        events: [{ type: 'refund.created', occurredAt: 1772456400000 }],
      },
    ])
  })
  test('sends what the vendor documents and nothing else', async () => {
    tool.on('/v1/payment_intents', list([]))
    await session.poll('payment_intents', null)
    expect(tool.ledger[0]?.headers).toMatchObject({ authorization: 'Bearer sk_test_1', 'stripe-version': '2026-07-29.dahlia' })
    expect([...(tool.ledger[0]?.query.keys() ?? [])]).toEqual(['limit', 'expand[]', 'expand[]', 'expand[]'])
  })
})

describe('P3: pages that do not end', () => {
  const row = (id: string) => ({ ...paymentIntent, id })
  test('P3: the same page twice', async () => {
    tool.on('/v1/payment_intents', list([row('pi_a')], true))
    const first = await session.poll('payment_intents', null)
    await expect(session.poll('payment_intents', first.cursor)).rejects.toMatchObject({ reason: 'stuck_cursor' })
  })
  test('P3: A-B-A', async () => {
    tool.on('/v1/payment_intents', (_, nth) => list([row(nth % 2 ? 'pi_b' : 'pi_a')], true))
    await expect(session.pass('payment_intents', null)).rejects.toMatchObject({ reason: 'stuck_cursor' })
    expect(tool.ledger.length).toBeLessThan(5)
  })
  test('P3: a cycle of any length', async () => {
    tool.on('/v1/payment_intents', (_, nth) => list([row(`pi_${nth < 3 ? nth : 3 + ((nth - 3) % 17)}`)], true))
    await expect(session.pass('payment_intents', null)).rejects.toMatchObject({ reason: 'stuck_cursor' })
    expect(tool.ledger.length).toBeLessThan(70)
  })
  test('P3: has_more forever stops at the bound', async () => {
    tool.on('/v1/payment_intents', (_, nth) => list([row(`pi_${nth}`)], true))
    await expect(session.pass('payment_intents', null, { maxPages: 20 })).rejects.toMatchObject({ reason: 'stuck_cursor' })
    expect(tool.ledger).toHaveLength(20)
  })
  test('P3: has_more after an empty page', async () => {
    tool.on('/v1/payment_intents', list([], true))
    await expect(session.poll('payment_intents', null)).rejects.toMatchObject({ reason: 'stuck_cursor' })
  })
})

describe('P9: a pass that breaks off', () => {
  test('P9: page 3 of 7 fails: no page before it claims to be complete, and the next try goes on from there', async () => {
    let broken = true
    const ids = ['g', 'f', 'e', 'd', 'c', 'b', 'a'].map((letter) => `pi_${letter}`)
    tool.on('/v1/payment_intents', (request) => {
      const at = ids.indexOf(request.query.get('starting_after') ?? '') + 1
      return broken && at === 2 ? { status: 500, json: {} } : list([{ ...paymentIntent, id: ids[at] }], at < 6)
    })
    const seen: boolean[] = []
    let cursor: unknown = null
    const failed = await (async () => {
      for (;;) {
        const page = await session.poll('payment_intents', cursor, { mode: 'full' })
        seen.push(page.coverage.complete, page.sweep?.lastPage ?? true)
        cursor = page.cursor
      }
    })().catch((error: unknown) => error)
    expect(failed).toMatchObject({ reason: 'network' })
    expect(seen).toEqual([false, false, false, false])
    broken = false
    const rest = await session.pass('payment_intents', cursor, { mode: 'full' })
    expect(rest.records.map((record) => record.externalId)).toEqual(ids.slice(2))
    expect(rest.last.coverage.complete).toBe(true)
  })
})

describe('P8: an answer that is not the list', () => {
  test.each([
    [{ error: { type: 'api_error' } }],
    [{}],
    [[]],
    [null],
    ['ok'],
    [{ object: 'list', data: {}, has_more: false }],
    [{ object: 'list', data: [] }],
    [{ object: 'list', data: null, has_more: false }],
  ])('P8: %j is an error', async (json) => {
    tool.on('/v1/payment_intents', { json })
    await expect(session.poll('payment_intents', null)).rejects.toMatchObject({ reason: 'bad_response' })
  })
})

describe('P14: a shape that changed', () => {
  const without = (key: string) => Object.fromEntries(Object.entries(paymentIntent).filter(([name]) => name !== key))
  test.each(['amount', 'status', 'currency', 'created', 'latest_charge', 'id'])(
    'P14: %s removed: set aside, with its path',
    async (key) => {
      const { page } = await readOne(without(key))
      expect(page.records).toEqual([])
      expect(page.quarantined).toHaveLength(1)
      expect(page.quarantined[0]).toMatchObject({ reason: `${key} is missing`, rawHash: expect.stringMatching(/^[0-9a-f]{64}$/) })
      expect(page.drift).toEqual([{ path: key, what: 'missing' }])
    },
  )
  test('P14: renamed: missing under the old name, new under the other', async () => {
    const { page } = await readOne({ ...without('amount'), amount_total: 19900 })
    expect(page.drift).toEqual([
      { path: 'amount_total', what: 'new' },
      { path: 'amount', what: 'missing' },
    ])
  })
  test('P14: another type, nested', async () => {
    const { page } = await readOne({
      ...paymentIntent,
      latest_charge: { ...charge, billing_details: { ...charge.billing_details, email: { value: 'ana' } } },
    })
    expect(page.records).toEqual([])
    expect(page.drift).toEqual([{ path: 'latest_charge.billing_details.email', what: 'type' }])
  })
  test('P14: an amount as text is not quietly a number', async () => {
    const { page } = await readOne({ ...paymentIntent, amount: '19900' })
    expect(page.quarantined[0]?.reason).toBe('amount has another type')
  })
  test('P14: a new status is kept as unknown and told', async () => {
    const { page, record } = await readOne({ ...paymentIntent, status: 'under_review' })
    expect(record?.status).toBe('unknown:under_review')
    expect(page.drift).toEqual([{ path: 'status', what: 'value' }])
  })
  test('P14: a new field is told by its path only', async () => {
    const { page } = await readOne({ ...paymentIntent, loyalty: { card: 'canary-1234' } })
    expect(page.records).toHaveLength(1)
    expect(page.drift).toEqual([{ path: 'loyalty', what: 'new' }])
  })
  test('P14: one broken row does not stop the rest, and a sweep with one names no ids', async () => {
    tool.on('/v1/payment_intents', list([paymentIntent, without('amount'), { ...paymentIntent, id: 'pi_other' }]))
    const page = await session.poll('payment_intents', null, { mode: 'full' })
    expect(page.records).toHaveLength(2)
    expect(page.quarantined).toHaveLength(1)
    expect(page.sweep).toBeUndefined()
  })
})

describe('P14: what was set aside is not missing', () => {
  const changed = (id: string) =>
    entry(`evt_${id}`, 'payment_intent.succeeded', 1772452805, { id, object: 'payment_intent', status: 'succeeded' })
  const { amount: _, ...broken } = paymentIntent
  test('P14: an incremental pass with a broken row claims nothing beyond the one before; the next one does', async () => {
    const since = session.now - 300_000
    tool.on('/v1/events', [list([changed('pi_bad'), changed('pi_good')]), list([])])
    tool.on('/v1/payment_intents/pi_bad', { json: { ...broken, id: 'pi_bad' } })
    tool.on('/v1/payment_intents/pi_good', { json: { ...paymentIntent, id: 'pi_good' } })
    const torn = await session.pass('payment_intents', { at: 'rest', since })
    expect(torn.records).toHaveLength(1)
    expect(torn.last.coverage).toMatchObject({ complete: true, to: since - 900_000 })
    expect((await session.pass('payment_intents', torn.cursor)).last.coverage.to).toBe(tool.now)
  })
  test('P14: everything set aside: the whole stream stays unread', async () => {
    tool.on('/v1/payment_intents', list(['a', 'b', 'c'].map((id) => ({ ...broken, id: `pi_${id}` }))))
    expect((await session.pass('payment_intents', null, { mode: 'full' })).last.coverage).toEqual({ from: null, to: 0, complete: true })
  })
  test('P14: one stray row among many blinds the first reading: it may be the very one that is missed', async () => {
    tool.on(
      '/v1/payment_intents',
      list([...Array.from({ length: 20 }, (_row, n) => ({ ...paymentIntent, id: `pi_${n}` })), { ...broken, id: 'pi_bad' }]),
    )
    expect((await session.pass('payment_intents', null, { mode: 'full' })).last.coverage.to).toBe(0)
  })
})

describe('P12 and P13: odd bytes in one record', () => {
  const body = (row: string) => ({
    body: Buffer.from(
      `{"object":"list","has_more":false,"url":"","data":[${row},${JSON.stringify({ ...paymentIntent, id: 'pi_fine' })}]}`,
      'latin1',
    ),
  })
  const source = JSON.stringify(paymentIntent)
  test.each([
    ['invalid UTF-8', source.replace('usd', 'us\xff')],
    ['a lone surrogate', source.replace('usd', '\\ud800')],
    ['U+0000', source.replace('usd', 'us\\u0000')],
    ['a key given twice', source.replace('"currency":"usd"', '"currency":"usd","currency":"eur"')],
    ['a fraction where minor units stand', source.replace('"amount":19900', '"amount":19900.10')],
    ['an exponent', source.replace('"amount":19900', '"amount":1e4')],
  ])('P12: %s: that record is set aside by its raw hash, the rest goes on', async (_, row) => {
    tool.on('/v1/payment_intents', body(row))
    const page = await session.poll('payment_intents', null)
    expect(page.records.map((record) => record.externalId)).toEqual(['pi_fine'])
    expect(page.quarantined).toMatchObject([{ where: paymentIntent.id, rawHash: expect.stringMatching(/^[0-9a-f]{64}$/) }])
    expect(JSON.stringify(page.quarantined)).not.toMatch(/canary|usd/)
  })
  test('P13: __proto__ in a record pollutes nothing and is new', async () => {
    tool.on('/v1/payment_intents', body(source.replace('{', '{"__proto__":{"status":"canceled"},')))
    const page = await session.poll('payment_intents', null)
    expect(page.records).toHaveLength(2)
    expect(page.records[0]?.status).toBe('succeeded')
    expect(({} as Record<string, unknown>).status).toBeUndefined()
  })
})

describe('check', () => {
  test('says which streams can be read, and the skew', async () => {
    for (const path of ['/v1/payment_intents', '/v1/refunds', '/v1/events']) tool.on(path, list([]))
    session.now = (tool.now ?? 0) - 60_000
    expect(await stripe.check(session.context() as never)).toEqual({
      ok: true,
      clockSkewMs: 60_000,
      streams: ['payment_intents', 'refunds', 'events'].map((name) => ({ name, ok: true, message: 'can be read' })),
    })
  })
  test('a wrong key is said in words and never thrown', async () => {
    tool.on(/.*/, { status: 401, json: { error: { message: 'Invalid API Key provided: sk_test_1' } } })
    const result = await stripe.check(session.context() as never)
    expect(result).toMatchObject({ ok: false, reason: 'auth', message: expect.stringContaining('refused the credentials') })
    expect(JSON.stringify(result)).not.toContain('sk_test_1')
  })
  test('a key that may read only some streams says which', async () => {
    tool.on('/v1/payment_intents', list([]))
    tool.on('/v1/events', list([]))
    tool.on('/v1/refunds', { status: 403, json: {} })
    expect(await stripe.check(session.context() as never)).toMatchObject({
      ok: true,
      streams: [{ ok: true }, { name: 'refunds', ok: false }, { ok: true }],
    })
  })
})
