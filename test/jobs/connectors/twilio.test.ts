import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { message } from '../../../jobs/connectors/twilio/fixtures/messages.ts'
import { twilio } from '../../../jobs/connectors/twilio/index.ts'
import { unseal } from '../../../jobs/domain/plain.ts'
import type { FakeTool, Session } from '../../support/faketool.ts'
import { openSession, startFakeTool } from '../../support/faketool.ts'

let tool: FakeTool
let session: Session
const account = message.account_sid
const base = `/2010-04-01/Accounts/${account}/Messages`
const config = {
  account_sid: account,
  templates: [
    { name: 'stop', direction: 'inbound', pattern: '^\\s*(stop|unsubscribe)\\b' },
    { name: 'booking-confirmation', direction: 'outbound', pattern: 'your visit is confirmed' },
  ],
  objects: { appointment: '/a/([A-Za-z0-9]+)' },
  reference_pattern: '[?&]r=([0-9a-f]{32})',
  producers: { MG12121212121212121212121212121212: 'wf-12', '+12015550100': 'front-desk' },
}
beforeEach(async () => {
  tool = await startFakeTool()
  session = openSession(twilio, tool, config, { auth_token: 'token-1' })
})
afterEach(async () => {
  await session.http.close()
  await tool.close()
})

type Message = Omit<typeof message, 'messaging_service_sid' | 'body' | 'date_sent' | 'from'> & {
  messaging_service_sid: string | null
  body: string | null
  date_sent: string | null
  from: string | null
}
const sid = (n: number) => `SM${n.toString(16).padStart(32, '0')}`
const at = (ms: number) => new Date(ms).toUTCString().replace('GMT', '+0000')
const note = (n: number, more: Partial<Message> = {}): Message => ({ ...message, sid: sid(n), ...more })
const list = (messages: readonly unknown[], next: string | null = null) => ({
  json: { messages, next_page_uri: next, page: 0, page_size: 50 },
})
async function readOne(row: unknown) {
  tool.on(`${base}.json`, list([row]))
  const page = await session.poll('messages', null)
  return { page, record: page.records[0] }
}

