import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canaryMark } from '../../../jobs/simulator/canary.ts'
import { manualClock } from '../../../jobs/simulator/clock.ts'
import { demoAccountSid, demoSecrets, type Simulator, startSimulator } from '../../../jobs/simulator/simulator.ts'
import { day, hour, minute } from '../../../jobs/simulator/times.ts'

const startAt = Date.parse('2026-03-01T00:00:00Z')
const clock = manualClock(startAt + 12 * day)
let simulator: Simulator

const headers = {
  stripe: { authorization: `Bearer ${demoSecrets.DEMO_STRIPE_KEY}` },
  calcom: { authorization: `Bearer ${demoSecrets.DEMO_CALCOM_KEY}`, 'cal-api-version': '2024-08-13' },
  twilio: { authorization: `Basic ${Buffer.from(`${demoAccountSid}:${demoSecrets.DEMO_TWILIO_TOKEN}`).toString('base64')}` },
  fhir: { authorization: `Bearer ${demoSecrets.DEMO_FHIR_TOKEN}` },
}
type Name = keyof typeof headers

interface Item {
  readonly id: string
  readonly uid: string
  readonly sid: string
  readonly type: string
  readonly created: number
  readonly updatedAt: string
  readonly date_created: string
  readonly date_sent: string | null
}
/** What the assertions read of the four vendors' answers; each answer has some of it. */
interface Body {
  readonly id: string
  readonly code: number
  readonly data: readonly Item[]
  readonly has_more: boolean
  readonly error: { readonly type: string; readonly code: string }
  readonly latest_charge: { readonly refunds: { readonly data: readonly Item[] } }
  readonly pagination: { readonly hasNextPage: boolean }
  readonly messages: readonly Item[]
  readonly next_page_uri: string | null
  readonly resourceType: string
  readonly meta: { readonly versionId: string }
  readonly entry: readonly {
    readonly resource: { readonly id: string; readonly meta: { readonly lastUpdated: string } }
    readonly search: { readonly mode: string }
  }[]
  readonly link: readonly { readonly relation: string; readonly url: string }[]
}
interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly json: Body
}

async function ask(tool: Name, path: string, init: RequestInit = {}): Promise<Answer> {
  const origin = new URL(simulator.urls[tool]).origin
  const response = await fetch(path.startsWith('http') ? path : `${origin}${path}`, { headers: headers[tool], ...init })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    json: response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text,
  }
}
const messages = `/2010-04-01/Accounts/${demoAccountSid}/Messages`

beforeAll(async () => {
  simulator = await startSimulator({ seed: 11, clock, startAt, dataDir: null, rateLimits: true })
})
afterAll(async () => simulator.stop())

describe('every tool', () => {
  it('tells the simulated time in its Date header', async () => {
    for (const [tool, path] of [
      ['stripe', '/v1/events?limit=1'],
      ['calcom', '/v2/bookings?take=1'],
      ['twilio', `${messages}.json?PageSize=1`],
      ['fhir', '/fhir/R4/Patient?_count=1'],
    ] as const) {
      const answer = await ask(tool, path)
      expect(answer.status, tool).toBe(200)
      expect(Date.parse(answer.headers.get('date') ?? ''), tool).toBe(Math.floor(clock.now() / 1000) * 1000)
    }
  })

  it('refuses a wrong key in its own way', async () => {
    const wrong = { headers: { authorization: 'Bearer nobody', 'cal-api-version': '2024-08-13' } }
    expect((await ask('stripe', '/v1/events', wrong)).json.error.type).toBe('invalid_request_error')
    expect((await ask('calcom', '/v2/bookings', wrong)).json).toMatchObject({ status: 'error', error: { code: 'UnauthorizedException' } })
    expect((await ask('twilio', `${messages}.json`, wrong)).json).toMatchObject({ code: 20003, status: 401 })
    expect((await ask('fhir', '/fhir/R4/Patient', wrong)).json.resourceType).toBe('OperationOutcome')
  })

  it('answers 429 with Retry-After, 500, a login page, or nothing, when it is switched so', async () => {
    for (const tool of ['stripe', 'calcom', 'twilio', 'fhir'] as const) {
      const path = { stripe: '/v1/refunds', calcom: '/v2/bookings', twilio: `${messages}.json`, fhir: '/fhir/R4/Task' }[tool]
      const { switches } = simulator.tools[tool]
      Object.assign(switches, { throttleNext: 1, retryAfterSeconds: 3 })
      const throttled = await ask(tool, path)
      expect([throttled.status, throttled.headers.get('retry-after')]).toEqual([429, '3'])
      switches.failing = true
      const failed = await ask(tool, path)
      expect(failed.status).toBe(500)
      expect(JSON.stringify(failed.json)).toContain(canaryMark)
      switches.failing = false
      switches.html = true
      expect((await ask(tool, path)).headers.get('content-type')).toContain('text/html')
      switches.html = false
      switches.down = true
      await expect(ask(tool, path)).rejects.toThrow()
      switches.down = false
      expect((await ask(tool, path)).status).toBe(200)
    }
  })

  it('is down during its outages', async () => {
    const from = startAt + 2 * day
    const moving = manualClock(from - minute)
    const other = await startSimulator({
      seed: 11,
      clock: moving,
      startAt,
      dataDir: null,
      outages: [{ tool: 'stripe', from, to: from + hour }],
    })
    const get = () => fetch(`${other.urls.stripe}/v1/events`, { headers: headers.stripe }).then((response) => response.status)
    expect(await get()).toBe(200)
    moving.advanceTo(from)
    await expect(get()).rejects.toThrow()
    moving.advanceTo(from + hour)
    expect(await get()).toBe(200)
    await other.stop()
  })
})

