import { countPromiseFindings } from '../db/records/activations.ts'
import { readConnections } from '../db/records/connections.ts'
import { readJobBeat } from '../db/records/heartbeats.ts'
import { readSights } from '../db/records/sights.ts'
import { readStreams } from '../db/records/streams.ts'
import { readVerdictCounts } from '../db/records/verdict-counts.ts'
import type { StreamRow } from '../db/schema/streams.ts'
import type { FindingStatus } from '../db/schema/words.ts'
import { verdictStates } from '../db/schema/words.ts'
import { isOpen } from '../jobs/domain/finding-lifecycle.ts'
import { kindsOf, neededStreams } from '../jobs/domain/promise.ts'
import { routeFinding } from '../jobs/domain/route-finding.ts'
import { sightOf } from '../jobs/reconcilers/sight.ts'
import type { AppDeps } from './deps.ts'
import { type KnownPromise, summarise } from './read-expectations.ts'
import { iso } from './shapes/common.ts'
import { streamState } from './shapes/connection.ts'
import type { ExpectationView } from './shapes/expectation.ts'
import { connectionOf } from './shapes/finding.ts'
import { connectionTitles, ownerTitles } from './view-context.ts'

/** A promise as the console shows it, with what the rest of its page is read by. */
export interface PromiseView {
  readonly promise: KnownPromise
  readonly view: ExpectationView
}

/** Endings after which nobody had anything to do. */
const noise: ReadonlySet<string> = new Set(['false_alarm', 'void', 'withdrawn'] satisfies FindingStatus[])

/** Every promise with its counts, findings and coverage. */
export async function readPromises(
  deps: AppDeps,
): Promise<{ readonly items: readonly PromiseView[]; readonly asOf: number; readonly judgedAt: number | null }> {
  const { workspace } = deps
  const { sql } = workspace.database
  const now = workspace.clock.now()
  const [verdicts, findings, coverageOf, judgedAt] = await Promise.all([
    readVerdictCounts(sql, workspace.id, now),
    countPromiseFindings(sql, workspace.id),
    readCoverage(deps, now),
    readJobBeat(sql, workspace.id, 'judge'),
  ])
  const titles = ownerTitles(deps)
  const items = summarise(workspace, verdicts.counts).map(({ promise, summary }): PromiseView => {
    const { program, expectation, called, isInForce } = promise
    const isOwn = (row: { readonly program: string; readonly expectation: string }) =>
      row.program === program.key && called.has(row.expectation)
    const own = findings.filter(isOwn)
    const ended = own.filter(({ status }) => !isOpen(status as FindingStatus))
    const coverage = coverageOf(promise)
    const { owner } = routingOf(deps, promise)[0] ?? { owner: program.owner }
    const voids = verdicts.counts.states.filter((row) => isOwn(row) && verdictStates[row.state] === 'void')
    return {
      promise,
      view: {
        program: program.key,
        programTitle: program.title,
        expectation: expectation.name,
        called: [...called].sort(),
        isInForce,
        kind: expectation.kind,
        title: summary.title,
        promise: summary.promise,
        severity: expectation.severity,
        owner: { key: owner, title: titles.get(owner) ?? owner },
        budget: summary.budget,
        activations: summary.activations,
        states: { ...summary.states, ...(voids.length === 0 ? {} : { void: voids.reduce((sum, row) => sum + row.verdicts, 0) }) },
        violations: summary.violations,
        journeys: summary.journeys,
        findings: {
          open: sumOf(own.filter(({ status }) => isOpen(status as FindingStatus))),
          ended: sumOf(ended),
          noise: sumOf(ended.filter(({ status }) => noise.has(status))),
        },
        coverage,
        readTo: leastReadTo(coverage),
      },
    }
  })
  return { items, asOf: verdicts.asOf, judgedAt }
}

/** Who gets each kind of finding this promise can open, by the routes in force. A route by site may still send one elsewhere. */
export function routingOf(
  { workspace }: Pick<AppDeps, 'workspace'>,
  { program, expectation }: Pick<KnownPromise, 'program' | 'expectation'>,
): { kind: string; owner: string; reason: string }[] {
  const connections = [...new Set(neededStreams(program, expectation).map(({ stream }) => connectionOf(stream)))]
  return kindsOf(expectation).map((kind) => ({
    kind,
    ...routeFinding(workspace.judging.routing, {
      kind,
      program: program.key,
      expectation: expectation.name,
      severity: expectation.severity,
      connections,
      site: null,
      expectationOwner: expectation.owner,
      programOwner: program.owner,
    }),
  }))
}

type Coverage = ExpectationView['coverage']

/** How far the streams of a promise were read, and how they stand. */
async function readCoverage(deps: AppDeps, now: number): Promise<(promise: Pick<KnownPromise, 'program' | 'expectation'>) => Coverage> {
  const { database, id, judging } = deps.workspace
  const [rows, connections, sights] = await Promise.all([
    readStreams(database.sql, id),
    readConnections(database.db, id),
    readSights(database.sql, id),
  ])
  const reads = sightOf(rows, judging.linkedBy ?? new Map())
  const drifting = new Set(sights.filter(({ drifts }) => drifts.length > 0).map(({ stream }) => stream))
  const statuses: ReadonlyMap<string, { readonly stream: StreamRow } & ReturnType<typeof streamState>> = new Map(
    connections.flatMap(({ connection, streams }) =>
      streams.map(
        (stream) => [`${connection.id}.${stream.name}`, { stream, ...streamState(connection, stream, { now, drifting }) }] as const,
      ),
    ),
  )
  const titles = connectionTitles(deps.workspace)
  return ({ program, expectation }) =>
    neededStreams(program, expectation).map(({ stream, why }) => {
      const read = reads.get(stream)
      const status = statuses.get(stream)
      const connection = connectionOf(stream)
      return {
        stream,
        title: status?.stream.title ?? stream,
        connection,
        connectionTitle: titles.get(connection) ?? connection,
        why,
        readTo: read === undefined || read.watermark === null ? null : iso(read.final ? now : Math.min(now, read.watermark - read.lagMs)),
        state: status?.state ?? 'new',
        reason: status?.reason ?? null,
      }
    })
}

export function leastReadTo(coverage: Coverage): string | null {
  const needed = coverage.filter(({ why }) => why === 'shows')
  if (needed.length === 0 || needed.some(({ readTo }) => readTo === null)) return null
  return needed.flatMap(({ readTo }) => readTo ?? []).sort()[0] ?? null
}

const sumOf = (rows: readonly { readonly findings: number }[]) => rows.reduce((sum, row) => sum + row.findings, 0)
