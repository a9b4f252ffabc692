import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { applyPlan, readPlan } from '../../../jobs/apply-programs.ts'
import { parseProgram } from '../../../jobs/domain/parse-program.ts'
import type { ProgramSource } from '../../../jobs/domain/program-plan.ts'
import type { Workspace } from '../../../jobs/open-workspace.ts'
import { allParts } from '../../../jobs/reconcilers/judge.ts'
import { drainByProgramsInForce } from '../../../jobs/reconcilers/judge-in-force.ts'
import { judge, reconcile } from '../../../jobs/reconcilers/reconcile.ts'
import { readExpectations } from '../../../server/read-expectations.ts'
import { withDatabase } from '../../support/database.ts'
import { type PagedTool, startPagedTool } from '../../support/paged-tool.ts'
import { movedClock, openPagedWorkspace, visitProgram } from '../../support/paged-workspace.ts'

const main = await withDatabase()
const start = Date.parse('2026-03-02T09:00:00Z')
const minute = 60_000
const lenient = visitProgram.replace('within: 15m', 'within: 12h')

const sourceOf = (source: string): ProgramSource => {
  const parsed = parseProgram(source, 'visits.yaml')
  if (!parsed.ok) throw new Error(parsed.problems[0]?.message)
  return { key: parsed.program.key, source, sourceHash: source, program: parsed.program }
}

let tools: PagedTool[] = []
let workspace: Workspace
const undo: (() => Promise<void>)[] = []

beforeEach(async () => {
  tools = [await startPagedTool(0), await startPagedTool(0)]
  const clock = movedClock(start + 60 * minute)
  const [booking, texts] = tools as [PagedTool, PagedTool]
  booking.now = texts.now = clock.at
  booking.rows = [{ id: 'b1', updatedAt: start, at: start, status: 'accepted', email: 'ann@example.org', given: 'Ann' }]
  workspace = await openPagedWorkspace({ ownerUrl: await main.another(), clock, tools: { booking: booking.url, texts: texts.url } })
  undo.push(() => workspace.close(), ...tools.map((tool) => () => tool.close()))
  await reconcile(workspace)
})
afterAll(async () => {
  for (const step of undo) await step()
})

/** As another process does it: this one learns of it from the record alone. */
async function applyElsewhere(source: string, by = 'someone'): Promise<ReadonlyMap<string, number> | undefined> {
  const { sql } = workspace.database
  const plan = await readPlan(sql, workspace.id, [sourceOf(source)])
  return applyPlan(sql, workspace.id, plan, { by, now: workspace.clock.now() })
}
const findings = () =>
  workspace.database.sql<{ status: string; program_version: number }[]>`
    select status, program_version from findings where workspace_id = ${workspace.id} and expectation = 'booking-confirmed'`
const verdicts = () =>
  workspace.database.sql<{ program_version: number; state: number }[]>`
    select j.program_version, v.state from verdicts v join journeys j on j.workspace_id = v.workspace_id and j.id = v.journey_id
    where v.workspace_id = ${workspace.id} and v.expectation = 'booking-confirmed'`

describe('a process that is running while a version is applied elsewhere', () => {
  it('judges by it from then on, and shows it', async () => {
    expect(await findings()).toEqual([{ status: 'open', program_version: 1 }])
    expect(await applyElsewhere(lenient)).toEqual(new Map([['visits', 2]]))
    expect(workspace.judging.programs[0]?.version).toBe(1)
    await judge(workspace)
    expect(workspace.judging.programs[0]?.version).toBe(2)
    expect(await findings()).toEqual([{ status: 'withdrawn', program_version: 1 }])
    expect((await readExpectations(workspace)).find(({ expectation }) => expectation === 'booking-confirmed')?.promise).toContain(
      '12 hours',
    )
  })

  it('never clears the marks of a version it did not judge by: a batch that overlaps with applying is rolled back and judged again', async () => {
    const { programs } = workspace
    let asked = 0
    await drainByProgramsInForce(
      workspace.database.sql,
      {
        get mark() {
          return programs.mark
        },
        isInForce: (tx, mark) => programs.isInForce(tx, mark),
        // The first look finds nothing new, and the version comes right after it.
        refresh: async (sql) => {
          if (asked++ > 0) return programs.refresh(sql)
          await applyElsewhere(lenient)
          return false
        },
      },
      workspace.judging,
      allParts,
    )
    expect(asked).toBe(2)
    expect(await verdicts()).toEqual([{ program_version: 2, state: 0 }])
    expect(await findings()).toEqual([{ status: 'withdrawn', program_version: 1 }])
    const [left] = await workspace.database.sql<
      { n: number }[]
    >`select count(*)::int as n from dirty_components where workspace_id = ${workspace.id}`
    expect(left?.n).toBe(0)
  })

  it('a removed program is out of force at once, and its findings are withdrawn', async () => {
    const { sql } = workspace.database
    const plan = await readPlan(sql, workspace.id, [])
    expect(plan.changes).toMatchObject([{ key: 'visits', kind: 'removed' }])
    await applyPlan(sql, workspace.id, plan, { by: 'someone', now: workspace.clock.now() })
    await judge(workspace)
    expect(workspace.judging.programs).toEqual([])
    expect(await findings()).toMatchObject([{ status: 'withdrawn' }])
  })

  it('two that apply at once are serialised: one makes its version, the other is told', async () => {
    const other = lenient.replace('12h', '6h')
    const { sql } = workspace.database
    const plans = await Promise.all([lenient, other].map((source) => readPlan(sql, workspace.id, [sourceOf(source)])))
    const done = await Promise.all(plans.map((plan) => applyPlan(sql, workspace.id, plan, { by: 'someone', now: workspace.clock.now() })))
    expect(done.filter((versions) => versions === undefined)).toHaveLength(1)
    expect(done.find((versions) => versions !== undefined)).toEqual(new Map([['visits', 2]]))
    const again = await readPlan(sql, workspace.id, [sourceOf(done[0] === undefined ? other : lenient)])
    expect(again.changes).toEqual([])
  })
})