describe('Stripe', () => {
  async function walk(path: string): Promise<string[]> {
    const ids: string[] = []
    for (let more = true; more; ) {
      const { json } = await ask('stripe', `${path}${ids.length > 0 ? `&starting_after=${ids.at(-1)}` : ''}`)
      ids.push(...json.data.map((one) => one.id))
      more = json.has_more
    }
    return ids
  }

  it('lists newest first and loses nothing between pages', async () => {
    const ids = await walk('/v1/payment_intents?limit=37')
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.length).toBe(simulator.world.all('stripe.payment_intents').size)
    const created = ids.map((id) => Number(simulator.world.all('stripe.payment_intents').get(id)?.body.created))
    expect(created).toEqual([...created].sort((a, b) => b - a))
  })

  it('filters its event log by type and time, and keeps it thirty days', async () => {
    const since = Math.floor((clock.now() - 2 * day) / 1000)
    const { json } = await ask(
      'stripe',
      `/v1/events?limit=100&types[]=refund.created&types[]=payment_intent.succeeded&created[gte]=${since}`,
    )
    expect(json.data.length).toBeGreaterThan(5)
    for (const event of json.data) {
      expect(['refund.created', 'payment_intent.succeeded']).toContain(event.type)
      expect(event.created).toBeGreaterThanOrEqual(since)
    }
  })

  it('expands the charge and its refunds, and refuses parameters it does not know', async () => {
    const refund = [...simulator.world.all('stripe.refunds').values()][0]
    const { json } = await ask(
      'stripe',
      `/v1/payment_intents/${String(refund?.body.payment_intent)}?expand[]=latest_charge.refunds&expand[]=latest_charge.balance_transaction`,
    )
    expect(json.latest_charge).toMatchObject({ object: 'charge', refunded: true, balance_transaction: { object: 'balance_transaction' } })
    expect(json.latest_charge.refunds.data.map((one) => one.id)).toEqual([refund?.id])
    expect((await ask('stripe', '/v1/payment_intents?status=succeeded')).json.error.code).toBe('parameter_unknown')
    expect((await ask('stripe', '/v1/payment_intents/pi_nobody')).json.error.code).toBe('resource_missing')
  })

  it('makes one refund for one idempotency key, and refuses the key with other parameters', async () => {
    const intent = [...simulator.world.all('stripe.payment_intents').values()].find(({ body }) => {
      const charge = simulator.world.all('stripe.charges').get(String(body.latest_charge))
      return body.status === 'succeeded' && charge?.body.refunded === false
    })
    const post = (amount: number) =>
      ask('stripe', '/v1/refunds', {
        method: 'POST',
        headers: { ...headers.stripe, 'idempotency-key': 'k1', 'content-type': 'application/x-www-form-urlencoded' },
        body: `payment_intent=${intent?.id}&amount=${amount}`,
      })
    const first = await post(100)
    const again = await post(100)
    expect(first.json).toMatchObject({ object: 'refund', amount: 100, status: 'succeeded' })
    expect(again.json.id).toBe(first.json.id)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect((await post(200)).json.error.type).toBe('idempotency_error')
    const { json } = await ask('stripe', `/v1/refunds?payment_intent=${intent?.id}`)
    expect(json.data).toHaveLength(1)
  })

  it('lets a bank debit stand as processing for hours', () => {
    const states = [...simulator.world.all('stripe.events').values()].map(({ body }) => String(body.type))
    expect(states).toContain('payment_intent.processing')
  })
})

