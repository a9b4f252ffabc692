import { hexOf, partCount, type Sql, type Tx } from '../../db/records/bulk.ts'
import { countStaleFlows, noteTraced, type PathRow, readStalePaths, writePaths } from '../../db/records/journey-paths.ts'
import { type JourneyRow, readJourneys, readSubjects } from '../../db/records/judgement.ts'
import { readStreams } from '../../db/records/streams.ts'
import { groupObjects } from '../domain/correlate-objects.ts'
import { findSubjectOccurrences } from '../domain/correlate-program.ts'
import type { Occurrence } from '../domain/expectations/expectation.ts'
import { pathOf, timeBounds } from '../domain/journey-path.ts'
import type { Program } from '../domain/program.ts'
import { versionOf } from '../domain/program-versions.ts'
import type { Workspace } from '../open-workspace.ts'
import type { JudgeDeps } from './judge.ts'
import { type ComponentFacts, loadComponents } from './load-component.ts'
import { addressOf } from './sight.ts'

export interface TraceCount {
  readonly journeys: number
  readonly days: number
  /** Nothing was left to do when it ended. */
  readonly complete: boolean
}

const journeysPerBatch = 400
const partsAtOnce = 16
const daysAtOnce = 31

/**
 * Brings the paths of journeys, and the flows counted from them, to what the journeys are now: from whole state, so safe to run at any time
 * and twice. `isOver` is asked between batches: it bounds how long one run may work.
 */
export async function traceJourneys(
  sql: Sql,
  deps: Pick<JudgeDeps, 'workspaceId' | 'programs'>,
  isOver: () => boolean = () => false,
): Promise<TraceCount> {
  let journeys = 0
  let days = 0
  for (let part = 0; part < partCount; part += partsAtOnce) {
    for (;;) {
      const traced = await traceBatch(sql, deps, [part, part + partsAtOnce - 1])
      journeys += traced
      if (isOver()) return { journeys, days, complete: false }
      if (traced < journeysPerBatch) break
    }
  }
  for (;;) {
    const counted = await countStaleFlows(sql, deps.workspaceId, timeBounds, daysAtOnce)
    days += counted
    if (counted < daysAtOnce) return { journeys, days, complete: true }
    if (isOver()) return { journeys, days, complete: false }
  }
}

/** Traces for as long as it may, and notes as of when the paths are whole once they are. */
export async function keepPaths(
  workspace: Pick<Workspace, 'database' | 'judging' | 'clock'>,
  { forMs, wallNow }: { readonly forMs: number; readonly wallNow: () => number },
): Promise<TraceCount> {
  const { sql } = workspace.database
  const asOf = workspace.clock.now()
  const started = wallNow()
  const count = await traceJourneys(sql, workspace.judging, () => wallNow() - started >= forMs)
  if (count.complete) await noteTraced(sql, workspace.judging.workspaceId, { asOf, wallNow: wallNow(), tookMs: wallNow() - started })
  return count
}

/** One snapshot: the paths written are those of the journeys whose rows they name. */
async function traceBatch(sql: Sql, deps: Pick<JudgeDeps, 'workspaceId' | 'programs'>, parts: readonly [number, number]): Promise<number> {
  return sql.begin('isolation level repeatable read', async (tx) => {
    const stale = await readStalePaths(tx, deps.workspaceId, parts, journeysPerBatch)
    if (stale.length === 0) return 0
    const components = [...new Set(stale.flatMap(({ componentId }) => componentId ?? []))].sort()
    const rows = await tracePaths(tx, deps, components, new Set(stale.map(({ journeyId }) => journeyId)))
    await writePaths(
      tx,
      deps.workspaceId,
      rows,
      stale.filter(({ componentId }) => componentId === null),
    )
    return stale.length
  }) as Promise<number>
}

async function tracePaths(
  tx: Tx,
  { workspaceId, programs }: Pick<JudgeDeps, 'workspaceId' | 'programs'>,
  components: readonly string[],
  wanted: ReadonlySet<string>,
): Promise<PathRow[]> {
  if (components.length === 0) return []
  const addresses = new Map((await readStreams(tx, workspaceId)).map((stream) => [stream.id, addressOf(stream)]))
  const facts = await loadComponents(tx, workspaceId, components, (id) => addresses.get(id) ?? `unknown.${id}`)
  const subjects = Map.groupBy(await readSubjects(tx, workspaceId, components), ({ componentId }) => componentId)
  const journeys = Map.groupBy(await readJourneys(tx, workspaceId, components), ({ componentId }) => componentId)
  return [...journeys].flatMap(([component, own]) => {
    const recordsOf = new Map(
      (subjects.get(component) ?? []).map(({ id, links }) => [id, new Set(links.map(([record]) => hexOf(record)))] as const),
    )
    const occurrencesIn = occurrencesBySubject(facts.get(component) ?? { records: [], events: new Map() }, recordsOf)
    return own
      .filter(({ id }) => wanted.has(id))
      .map((journey): PathRow => {
        const program = versionOf(programs, journey.program, journey.programVersion)?.program
        const path = program === undefined ? [] : pathOf(occurrencesOf(journey, own, (subject) => occurrencesIn(program, subject)))
        return {
          journeyId: journey.id,
          componentId: component,
          steps: path.map(({ step }) => step),
          gaps: path.map(({ at }, index) => Math.max(0, Math.round((at - (path[index - 1]?.at ?? journey.startedAt)) / 1000))),
        }
      })
  })
}

type FoundIn = (program: Program, subject: string | null) => readonly Occurrence[]

/** The occurrences of a program in the records of one subject, or of all (null), found once. */
function occurrencesBySubject(facts: ComponentFacts, recordsOf: ReadonlyMap<string, ReadonlySet<string>>): FoundIn {
  const objects = groupObjects(facts.records)
  const found = new Map<Program, Map<string, readonly Occurrence[]>>()
  const findIn = (program: Program, subject: string): readonly Occurrence[] => {
    const known = found.get(program) ?? new Map<string, readonly Occurrence[]>()
    found.set(program, known)
    const ids = recordsOf.get(subject) ?? new Set<string>()
    const list =
      known.get(subject) ??
      findSubjectOccurrences(
        program,
        facts.records.filter(({ id }) => ids.has(id)),
        facts.events,
        objects,
      )
    known.set(subject, list)
    return list
  }
  return (program, subject) =>
    subject === null ? [...recordsOf.keys()].flatMap((each) => findIn(program, each)) : findIn(program, subject)
}

/** What happened in a journey: from its beginning until the next one of the same subject or object (semantics.md 7). */
function occurrencesOf(
  journey: JourneyRow,
  all: readonly JourneyRow[],
  foundIn: (subject: string | null) => readonly Occurrence[],
): readonly Occurrence[] {
  const { objectType: type, objectId: id } = journey
  const next = all
    .filter((one) => one.program === journey.program && one.startedAt > journey.startedAt)
    .filter((one) => (type === null ? one.subjectId === journey.subjectId : one.objectType === type && one.objectId === id))
  const until = Math.min(Number.POSITIVE_INFINITY, ...next.map(({ startedAt }) => startedAt))
  // A journey of an object may have steps in the records of several subjects.
  return foundIn(type === null ? (journey.subjectId ?? '') : null)
    .filter(({ at }) => at >= journey.startedAt && at < until)
    .filter(
      (one) => type === null || [...one.objects, ...(one.inferred ? [one.inferred] : [])].some((of) => of.type === type && of.id === id),
    )
    .sort((a, b) => a.at - b.at)
}
