import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { booking } from '../../../jobs/connectors/calcom/fixtures/bookings.ts'
import { calcom } from '../../../jobs/connectors/calcom/index.ts'
import { unseal } from '../../../jobs/domain/plain.ts'
import type { FakeTool, Session } from '../../support/faketool.ts'
import { openSession, startFakeTool } from '../../support/faketool.ts'

let tool: FakeTool
let session: Session
const config = { metadata: { reference: 'tl_ref' }, confirmed_by_host: ['couples'] }
beforeEach(async () => {
  tool = await startFakeTool()
  session = openSession(calcom, tool, config, { api_key: 'cal_1' })
})
afterEach(async () => {
  await session.http.close()
  await tool.close()
})

type Booking = typeof booking & { rescheduledFromUid?: string; rescheduledToUid?: string }
const noted = (uid: string, updatedAt: string, more: Partial<Booking> = {}) => ({
  ...booking,
  uid,
  updatedAt,
  createdAt: booking.createdAt,
  ...more,
})
const minute = (n: number, ms = 0) => new Date(Date.parse('2026-03-02T10:00:00Z') + n * 60_000 + ms).toISOString()

/** Cal.com's list as its code does it: `afterUpdatedAt` inclusive, sorted by change, cut by skip and take. */
function serve(rows: () => readonly { uid: string; updatedAt: string }[]) {
  tool.on('/v2/bookings', ({ query }) => {
    const after = query.get('afterUpdatedAt')
    const found = rows()
      .filter((row) => after === null || Date.parse(row.updatedAt) >= Date.parse(after))
      .sort((a, b) => Date.parse(a.updatedAt) - Date.parse(b.updatedAt) || (a.uid < b.uid ? -1 : 1))
    const [skip, take] = [Number(query.get('skip')), Number(query.get('take'))]
    const data = found.slice(skip, skip + take)
    return { json: { status: 'success', data, pagination: { totalItems: found.length, hasNextPage: skip + take < found.length } } }
  })
}
async function readOne(row: unknown) {
  tool.on('/v2/bookings', { json: { status: 'success', data: [row], pagination: { hasNextPage: false } } })
  const page = await session.poll('bookings', null)
  return { page, record: page.records[0] }
}

describe('a booking', () => {
  test('keeps times, service and state; the attendee is the subject', async () => {
    const { page, record } = await readOne(booking)
    expect(page.drift).toEqual([])
    expect(record).toMatchObject({
      externalId: booking.uid,
      status: 'accepted',
      ops: {
        startsAt: '2026-03-04T15:30:00.000Z',
        endsAt: '2026-03-04T16:20:00.000Z',
        service: 'first-visit',
        rescheduled: false,
        absent: false,
      },
      objects: [{ type: 'appointment', id: booking.uid }],
      events: [{ type: 'booking.created', occurredAt: Date.parse(booking.createdAt), status: 'accepted' }],
    })
    expect(record?.person && unseal(record.person)).toEqual({
      role: 'self',
      reference: booking.metadata.tl_ref,
      emails: ['ana.canary@example.org'],
      phones: ['+12015550123'],
      name: { full: 'Ana Canary' },
    })
    expect(JSON.stringify({ ...record, person: null })).not.toMatch(/canary|example|555/i)
  })
  test('cancelled before we ever looked still says that it stood', async () => {
    const { record } = await readOne(noted('u1', minute(90), { status: 'cancelled' }))
    expect(record?.events.map((event) => [event.type, event.status])).toEqual([
      ['booking.created', 'accepted'],
      ['booking.cancelled', 'cancelled'],
    ])
  })
  test('of a kind the host confirms was pending at first', async () => {
    const { record } = await readOne(noted('u1', minute(90), { eventType: { id: 1, slug: 'couples' } }))
    expect(record?.events.map((event) => [event.type, event.status])).toEqual([
      ['booking.created', 'pending'],
      ['booking.accepted', 'accepted'],
    ])
  })
  test('rescheduled continues the one before', async () => {
    const { record } = await readOne(noted('u2', booking.updatedAt, { rescheduledFromUid: 'u1' }))
    expect(record?.objects).toEqual([{ type: 'appointment', id: 'u2', root: 'u1' }])
    const old = await readOne(noted('u1', minute(95), { status: 'cancelled', rescheduledToUid: 'u2' }))
    expect(old.record?.ops.rescheduled).toBe(true)
  })
  test('not kept is absent', async () => {
    const { record } = await readOne({ ...booking, attendees: [{ ...booking.attendees[0], absent: true }] })
    expect(record?.ops.absent).toBe(true)
  })
  test('P14: a new field, a missing one and a new status', async () => {
    expect((await readOne({ ...booking, attendanceMode: 'canary' })).page.drift).toEqual([{ path: 'attendanceMode', what: 'new' }])
    const { updatedAt: _, ...without } = booking
    expect((await readOne(without)).page).toMatchObject({
      records: [],
      drift: [{ path: 'updatedAt', what: 'missing' }],
      quarantined: [{ where: booking.uid }],
    })
    expect((await readOne({ ...booking, status: 'on_hold' })).record?.status).toBe('unknown:on_hold')
    expect((await readOne({ ...booking, start: 'tomorrow' })).page.drift).toEqual([{ path: 'start', what: 'type' }])
    expect((await readOne({ ...booking, attendees: null })).page.drift).toEqual([{ path: 'attendees', what: 'type' }])
  })
})

