import { Validator } from '@seriousme/openapi-schema-validator'
import { routePermissions } from '../../server/permissions.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { withDatabase } from '../support/database.ts'
import { headers, minute, morning, type ServedClinic, serveClinic } from './served-clinic.ts'

const main = await withDatabase()
let clinic: ServedClinic
beforeAll(async () => {
  clinic = await serveClinic(await main.another())
})
afterAll(() => clinic.close())

const get = (path: string, more: Record<string, string> = {}) => clinic.app.request(path, { headers: { ...headers, ...more } })

async function listed(query: Record<string, string> = {}) {
  const response = await clinic.client.api.v1.findings.$get({ query })
  expect(response.status).toBe(200)
  return response.json()
}

describe('the list of findings', () => {
  it('shows what is open with its owner, sentence and what may be done', async () => {
    const page = await listed({ facets: 'kind,owner,connection,status' })
    expect(page.items.map(({ kind, sentence, status, owner, tools }) => ({ kind, sentence, status, owner, tools }))).toEqual(
      expect.arrayContaining([
        {
          kind: 'gap',
          sentence: '“Confirmed” did not happen within 15 minutes after “Booked”.',
          status: 'open',
          owner: { key: 'care', title: 'Care' },
          tools: ['booking', 'texts'],
        },
        expect.objectContaining({ kind: 'duplicate', sentence: '“Confirmed” happened twice, at most once is allowed.', tools: ['texts'] }),
      ]),
    )
    expect(page).toMatchObject({ total: 2, next: null, asOf: '2026-03-02T09:30:00.000Z' })
    expect(page.facets).toMatchObject({
      kind: { gap: 1, duplicate: 1 },
      owner: { care: 2 },
      connection: { texts: 2, booking: 1 },
      status: { open: 2 },
    })
    expect(page.items[0]?.can.release).toEqual({ ok: false, why: 'Nobody has claimed it.' })
  })

  it('filters by kind, severity, tool and id, and refuses what it does not know', async () => {
    expect((await listed({ kind: 'gap' })).items).toHaveLength(1)
    expect((await listed({ connection: 'booking' })).items.map((item) => item.kind)).toEqual(['gap'])
    expect((await listed({ q: 'm-2' })).items.map((item) => item.kind)).toEqual(['duplicate'])
    expect((await listed({ status: 'verified' })).items).toEqual([])
    const [gap] = (await listed({ kind: 'gap' })).items
    expect((await listed({ q: gap?.id.slice(0, 8) ?? '' })).items.map((item) => item.id)).toEqual([gap?.id])
    const total = async (query: Record<string, string>) => (await listed(query)).total
    expect(await total({ q: 'Missing step' })).toBe(1)
    expect(await total({ q: 'zzz' })).toBe(0)
    expect(await total({ status: 'ended' })).toBe(0)
    expect([await total({ claimed: 'nobody' }), await total({ claimed: 'anyone' }), await total({ claimed: 'me' })]).toEqual([2, 0, 0])
    expect([await total({ regressed: 'yes' }), await total({ regressed: 'no' })]).toEqual([0, 2])
    const refused = await get('/api/v1/findings?severity=terrible')
    expect(refused.status).toBe(400)
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    expect(await refused.json()).toMatchObject({ code: 'invalid_input', status: 400, instance: '/api/v1/findings' })
  })

  it.each(['due', '-due', 'opened', 'occurred', '-occurred', 'changed', 'closed', 'severity', '-severity'])(
    'pages through every finding once, sorted by %s',
    async (sort) => {
      const seen: string[] = []
      let cursor: string | null = null
      do {
        const page: Awaited<ReturnType<typeof listed>> = await listed({ sort, limit: '1', ...(cursor ? { cursor } : {}) })
        seen.push(...page.items.map((item) => item.id))
        cursor = page.next
      } while (cursor)
      expect(seen).toHaveLength(2)
      expect(new Set(seen).size).toBe(2)
    },
  )

  it('keeps to a stretch of time: opened, due and closed, by the clock of the workspace', async () => {
    const total = async (query: Record<string, string>) => (await listed(query)).total
    expect(await total({ opened: '2026-03-02T09:30:00Z..2026-03-02T09:31:00Z' })).toBe(2)
    expect(await total({ opened: '..2026-03-02T09:30:00Z' })).toBe(0)
    expect(await total({ opened: 'now-1m..' })).toBe(2)
    expect(await total({ due: '..now' })).toBe(0)
    expect(await total({ due: 'now..now+7d' })).toBe(2)
    expect(await total({ status: 'all', closed: '..now' })).toBe(0)
    expect(await total({ status: 'all', endedby: 'person' })).toBe(0)
    expect(await total({ due: '<now' })).toBe(0)
    expect(await total({ occurred: 'today' })).toBe(2)
    expect(await total({ opened: 'yesterday' })).toBe(0)
    for (const opened of ['soon', '..', '2026-03-02T25:00:00Z..']) expect((await get(`/api/v1/findings?opened=${opened}`)).status).toBe(400)
  })

  it('refuses a cursor of another order', async () => {
    const page = await listed({ sort: 'due', limit: '1' })
    expect((await get(`/api/v1/findings?sort=opened&cursor=${page.next}`)).status).toBe(400)
    expect((await get('/api/v1/findings?cursor=nonsense')).status).toBe(400)
  })
})

