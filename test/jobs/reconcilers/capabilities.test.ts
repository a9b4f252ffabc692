// Capabilities 2, 3 and 13 of product.md, from what a tool answers to the finding and back.
import { afterAll, describe, expect, it } from 'vitest'
import { reconcile } from '../../../jobs/reconcilers/reconcile.ts'
import { withDatabase } from '../../support/database.ts'
import { type PagedTool, startPagedTool, type ToolRow } from '../../support/paged-tool.ts'
import { movedClock, openPagedWorkspace } from '../../support/paged-workspace.ts'

const main = await withDatabase()
const at = (time: string): number => Date.parse(`2026-03-02T${time}Z`)
const day = 86_400_000
const opened: { close(): Promise<unknown> }[] = []
afterAll(async () => {
  for (const one of opened) await one.close()
})

/** A world of paged tools by name; `read` moves their clocks and reconciles. */
async function worldOf(names: readonly string[], program: string) {
  const tools = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await startPagedTool(0)] as const)))
  const clock = movedClock(0)
  const workspace = await openPagedWorkspace({
    ownerUrl: await main.another(),
    clock,
    tools: Object.fromEntries(names.map((name) => [name, tools[name]?.url ?? ''])),
    program,
  })
  opened.push(workspace, ...Object.values(tools))
  const { sql } = workspace.database
  return {
    tool: (name: string) => tools[name] as PagedTool,
    /** `readTo`: how far a tool lets itself be read, where that is not now. */
    read: async (now: number, readTo: Readonly<Record<string, number>> = {}) => {
      clock.at = now
      for (const name of names) (tools[name] as PagedTool).now = readTo[name] ?? now
      await reconcile(workspace, { pageSize: 3 })
    },
    findings: () => sql<Record<string, unknown>[]>`
      select id, kind, status, closed_reason, occurrences, evidence, detail, due_at, object_id from findings where kind <> 'blind' order by opened_at, id`,
    verdicts: () => sql<{ state: number; due_at: Date | null; unread_stream: string | null; read_to: Date | null }[]>`
      select state, due_at, unread_stream, read_to from verdicts order by due_at`,
  }
}

const row = (id: string, status: string, when: number, more: Partial<ToolRow> = {}): ToolRow => ({
  id,
  status,
  at: when,
  updatedAt: when,
  email: 'ann@example.org',
  given: 'Ann',
  ...more,
})

describe('capability 2: duplicates that name their culprits, through the whole pipeline', () => {
  const program = `
program: visits
title: Visits
owner: care
journey: { per: subject, starts: booked, abandon_after: 90d }
steps:
  booked:    { stream: booking.rows, when: { status: accepted } }
  confirmed: { stream: texts.rows, when: { status: delivered } }
expectations:
  one-confirmation: { at_most: 1, of: confirmed, per: appointment, window: 24h }
`
  const confirmed = (id: string, when: number, actor: string, appointment: string) => row(id, 'delivered', when, { actor, appointment })

  it('lists both with their automations, once, however often they are read', async () => {
    const world = await worldOf(['booking', 'texts'], program)
    world.tool('booking').rows = [row('b1', 'accepted', at('09:00:00'), { appointment: 'b1' })]
    world.tool('texts').rows = [confirmed('m1', at('09:01:00'), 'wf-12', 'b1'), confirmed('m2', at('09:01:40'), 'zap-7', 'b1')]
    await world.read(at('10:00:00'))
    await world.read(at('10:05:00'))
    const findings = await world.findings()
    expect(findings).toMatchObject([{ kind: 'duplicate', status: 'open', detail: { overlap: 'wf-12 × zap-7', spanMs: 40_000 } }])
    expect(findings[0]?.evidence).toMatchObject([
      { role: 'culprit', externalId: 'm1', actor: { id: 'wf-12' } },
      { role: 'culprit', externalId: 'm2', actor: { id: 'zap-7' } },
    ])
  })

  it('finds none for two appointments with one each', async () => {
    const world = await worldOf(['booking', 'texts'], program)
    world.tool('booking').rows = ['b1', 'b2'].map((id) => row(id, 'accepted', at('09:00:00'), { appointment: id }))
    world.tool('texts').rows = [confirmed('m1', at('09:01:00'), 'wf-12', 'b1'), confirmed('m2', at('09:01:40'), 'zap-7', 'b2')]
    await world.read(at('10:00:00'))
    expect(await world.findings()).toEqual([])
  })
})

