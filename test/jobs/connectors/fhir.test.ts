import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  appointment,
  communication,
  encounter,
  patient,
  questionnaireResponse,
  task,
} from '../../../jobs/connectors/fhir/fixtures/resources.ts'
import { fhir } from '../../../jobs/connectors/fhir/index.ts'
import { unseal } from '../../../jobs/domain/plain.ts'
import type { FakeTool, Session } from '../../support/faketool.ts'
import { openSession, startFakeTool } from '../../support/faketool.ts'

let tool: FakeTool
let session: Session
beforeEach(async () => {
  tool = await startFakeTool()
  session = openSession(
    fhir,
    tool,
    {
      base_url: `${tool.url}/fhir/R4`,
      objects: { 'https://cal.com/booking': 'appointment' },
      patient_identifiers: { 'https://clinic.example/mrn': 'mrn' },
      reference_system: 'urn:throughline:ref',
    },
    { token: 'token-1' },
  )
})
afterEach(async () => {
  await session.http.close()
  await tool.close()
})

const bundle = (resources: readonly unknown[], next?: string) => ({
  headers: { 'content-type': 'application/fhir+json; charset=utf-8' },
  json: {
    resourceType: 'Bundle',
    type: 'searchset',
    link: [{ relation: 'self', url: 'x' }, ...(next ? [{ relation: 'next', url: next }] : [])],
    entry: resources.map((resource) => ({ resource, search: { mode: 'match' } })),
  },
})
async function readOne(stream: string, resource: { resourceType: string }) {
  tool.on(`/fhir/R4/${resource.resourceType}`, bundle([resource]))
  const page = await session.poll(stream, null)
  return { page, record: page.records[0] }
}
const subject = { role: 'self', external: [{ system: 'fake.patient', value: 'p-1' }] }
const clear = (record: { person: unknown } | undefined) => JSON.stringify({ ...record, person: null })

