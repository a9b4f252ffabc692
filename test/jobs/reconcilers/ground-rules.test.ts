import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../../db/client.ts'
import { readStreams } from '../../../db/records/streams.ts'
import type { ReadRecord } from '../../../jobs/connectors/connector.ts'
import { seal } from '../../../jobs/domain/plain.ts'
import type { Workspace } from '../../../jobs/open-workspace.ts'
import { commitPage } from '../../../jobs/reconcilers/observe.ts'
import { recordId } from '../../../jobs/reconcilers/observed.ts'
import { judge, reconcile } from '../../../jobs/reconcilers/reconcile.ts'
import { withDatabase } from '../../support/database.ts'
import { type PagedTool, startPagedTool } from '../../support/paged-tool.ts'
import { movedClock, openPagedWorkspace } from '../../support/paged-workspace.ts'

const main = await withDatabase()
const now = Date.parse('2026-03-02T12:00:00Z')
const minute = 60_000
let ownerUrl: string
let tool: PagedTool
let ours: Workspace
let theirs: Workspace

const row = (id: string, status: string, at: number, email: string): ReadRecord => ({
  externalId: id,
  updatedAt: at,
  version: null,
  status,
  ops: {},
  objects: [],
  person: seal({ role: 'self', emails: [email], name: { given: 'Ann', family: 'Doe' } }),
  events: [{ type: status, occurredAt: at, status, actor: { kind: 'unknown', id: null } }],
})
const pageOf = (records: readonly ReadRecord[], complete = true) => ({
  records,
  quarantined: [],
  drift: [],
  cursor: { at: 'rest' },
  coverage: { from: null, to: now, complete },
})
const streamOf = async (workspace: Workspace, connection: string) =>
  (await readStreams(workspace.database.sql, workspace.id, connection))[0]!

beforeAll(async () => {
  ownerUrl = await main.another()
  tool = await startPagedTool(now)
  tool.rows = [{ id: 'b1', updatedAt: now - 60 * minute, at: now - 60 * minute, status: 'accepted', email: 'ada@example.org' }]
  const options = { ownerUrl, clock: movedClock(now), tools: { booking: tool.url, texts: tool.url } }
  ours = await openPagedWorkspace({ ...options, key: 'ours' })
  theirs = await openPagedWorkspace({ ...options, key: 'theirs' })
  await reconcile(ours)
  await reconcile(theirs)
})
afterAll(async () => {
  await ours.close()
  await theirs.close()
  await tool.close()
})

it('semantics 1: one external id in two connections is two records', async () => {
  expect(recordId('booking.rows', 'b1')).not.toBe(recordId('texts.rows', 'b1'))
  const rows = await ours.database.sql`select external_id from records where workspace_id = ${ours.id}`
  expect(rows.map((one) => one.external_id)).toEqual(['b1', 'b1'])
})

it('semantics 10: a page whose epoch someone else has taken commits nothing at all', async () => {
  const { sql } = ours.database
  const stream = await streamOf(ours, 'texts')
  const count = async () =>
    (
      await sql`select (select count(*)::int from records where workspace_id = ${ours.id}) as records,
    (select count(*)::int from events where workspace_id = ${ours.id}) as events, (select count(*)::int from dirty_components where workspace_id = ${ours.id}) as dirty`
    )[0]
  const deps = { tokenise: ours.tokenise, now }
  const first = await commitPage(sql, ours.id, stream, pageOf([row('m1', 'delivered', now - 50 * minute, 'ben@example.org')]), deps)
  expect(first).toMatchObject({ kind: 'committed', changed: 1, dirty: 1 })
  const before = await count()
  const second = await commitPage(sql, ours.id, stream, pageOf([row('m2', 'delivered', now - 40 * minute, 'cyd@example.org')]), deps)
  expect(second).toEqual({ kind: 'someone_else_has_it' })
  expect(await count()).toEqual(before)
})