describe('P5: equal change times', () => {
  test('P5: a thousand bookings of one instant, across page borders', async () => {
    const rows = Array.from({ length: 1000 }, (_, n) => noted(`u${String(n).padStart(4, '0')}`, minute(5)))
    const before = Array.from({ length: 30 }, (_, n) => noted(`a${n}`, minute(0, n)))
    const after = Array.from({ length: 30 }, (_, n) => noted(`z${n}`, minute(9, n)))
    serve(() => [...before, ...rows, ...after])
    const { records } = await session.pass('bookings', null)
    expect(new Set(records.map((record) => record.externalId)).size).toBe(1060)
    expect(tool.ledger.length).toBeLessThan(20)
  })
  test('P5: times cut to the second', async () => {
    const rows = Array.from({ length: 500 }, (_, n) =>
      noted(`u${n}`, new Date(Date.parse(minute(0)) + Math.floor(n / 60) * 1000).toISOString()),
    )
    serve(() => rows)
    const { records } = await session.pass('bookings', null, { pageSize: 50 })
    expect(new Set(records.map((record) => record.externalId)).size).toBe(500)
  })
})

describe('a list that changes while it is read', () => {
  test('P4: rows that move to the end shift the rest, and none is lost', async () => {
    let rows = Array.from({ length: 300 }, (_, n) => noted(`u${String(n).padStart(3, '0')}`, minute(0, n * 10)))
    let served = 0
    serve(() => {
      served++
      if (served > 1 && served < 4)
        rows = rows.map((row, n) => (n < 90 && n % 3 === served % 3 ? { ...row, updatedAt: minute(60 + served, n) } : row))
      return rows
    })
    const { records } = await session.pass('bookings', null)
    expect(new Set(records.map((record) => record.externalId)).size).toBe(300)
    const newest = new Map(records.map((record) => [record.externalId, record.updatedAt]))
    expect(rows.filter((row) => newest.get(row.uid) !== Date.parse(row.updatedAt))).toEqual([])
  })
})