describe('resources', () => {
  test('a patient says who it is and nothing about health', async () => {
    const { page, record } = await readOne('patients', patient)
    expect(page.drift).toEqual([])
    expect(record).toMatchObject({ externalId: 'p-1', status: 'active', version: '000000000003', ops: {}, objects: [], events: [] })
    expect(record?.person && unseal(record.person)).toEqual({
      role: 'self',
      reference: '0123456789abcdef0123456789abcdef',
      external: [
        { system: 'fake.patient', value: 'p-1' },
        { system: 'mrn', value: 'MRN-1' },
      ],
      emails: ['ana.canary@example.org'],
      phones: ['+12015550123'],
      name: { given: 'Ana Maria', family: 'Canary', full: null },
      birthDate: '1980-02-29',
    })
    expect(clear(record)).not.toMatch(/canary|1980|555/i)
  })
  test('an appointment belongs to its booking and to itself', async () => {
    const { page, record } = await readOne('appointments', appointment)
    expect(page.drift).toEqual([])
    expect(record).toMatchObject({
      status: 'booked',
      ops: { startsAt: '2026-03-04T15:30:00.000Z', service: 'first-visit' },
      objects: [
        { type: 'appointment', id: 'wxQJAw95B439gCaqHM7Vqu' },
        { type: 'appointment', id: 'fake/Appointment/a-1', root: 'wxQJAw95B439gCaqHM7Vqu' },
      ],
      events: [
        { type: 'appointment.created', occurredAt: Date.parse('2026-03-02T11:00:05Z'), status: 'booked' },
        { type: 'appointment.booked', occurredAt: Date.parse('2026-03-02T11:00:05.250Z'), status: 'booked' },
      ],
    })
    expect(record?.person && unseal(record.person)).toEqual(subject)
    expect(clear(record)).not.toMatch(/canary/i)
  })
  test('an appointment without a booking stands for itself', async () => {
    const { identifier: _, ...bare } = appointment
    expect((await readOne('appointments', bare)).record?.objects).toEqual([{ type: 'appointment', id: 'fake/Appointment/a-1' }])
  })
  test('an encounter happened when its period says', async () => {
    const { record } = await readOne('encounters', encounter)
    expect(record).toMatchObject({
      status: 'finished',
      ops: { class: 'VR', startedAt: '2026-03-04T15:31:00.000Z', endedAt: '2026-03-04T16:19:00.000Z' },
      objects: [
        { type: 'encounter', id: 'fake/Encounter/e-1' },
        { type: 'appointment', id: 'fake/Appointment/a-1' },
      ],
      events: [
        { type: 'encounter.in-progress', occurredAt: Date.parse('2026-03-04T15:31:00Z') },
        { type: 'encounter.finished', occurredAt: Date.parse('2026-03-04T16:19:00Z') },
      ],
    })
    expect(record?.person && unseal(record.person)).toEqual(subject)
  })
  test('an encounter that knows its history tells each state once', async () => {
    const statusHistory = [
      { status: 'planned', period: { start: '2026-03-01T10:00:00Z' } },
      { status: 'in-progress', period: { start: '2026-03-04T15:31:00Z' } },
    ]
    const { record } = await readOne('encounters', { ...encounter, statusHistory } as typeof encounter)
    expect(record?.events.map((event) => event.status)).toEqual(['planned', 'in-progress', 'finished'])
  })
  test('a form is named by its questionnaire and was done when it was authored', async () => {
    const { record } = await readOne('questionnaire_responses', questionnaireResponse)
    expect(record).toMatchObject({
      ops: { form: 'intake' },
      events: [{ type: 'questionnaire_response.completed', occurredAt: Date.parse('2026-03-02T11:59:30Z') }],
    })
    expect(clear(record)).not.toMatch(/canary/i)
  })
  test('a day is no time of an event', async () => {
    const { record } = await readOne('questionnaire_responses', {
      ...questionnaireResponse,
      authored: '2026-03-02',
    } as typeof questionnaireResponse)
    expect(record?.events).toMatchObject([{ occurredAt: Date.parse('2026-03-02T12:00:00Z') }])
  })
  test('tasks and communications', async () => {
    expect((await readOne('tasks', task)).record).toMatchObject({
      status: 'completed',
      ops: { code: 'offboarding' },
      events: [{ type: 'task.created', status: null }, { type: 'task.completed' }],
    })
    const { record } = await readOne('communications', communication)
    expect(record).toMatchObject({
      ops: { category: 'care-plan' },
      objects: [{ type: 'encounter', id: 'fake/Encounter/e-1' }],
      events: [{ type: 'communication.completed', occurredAt: Date.parse('2026-03-04T18:00:00Z') }],
    })
    expect(clear(record)).not.toMatch(/canary/i)
  })
  test('P14: a status outside the standard, a removed element, a new one', async () => {
    const odd = await readOne('appointments', { ...appointment, status: 'parked' } as never)
    expect(odd.record?.status).toBe('unknown:parked')
    expect(odd.record?.events.at(-1)).toMatchObject({ type: 'appointment.unknown:parked', status: 'unknown:parked' })
    expect(odd.page.drift).toEqual([{ path: 'status', what: 'value' }])
    const { status: _, ...without } = appointment
    expect((await readOne('appointments', without)).page).toMatchObject({
      records: [],
      drift: [{ path: 'status', what: 'missing' }],
      quarantined: [{ where: 'a-1' }],
    })
    expect((await readOne('appointments', { ...appointment, attendance: 'canary' } as never)).page.drift).toEqual([
      { path: 'attendance', what: 'new' },
    ])
    expect((await readOne('appointments', { ...appointment, meta: {} } as never)).page.drift).toEqual([
      { path: 'meta.lastUpdated', what: 'missing' },
    ])
  })
})