describe('Cal.com', () => {
  it('sorts by change, pages by take and skip, and says whether more follows', async () => {
    const seen: string[] = []
    for (let skip = 0, more = true; more; skip += 40) {
      const { json } = await ask('calcom', `/v2/bookings?take=40&skip=${skip}&sortUpdatedAt=asc`)
      seen.push(...json.data.map((one) => one.uid))
      more = json.pagination.hasNextPage
    }
    expect(new Set(seen).size).toBe(simulator.world.all('calcom.bookings').size)
  })

  it('shows only what changed after a time', async () => {
    const after = new Date(clock.now() - 6 * hour)
    const { json } = await ask('calcom', `/v2/bookings?take=100&sortUpdatedAt=asc&afterUpdatedAt=${after.toISOString()}`)
    expect(json.data.length).toBeGreaterThan(0)
    for (const booking of json.data) expect(Date.parse(booking.updatedAt)).toBeGreaterThan(after.getTime())
  })

  it('tells its rate limit and refuses beyond it', async () => {
    const wallAt = Date.now()
    const strict = await startSimulator({ seed: 11, clock, startAt, dataDir: null, wall: () => wallAt })
    const get = () => fetch(`${strict.urls.calcom}/v2/bookings?take=1`, { headers: headers.calcom })
    const first = await get()
    expect(first.headers.get('x-ratelimit-limit-default')).toBe('120')
    const left = Number(first.headers.get('x-ratelimit-remaining-default'))
    let last = first
    for (let n = 0; n <= left; n++) last = await get()
    expect(last.status).toBe(429)
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0)
    await strict.stop()
  })

  it('wants its version header', async () => {
    expect((await ask('calcom', '/v2/bookings', { headers: { authorization: headers.calcom.authorization } })).status).toBe(400)
  })
})

describe('Twilio', () => {
  it('pages by relative links, newest first, with times as RFC 2822', async () => {
    const seen: string[] = []
    for (let next: string | null = `${messages}.json?PageSize=60`; next !== null; ) {
      const { json }: Answer = await ask('twilio', next)
      expect(json.messages[0]?.date_created).toMatch(/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} \+0000$/)
      seen.push(...json.messages.map((one) => one.sid))
      next = json.next_page_uri
      if (next !== null) expect(next.startsWith('/2010-04-01/')).toBe(true)
    }
    expect(new Set(seen).size).toBe(simulator.world.all('twilio.messages').size)
    expect(seen.length).toBe(new Set(seen).size)
  })

  it('filters by the sent date', async () => {
    const since = new Date(clock.now() - day)
    const { json } = await ask('twilio', `${messages}.json?PageSize=1000&DateSent%3E=${since.toISOString().slice(0, 19)}Z`)
    expect(json.messages.length).toBeGreaterThan(5)
    for (const message of json.messages)
      expect(Date.parse(message.date_sent ?? message.date_created)).toBeGreaterThanOrEqual(since.getTime() - 1000)
  })

  it('knows no message it does not have', async () => {
    expect((await ask('twilio', `${messages}/SM${'0'.repeat(32)}.json`)).json).toMatchObject({ code: 20404, status: 404 })
  })
})

describe('FHIR', () => {
  it('pages by absolute next links in order of change', async () => {
    const seen: { id: string; at: number }[] = []
    for (let next: string | null = '/fhir/R4/Appointment?_sort=_lastUpdated&_count=33'; next !== null; ) {
      const { json }: Answer = await ask('fhir', next)
      for (const { resource } of json.entry) seen.push({ id: resource.id, at: Date.parse(resource.meta.lastUpdated) })
      next = json.link.find((link) => link.relation === 'next')?.url ?? null
      if (next !== null) expect(new URL(next).origin).toBe(new URL(simulator.urls.fhir).origin)
    }
    expect(new Set(seen.map(({ id }) => id)).size).toBe(simulator.world.all('fhir.Appointment').size)
    expect(seen.map(({ at }) => at)).toEqual(seen.map(({ at }) => at).sort((a, b) => a - b))
  })

  it('includes the patient when asked to', async () => {
    const { json } = await ask('fhir', '/fhir/R4/Encounter?_count=5&_include=Encounter:patient')
    const modes = json.entry.map((entry) => entry.search.mode)
    expect(modes.filter((mode) => mode === 'match')).toHaveLength(5)
    expect(modes).toContain('include')
  })

  it('reads one resource with its version', async () => {
    const [found] = simulator.world.all('fhir.Appointment').keys()
    const answer = await ask('fhir', `/fhir/R4/Appointment/${found}`)
    expect(answer.headers.get('etag')).toBe(`W/"${answer.json.meta.versionId}"`)
  })
})