it('semantics 11: pages about one person, committed side by side while they are judged, miss each other never', async () => {
  const { sql } = ours.database
  const [booking, texts] = [await streamOf(ours, 'booking'), await streamOf(ours, 'texts')]
  const people = Array.from({ length: 200 }, (_, n) => `p${n}@example.org`)
  const deps = { tokenise: ours.tokenise, now }
  await Promise.all([
    commitPage(sql, ours.id, booking, pageOf(people.map((email, n) => row(`x${n}`, 'accepted', now - 50 * minute, email))), deps),
    commitPage(sql, ours.id, texts, pageOf(people.map((email, n) => row(`y${n}`, 'delivered', now - 45 * minute, email))), deps),
    judge(ours),
    judge(ours),
  ])
  await judge(ours)
  const [left] = await sql`select count(*)::int as n from dirty_components where workspace_id = ${ours.id}`
  expect(left?.n).toBe(0)
  const [told] =
    await sql`select count(*)::int as n from verdicts v where workspace_id = ${ours.id} and expectation = 'booking-confirmed' and evidence_at is not null`
  expect(told?.n).toBe(200)
})

describe('semantics 25: a workspace sees itself alone', () => {
  it('whoever asks as the application, for rows of another or of all', async () => {
    const { sql } = ours.database
    for (const table of ['records', 'events', 'verdicts', 'findings', 'audit', 'streams', 'connections']) {
      const [seen] = await sql.unsafe(
        `select count(*)::int as n, count(*) filter (where workspace_id <> $1)::int as foreign from ${table}`,
        [ours.id],
      )
      expect([table, seen?.foreign]).toEqual([table, 0])
      expect([table, seen?.n]).not.toEqual([table, 0])
    }
    await expect(sql`update records set status = 'stolen' where workspace_id = ${theirs.id}`.then((result) => result.count)).resolves.toBe(
      0,
    )
    await expect(sql`insert into feed (workspace_id, topic, ref, at) values (${theirs.id}, 'finding', 'x', now())`).rejects.toThrow(
      /row-level security/,
    )
  })

  it('and the application owns no table, passes no policy and sees nothing without a workspace', async () => {
    const owner = openDatabase(ownerUrl, { max: 1 })
    const [role] = await owner.sql`select rolsuper or rolbypassrls as above from pg_roles where rolname = 'throughline_app'`
    const [owned] = await owner.sql`select count(*)::int as n from pg_tables where tableowner = 'throughline_app'`
    const open =
      await owner.sql`select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace join information_schema.columns col
      on col.table_schema = n.nspname and col.table_name = c.relname and col.column_name = 'workspace_id'
      where n.nspname = current_schema() and c.relkind = 'r' and not c.relrowsecurity`
    expect([role?.above, owned?.n, [...open]]).toEqual([false, 0, []])
    await owner.sql.begin(async (tx) => {
      await tx`set local role throughline_app`
      await expect(tx.savepoint((inner) => inner`select from records`)).rejects.toThrow(/throughline\.workspace/)
    })
    await owner.close()
  })
})

describe('semantics 26: the audit', () => {
  it('is written and read by the application, never changed', async () => {
    const { sql } = ours.database
    for (const change of ["update audit set actor = 'nobody'", 'delete from audit', 'truncate audit']) {
      await expect(sql.unsafe(change)).rejects.toThrow(/permission denied/)
    }
  })

  it('semantics 24: says both times, and without it no finding is opened (S13)', async () => {
    const { sql } = ours.database
    const [opened] = await sql`select at, recorded_at from audit where act = 'finding.open' limit 1`
    expect(opened?.at).toEqual(new Date(now))
    expect(Math.abs(opened?.recorded_at.getTime() - Date.now())).toBeLessThan(600_000)

    const owner = openDatabase(ownerUrl, { max: 1 })
    const findings = async () => (await sql`select count(*)::int as n from findings where workspace_id = ${ours.id}`)[0]?.n
    const before = await findings()
    await owner.sql`revoke insert on audit from throughline_app`
    const page = pageOf([row('late', 'accepted', now - 30 * minute, 'zoe@example.org')])
    await commitPage(sql, ours.id, await streamOf(ours, 'booking'), page, { tokenise: ours.tokenise, now })
    await expect(judge(ours)).rejects.toThrow(/permission denied/)
    expect(await findings()).toBe(before)
    await owner.sql`grant insert on audit to throughline_app`
    await judge(ours)
    expect(await findings()).toBe(before + 1)
    await owner.close()
  })
})