describe('reading', () => {
  const row = (n: number, ms: number) => ({
    ...task,
    id: `t-${n}`,
    meta: { versionId: '1', lastUpdated: new Date(Date.parse('2026-03-02T10:00:00Z') + ms).toISOString() },
  })
  /** A server that pages by offset over a living list, as many do. */
  function serve(rows: () => ReturnType<typeof row>[]) {
    tool.on('/fhir/R4/Task', ({ query }) => {
      const from = query.get('_lastUpdated')?.replace(/^ge/, '')
      const count = Number(query.get('_count'))
      const offset = Number(query.get('_offset') ?? 0)
      const found = rows()
        .filter((one) => from === undefined || Date.parse(one.meta.lastUpdated) >= Date.parse(from))
        .sort((a, b) => (a.meta.lastUpdated < b.meta.lastUpdated ? -1 : a.meta.lastUpdated > b.meta.lastUpdated ? 1 : a.id < b.id ? -1 : 1))
      const more = offset + count < found.length
      const next = `${tool.url}/fhir/R4/Task?${new URLSearchParams({ _sort: '_lastUpdated', _count: String(count), ...(from ? { _lastUpdated: `ge${from}` } : {}), _offset: String(offset + count) })}`
      return bundle(found.slice(offset, offset + count), more ? next : undefined)
    })
  }

  test('asks by change time, oldest first, and goes on from the last one seen', async () => {
    serve(() => [row(1, 0), row(2, 1000), row(3, 2000)])
    const { records, cursor } = await session.pass('tasks', null, { pageSize: 2 })
    expect(new Set(records.map((record) => record.externalId))).toEqual(new Set(['t-1', 't-2', 't-3']))
    expect(tool.ledger.map((one) => one.query.get('_lastUpdated'))).toEqual([null, 'ge2026-03-02T10:00:00.999Z'])
    await session.pass('tasks', cursor)
    expect(tool.ledger.at(-1)?.query.get('_lastUpdated')).toBe(`ge${new Date(session.now - 900_000).toISOString()}`)
    expect(tool.ledger[0]?.headers).toMatchObject({ accept: 'application/fhir+json', authorization: 'Bearer token-1' })
  })
  test('P5: a thousand of one instant: the server’s own next links are followed', async () => {
    serve(() => [...Array.from({ length: 1000 }, (_, n) => row(n, 5000)), row(5000, 0), row(5001, 9000)])
    const { records } = await session.pass('tasks', null)
    expect(new Set(records.map((record) => record.externalId)).size).toBe(1002)
    expect(tool.ledger.some((one) => one.query.has('_offset'))).toBe(true)
  })
  test('P4: rows that change while the list is read are not lost', async () => {
    let rows = Array.from({ length: 250 }, (_, n) => row(n, n * 10))
    let served = 0
    serve(() => {
      served++
      if (served === 2) rows = rows.map((one, n) => (n < 60 ? row(n, 900_000 + n) : one))
      return rows
    })
    const { records } = await session.pass('tasks', null)
    expect(new Set(records.map((record) => record.externalId)).size).toBe(250)
  })
  test('S8: a next link to another origin is refused', async () => {
    for (const link of ['https://evil.example/fhir/R4/Task?page=2', '//evil.example/x', `http://127.0.0.1:1/fhir/R4/Task`]) {
      tool.on('/fhir/R4/Task', bundle([row(1, 0)], link))
      await expect(session.poll('tasks', null)).rejects.toMatchObject({ reason: 'refused_address' })
    }
  })
  test('P3: a next link that leads back', async () => {
    tool.on('/fhir/R4/Task', bundle([row(1, 0)], `${tool.url}/fhir/R4/Task?page=2`))
    await expect(session.pass('tasks', null)).rejects.toMatchObject({ reason: 'stuck_cursor' })
  })
  test('P8: an OperationOutcome in a 200, a history, a bare resource', async () => {
    for (const json of [{ resourceType: 'OperationOutcome', issue: [] }, { resourceType: 'Bundle', type: 'history' }, row(1, 0), {}]) {
      tool.on('/fhir/R4/Task', { json })
      await expect(session.poll('tasks', null)).rejects.toMatchObject({ reason: 'bad_response' })
    }
  })
  test('an empty bundle is a complete, empty pass; what a server adds beside the matches is left out', async () => {
    tool.on('/fhir/R4/Task', { json: { resourceType: 'Bundle', type: 'searchset', total: 0 } })
    expect((await session.pass('tasks', null)).last.coverage.complete).toBe(true)
    tool.on('/fhir/R4/Task', {
      json: {
        resourceType: 'Bundle',
        type: 'searchset',
        entry: [
          { resource: row(1, 0), search: { mode: 'match' } },
          { resource: patient, search: { mode: 'include' } },
          { resource: { resourceType: 'OperationOutcome' }, search: { mode: 'outcome' } },
        ],
      },
    })
    expect((await session.pass('tasks', null)).last).toMatchObject({ records: [{ externalId: 't-1' }], quarantined: [] })
  })
  test('a full sweep names every page', async () => {
    serve(() => Array.from({ length: 5 }, (_, n) => row(n, n)))
    const { pages } = await session.pass('tasks', null, { mode: 'full', pageSize: 2 })
    expect(pages.every((page) => page.sweep !== undefined)).toBe(true)
    expect(pages.at(-1)?.sweep?.lastPage).toBe(true)
  })
  test('an unknown stream is said in words', async () => {
    await expect(session.poll('observations', null)).rejects.toThrow(/has no stream "observations". It has patients, appointments/)
  })
  test('a cursor that is none of ours starts over', async () => {
    serve(() => [row(1, 0)])
    for (const odd of ['x', 7, { at: 'list' }, { at: 'rest' }, []]) expect((await session.pass('tasks', odd)).records).toHaveLength(1)
  })
})
