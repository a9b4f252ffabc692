import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { notePassRequests } from '../../db/records/passes.ts'
import { withDatabase } from '../support/database.ts'
import { minute, type ServedClinic, serveClinic } from './served-clinic.ts'

const main = await withDatabase()
let clinic: ServedClinic
const polled: string[] = []
beforeAll(async () => {
  clinic = await serveClinic(await main.another(), { poll: async (id) => void polled.push(id) })
})
afterAll(() => clinic.close())

const one = () => clinic.client.api.v1.connections[':id']
const detail = async (id: string) => (await one().$get({ param: { id } })).json()
const pause = (id: string, reason: string) => one().pause.$post({ param: { id }, json: { reason } })
const resume = (id: string) => one().resume.$post({ param: { id } })
const quarantine = (id: string) => one().quarantine.$get({ param: { id } })
const sql = () => clinic.workspace.database.sql
const acts = async (target: string) =>
  (
    await sql()`select act, actor, reason from audit where target_kind in ('connection', 'stream') and target_id = ${target} order by recorded_at`
  ).map((row) => [row.act, row.actor, row.reason])
const status = async () => (await clinic.client.api.v1.status.$get()).json()

describe('one connection', () => {
  it('shows the day of each stream, what its passes asked, and which promises hang on it', async () => {
    const counts = { requests: 3, retries: 1, rateLimited: 1, waitedMs: 2_000, p50Ms: 40, p95Ms: 90 }
    await notePassRequests(sql(), clinic.workspace.id, 'texts', 'rows', counts)
    const shown = await detail('texts')
    expect(shown).toMatchObject({
      state: 'ok',
      paused: null,
      can: { check: { ok: true }, poll: { ok: true }, pause: { ok: true }, resume: { ok: false, why: 'It is not paused.' } },
      streams: [
        {
          stream: 'rows',
          strip: expect.stringMatching(/^n{287}o$/),
          passes: [{ requests: counts, coveredTo: '2026-03-02T09:30:00.000Z' }],
        },
      ],
      budget: {
        since: '2026-03-01T09:30:00.000Z',
        streams: [{ stream: 'rows', passes: 1, requests: 3, retries: 1, rateLimited: 1, waitedMs: 2_000, p95Ms: 90 }],
      },
      about: null,
    })
    expect(shown.promises.map(({ expectation, streams }) => [expectation, streams])).toEqual([
      ['booking-confirmed', [{ stream: 'texts.rows', why: 'shows' }]],
      ['one-confirmation', [{ stream: 'texts.rows', why: 'shows' }]],
      ['confirmed-first', [{ stream: 'texts.rows', why: 'shows' }]],
    ])
    expect((await one().$get({ param: { id: 'nothing' } })).status).toBe(404)
  })

  it('says of the code that speaks to it how it was verified, and what it keeps', async () => {
    const set = (connector: string) => sql()`update connections set connector = ${connector} where id = 'booking'`
    await set('stripe')
    expect((await detail('booking')).about).toMatchObject({
      title: 'Stripe',
      verified: expect.stringMatching(/^(real-service|outside-emulator|spec-only)$/),
      verifiedOn: expect.stringMatching(/^\d{4}-/),
      streams: [{ stream: 'rows', kept: ['kind', 'startsAt'], hashed: ['email', 'phone'], dropped: [] }],
    })
    await set('paged')
  })

  it('remembers what the tool said when it was asked', async () => {
    expect((await detail('texts')).lastCheck).toBeNull()
    await one().check.$post({ param: { id: 'texts' } })
    expect((await detail('texts')).lastCheck).toEqual({
      at: '2026-03-02T09:30:00.000Z',
      ok: true,
      message: 'It answers; 1 streams can be read.',
    })
  })
})

