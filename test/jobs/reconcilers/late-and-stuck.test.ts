import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { Connector, PollPage, ReadRecord } from '../../../jobs/connectors/connector.ts'
import { booking } from '../../../jobs/connectors/calcom/fixtures/bookings.ts'
import { calcom } from '../../../jobs/connectors/calcom/index.ts'
import { parseAllowList } from '../../../jobs/connectors/guard.ts'
import { openToolHttp } from '../../../jobs/connectors/http.ts'
import { seal } from '../../../jobs/domain/plain.ts'
import type { Workspace } from '../../../jobs/open-workspace.ts'
import { judge, poll, reconcile } from '../../../jobs/reconcilers/reconcile.ts'
import { withDatabase } from '../../support/database.ts'
import { startFakeTool } from '../../support/faketool.ts'
import { pagedConnector, type PagedTool, startPagedTool, type ToolRow } from '../../support/paged-tool.ts'
import { type MovedClock, movedClock, openPagedWorkspace, readOutcome } from '../../support/paged-workspace.ts'

const main = await withDatabase()
const minute = 60_000
const hour = 60 * minute
const start = Date.parse('2026-03-02T09:00:00Z')

const opened: { close(): Promise<unknown> }[] = []
afterAll(async () => {
  for (const one of opened) await one.close()
})

const booked = (id: string, at: number, person = id): ToolRow => ({
  id,
  updatedAt: at,
  at,
  status: 'accepted',
  email: `${person}@example.org`,
  given: 'Ann',
})
const delivered = (id: string, at: number, person: string): ToolRow => ({
  id,
  updatedAt: at,
  at,
  status: 'delivered',
  email: `${person}@example.org`,
  given: 'Ann',
})

interface FindingRow {
  kind: string
  status: string
  owner: string
  closed_reason: string | null
  regressions: number
  id: string
}
const findingsOf = (workspace: Workspace) =>
  workspace.database.sql<FindingRow[]>`select id::text, kind, status, owner, closed_reason, regressions from findings
    where workspace_id = ${workspace.id} and kind <> 'blind' order by opened_at, id`

