import type { z } from '@hono/zod-openapi'
import { readStageCounts } from '../db/records/journey-counts.ts'
import {
  type ClosedCount,
  countClosed,
  countFallenDue,
  countOpened,
  countStanding,
  countStandingSubjects,
  readMostUrgent,
  readNextPromises,
  type StandingCount,
} from '../db/records/overview.ts'
import { readVerdictCounts } from '../db/records/verdict-counts.ts'
import type { Severity } from '../db/schema/words.ts'
import { verdictStates } from '../db/schema/words.ts'
import { dayStart, timeBuckets } from '../jobs/domain/time-buckets.ts'
import type { AppDeps } from './deps.ts'
import { titleOf } from './journey-view.ts'
import { readConnectionViews } from './read-connections.ts'
import { iso } from './shapes/common.ts'
import { toFindingView } from './shapes/finding.ts'
import type { overviewShape, trendsShape } from './shapes/overview.ts'
import { namesOf, viewContext } from './view-context.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const shown = 5

/** The picture as of now; `since`: when the reader last looked, epoch ms. */
export async function readOverview(deps: AppDeps, since: number | null): Promise<z.output<typeof overviewShape>> {
  const { workspace } = deps
  const { sql, db } = workspace.database
  const now = workspace.clock.now()
  const midnight = dayStart(now, workspace.timeZone)
  const yesterday = dayStart(midnight - dayMs / 2, workspace.timeZone)
  const sameTimeYesterday = Math.min(midnight, yesterday + (now - midnight))
  const [standing, subjects, opened, closed, changes, connections, verdicts, urgent, next] = await Promise.all([
    countStanding(sql, workspace.id, { now, wallNow: deps.wallNow(), ageBounds: [dayMs] }),
    countStandingSubjects(sql, workspace.id, now),
    countOpened(sql, workspace.id, [yesterday, sameTimeYesterday, midnight, now + 1]),
    countClosed(sql, workspace.id, [yesterday, sameTimeYesterday, midnight, now + 1]),
    since === null ? null : readChanges(deps, since, now),
    readConnectionViews(deps, { passes: 0, findings: false }),
    readVerdictCounts(sql, workspace.id, now),
    readMostUrgent(db, workspace.id, { now, wallNow: deps.wallNow(), limit: shown }),
    readNextPromises(sql, workspace.id, now, shown),
  ])
  const view = viewContext(deps)
  const awake = standing.filter(({ snoozed }) => !snoozed)
  return {
    asOf: iso(now),
    open: {
      findings: sumOf(awake, 'findings'),
      snoozed: sumOf(standing, 'findings') - sumOf(awake, 'findings'),
      overdue: sumOf(awake, 'overdue'),
      soon: sumOf(awake, 'soon'),
      claimed: sumOf(awake, 'claimed'),
      untouched: sumOf(awake, 'untouched'),
      subjects,
      bySeverity: bySeverity(awake),
      byOwner: byOwner(awake, view.ownerTitles),
    },
    today: {
      from: iso(midnight),
      opened: at(opened, 2),
      verified: at(verifiedOf(closed), 2),
      ended: at(closed, 2),
      before: { opened: at(opened, 0), verified: at(verifiedOf(closed), 0) },
    },
    changes,
    connections: {
      total: connections.length,
      notFresh: connections
        .filter(({ state }) => state !== 'ok' && state !== 'removed')
        .map(({ id, title, state, message, readTo }) => ({ id, title, state, message, readTo })),
    },
    unknown: {
      verdicts: verdicts.counts.states
        .filter(({ state }) => verdictStates[state] === 'unknown')
        .reduce((sum, row) => sum + row.activations, 0),
      asOf: iso(verdicts.asOf),
    },
    urgent: urgent.map((finding) => toFindingView(finding, view)),
    next: next.map(({ dueAt, ...promise }) => ({ ...promise, ...wordsOf(deps, promise), dueAt: iso(dueAt) })),
  }
}

async function readChanges({ workspace }: AppDeps, since: number, now: number) {
  const { sql } = workspace.database
  // Someone who looked at a later clock (a demo started anew) has seen everything.
  const from = Math.min(since, now)
  const bounds = [from, now + 1]
  const [opened, closed, fellDue] = await Promise.all([
    countOpened(sql, workspace.id, bounds),
    countClosed(sql, workspace.id, bounds),
    countFallenDue(sql, workspace.id, { from, to: now, now }),
  ])
  return {
    since: iso(from),
    opened: at(opened, 0),
    endedByItself: at(
      closed.filter(({ byPerson }) => !byPerson),
      0,
    ),
    endedByPeople: at(
      closed.filter(({ byPerson }) => byPerson),
      0,
    ),
    fellDue,
  }
}

const ageBounds = [hourMs, 4 * hourMs, dayMs, 3 * dayMs, 7 * dayMs, 30 * dayMs]
const ageTitles = ['< 1 h', '1–4 h', '4–24 h', '1–3 d', '3–7 d', '7–30 d', '> 30 d']

