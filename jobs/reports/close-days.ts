import type { Sql, Tx } from '../../db/records/bulk.ts'
import {
  countUnknownSteps,
  type Cut,
  cutTransitions,
  type FlowRow,
  insertReport,
  lockReports,
  noNumber,
  readBeginning,
  readFlows,
  readLastReport,
  readReport,
  type ReportRow,
} from '../../db/records/reports.ts'
import { readStreams } from '../../db/records/streams.ts'
import { verdictStates } from '../../db/schema/words.ts'
import { defaultReports } from '../configured-reports.ts'
import { findingKinds } from '../domain/finding-kinds/index.ts'
import { balanceOf, type Flow, type Standing, standingOf } from '../domain/report/balance.ts'
import { boundsOf, dayOf, daysToClose, previousDay } from '../domain/report/report-day.ts'
import { makeReport, type Report, type ReportFrame, summaryOf, type UnreadSource } from '../domain/report/report.ts'
import type { Workspace } from '../open-workspace.ts'
import { addressOf, sightOf } from '../reconcilers/sight.ts'
import { deliveriesOf } from './deliveries.ts'

export type ReportedWorkspace = Pick<Workspace, 'id' | 'key' | 'title' | 'timeZone' | 'database' | 'clock' | 'configuration' | 'judging'>

/**
 * Closes every day that is over and stores its report, in order, once among all processes. Answers the days closed now.
 * What commits late about a closed day counts on the next one, so a stored report never changes.
 */
export async function closeDays(workspace: ReportedWorkspace, wallNow = Date.now()): Promise<readonly string[]> {
  const { sql } = workspace.database
  if ((await dueDays(sql, workspace)).length === 0) return []
  const beforeN = await cutTransitions(sql)
  if (beforeN === undefined) return []
  return sql.begin(async (tx) => {
    await lockReports(tx, workspace.id)
    const days = await dueDays(tx, workspace)
    for (const [index, day] of days.entries()) await closeDay(tx, workspace, day, { beforeN, daysAfter: days.length - index - 1, wallNow })
    return days
  }) as Promise<readonly string[]>
}

/** What a day holds: the transitions after one cut and up to another, in the zone it was closed in. */
export interface DayWindow {
  readonly startsAt: number
  readonly endsAt: number
  /** Where the day before ends. */
  readonly after: Cut
  readonly until: Cut
  readonly stored: ReportRow | undefined
  /** The last day closed before it. */
  readonly last: ReportRow | undefined
}

/** Undefined for days nothing is known of: before the beginning, or not begun. */
export async function readDayWindow(workspace: ReportedWorkspace, day: string): Promise<DayWindow | undefined> {
  const { sql } = workspace.database
  const stored = await readReport(sql, workspace.id, day)
  const last = await readLastReport(sql, workspace.id, day)
  const isNext = last?.day === previousDay(day)
  if (stored) {
    const { startsAt, endsAt, beforeN } = stored
    return { startsAt, endsAt, after: isNext ? last : { beforeN, endsAt: startsAt }, until: stored, stored, last }
  }
  const since = await readBeginning(sql, workspace.id)
  const { startsAt, endsAt } = boundsOf(day, workspace.timeZone)
  const isOver = (await readLastReport(sql, workspace.id))?.day ?? ''
  if (startsAt > workspace.clock.now() || since === null || endsAt <= since || day < isOver) return undefined
  return {
    startsAt,
    endsAt,
    after: isNext ? last : { beforeN: noNumber, endsAt: startsAt },
    until: { beforeN: noNumber, endsAt },
    stored,
    last,
  }
}

/** The report of a day: as stored; of today and of days not closed yet as it stands now; undefined for days nothing is known of. */
export async function readDayReport(workspace: ReportedWorkspace, day: string): Promise<Report | undefined> {
  const { sql } = workspace.database
  const window = await readDayWindow(workspace, day)
  if (window === undefined) return undefined
  const { startsAt, endsAt, after, until, stored, last } = window
  if (stored) return stored.body as Report
  const opening = await standingAt(sql, workspace, last, after)
  const flows = await readFlows(sql, workspace.id, after, until, startsAt)
  return makeReport(
    frameOf(workspace, day, startsAt, endsAt),
    opening,
    toFlows(flows, workspace.timeZone),
    await readSight(sql, workspace, endsAt),
  )
}

/** A stored day counted again from the transitions alone: equal to the stored one, byte by byte (semantics.md 23). */
export async function recountReport(workspace: ReportedWorkspace, day: string): Promise<Report | undefined> {
  const { sql } = workspace.database
  const window = await readDayWindow(workspace, day)
  if (window?.stored === undefined) return undefined
  const { balance: _, adjustments: __, streams, unread, ...frame } = window.stored.body as Report
  const opening = await readFlows(sql, workspace.id, null, window.after, 0)
  const flows = await readFlows(sql, workspace.id, window.after, window.until, window.startsAt)
  const earlier = standingOf(balanceOf([], toFlows(opening, frame.zone)))
  return makeReport(frame, earlier, toFlows(flows, frame.zone), { streams, unread })
}