describe('P6: the tool’s clock', () => {
  test.each([3_600_000, -3_600_000])(
    'P6: a clock %i ms off: the pass covers to the tool’s own time, and the skew is shown',
    async (skew) => {
      tool.now = session.now + skew
      serve(() => [])
      const { last, cursor } = await session.pass('bookings', null)
      expect(last).toMatchObject({ clockSkewMs: skew, coverage: { to: session.now + skew, complete: true } })
      await session.pass('bookings', cursor)
      expect(tool.ledger.at(-1)?.query.get('afterUpdatedAt')).toBe(new Date(session.now + skew - 900_000).toISOString())
    },
  )
  test('P6: a booking that shows five minutes late is caught by the overlap', async () => {
    const rows = [noted('u1', minute(0))]
    serve(() => rows)
    tool.now = session.now = Date.parse(minute(30))
    const first = await session.pass('bookings', null)
    rows.push(noted('late', minute(28)))
    tool.now = session.now = Date.parse(minute(35))
    const second = await session.pass('bookings', first.cursor)
    expect(second.records.map((record) => record.externalId)).toEqual(['late'])
  })
  test('P6: one later than the overlap is caught by the full sweep', async () => {
    const rows = [noted('u1', minute(0))]
    serve(() => rows)
    tool.now = session.now = Date.parse(minute(30))
    const first = await session.pass('bookings', null)
    rows.push(noted('very-late', minute(1)))
    tool.now = session.now = Date.parse(minute(60))
    expect((await session.pass('bookings', first.cursor)).records).toEqual([])
    const swept = await session.pass('bookings', first.cursor, { mode: 'full' })
    expect(swept.records.map((record) => record.externalId)).toEqual(['u1', 'very-late'])
  })
  test('P6: a clock set back an hour loses nothing: the pass after it reads by the new clock', async () => {
    const rows = [noted('u1', minute(0))]
    serve(() => rows)
    tool.now = session.now = Date.parse(minute(120))
    const first = await session.pass('bookings', null)
    const back = (ms: number) => {
      session.now = Date.parse(minute(120)) + ms
      tool.now = session.now - 3_600_000
    }
    back(120_000)
    rows.push(noted('in-the-past', minute(62)))
    back(300_000)
    const second = await session.pass('bookings', first.cursor)
    expect(second.last).toMatchObject({ clockSkewMs: -3_600_000, coverage: { to: Date.parse(minute(65)) } })
    back(600_000)
    const third = await session.pass('bookings', second.cursor)
    expect([...second.records, ...third.records].map((record) => record.externalId)).toContain('in-the-past')
  })
  test('the watermark is the start of the pass, however long it takes', async () => {
    const started = (tool.now = session.now = Date.parse(minute(30)))
    const rows = Array.from({ length: 250 }, (_, n) => noted(`u${n}`, minute(0, n)))
    serve(() => {
      tool.now = session.now += 60_000
      return rows
    })
    const { last } = await session.pass('bookings', null)
    expect(last.coverage.to).toBeLessThanOrEqual(started + 60_000)
  })
  test('polled twice, the second pass repeats only the overlap', async () => {
    serve(() => [noted('old', minute(0)), noted('recent', minute(28))])
    tool.now = session.now = Date.parse(minute(30))
    const first = await session.pass('bookings', null)
    const second = await session.pass('bookings', first.cursor)
    expect(second.records).toEqual([first.records[1]].map((record) => ({ ...record, person: expect.anything() })))
  })
})

describe('P3 and P8', () => {
  test('P3: a list that ignores what it is asked does not go on for ever', async () => {
    const rows = Array.from({ length: 100 }, (_, n) => noted(`u${n}`, minute(n)))
    tool.on('/v2/bookings', { json: { status: 'success', data: rows, pagination: { hasNextPage: true } } })
    await expect(session.pass('bookings', null)).rejects.toMatchObject({ reason: 'stuck_cursor' })
    expect(tool.ledger.length).toBeLessThan(6)
  })
  test('a list that is not sorted as asked is walked by offset, and nothing is lost', async () => {
    const rows = Array.from({ length: 250 }, (_, n) => noted(`u${n}`, minute((n * 37) % 250)))
    tool.on('/v2/bookings', ({ query }) => {
      const skip = Number(query.get('skip'))
      return { json: { status: 'success', data: rows.slice(skip, skip + 100), pagination: { hasNextPage: skip + 100 < 250 } } }
    })
    const { records } = await session.pass('bookings', null)
    expect(new Set(records.map((record) => record.externalId)).size).toBe(250)
  })
  test.each([[{ status: 'error', error: { code: 'x' } }], [{ status: 'success', data: [] }], [{ data: [], pagination: {} }]])(
    'P8: %j is an error',
    async (json) => {
      tool.on('/v2/bookings', { json })
      await expect(session.poll('bookings', null)).rejects.toMatchObject({ reason: 'bad_response' })
    },
  )
  test('sends its version and key', async () => {
    serve(() => [])
    await session.poll('bookings', null)
    expect(tool.ledger[0]?.headers).toMatchObject({ authorization: 'Bearer cal_1', 'cal-api-version': '2024-08-13' })
  })
})