/** How it goes: a range (epoch ms) against the one before it, and how what is open is spread. */
export async function readTrends(deps: AppDeps, from: number, to: number): Promise<z.output<typeof trendsShape>> {
  const { workspace } = deps
  const { sql } = workspace.database
  const now = workspace.clock.now()
  const { unit, bounds } = timeBuckets(from, to, workspace.timeZone)
  // The period is what the buckets show, so that they add up to it.
  const begin = bounds[0] ?? from
  const before = begin - (to - begin)
  const [opened, closed, openedBefore, closedBefore, standing, stages, verdicts] = await Promise.all([
    countOpened(sql, workspace.id, bounds),
    countClosed(sql, workspace.id, bounds),
    countOpened(sql, workspace.id, [before, begin, to]),
    countClosed(sql, workspace.id, [before, begin, to]),
    countStanding(sql, workspace.id, { now, wallNow: deps.wallNow(), ageBounds }),
    readStageCounts(sql, workspace.id, now),
    readVerdictCounts(sql, workspace.id, now),
  ])
  const flow = (bucket: number, inOpened = opened, inClosed = closed) => {
    const verified = at(verifiedOf(inClosed), bucket)
    return { opened: at(inOpened, bucket), verified, endedOtherwise: at(inClosed, bucket) - verified }
  }
  const awake = standing.filter(({ snoozed }) => !snoozed)
  const ageFrom = (age: number) => (ageBounds[age] === undefined ? null : iso(now - ageBounds[age]))
  return {
    asOf: iso(now),
    unit,
    buckets: bounds.slice(0, -1).map((start, bucket) => ({ from: iso(start), to: iso(bounds[bucket + 1] ?? to), ...flow(bucket) })),
    period: { from: iso(begin), to: iso(to), ...flow(1, openedBefore, closedBefore) },
    previous: { from: iso(before), to: iso(begin), ...flow(0, openedBefore, closedBefore) },
    ages: ageTitles.map((title, age) => {
      const aged = awake.filter((row) => row.age === age)
      return {
        from: ageFrom(age),
        to: age === 0 ? null : ageFrom(age - 1),
        title,
        findings: sumOf(aged, 'findings'),
        bySeverity: bySeverity(aged),
      }
    }),
    stages: {
      asOf: iso(stages.asOf),
      programs: workspace.judging.programs.map(({ program }) => {
        const names = namesOf(workspace)(program.key)
        const own = stages.counts.filter((row) => row.program === program.key)
        const under = own.filter(({ ended }) => !ended)
        const known = [...program.steps.keys()].filter((step) => under.some(({ stage }) => stage === step))
        const others = under.map(({ stage }) => stage).filter((stage) => !known.includes(stage))
        return {
          program: program.key,
          title: program.title,
          ended: own.filter(({ ended }) => ended).reduce((sum, row) => sum + row.journeys, 0),
          stages: [...known, ...others].map((stage) => {
            const row = under.find((one) => one.stage === stage)
            return { stage, title: names.step(stage), journeys: row?.journeys ?? 0, withFindings: row?.withFindings ?? 0 }
          }),
        }
      }),
    },
    pairs: {
      asOf: iso(verdicts.asOf),
      items: workspace.judging.programs.flatMap(({ program }) =>
        program.expectations
          .filter(({ kind }) => kind === 'agree')
          .map(({ name }) => {
            const own = verdicts.counts.states.filter((row) => row.program === program.key && row.expectation === name)
            const count = (state: (typeof verdictStates)[number]) => own.find((row) => verdictStates[row.state] === state)?.activations ?? 0
            return {
              program: program.key,
              expectation: name,
              title: titleOf(program, name, namesOf(workspace)(program.key)),
              matched: count('satisfied'),
              differing: count('violated'),
              settling: count('pending'),
              unknown: count('unknown'),
            }
          }),
      ),
    },
  }
}

function wordsOf({ workspace }: AppDeps, { program: key, expectation: name }: { readonly program: string; readonly expectation: string }) {
  const program = workspace.judging.programs.find((one) => one.program.key === key)?.program
  const names = namesOf(workspace)(key)
  const expectation = program?.expectations.find((one) => one.name === name)
  return {
    programTitle: program?.title ?? key,
    title: program ? titleOf(program, name, names) : name,
    stepTitle: expectation?.kind === 'follows' ? names.step(expectation.expect) : null,
  }
}

const sumOf = (rows: readonly StandingCount[], what: 'findings' | 'overdue' | 'soon' | 'claimed' | 'untouched') =>
  rows.reduce((sum, row) => sum + row[what], 0)

const at = (rows: readonly { readonly bucket: number; readonly findings: number }[], bucket: number) =>
  rows.filter((row) => row.bucket === bucket).reduce((sum, row) => sum + row.findings, 0)

const verifiedOf = (rows: readonly ClosedCount[]) => rows.filter(({ status }) => status === 'verified')

function bySeverity(rows: readonly StandingCount[]): Partial<Record<Severity, number>> {
  const counts: Partial<Record<Severity, number>> = {}
  for (const { severity, findings } of rows) counts[severity] = (counts[severity] ?? 0) + findings
  return counts
}

function byOwner(rows: readonly StandingCount[], titles: ReadonlyMap<string, string>) {
  return [...new Set(rows.map(({ owner }) => owner))]
    .map((key) => {
      const own = rows.filter(({ owner }) => owner === key)
      const due = own.flatMap(({ nextDueAt }) => nextDueAt ?? [])
      return {
        owner: { key, title: titles.get(key) ?? key },
        findings: sumOf(own, 'findings'),
        overdue: sumOf(own, 'overdue'),
        bySeverity: bySeverity(own),
        nextDueAt: due.length === 0 ? null : iso(Math.min(...due)),
      }
    })
    .sort((a, b) => b.overdue - a.overdue || b.findings - a.findings || a.owner.title.localeCompare(b.owner.title))
}