describe('a message', () => {
  test('keeps template, direction and the object its link names; the body is dropped', async () => {
    const { page, record } = await readOne(message)
    expect(page.drift).toEqual([])
    const sent = { kind: 'automation', id: 'wf-12' }
    expect(record).toMatchObject({
      externalId: message.sid,
      status: 'delivered',
      ops: { direction: 'outbound', template: 'booking-confirmation', errorCode: null },
      objects: [{ type: 'appointment', id: 'wxQJAw95B439gCaqHM7Vqu' }],
      events: [
        { type: 'message.created', occurredAt: Date.parse(message.date_created), status: null, actor: sent },
        { type: 'message.sent', occurredAt: Date.parse(message.date_sent), status: 'sent', actor: sent },
        { type: 'message.delivered', occurredAt: Date.parse(message.date_updated), status: 'delivered', actor: sent },
      ],
    })
    expect(record?.person && unseal(record.person)).toEqual({
      role: 'contact',
      reference: '0123456789abcdef0123456789abcdef',
      phones: ['+12015550123'],
    })
    expect(JSON.stringify({ ...record, person: null })).not.toMatch(/Ana|canary|visit\.example|555/)
  })
  test('that came in is the person’s, found by its sender', async () => {
    const { record } = await readOne(
      note(1, { direction: 'inbound', status: 'received', body: ' STOP please', from: 'whatsapp:+12015550123', to: '+12015550100' }),
    )
    expect(record).toMatchObject({
      status: 'received',
      ops: { direction: 'inbound', template: 'stop' },
      events: [{ type: 'message.created' }, { type: 'message.received', actor: { kind: 'person', id: null } }],
    })
    expect(record?.person && unseal(record.person)).toMatchObject({ phones: ['+12015550123'] })
  })
  test('P5: queued, sent and delivered within one second: the later state is the newer version', async () => {
    const versions: string[] = []
    for (const status of ['accepted', 'queued', 'sending', 'sent', 'delivered', 'read']) {
      const { record } = await readOne(note(1, { status }))
      versions.push(`${record?.updatedAt} ${record?.version}`)
    }
    expect(versions).toEqual([...versions].sort())
    expect(new Set(versions).size).toBe(6)
  })
  test('of a template nobody described has none', async () => {
    expect((await readOne(note(1, { body: 'hello' }))).record?.ops.template).toBeNull()
    expect((await readOne(note(1, { body: null }))).record?.ops.template).toBeNull()
  })
  test('names its sender: by messaging service, else by number, else unknown', async () => {
    const actorOf = async (more: Partial<Message>) => (await readOne(note(1, more))).record?.events[0]?.actor
    expect(await actorOf({ messaging_service_sid: null })).toEqual({ kind: 'automation', id: 'front-desk' })
    expect(await actorOf({ messaging_service_sid: 'MG99999999999999999999999999999999', from: '+12015550177' })).toEqual({
      kind: 'automation',
      id: 'MG99999999999999999999999999999999',
    })
    expect(await actorOf({ messaging_service_sid: null, from: '+12015550177' })).toEqual({ kind: 'unknown', id: null })
  })
  test('P14: a missing field, another type, a new status, a new field', async () => {
    const { status: _, ...without } = message
    expect((await readOne(without)).page).toMatchObject({
      records: [],
      drift: [{ path: 'status', what: 'missing' }],
      quarantined: [{ where: message.sid, reason: 'status is missing' }],
    })
    expect((await readOne({ ...message, date_updated: '2026-03-02' })).page.drift).toEqual([{ path: 'date_updated', what: 'type' }])
    expect((await readOne({ ...message, status: 'teleported' })).record?.status).toBe('unknown:teleported')
    expect((await readOne({ ...message, mood: 'canary' })).page.drift).toEqual([{ path: 'mood', what: 'new' }])
  })
  test('P12: a body with odd characters is read, one that is no text is set aside', async () => {
    expect((await readOne({ ...message, body: '\u202eyour visit is confirmed\u200b' })).record?.ops.template).toBe('booking-confirmation')
    tool.on(`${base}.json`, {
      body: Buffer.concat([
        Buffer.from(`{"next_page_uri":null,"messages":[${JSON.stringify(message).slice(0, -1)},"body":"`),
        Buffer.from([0xff]),
        Buffer.from(`"},${JSON.stringify(note(7))}]}`),
      ]),
    })
    const page = await session.poll('messages', null)
    expect(page.records.map((record) => record.externalId)).toEqual([sid(7)])
    expect(page.quarantined).toMatchObject([{ where: message.sid, reason: 'body is not readable text' }])
  })
})