describe('two tools', () => {
  let calendar: PagedTool
  let texts: PagedTool
  let clock: MovedClock
  let workspace: Workspace

  beforeEach(async () => {
    calendar = await startPagedTool(start)
    texts = await startPagedTool(start)
    clock = movedClock(start)
    workspace = await openPagedWorkspace({ ownerUrl: await main.another(), clock, tools: { booking: calendar.url, texts: texts.url } })
    opened.push(workspace, calendar, texts)
  })
  async function readAt(now: number) {
    clock.at = now
    calendar.now = now
    texts.now = now
    return reconcile(workspace, { pageSize: 7 })
  }

  describe('P18: evidence that comes after a closure', () => {
    beforeEach(async () => {
      calendar.rows = [booked('b1', start)]
      await readAt(start + 20 * minute)
      expect(await findingsOf(workspace)).toMatchObject([{ kind: 'gap', status: 'open', owner: 'care' }])
      await workspace.database
        .sql`update findings set owner = 'nights', owner_reason = 'asked to' where workspace_id = ${workspace.id} and kind = 'gap'`
      texts.rows = [delivered('m1', start + 30 * minute, 'b1')]
      await readAt(start + 40 * minute)
      expect(await findingsOf(workspace)).toMatchObject([{ kind: 'late', status: 'verified', owner: 'nights' }])
    })

    it('does not reopen for an older event that arrives late', async () => {
      const [before] = await findingsOf(workspace)
      // Changed now, happened before the closure: another message that failed long ago, and a booking's older state.
      texts.rows = [...texts.rows, { ...delivered('m0', start + 2 * minute, 'b1'), status: 'failed', updatedAt: start + 50 * minute }]
      calendar.rows = [...calendar.rows, { ...booked('b1', start - minute), updatedAt: start - minute }]
      await readAt(start + 60 * minute)
      expect(await findingsOf(workspace)).toEqual([before])
    })

    it('reopens the same finding as a regression when what closed it is gone, and keeps its owner', async () => {
      const [before] = await findingsOf(workspace)
      texts.rows = []
      // The complete sweep that no longer shows the message is newer than the message.
      await readAt(start + 26 * hour)
      expect(await findingsOf(workspace)).toMatchObject([{ id: before?.id, kind: 'gap', status: 'open', owner: 'nights', regressions: 1 }])
    })

    it('closes again when the evidence comes back, without a second finding', async () => {
      texts.rows = []
      await readAt(start + 26 * hour)
      texts.rows = [delivered('m2', start + 27 * hour, 'b1')]
      await readAt(start + 28 * hour)
      expect(await findingsOf(workspace)).toMatchObject([{ kind: 'late', status: 'verified', owner: 'nights', regressions: 1 }])
    })
  })

  describe('P6: clocks that differ and records that show late', () => {
    it('catches a record that becomes visible within the overlap', async () => {
      calendar.rows = [booked('b1', start)]
      texts.rows = []
      await readAt(start + 14 * minute)
      // Changed 30 s before that pass, visible only after it.
      texts.rows = [delivered('m1', start + 14 * minute - 30_000, 'b1')]
      await readAt(start + 16 * minute)
      expect(await findingsOf(workspace)).toEqual([])
      expect((await readOutcome(workspace)).verdicts.join()).toContain('booking-confirmed')
    })

    it('catches one later than the overlap with the daily sweep, as a false alarm', async () => {
      calendar.rows = [booked('b1', start)]
      await readAt(start + 20 * minute)
      expect(await findingsOf(workspace)).toMatchObject([{ kind: 'gap', status: 'open' }])
      texts.rows = [delivered('m1', start + 10 * minute, 'b1')]
      await readAt(start + 25 * minute)
      expect(await findingsOf(workspace)).toMatchObject([{ kind: 'gap', status: 'open' }])
      await readAt(start + 25 * hour)
      expect(await findingsOf(workspace)).toMatchObject([{ kind: 'gap', status: 'false_alarm' }])
    })

    it.each([
      ['an hour behind', -hour],
      ['an hour ahead', hour],
    ])('finds no gap too early with a tool whose clock is %s', async (_, skew) => {
      // The tool stamps with its own clock; the message is on time by that clock.
      texts.now = start + 14 * minute + skew
      calendar.rows = [booked('b1', start)]
      calendar.now = start + 14 * minute
      clock.at = start + 14 * minute
      await reconcile(workspace)
      expect(await findingsOf(workspace)).toEqual([])
      texts.rows = [delivered('m1', start + 14 * minute + 30_000, 'b1')]
      clock.at = start + 3 * hour
      calendar.now = clock.at
      texts.now = clock.at + skew
      await reconcile(workspace)
      // Ahead, its reads begin past the message: the daily sweep has it. Until then the promise may look broken, never kept wrongly.
      clock.at += 25 * hour
      calendar.now = clock.at
      texts.now = clock.at + skew
      await reconcile(workspace)
      expect((await findingsOf(workspace)).filter((finding) => finding.status === 'open')).toEqual([])
    })

    it('never moves a watermark back when the clock of a tool does', async () => {
      texts.now = start + hour
      clock.at = start + hour
      await poll(workspace, 'texts')
      texts.now = start
      texts.rows = [delivered('m1', start + 59 * minute + 30_000, 'b1')]
      await poll(workspace, 'texts')
      const [stream] = await workspace.database.sql`select date_part('epoch', watermark) * 1000 as watermark, records::int as records
        from streams where workspace_id = ${workspace.id} and connection = 'texts'`
      expect(stream).toEqual({ watermark: start + hour, records: 1 })
    })
  })
})

