import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseAllowList } from '../../../jobs/connectors/guard.ts'
import { openToolHttp } from '../../../jobs/connectors/http.ts'
import { connectorNamed } from '../../../jobs/connectors/index.ts'
import type { PollContext, PollPage } from '../../../jobs/connectors/connector.ts'
import { canaryMark } from '../../../jobs/simulator/canary.ts'
import { demoAccountSid, demoSecrets, startSimulator } from '../../../jobs/simulator/simulator.ts'
import type { GuardedTool } from '../../support/spec-guard.ts'
import { openSpecGuard } from '../../support/spec-guard.ts'

const guard = openSpecGuard()
const start = Date.parse('2026-03-01T00:00:00Z')
let now = start + 30 * 86_400_000
const problems = new Set<string>()
let exchanges = 0
let simulator: Awaited<ReturnType<typeof startSimulator>>

beforeAll(async () => {
  simulator = await startSimulator({
    seed: 7,
    startAt: start,
    clock: { now: () => now } as never,
    dataDir: null,
    rateLimits: false,
    observe: (tool, request, response) => {
      if (!guard) return
      exchanges++
      const name = tool as GuardedTool
      const body: unknown = JSON.parse(JSON.stringify(response.body))
      const found = [
        ...guard.request(name, request.method, request.url, request.headers),
        ...guard.response(name, request.method, request.url, response.status, body),
      ]
      for (const problem of found) problems.add(`${tool} ${request.url.split('?')[0]}: ${problem}`)
    },
  })
})
afterAll(() => simulator.stop())

const configs: Record<GuardedTool, { config: object; secrets: Record<string, string> }> = {
  stripe: {
    config: { metadata: { order: 'order_id', reference: 'tl_ref', producer: 'source' } },
    secrets: { api_key: demoSecrets.DEMO_STRIPE_KEY },
  },
  calcom: { config: { metadata: { reference: 'tl_ref' } }, secrets: { api_key: demoSecrets.DEMO_CALCOM_KEY } },
  twilio: { config: { account_sid: demoAccountSid }, secrets: { auth_token: demoSecrets.DEMO_TWILIO_TOKEN } },
  fhir: { config: { objects: { 'https://cal.com/booking': 'appointment' } }, secrets: { token: demoSecrets.DEMO_FHIR_TOKEN } },
}

function open(tool: GuardedTool) {
  const connector = connectorNamed(tool)
  if (!connector?.endpoint) throw new Error(`no connector ${tool}`)
  const config = connector.describe().configSchema.parse({ base_url: simulator.urls[tool], ...configs[tool].config })
  const { host } = new URL(simulator.urls[tool])
  const http = openToolHttp(
    { ...connector.endpoint(config, configs[tool].secrets), requestsPerSecond: 100_000 },
    { connection: tool, allow: parseAllowList([host]), now: () => now },
  )
  const context = (): PollContext => ({ connection: tool, config, http, now, signal: new AbortController().signal })
  const pass = async (stream: string, from: unknown, mode: 'full' | 'incremental') => {
    const pages: PollPage[] = []
    for (let cursor = from; ; cursor = pages.at(-1)?.cursor) {
      const page = await connector.poll(context(), stream, cursor, { pageSize: 200, mode })
      pages.push(page)
      if (page.coverage.complete) return { pages, cursor: page.cursor, records: pages.flatMap((one) => one.records) }
    }
  }
  return { connector, http, context, pass }
}

describe.each(['stripe', 'calcom', 'twilio', 'fhir'] as const)('%s against the simulated clinic', (tool) => {
  test('every stream is read whole, then only what changed; nothing is out of the vendor’s shape, no free text is kept', async () => {
    const { connector, http, context, pass } = open(tool)
    expect(await connector.check(context())).toMatchObject({ ok: true })
    for (const { name } of connector.describe().streams) {
      const whole = await pass(name, null, 'full')
      expect(whole.records.length, name).toBeGreaterThan(0)
      expect(
        whole.pages.flatMap((page) => page.quarantined),
        name,
      ).toEqual([])
      const stored = JSON.stringify(
        whole.pages.map((page) => ({ ...page, records: page.records.map((record) => ({ ...record, person: null })) })),
      )
      expect(stored.includes(canaryMark), name).toBe(false)

      const again = await pass(name, whole.cursor, 'incremental')
      const known = new Map(whole.records.map((record) => [record.externalId, JSON.stringify({ ...record, person: null })]))
      const differing = again.records.filter((record) => !known.has(record.externalId))
      expect(differing, name).toEqual([])

      now += 6 * 3_600_000
      simulator.tick()
      const later = await pass(name, again.cursor, 'incremental')
      const swept = await pass(name, later.cursor, 'full')
      const state = new Map([...whole.records, ...again.records, ...later.records].map((record) => [record.externalId, record.status]))
      const missed = swept.records.filter((record) => state.get(record.externalId) !== record.status)
      expect(
        missed.map((record) => record.externalId),
        `${name}: changed in six hours but not seen by the incremental pass`,
      ).toEqual([])
    }
    await http.close()
    expect([...problems]).toEqual([])
    if (guard) expect(exchanges).toBeGreaterThan(0)
  })
})

describe.runIf(guard !== null)('the guard itself', () => {
  const headers = { authorization: 'x', 'cal-api-version': '2024-08-13' }
  test.each<[GuardedTool, string]>([
    ['stripe', '/v1/payment_intents?limit=ten'],
    ['stripe', '/v1/payment_intents?sort=asc'],
    ['stripe', '/v1/payment_intent'],
    ['calcom', '/v2/bookings?sortUpdatedAt=up'],
    ['calcom', '/v2/bookings?updatedSince=2026'],
    ['twilio', '/2010-04-01/Accounts/AC1/Messages.json?PageSize=2000'],
    ['twilio', '/2010-04-01/Accounts/AC1/Messages.json?DateUpdated=2026'],
    ['fhir', '/fhir/R4/Task?updated=2026'],
    ['fhir', '/fhir/R4/tasks'],
  ])('catches a wrong request to %s: %s', (tool, url) => {
    expect(guard?.request(tool, 'GET', url, headers)).not.toEqual([])
  })
  test('catches a missing header', () => {
    expect(guard?.request('calcom', 'GET', '/v2/bookings', {})).toEqual([
      'header cal-api-version is missing',
      'header Authorization is missing',
    ])
  })
  test.each<[GuardedTool, string, unknown]>([
    [
      'stripe',
      '/v1/payment_intents',
      { object: 'list', url: '/v1/payment_intents', has_more: false, data: [{ id: 'pi_1', object: 'payment_intent', amount: '10' }] },
    ],
    ['calcom', '/v2/bookings', { status: 'success', data: [{ uid: 'x' }], pagination: {} }],
    ['twilio', '/2010-04-01/Accounts/AC1/Messages.json', { messages: [{ status: 'gone' }] }],
    ['fhir', '/fhir/R4/Task', { resourceType: 'Bundle', type: 'searchset', entry: [{ resource: { resourceType: 'Task', intent: 5 } }] }],
    [
      'fhir',
      '/fhir/R4/Appointment',
      {
        resourceType: 'Bundle',
        type: 'searchset',
        entry: [{ resource: { resourceType: 'Appointment', participant: [], status: 'parked' } }],
      },
    ],
  ])('catches a wrong answer of %s', (tool, url, body) => {
    expect(guard?.response(tool, 'GET', url, 200, body)).not.toEqual([])
  })
})
