import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cut, listReports, readFlows, readReport } from '../../../db/records/reports.ts'
import { toTransition, writeTransitions } from '../../../db/records/transitions.ts'
import { linesBy, totalOf } from '../../../jobs/domain/report/balance.ts'
import type { Report, ReportSummary } from '../../../jobs/domain/report/report.ts'
import { closeDays, readDayReport, recountReport } from '../../../jobs/reports/close-days.ts'
import { minute, type ServedClinic, serveClinic } from '../../server/served-clinic.ts'
import { withDatabase } from '../../support/database.ts'

const main = await withDatabase()
let clinic: ServedClinic
let url: string
beforeAll(async () => {
  url = await main.another()
  clinic = await serveClinic(url)
})
afterAll(() => clinic.close())

const report = async (day: string) => (await readDayReport(clinic.workspace, day)) as Report
const stored = async (day: string) => (await readReport(clinic.workspace.database.sql, clinic.workspace.id, day))?.body as Report
const total = async (day: string) => totalOf((await report(day)).balance)
const goTo = (time: string) => {
  clinic.clock.at = Date.parse(time)
}

describe('the daily gap report (Capability 12)', () => {
  it('is not closed before its time, and shows the day so far', async () => {
    goTo('2026-03-02T23:59:00Z')
    expect(await closeDays(clinic.workspace)).toEqual([])
    goTo('2026-03-03T00:14:59Z')
    expect(await closeDays(clinic.workspace)).toEqual([])
    expect(await total('2026-03-02')).toMatchObject({ opening: 0, opened: 2, closing: 2 })
    expect(await total('2026-03-03')).toMatchObject({ opening: 2, opened: 0, closing: 2 })
    expect((await report('2026-03-03')).unread).toEqual([])
    expect(await readDayReport(clinic.workspace, '2026-03-01')).toBeUndefined()
    expect(await readDayReport(clinic.workspace, '2026-03-04')).toBeUndefined()
  })

  it('names what was not read instead of a reassuring zero', async () => {
    goTo('2026-03-03T00:15:00Z')
    const { unread, streams } = await report('2026-03-02')
    expect(streams).toBe(2)
    expect(unread.map(({ stream, readTo, unknown }) => ({ stream, readTo, unknown }))).toEqual([
      { stream: 'booking.rows', readTo: expect.any(Number), unknown: 0 },
      { stream: 'texts.rows', readTo: expect.any(Number), unknown: 0 },
    ])
    clinic.booking.rows.push({
      id: 'b-cat',
      email: 'cat@example.org',
      status: 'accepted',
      at: clinic.clock.at - 60 * minute,
      updatedAt: clinic.clock.at - 60 * minute,
    })
    clinic.texts.onRequest = () => 404
    await clinic.reconcile()
    clinic.texts.onRequest = () => undefined
    expect((await report('2026-03-02')).unread).toMatchObject([
      { stream: 'texts.rows', unknown: 1, reason: expect.stringContaining('404') },
    ])
  })

  it('is closed once, however many try at the same time', async () => {
    const closed = await Promise.all([1, 2, 3].map(() => closeDays(clinic.workspace)))
    expect(closed.flat()).toEqual(['2026-03-02'])
    expect(await stored('2026-03-02')).toMatchObject({ day: '2026-03-02', closedAt: clinic.clock.at })
    expect(
      (await listReports(clinic.workspace.database.sql, clinic.workspace.id, null, 10)).map(
        (row) => (row.summary as ReportSummary).total.closing,
      ),
    ).toEqual([2])
  })

  it('counts what is learned later about a closed day on the next one, and leaves the closed one as it was', async () => {
    const before = JSON.stringify(await stored('2026-03-02'))
    clinic.texts.rows.push({
      id: 'm-ann',
      email: 'ann@example.org',
      status: 'delivered',
      at: Date.parse('2026-03-02T09:12:00Z'),
      updatedAt: clinic.clock.at,
    })
    await clinic.reconcile()
    goTo('2026-03-04T00:20:00Z')
    expect(await closeDays(clinic.workspace)).toEqual(['2026-03-03'])
    expect(JSON.stringify(await stored('2026-03-02'))).toBe(before)
    const next = await stored('2026-03-03')
    const kinds = Object.fromEntries(linesBy(next.balance, ({ kind }) => kind).map(({ key, line }) => [key, line]))
    expect(kinds.gap).toMatchObject({ opening: 1, opened: 1, false_alarm: 1, closing: 1 })
    expect(kinds.blind).toMatchObject({ opening: 0, opened: 1, verified: 1, closing: 0 })
    expect(next.adjustments).toMatchObject([{ day: '2026-03-02', ended: 1 }])
  })

  it('a transition that commits after the close of its day counts on the next day', async () => {
    const { sql } = clinic.workspace.database
    const at = Date.parse('2026-03-03T23:59:59Z')
    const late = toTransition(
      null,
      {
        id: 'ab'.repeat(16),
        status: 'open',
        program: 'visits',
        owner: 'late',
        site: null,
        kind: 'gap',
        regressions: 0,
        occurredAt: at,
        changedAt: at,
        closingEvidenceAt: null,
        waivedUntil: null,
      },
      at,
    )
    await writeTransitions(sql, clinic.workspace.id, [late])
    goTo('2026-03-05T00:20:00Z')
    expect(await closeDays(clinic.workspace)).toEqual(['2026-03-04'])
    const day = await stored('2026-03-04')
    expect(linesBy(day.balance, ({ owner }) => owner).find(({ key }) => key === 'late')?.line).toMatchObject({
      opening: 0,
      opened: 1,
      closing: 1,
    })
    expect(day.adjustments).toMatchObject([{ day: '2026-03-03', opened: 1 }])
  })

  it('waits for a transaction that took its number before the close and has not ended', async () => {
    const { sql } = clinic.workspace.database
    goTo('2026-03-05T12:00:00Z')
    const row = (owner: string) =>
      toTransition(
        null,
        {
          id: 'cd'.repeat(16),
          status: 'open',
          program: 'visits',
          owner,
          site: null,
          kind: 'gap',
          regressions: 0,
          occurredAt: null,
          changedAt: clinic.clock.at,
          closingEvidenceAt: null,
          waivedUntil: null,
        },
        clinic.clock.at,
      )
    const isWaiting = async (since: string) =>
      (
        await main.owner
          .sql`select from pg_stat_activity where query like '%pg_snapshot_xmin%' and query_start > ${since}::text::timestamptz`
      ).length > 0
    const [begun] = await main.owner.sql<{ at: string }[]>`select clock_timestamp()::text as at`
    let closing: Promise<readonly string[]> = Promise.resolve([])
    await sql.begin(async (tx) => {
      await tx`insert into owners (workspace_id, key, title) values (${clinic.workspace.id}, 'slow', 'Slow')`
      await writeTransitions(tx, clinic.workspace.id, [row('slow')])
      goTo('2026-03-06T00:20:00Z')
      closing = closeDays(clinic.workspace)
      await expect.poll(() => isWaiting(begun?.at ?? ''), { timeout: 30_000 }).toBe(true)
    })
    expect(await closing).toEqual(['2026-03-05'])
    expect(linesBy((await stored('2026-03-05')).balance, ({ owner }) => owner).map(({ key }) => key)).toContain('slow')
  })

  it('opens with the closing of the day before; regenerated from the transitions alone it is byte-identical', async () => {
    goTo('2026-03-12T01:00:00Z')
    expect(await closeDays(clinic.workspace)).toHaveLength(6)
    const heads = await listReports(clinic.workspace.database.sql, clinic.workspace.id, null, 100)
    const totals = heads.map((head) => (head.summary as ReportSummary).total).reverse()
    expect(totals.slice(1).map(({ opening }) => opening)).toEqual(totals.slice(0, -1).map(({ closing }) => closing))
    for (const { day } of heads) {
      expect(await recountReport(clinic.workspace, day)).toEqual(await stored(day))
    }
    const whole: Cut = { beforeN: Number.MAX_SAFE_INTEGER, endsAt: clinic.clock.at }
    const flows = await readFlows(clinic.workspace.database.sql, clinic.workspace.id, null, whole, 0)
    const open = flows.reduce(
      (sum, { wasOpen, entered, ended, count }) => sum + (entered ? count : 0) - (ended && (wasOpen || entered) ? count : 0),
      0,
    )
    expect(totals.at(-1)?.closing).toBe(open)
  })

  it('cannot be changed or taken away by the application', async () => {
    const { sql } = clinic.workspace.database
    await expect(sql`update reports set body = '{}'`).rejects.toThrow(/permission denied/)
    await expect(sql`delete from reports`).rejects.toThrow(/permission denied/)
  })
})