function recordOf(id: string): ReadRecord {
  return {
    externalId: id,
    updatedAt: start,
    version: null,
    status: 'accepted',
    ops: {},
    objects: [],
    person: seal({ role: 'self', emails: [`${id}@example.org`], name: { given: 'Ann', family: 'Doe' } }),
    events: [{ type: 'accepted', occurredAt: start, status: 'accepted', actor: { kind: 'unknown', id: null } }],
  }
}

/** Pages by number, each with the cursor it leads to. Pages past the script are asked for by nobody. */
function pagesConnector(next: (page: number) => { readonly ids: readonly string[]; readonly cursor: unknown; readonly complete: boolean }) {
  let asked = 0
  const connector: Connector<{ url: string }> = {
    describe: () => pagedConnector.describe() as ReturnType<Connector['describe']>,
    check: async () => ({ ok: true, streams: [], clockSkewMs: 0 }),
    poll: async (): Promise<PollPage> => {
      const { ids, cursor, complete } = next(asked++)
      return { records: ids.map(recordOf), quarantined: [], drift: [], cursor, coverage: { from: 0, to: start + hour, complete } }
    },
  }
  return { connector, asked: () => asked }
}

describe('P3: pages that go round in circles', () => {
  async function readWith(connector: Connector<{ url: string }>) {
    const workspace = await openPagedWorkspace({
      ownerUrl: await main.another(),
      clock: movedClock(start + hour),
      tools: { booking: 'http://tool', texts: 'http://tool' },
      connector,
    })
    opened.push(workspace)
    const outcomes = await poll(workspace, 'booking')
    await judge(workspace)
    const [stream] = await workspace.database.sql`select state, watermark, cursor, records::int as records,
      (select count(*)::int from records) as stored, (select count(*)::int from events) as events
      from streams where workspace_id = ${workspace.id} and connection = 'booking'`
    return { workspace, outcomes, stream }
  }

  it('stops at a cursor that comes again (A, B, A), without duplicates, watermark or findings', async () => {
    const { connector, asked } = pagesConnector((page) => ({
      ids: [`r${page % 2}`, 'r9'],
      cursor: page % 2 === 0 ? 'A' : 'B',
      complete: false,
    }))
    const { workspace, outcomes, stream } = await readWith(connector)
    expect(outcomes).toMatchObject([{ kind: 'failed', state: 'stuck_cursor' }])
    expect(stream).toMatchObject({ state: 'stuck_cursor', watermark: null, cursor: null, records: 3, stored: 3, events: 3 })
    expect(asked()).toBeLessThanOrEqual(5)
    expect(await findingsOf(workspace)).toEqual([])
  })

  it('stops at a page that says there is more forever under one cursor', async () => {
    const { connector } = pagesConnector(() => ({ ids: ['r1'], cursor: { after: 'r1' }, complete: false }))
    const { stream } = await readWith(connector)
    expect(stream).toMatchObject({ state: 'stuck_cursor', watermark: null, records: 1, stored: 1, events: 1 })
  })

  it('takes the same page twice for one', async () => {
    const { connector } = pagesConnector((page) => ({ ids: ['r1', 'r2', 'r2'], cursor: { page }, complete: page === 3 }))
    const { outcomes, stream } = await readWith(connector)
    expect(outcomes).toMatchObject([{ kind: 'complete', read: 12, changed: 2 }])
    expect(stream).toMatchObject({ state: 'ok', records: 2, stored: 2, events: 2 })
  })

  it('reads from the start and to the end once the tool is well again', async () => {
    let ill = true
    const { connector } = pagesConnector((page) =>
      ill ? { ids: ['r1'], cursor: 'A', complete: false } : { ids: ['r1', 'r2'], cursor: { page }, complete: true },
    )
    const { workspace } = await readWith(connector)
    ill = false
    expect(await poll(workspace, 'booking')).toMatchObject([{ kind: 'complete', changed: 1 }])
    const [stream] = await workspace.database.sql`select state, state_reason, watermark is not null as read from streams
      where workspace_id = ${workspace.id} and connection = 'booking'`
    expect(stream).toEqual({ state: 'ok', state_reason: null, read: true })
  })
})

