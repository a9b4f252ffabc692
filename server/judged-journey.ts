import type { JourneyRow } from '../db/schema/journeys.ts'
import { readSubjects } from '../db/records/judgement.ts'
import { readStreams } from '../db/records/streams.ts'
import { compareEvents, eventKey } from '../jobs/domain/correlate.ts'
import { groupObjects, type ObjectRoots } from '../jobs/domain/correlate-objects.ts'
import { findSubjectOccurrences } from '../jobs/domain/correlate-program.ts'
import type { Occurrence, StreamRead } from '../jobs/domain/expectations/expectation.ts'
import type { EventFact, RecordFact } from '../jobs/domain/facts.ts'
import type { ComponentFacts, ComponentJudgement, JudgedJourney } from '../jobs/domain/judge-component.ts'
import { judgeComponent } from '../jobs/domain/judge-component.ts'
import type { Link } from '../jobs/domain/identity/resolution.ts'
import type { Program } from '../jobs/domain/program.ts'
import { readHotTokens } from '../db/records/components.ts'
import { versionOf } from '../jobs/domain/program-versions.ts'
import { loadComponent } from '../jobs/reconcilers/load-component.ts'
import { sightOf } from '../jobs/reconcilers/sight.ts'
import type { AppDeps } from './deps.ts'

/** A journey judged anew from its facts: what its page shows beyond the stored row. */
export interface JudgedJourneyView {
  readonly program: Program
  readonly journey: JudgedJourney
  readonly records: ReadonlyMap<string, RecordFact>
  /** Events of the journey's time in every tool, in canonical order, with the steps they are. */
  readonly events: readonly {
    readonly id: string
    readonly record: RecordFact
    readonly event: EventFact
    readonly occurrences: readonly Occurrence[]
  }[]
  readonly links: readonly Link[]
  readonly streams: ReadonlyMap<string, StreamRead>
}

/** Undefined when the facts have moved on since the row was read: judging again will tell. */
export async function judgeJourneyAnew(deps: Pick<AppDeps, 'workspace'>, row: JourneyRow): Promise<JudgedJourneyView | undefined> {
  const { sql } = deps.workspace.database
  const { judging } = deps.workspace
  const rows = await readStreams(sql, deps.workspace.id)
  const addresses = new Map(rows.map((stream) => [stream.id, `${stream.connection}.${stream.name}`]))
  const streams = sightOf(rows, judging.linkedBy ?? new Map())
  const facts = await loadComponent(sql, deps.workspace.id, row.componentId, (id) => addresses.get(id) ?? `unknown.${id}`)
  const judgement = judgeComponent({
    ...facts,
    hotTokens: await readHotTokens(sql, deps.workspace.id),
    decisions: judging.decisions,
    programs: judging.programs,
    context: { now: deps.workspace.clock.now(), streams },
  })
  const journey = judgement.journeys.find((one) => one.key === row.id)
  const program = versionOf(judging.programs, row.program, journey?.programVersion ?? null)?.program
  if (!journey || !program) return undefined
  const subject = journey.subjectIndex === null ? undefined : judgement.subjects[journey.subjectIndex]
  const following = judgement.journeys
    .filter((one) => one.program === journey.program && one.subjectIndex === journey.subjectIndex && sameObject(one, journey))
    .filter((one) => one.startedAt > journey.startedAt)
    .map((one) => one.startedAt)
  const until = Math.min(Number.POSITIVE_INFINITY, ...following)
  return {
    program,
    journey,
    records: new Map(facts.records.map((record) => [record.id, record])),
    events: eventsOf(program, journey, judgement, facts, until),
    links: subject?.links ?? [],
    streams,
  }
}

/** The subject of a stored journey, for the reasons of its links. */
export async function readLinks(deps: AppDeps, row: JourneyRow) {
  const subjects = await readSubjects(deps.workspace.database.sql, deps.workspace.id, [row.componentId])
  return subjects.find((subject) => subject.id === row.subjectId)?.links ?? []
}

function sameObject(a: JudgedJourney, b: JudgedJourney): boolean {
  return a.object?.id === b.object?.id && a.object?.type === b.object?.type
}

function eventsOf(
  program: Program,
  journey: JudgedJourney,
  { subjects }: ComponentJudgement,
  facts: Pick<ComponentFacts, 'records' | 'events'>,
  until: number,
): JudgedJourneyView['events'] {
  const objects = groupObjects(facts.records)
  return subjects
    .flatMap(({ recordIds }, subjectIndex) => {
      const isOwn = subjectIndex === journey.subjectIndex
      if (!isOwn && journey.object === null) return []
      const own = new Set(recordIds)
      const records = facts.records.filter((record) => own.has(record.id))
      const occurrences = findSubjectOccurrences(program, records, facts.events, objects)
      const ofRecord = Map.groupBy(occurrences, ({ record }) => record.id)
      const steps = Map.groupBy(occurrences, ({ event }) => eventKey(event))
      return records
        .filter((record) => journey.object === null || concerns(record, ofRecord.get(record.id) ?? [], journey.object, objects, isOwn))
        .flatMap((record) => (facts.events.get(record.id) ?? []).map((event) => ({ record, event, id: eventKey(event) })))
        .map((one) => ({ ...one, occurrences: steps.get(one.id) ?? [] }))
    })
    .filter(({ event }) => event.occurredAt >= journey.startedAt && event.occurredAt < until)
    .sort((a, b) => compareEvents(a.event, b.event))
}

/**
 * A journey of an object shows, whoever they are about, the records that name it or that were given to it by time;
 * of its own subject also those that nothing ties to an object of its type.
 */
function concerns(
  record: RecordFact,
  occurrences: readonly Occurrence[],
  object: NonNullable<JudgedJourney['object']>,
  objects: ObjectRoots,
  isOwnSubject: boolean,
): boolean {
  const ids = [...objects.of(record), ...occurrences.flatMap((one) => one.inferred ?? [])].filter(({ type }) => type === object.type)
  return ids.length === 0 ? isOwnSubject : ids.some(({ id }) => id === object.id)
}