describe('one finding', () => {
  it('tells expected and observed per tool, the evidence, the journey around it and what was done', async () => {
    const [gap] = (await listed({ kind: 'gap' })).items
    const response = await clinic.client.api.v1.findings[':id'].$get({ param: { id: gap?.id ?? '' } })
    expect(response.status).toBe(200)
    const finding = await response.json()
    expect(finding.sides).toMatchObject([
      { connection: 'booking', expected: '“Booked”', observed: 'accepted', state: 'ok' },
      { connection: 'texts', expected: '“Confirmed” within 15 minutes', observed: null, state: 'missing' },
    ])
    expect(finding.evidence).toMatchObject([
      { role: 'anchor', stream: 'booking.rows', externalId: 'b-ann', occurredAt: '2026-03-02T09:00:00.000Z' },
    ])
    expect(finding.activity).toMatchObject([{ act: 'opened', actor: 'throughline' }])
    expect(finding.slice?.events).toMatchObject([{ externalId: 'b-ann', step: 'booked', findings: [finding.id] }])
    expect(finding.slice?.ghosts).toMatchObject([{ step: 'confirmed', state: 'missing', findingId: finding.id }])
    expect(finding.ownerReason).toMatch(/owner/)
  })

  it('answers 404 for an id nobody has, and 400 for what is none', async () => {
    expect((await get(`/api/v1/findings/${'0'.repeat(32)}`)).status).toBe(404)
    expect((await get('/api/v1/findings/nonsense')).status).toBe(400)
  })
})

describe('journeys', () => {
  it('lists them with their open findings and what comes next', async () => {
    const response = await clinic.client.api.v1.journeys.$get({ query: {} })
    const page = await response.json()
    expect(page.items).toHaveLength(2)
    expect(page.items.map((row) => row.openFindings)).toEqual([1, 1])
  })

  it('answers the eight questions in words, with lanes, events, ghosts, verdicts and the reasons of its links', async () => {
    const [gap] = (await listed({ kind: 'gap' })).items
    const response = await clinic.client.api.v1.journeys[':id'].$get({ param: { id: gap?.journeyId ?? '' } })
    expect(response.status).toBe(200)
    const journey = await response.json()
    expect(journey.questions.map(({ asks }) => asks)).toEqual([
      'What occurred',
      'What is pending',
      'What failed',
      'What changed',
      'What must happen next',
      'Who is responsible',
      'Which automations are active',
      'What is unresolved',
    ])
    expect(journey.questions.every(({ answers }) => answers.length > 0)).toBe(true)
    expect(journey.questions[2]?.answers[0]?.text).toBe('“Confirmed” did not happen within 15 minutes after “Booked”.')
    expect(journey.questions[5]?.answers[0]?.text).toBe('Care')
    expect(journey.lanes.map((lane) => lane.connection)).toEqual(['booking', 'texts'])
    expect(journey.ghosts).toMatchObject([{ expectation: 'booking-confirmed', state: 'missing', connection: 'texts' }])
    expect(journey.verdicts.find((one) => one.expectation === 'booking-confirmed')).toMatchObject({ state: 'violated', kind: 'gap' })
    expect(journey.links).toHaveLength(1)
  })
})

