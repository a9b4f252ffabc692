import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../db/client.ts'
import { backTest } from '../../jobs/back-test.ts'
import { parseProgram } from '../../jobs/domain/parse-program.ts'
import type { Program } from '../../jobs/domain/program.ts'
import type { Workspace } from '../../jobs/open-workspace.ts'
import { reconcile } from '../../jobs/reconcilers/reconcile.ts'
import { withDatabase } from '../support/database.ts'
import { type PagedTool, startPagedTool, type ToolRow } from '../support/paged-tool.ts'
import { type MovedClock, movedClock, openPagedWorkspace } from '../support/paged-workspace.ts'

const main = await withDatabase()
const minute = 60_000
const day = 86_400_000
const start = Date.parse('2026-03-02T09:00:00Z')

const write = (expectations: string) => `
program: visits
title: Visits
owner: care
journey: { per: subject, starts: booked, ends: seen, abandon_after: 90d }
steps:
  booked:    { stream: booking.rows, when: { status: accepted } }
  confirmed: { stream: texts.rows, when: { status: delivered } }
  seen:      { stream: booking.rows, when: { status: seen } }
expectations:
  ${expectations}
`
const within = (minutes: number) => write(`told: { after: booked, expect: confirmed, within: ${minutes}m }`)
function parsed(source: string): Program {
  const read = parseProgram(source, 'visits.yaml')
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join('\n'))
  return read.program
}

let workspace: Workspace
let owner: Database
let clock: MovedClock
const tools: PagedTool[] = []

/** A person a day: told in time, too late for 15 minutes, or never. Who is seen has an ended journey. */
function visit(n: number, toldAfter: number | null, seen: boolean): { booking: ToolRow[]; texts: ToolRow[] } {
  const at = start + n * day
  const row = (id: string, time: number, status: string): ToolRow => ({
    id,
    updatedAt: time,
    at: time,
    status,
    email: `p${n}@example.org`,
    given: 'Ann',
  })
  return {
    booking: [row(`b${n}`, at, 'accepted'), ...(seen ? [row(`s${n}`, at + 600 * minute, 'seen')] : [])],
    texts: toldAfter === null ? [] : [row(`t${n}`, at + toldAfter * minute, 'delivered')],
  }
}

beforeAll(async () => {
  const [booking, texts] = [await startPagedTool(0), await startPagedTool(0)]
  tools.push(booking, texts)
  // 30 days: 12 broken for 15 minutes, of which 3 were told after 20 to 25; 18 kept.
  const life = Array.from({ length: 30 }, (_, n) =>
    visit(n, n % 5 === 0 && n < 15 ? 20 + n / 5 : n % 10 < 3 || n === 13 || n === 14 ? null : 5, n % 2 === 0),
  )
  booking.rows = life.flatMap((one) => one.booking)
  texts.rows = life.flatMap((one) => one.texts)
  clock = movedClock(start + 30 * day)
  booking.now = texts.now = clock.at
  const ownerUrl = await main.another()
  owner = openDatabase(ownerUrl)
  workspace = await openPagedWorkspace({
    ownerUrl,
    clock,
    tools: { booking: booking.url, texts: texts.url },
    program: within(15),
  })
  await reconcile(workspace)
})
afterAll(async () => {
  await workspace.close()
  await owner.close()
  for (const tool of tools) await tool.close()
})

const run = (draft: Program | null, more: Partial<Parameters<typeof backTest>[2]> = {}) =>
  backTest(workspace.database.sql, workspace.judging, {
    programs: [{ key: 'visits', present: parsed(within(15)), draft }],
    days: 30,
    timeLimitMs: null,
    ...more,
  })

/** Every row of every table, with the transaction that wrote it: as the database's owner, whom no policy hides a row from. */
async function wholeDatabase(): Promise<Record<string, string>> {
  const tables = await owner.sql<{ name: string }[]>`select format('%I.%I', n.nspname, c.relname) as name from pg_class c
    join pg_namespace n on n.oid = c.relnamespace where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and c.relkind = 'r' order by 1`
  const content: Record<string, string> = {}
  for (const { name } of tables) {
    const [row] = await owner.sql.unsafe<{ rows: string | null }[]>(
      `select string_agg(t.xmin::text || t::text, E'\\n' order by t::text) as rows from ${name} t`,
    )
    content[name] = row?.rows ?? ''
  }
  return content
}