describe('capability 3: drift contracts, through the whole pipeline', () => {
  const program = `
program: visits
title: Visits
owner: care
journey: { per: subject, starts: booked, abandon_after: 90d }
steps:
  booked: { stream: booking.rows, when: { status: accepted } }
expectations:
  calendar-agrees:
    agree:
      booking.rows.status: { accepted: on, cancelled: off }
      ehr.rows.status: { booked: on, cancelled: off }
    per: appointment
    authority: booking.rows.status
    settle: 30m
`
  const appointment = { appointment: 'b1' }
  /** Booked in both at 08:00, cancelled in the calendar at 10:00. */
  async function cancelledInOne() {
    const world = await worldOf(['booking', 'ehr'], program)
    world.tool('booking').rows = [row('b1', 'accepted', at('08:00:00'), appointment)]
    world.tool('ehr').rows = [row('a1', 'booked', at('08:01:00'), appointment)]
    await world.read(at('09:00:00'))
    world.tool('booking').rows = [row('b1', 'cancelled', at('10:00:00'), appointment)]
    return world
  }

  it('says nothing before the settle time is over, then one drift with both values and the authority', async () => {
    const world = await cancelledInOne()
    await world.read(at('10:29:00'))
    expect(await world.findings()).toEqual([])
    await world.read(at('10:31:00'))
    const findings = await world.findings()
    expect(findings).toMatchObject([
      { kind: 'drift', status: 'open', detail: { authorityValue: 'cancelled', otherValue: 'booked', authority: 'booking.rows.status' } },
    ])
    expect(findings[0]?.evidence).toMatchObject([
      { stream: 'booking.rows', status: 'cancelled', observedAt: at('10:29:00') },
      { stream: 'ehr.rows', status: 'booked', observedAt: at('09:00:00') },
    ])
  })

  it('keeps one finding while a tool flips, and counts the flips', async () => {
    const world = await cancelledInOne()
    await world.read(at('10:31:00'))
    const [before] = await world.findings()
    world.tool('ehr').rows = [row('a1', 'cancelled', at('10:35:00'), appointment)]
    await world.read(at('10:36:00'))
    world.tool('ehr').rows = [row('a1', 'booked', at('10:45:00'), appointment)]
    await world.read(at('10:46:00'))
    expect(await world.findings()).toMatchObject([{ id: before?.id, kind: 'drift', status: 'open', occurrences: 3 }])
  })

  it('is unknown while the other tool is not read far enough', async () => {
    const world = await cancelledInOne()
    await world.read(at('10:31:00'), { ehr: at('10:29:00') })
    expect(await world.findings()).toEqual([])
    expect(await world.verdicts()).toMatchObject([{ state: 4, unread_stream: 'ehr.rows', read_to: new Date(at('10:29:00')) }])
  })
})

describe('capability 13: deadlines that follow reality, through the whole pipeline', () => {
  const program = `
program: visits
title: Visits
owner: care
timezone: America/New_York
journey: { per: subject, starts: booked, abandon_after: 90d }
steps:
  booked:   { stream: booking.rows, when: { status: accepted }, undone_when: { status: cancelled } }
  reminded: { stream: texts.rows, when: { status: delivered } }
expectations:
  reminded-the-day-before: { after: booked, expect: reminded, within: 24h before booked.startsAt, per: appointment }
`
  const booked = (status: string, when: number, startsAt: string) => row('b1', status, when, { appointment: 'b1', ops: { startsAt } })

  it('moves with a reschedule, closes what was missed before it, and is voided by a cancellation', async () => {
    const world = await worldOf(['booking', 'texts'], program)
    world.tool('booking').rows = [booked('accepted', at('09:00:00'), '2026-03-06T10:00:00-05:00')]
    await world.read(Date.parse('2026-03-05T16:00:00Z'))
    expect(await world.findings()).toMatchObject([{ kind: 'gap', status: 'open' }])

    // The clocks go forward on 8 March: 24 hours before ten o'clock of the 12th is ten o'clock of the 11th, an hour earlier in UTC.
    const moved = Date.parse('2026-03-05T17:00:00Z')
    world.tool('booking').rows = [booked('accepted', moved, '2026-03-12T10:00:00-04:00')]
    await world.read(moved + 60_000)
    expect(await world.findings()).toMatchObject([{ kind: 'gap', closed_reason: expect.anything() }])
    expect(await world.verdicts()).toMatchObject([{ state: 0, due_at: new Date('2026-03-11T14:00:00Z') }])

    world.tool('booking').rows = [booked('cancelled', moved + day, '2026-03-12T10:00:00-04:00')]
    await world.read(Date.parse('2026-03-12T20:00:00Z'))
    const findings = await world.findings()
    expect(findings.filter((each) => each.closed_reason === null)).toEqual([])
    expect((await world.verdicts()).map((each) => each.state)).toEqual([6])
  })
})