describe('connections, promises and the status', () => {
  it('says how far each tool was read', async () => {
    const response = await clinic.client.api.v1.connections.$get()
    const page = await response.json()
    expect(page.items).toMatchObject([
      {
        id: 'booking',
        state: 'ok',
        records: 2,
        openFindings: 1,
        streams: [{ stream: 'rows', state: 'ok', passes: [{ outcome: 'complete', read: 2 }] }],
      },
      { id: 'texts', state: 'ok', records: 2, openFindings: 2 },
    ])
  })

  it('turns blind when a tool was not read for longer than allowed', async () => {
    const before = clinic.clock.at
    clinic.clock.at = before + 61 * minute
    const response = await clinic.client.api.v1.connections[':id'].$get({ param: { id: 'texts' } })
    expect(await response.json()).toMatchObject({ state: 'blind', whatToDo: expect.stringContaining('Check') })
    clinic.clock.at = before
  })

  it('checks a tool and asks the engine to read it', async () => {
    const check = await clinic.client.api.v1.connections[':id'].check.$post({ param: { id: 'texts' } })
    expect(await check.json()).toMatchObject({ ok: true, message: 'It answers; 1 streams can be read.' })
    expect((await clinic.client.api.v1.connections[':id'].poll.$post({ param: { id: 'texts' } })).status).toBe(202)
    expect((await clinic.client.api.v1.connections[':id'].poll.$post({ param: { id: 'nothing' } })).status).toBe(404)
    const { sql } = clinic.workspace.database
    const acts = await sql`select act, actor from audit where target_kind = 'connection' and target_id = 'texts' order by recorded_at`
    expect(acts.map((row) => [row.act, row.actor])).toEqual([
      ['connection.check', 'local-owner'],
      ['connection.poll', 'local-owner'],
    ])
  })

  it('counts activations, violations and journeys of each promise', async () => {
    const response = await clinic.client.api.v1.expectations.$get()
    const { items } = await response.json()
    expect(items.find((one) => one.expectation === 'booking-confirmed')).toMatchObject({
      activations: 2,
      violations: 1,
      journeys: 1,
      promise: '“Confirmed” within 15 minutes after “Booked”',
    })
    expect(items.find((one) => one.expectation === 'one-confirmation')).toMatchObject({ violations: 1, journeys: 1 })
  })

  it('says stale, not well, when no engine gives a sign of life', async () => {
    const response = await clinic.client.api.v1.status.$get()
    expect(await response.json()).toMatchObject({
      state: 'stale',
      findings: { open: 2 },
      connections: { total: 2, notFresh: 0 },
      engine: { lastBeat: null },
    })
  })

  it('sends the words of every finding kind', async () => {
    const response = await clinic.client.api.v1.catalogue.$get()
    const catalogue = await response.json()
    expect(catalogue.kinds.map(({ kind }) => kind)).toContain('wrong_variant')
    expect(catalogue.owners).toEqual([{ key: 'care', title: 'Care' }])
    expect(catalogue.connectors.find(({ id }) => id === 'stripe')?.configSchema).toHaveProperty('properties')
  })
})

describe('the description of the API', () => {
  it('is valid OpenAPI 3.1 and names every route', async () => {
    const response = await get('/api/v1/openapi.json')
    const document = z
      .looseObject({ openapi: z.string(), paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
      .parse(await response.json())
    expect(document.openapi).toBe('3.1.0')
    const result = await new Validator().validate(structuredClone(document))
    expect(result.errors ?? []).toEqual([])
    const documented = Object.entries(document.paths).flatMap(([path, verbs]) =>
      Object.keys(verbs).map((verb) => `${verb.toUpperCase()} ${path}`),
    )
    const needed = Object.keys(routePermissions).filter((route) => route.includes(' /api/v1/') && !route.endsWith('/openapi.json'))
    expect(documented.sort()).toEqual(needed.sort())
  })
})

describe('health', () => {
  it('is alive and measured, and not ready while no engine gives a sign of life', async () => {
    expect((await get('/livez')).status).toBe(200)
    expect((await get('/readyz')).status).toBe(503)
    const metrics = await (await get('/metrics')).text()
    expect(metrics).toContain('throughline_findings{status="open"} 2')
    expect(metrics).toContain('throughline_stream_ok{connection="texts",stream="rows"} 1')
  })
})

describe('capability 1 through the API', () => {
  it('closes the gap as a false alarm when a message in time is read late', async () => {
    const [gap] = (await listed({ kind: 'gap' })).items
    clinic.clock.at = morning + 45 * minute
    clinic.texts.rows.push({
      id: 'm-3',
      email: 'ann@example.org',
      status: 'delivered',
      at: morning + 12 * minute,
      updatedAt: morning + 40 * minute,
    })
    await clinic.reconcile()
    const response = await clinic.client.api.v1.findings[':id'].$get({ param: { id: gap?.id ?? '' } })
    expect(await response.json()).toMatchObject({
      status: 'false_alarm',
      closedReason: 'late_evidence',
      closing: { externalId: 'm-3', role: 'expected' },
    })
  })
})