describe('the window and the open set', () => {
  const sent = (minutesAgo: number) => at(session.now - minutesAgo * 60_000)

  test('asks for what was sent since the last pass, in Twilio’s way', async () => {
    tool.on(`${base}.json`, list([]))
    const first = await session.pass('messages', null)
    await session.pass('messages', first.cursor)
    const [all, since] = tool.ledger
    expect([...(all?.query ?? [])]).toEqual([['PageSize', '100']])
    expect(since?.query.get('DateSent>')).toBe(new Date(session.now - 900_000).toISOString().replace('.000Z', 'Z'))
    expect(all?.headers.authorization).toBe(`Basic ${Buffer.from(`${account}:token-1`).toString('base64')}`)
  })
  test('follows next_page_uri as given and stays at home', async () => {
    tool.on(`${base}.json`, ({ query }) =>
      query.get('Page') ? list([note(2)]) : list([note(1)], `${base}.json?PageSize=1&Page=1&PageToken=PASM%2B1`),
    )
    expect((await session.pass('messages', null)).records).toHaveLength(2)
    expect(tool.ledger[1]?.query.get('PageToken')).toBe('PASM+1')
    tool.on(`${base}.json`, list([note(1)], 'https://evil.example/next'))
    await expect(session.poll('messages', null)).rejects.toMatchObject({ reason: 'refused_address' })
  })
  test('a message on its way is read again by id until it is final', async () => {
    const open = note(1, { status: 'sent', date_created: sent(40), date_sent: sent(40), date_updated: sent(40) })
    tool.on(`${base}.json`, [list([open]), list([])])
    const first = await session.pass('messages', null)
    expect(first.pages).toHaveLength(1)

    tool.on(`${base}/${sid(1)}.json`, [{ json: open }, { json: { ...open, status: 'delivered', date_updated: sent(1) } }])
    const second = await session.pass('messages', first.cursor)
    expect(second.pages.map((page) => page.coverage.complete)).toEqual([false, true])
    expect(second.records).toMatchObject([{ externalId: sid(1), status: 'sent' }])
    const third = await session.pass('messages', second.cursor)
    expect(third.records).toMatchObject([{ status: 'delivered', events: [{}, { type: 'message.sent' }, { type: 'message.delivered' }] }])
    const asked = tool.ledger.length
    expect((await session.pass('messages', third.cursor)).records).toEqual([])
    expect(tool.ledger.length).toBe(asked + 1)
  })
  test('the watermark waits for every re-read, and is the start of the pass', async () => {
    const open = Array.from({ length: 120 }, (_, n) => note(n + 1, { status: 'sent', date_created: sent(60 + n), date_sent: sent(60 + n) }))
    tool.on(`${base}.json`, [list(open), list([])])
    tool.on(/\/Messages\/SM/, ({ path }) => ({ json: open.find((one) => path.includes(one.sid)) }))
    const first = await session.pass('messages', null, { pageSize: 1000 })
    const started = (session.now += 300_000)
    tool.now = started
    const second = await session.pass('messages', first.cursor)
    expect(second.pages.map((page) => page.coverage.complete)).toEqual([false, false, false, true])
    expect(second.last.coverage.to).toBe(started)
  })
  test('more open messages than can be re-read hold the watermark back', async () => {
    const open = Array.from({ length: 900 }, (_, n) => note(n + 1, { status: 'sent', date_created: sent(n + 1), date_sent: sent(n + 1) }))
    tool.on(`${base}.json`, list(open))
    const { last, cursor } = await session.pass('messages', null, { pageSize: 1000 })
    expect(last.coverage.to).toBe(Math.floor((session.now - 900 * 60_000) / 1000) * 1000)
    expect(JSON.stringify(cursor).length).toBeLessThan(64_000)
  })
  test('one deleted at Twilio becomes a tombstone; one never final is let go after three days', async () => {
    tool.on(`${base}.json`, [list([note(1, { status: 'sent', date_created: sent(1), date_sent: sent(1) })]), list([])])
    const first = await session.pass('messages', null)
    const second = await session.pass('messages', first.cursor)
    expect(second.records).toMatchObject([{ externalId: sid(1), deleted: true }])

    tool.on(`${base}.json`, [list([note(2, { status: 'sent', date_created: sent(1), date_sent: sent(1) })]), list([])])
    const third = await session.pass('messages', null)
    session.now += 73 * 3_600_000
    tool.now = session.now
    const asked = tool.ledger.length
    await session.pass('messages', third.cursor)
    expect(tool.ledger.length).toBe(asked + 1)
  })
  test('P3: a next page that leads back', async () => {
    tool.on(`${base}.json`, list([note(1)], `${base}.json?Page=1`))
    await expect(session.pass('messages', null)).rejects.toMatchObject({ reason: 'stuck_cursor' })
  })
  test('P8: an error in a 200', async () => {
    tool.on(`${base}.json`, { json: { code: 20003, message: 'Authenticate', status: 401 } })
    await expect(session.poll('messages', null)).rejects.toMatchObject({ reason: 'bad_response' })
  })
  test('a pattern that does not compile is refused with the configuration', () => {
    const parsed = twilio.describe().configSchema.safeParse({ account_sid: account, templates: [{ name: 'x', pattern: '(' }] })
    expect(parsed.error?.issues[0]?.message).toBe('is not a regular expression')
  })
})