describe('a paused connection', () => {
  it('is read no more, is not well, and keeps its findings', async () => {
    expect((await pause('texts', '  ')).status).toBe(400)
    expect((await pause('nothing', 'why not')).status).toBe(404)
    const paused = await pause('texts', 'The vendor migrates today')
    expect(paused.status).toBe(200)
    expect(await paused.json()).toMatchObject({
      state: 'paused',
      message: 'Nothing of it is read since 2026-03-02T09:30:00.000Z: it was paused.',
      whatToDo: expect.stringContaining('unknown'),
      paused: { since: '2026-03-02T09:30:00.000Z', by: 'local-owner', reason: 'The vendor migrates today' },
      streams: [{ state: 'paused' }],
      can: { poll: { ok: false }, pause: { ok: false, why: 'It is paused already.' }, resume: { ok: true } },
    })
    expect((await pause('texts', 'again')).status).toBe(409)
    expect((await one().poll.$post({ param: { id: 'texts' } })).status).toBe(409)
    expect((await status()).connections).toEqual({ total: 2, notFresh: 1 })

    const asked = clinic.texts.requests
    const open = (await status()).findings.open
    clinic.clock.at += 30 * minute
    await clinic.reconcile()
    expect(clinic.texts.requests).toBe(asked)
    expect((await status()).findings.open).toBe(open)
  })

  it('is called blind once it was not read for longer than allowed', async () => {
    clinic.clock.at += 61 * minute
    await clinic.reconcile()
    const response = await clinic.client.api.v1.findings.$get({ query: { kind: 'blind' } })
    expect((await response.json()).items.map(({ tools }) => tools)).toEqual([['texts']])
    expect((await detail('texts')).state).toBe('paused')
  })

  it('is read at once when it is resumed, by the one who was first', async () => {
    polled.length = 0
    const resumed = await resume('texts')
    expect(resumed.status).toBe(200)
    expect(await resumed.json()).toMatchObject({ state: 'blind', paused: null, can: { pause: { ok: true } } })
    expect(polled).toEqual(['texts'])
    expect((await resume('texts')).status).toBe(409)
    expect(polled).toEqual(['texts'])
    await clinic.reconcile()
    expect((await detail('texts')).state).toBe('ok')
    expect(await acts('texts')).toEqual([
      ['connection.check', 'local-owner', null],
      ['connection.pause', 'local-owner', 'The vendor migrates today'],
      ['connection.resume', 'local-owner', null],
    ])
  })

  it('differs from one that the configuration no longer names', async () => {
    const set = (enabled: boolean) => sql()`update connections set enabled = ${enabled} where id = 'booking'`
    await set(false)
    expect(await detail('booking')).toMatchObject({ state: 'removed', can: { pause: { ok: false }, check: { ok: false } } })
    expect((await pause('booking', 'why not')).status).toBe(409)
    expect((await status()).connections.notFresh).toBe(0)
    await set(true)
  })
})

describe('records set aside', () => {
  const hash = (letter: string) => letter.repeat(64)
  const aside = (location: string, letter: string) => ({
    where: location,
    reason: 'its state is not one that is known',
    rawHash: hash(letter),
  })

  it('are listed newest first, with whether each still stands', async () => {
    const cursor = { since: 0, aside: { rows: [aside('m-8', 'a'), aside('m-9', 'b')], more: 0, drift: [] } }
    const [stream] = await sql()`update streams set set_aside = 2, set_aside_reason = 'two stand', cursor = ${sql().json(cursor)}
      where connection = 'texts' returning workspace_id, id`
    const row = async (location: string, letter: string, at: string) =>
      sql()`insert into quarantine (workspace_id, stream_id, raw_hash, location, reason, first_seen_at, last_seen_at)
        values (${stream?.workspace_id}, ${stream?.id}, ${hash(letter)}, ${location}, 'its state is not one that is known', ${at}, ${at})`
    await row('m-7', 'c', '2026-03-02T08:00:00Z')
    await row('m-8', 'a', '2026-03-02T08:30:00Z')
    await row('m-9', 'b', '2026-03-02T09:00:00Z')
    const shown = await (await quarantine('texts')).json()
    expect(shown.total).toBe(3)
    expect(shown.items.map(({ location, state, can }) => [location, state, can])).toEqual([
      ['m-9', 'stands', { accept: { ok: true } }],
      ['m-8', 'stands', { accept: { ok: true } }],
      ['m-7', 'gone', { accept: { ok: false, why: 'It no longer stands in the way.' } }],
    ])
    expect(await detail('texts')).toMatchObject({ state: 'blind', streams: [{ quarantined: 2 }] })
    expect((await quarantine('nothing')).status).toBe(404)
  })

  it('are accepted once, for a reason that is kept', async () => {
    const accept = (change: { reason?: string; rawHash?: string } = {}, id = 'texts') =>
      one().quarantine.accept.$post({
        param: { id },
        json: { stream: 'rows', rawHash: hash('a'), reason: 'A test message of ours', ...change },
      })
    expect((await accept({ reason: '' })).status).toBe(400)
    expect((await accept({ rawHash: 'a' })).status).toBe(400)
    expect((await accept({ rawHash: hash('f') })).status).toBe(409)
    const accepted = await accept()
    expect(accepted.status).toBe(200)
    expect((await accepted.json()).items.find(({ location }) => location === 'm-8')).toMatchObject({
      state: 'accepted',
      accepted: { by: 'local-owner', reason: 'A test message of ours' },
    })
    expect((await accept()).status).toBe(409)
    expect(await acts('texts.rows')).toEqual([['quarantine.accept', 'local-owner', 'A test message of ours']])
    expect((await accept({}, 'nothing')).status).toBe(404)
  })
})

describe('rows of a file', () => {
  it('are mended in the file, not accepted: the file would set them aside again', async () => {
    const url = await main.another()
    const files = await serveClinic(url, {}, (configuration) => ({
      ...configuration,
      connections: configuration.connections.map((one) =>
        one.id === 'texts' ? { ...one, streams: one.streams.map((stream) => ({ ...stream, cursor: 'file' as const })) } : one,
      ),
    }))
    const response = await files.client.api.v1.connections[':id'].quarantine.accept.$post({
      param: { id: 'texts' },
      json: { stream: 'rows', rawHash: 'a'.repeat(64), reason: 'never mind' },
    })
    expect(response.status).toBe(409)
    expect(await response.json()).toMatchObject({ detail: expect.stringContaining('mended in the file') })
    await files.close()
  })
})