describe('capability 11: back-test before publishing', () => {
  it('on 30 days version 1 yields 12 gaps; the draft with 30 minutes previews 9 and lists the three that vanish, writing nothing', async () => {
    const before = await wholeDatabase()
    expect(Object.values(before).filter((rows) => rows !== '').length).toBeGreaterThan(10)
    const result = await run(parsed(within(30)))
    const [told] = result.expectations
    expect(result).toMatchObject({ share: 1, judged: 30, since: start, until: start + 30 * day })
    expect(told).toMatchObject({
      program: 'visits',
      expectation: 'told',
      before: { activations: 30, violations: 12, findings: 12 },
      after: { activations: 30, violations: 9, findings: 9 },
      appear: 0,
      vanish: 3,
      stay: 9,
      appearing: [],
    })
    const stored = await workspace.database.sql<{ id: string }[]>`
      select replace(id::text, '-', '') as id from findings where workspace_id = ${workspace.id} and kind = 'late' order by occurred_at desc`
    expect(told?.vanishing.map(({ id }) => id)).toEqual(stored.map(({ id }) => id))
    expect(told?.vanishing).toHaveLength(3)
    for (const one of told?.vanishing ?? [])
      expect(one).toMatchObject({ kind: 'late', isOpen: false, otherSide: 'satisfied', owner: 'care' })
    const journeys = await workspace.database.sql<
      { id: string }[]
    >`select replace(id::text, '-', '') as id from journeys where workspace_id = ${workspace.id}`
    const known = new Set(journeys.map(({ id }) => id))
    expect(told?.vanishing.every(({ journeyId }) => journeyId !== null && known.has(journeyId))).toBe(true)
    expect(await wholeDatabase()).toEqual(before)
  })
})

describe('a back-test', () => {
  it('tells the other way round what a stricter draft would find', async () => {
    const [told] = (await run(parsed(within(4)))).expectations
    expect(told).toMatchObject({ appear: 18, vanish: 0, stay: 12, before: { findings: 12 }, after: { findings: 30 } })
    expect(told?.appearing.every(({ otherSide, isOpen }) => otherSide === 'satisfied' && !isOpen)).toBe(true)
  })

  it('tells nothing of a draft that promises the same, whatever its text', async () => {
    const [told] = (await run(parsed(`# the same\n${within(15)}`))).expectations
    expect(told).toMatchObject({ appear: 0, vanish: 0, stay: 12 })
  })

  it('knows a renamed promise as the same, and one that is taken out as gone', async () => {
    const renamed = write('informed: { after: booked, expect: confirmed, within: 15m, renamed_from: told }')
    expect((await run(parsed(renamed))).expectations).toMatchObject([
      { expectation: 'informed', formerName: 'told', appear: 0, vanish: 0, stay: 12 },
    ])
    const removed = await run(parsed(write('once: { at_most: 1, of: booked }')))
    expect(removed.expectations).toMatchObject([
      { expectation: 'once', before: null, after: { activations: 30, findings: 0 } },
      { expectation: 'told', after: null, vanish: 12 },
    ])
    expect(removed.expectations[1]?.vanishing.every(({ otherSide }) => otherSide === 'not_promised')).toBe(true)
    expect((await run(null)).expectations).toMatchObject([{ expectation: 'told', after: null, vanish: 12 }])
  })

  it('says what applying would change at once, and what stays with journeys that had ended', async () => {
    const { expectations } = await run(parsed(write('once: { at_most: 1, of: booked }')))
    const gone = expectations[1]!
    const ended = gone.vanishing.filter(({ effect }) => effect === 'history')
    expect(gone.onApply).toEqual({ appear: 0, vanish: gone.vanish - ended.length })
    expect(ended.length).toBeGreaterThan(0)
    expect(gone.onApply.vanish).toBeGreaterThan(0)
  })

  it('counts what was promised or broken in its time alone', async () => {
    const [told] = (await run(parsed(within(30)), { days: 10 })).expectations
    expect(told).toMatchObject({ before: { activations: 10, findings: 3 }, vanish: 0 })
  })

  it('lists no more than it is asked, the latest first, and counts all', async () => {
    const [told] = (await run(parsed(within(4)), { listAtMost: 5 })).expectations
    expect(told).toMatchObject({ appear: 18 })
    expect(told?.appearing).toHaveLength(5)
    const times = told?.appearing.map(({ occurredAt }) => occurredAt ?? 0) ?? []
    expect(times).toEqual(times.toSorted((a, b) => b - a))
  })

  it('stops when its time is up and says how much it has seen', async () => {
    const result = await run(parsed(within(30)), { timeLimitMs: 0 })
    expect(result).toMatchObject({ judged: 0, share: 0 })
  })

  it('stops when nobody waits for it any more', async () => {
    await expect(run(parsed(within(30)), { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone')
  })

  it('tells how far it is', async () => {
    const shares: number[] = []
    await run(parsed(within(30)), { onProgress: ({ share }) => shares.push(share) })
    expect(shares.length).toBeGreaterThan(0)
    expect(shares.every((share) => share > 0 && share <= 1)).toBe(true)
  })
})