describe('P5: a thousand records of one instant across page borders', () => {
  it('are all read by the paged tool, whatever the page size, and read again for nothing', async () => {
    const tool = await startPagedTool(start + hour)
    const workspace = await openPagedWorkspace({
      ownerUrl: await main.another(),
      clock: movedClock(start + hour),
      tools: { booking: tool.url },
    })
    opened.push(workspace, tool)
    tool.rows = Array.from({ length: 1_000 }, (_, n) => booked(`r${n}`, start + hour - 1_000))
    expect(await poll(workspace, 'booking', { pageSize: 37 })).toMatchObject([{ kind: 'complete', read: 1_000, changed: 1_000 }])
    expect(await poll(workspace, 'booking', { pageSize: 11 })).toMatchObject([{ kind: 'complete', read: 1_000, changed: 0 }])
  })

  it('P6: are all read from Cal.com, page by page, through the pipeline, and the skew of its clock is told', async () => {
    const tool = await startFakeTool(start + 2 * hour)
    opened.push(tool)
    const bookings = Array.from({ length: 1_000 }, (_, n) => ({
      ...booking,
      uid: `uid${String(n).padStart(4, '0')}`,
      attendees: booking.attendees.map((one) => ({
        ...one,
        name: 'Ann Doe',
        email: `p${n}@example.org`,
        phoneNumber: `+1617444${1000 + n}`,
      })),
      metadata: {},
    }))
    tool.on('/v2/bookings', ({ query }) => {
      const after = Date.parse(query.get('afterUpdatedAt') ?? '2000-01-01T00:00:00Z')
      const found = bookings.filter((row) => Date.parse(row.updatedAt) >= after)
      const [skip, take] = [Number(query.get('skip')), Number(query.get('take'))]
      return { json: { status: 'success', data: found.slice(skip, skip + take), pagination: { hasNextPage: skip + take < found.length } } }
    })
    const config = calcom.describe().configSchema.parse({ base_url: tool.url })
    const endpoint = calcom.endpoint?.(config as never, { api_key: 'cal_test' })
    if (endpoint === undefined) throw new Error('Cal.com has no endpoint.')
    const http = openToolHttp(
      { ...endpoint, requestsPerSecond: 1_000_000 },
      { connection: 'booking', allow: parseAllowList([tool.endpoint]), now: () => start + hour, sleep: async () => {} },
    )
    opened.push(http)
    // Its own pages, under the name of the paged tool's stream.
    const real: Connector<{ url: string }> = {
      describe: () => pagedConnector.describe() as ReturnType<Connector['describe']>,
      check: async () => ({ ok: true, streams: [], clockSkewMs: 0 }),
      poll: (ctx, _stream, cursor, budget) =>
        calcom.poll({ ...ctx, config: config as never, http }, 'bookings', cursor, { ...budget, pageSize: 100 }),
    }
    const workspace = await openPagedWorkspace({
      ownerUrl: await main.another(),
      clock: movedClock(start + hour),
      tools: { booking: tool.url },
      connector: real,
    })
    opened.push(workspace)
    expect(await poll(workspace, 'booking')).toMatchObject([{ kind: 'complete', read: 1_000, changed: 1_000 }])
    const [count] = await workspace.database.sql`select count(*)::int as n, count(distinct component_id)::int as people from records`
    expect(count).toEqual({ n: 1_000, people: 1_000 })
    const [stream] = await workspace.database.sql`select clock_skew_ms::int as skew, date_part('epoch', watermark) * 1000 as watermark
      from streams where workspace_id = ${workspace.id}`
    expect(stream).toEqual({ skew: hour, watermark: start + 2 * hour })
    expect(tool.ledger.length).toBeGreaterThanOrEqual(10)
    expect(await poll(workspace, 'booking')).toMatchObject([{ kind: 'complete', changed: 0 }])
  })
})