export async function dueDays(sql: Sql | Tx, workspace: ReportedWorkspace): Promise<readonly string[]> {
  const since = await readBeginning(sql, workspace.id)
  if (since === null) return []
  const last = await readLastReport(sql, workspace.id)
  const { atMinutes } = workspace.configuration.reports ?? defaultReports
  return daysToClose({ last: last?.day ?? null, since, now: workspace.clock.now(), zone: workspace.timeZone, atMinutes })
}

async function closeDay(
  tx: Tx,
  workspace: ReportedWorkspace,
  day: string,
  { beforeN, daysAfter, wallNow }: { readonly beforeN: number; readonly daysAfter: number; readonly wallNow: number },
): Promise<void> {
  const bounds = boundsOf(day, workspace.timeZone)
  const last = await readLastReport(tx, workspace.id, day)
  const isNext = last?.day === previousDay(day)
  const startsAt = isNext ? last.endsAt : bounds.startsAt
  const cut = { beforeN: Math.max(beforeN, last?.beforeN ?? 0), endsAt: bounds.endsAt }
  const before = isNext ? last : { beforeN: cut.beforeN, endsAt: startsAt }
  const opening = isNext ? standingOf((last.body as Report).balance) : await standingAt(tx, workspace, last, before)
  const flows = await readFlows(tx, workspace.id, before, cut, startsAt)
  const report = makeReport(
    frameOf(workspace, day, startsAt, bounds.endsAt),
    opening,
    toFlows(flows, workspace.timeZone),
    await readSight(tx, workspace, bounds.endsAt),
  )
  await insertReport(
    tx,
    workspace.id,
    { day, startsAt, closedAt: report.closedAt, ...cut, summary: summaryOf(report), body: report },
    deliveriesOf(report, { workspaceKey: workspace.key, reports: workspace.configuration.reports ?? defaultReports }, daysAfter),
    wallNow,
  )
}

/** What is open at a cut after the last closed day. */
async function standingAt(
  sql: Sql | Tx,
  workspace: ReportedWorkspace,
  last: ReportRow | undefined,
  cut: Cut,
): Promise<readonly Standing[]> {
  const opening = last === undefined ? [] : standingOf((last.body as Report).balance)
  const flows = await readFlows(sql, workspace.id, last ?? null, cut, 0)
  return standingOf(balanceOf(opening, toFlows(flows, workspace.timeZone)))
}

function frameOf(workspace: ReportedWorkspace, day: string, startsAt: number, endsAt: number): ReportFrame {
  const { configuration } = workspace
  const titled = (entries: readonly { readonly key: string; readonly title: string }[]) =>
    Object.fromEntries(entries.map(({ key, title }) => [key, title]))
  return {
    day,
    zone: workspace.timeZone,
    startsAt,
    endsAt,
    closedAt: workspace.clock.now(),
    workspace: workspace.title,
    consoleUrl: (configuration.reports ?? defaultReports).consoleUrl,
    titles: {
      program: titled(workspace.judging.programs.map(({ program }) => ({ key: program.key, title: program.title }))),
      owner: titled(configuration.owners),
      site: titled(configuration.sites ?? []),
      kind: titled(findingKinds.map(({ kind, title }) => ({ key: kind, title }))),
    },
  }
}

async function readSight(
  sql: Sql | Tx,
  workspace: ReportedWorkspace,
  endsAt: number,
): Promise<{ readonly streams: number; readonly unread: readonly UnreadSource[] }> {
  const isGoingOn = workspace.clock.now() < endsAt
  const promises = workspace.judging.programs.flatMap(({ program }) =>
    program.expectations.map(({ name }) => ({ program: program.key, expectation: name })),
  )
  const streams = await readStreams(sql, workspace.id)
  const unknown = await countUnknownSteps(sql, workspace.id, promises, verdictStates.indexOf('unknown'), endsAt)
  const sight = sightOf(streams, workspace.judging.linkedBy ?? new Map())
  const titles = new Map(workspace.configuration.connections.map(({ id, title }) => [id, title]))
  const unread = streams.flatMap((stream): UnreadSource[] => {
    const address = addressOf(stream)
    const read = sight.get(address)
    const readTo = read === undefined || read.watermark === null || read.setAside ? null : read.watermark - read.lagMs
    const count = unknown.get(address) ?? 0
    const reason = stream.setAsideReason ?? (stream.state === 'ok' ? null : (stream.stateReason ?? stream.state.replaceAll('_', ' ')))
    // A day that goes on is read to its end by nobody: then only what is unknown or in the way is worth a word.
    const isRead = read?.final || (readTo !== null && (readTo >= endsAt || (isGoingOn && reason === null)))
    if (count === 0 && isRead) return []
    return [
      {
        stream: address,
        title: `${titles.get(stream.connection) ?? stream.connection}: ${stream.title}`,
        readTo,
        reason,
        unknown: count,
      },
    ]
  })
  return { streams: streams.length, unread }
}

function toFlows(rows: readonly FlowRow[], zone: string): readonly Flow[] {
  return rows.map(({ aboutAt, ...row }) => ({ ...row, about: aboutAt === null ? null : dayOf(aboutAt, zone) }) as Flow)
}
