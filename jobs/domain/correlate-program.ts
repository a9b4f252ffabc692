import { compareOccurrences, compileProgram, findInRecord, inOrder, sortNearly } from './correlate.ts'
import type { CompiledProgram, FoundRecord, OpenOccurrence } from './correlate.ts'
import { mergeEvents, segmentJourneys } from './correlate-journeys.ts'
import type { Journey } from './correlate-journeys.ts'
import { attachMessages } from './correlate-messages.ts'
import type { Ambiguous } from './correlate-messages.ts'
import type { ObjectId, ObjectRoots } from './correlate-objects.ts'
import { FoundScope } from './correlate-scope.ts'
import type { ComparedRecord } from './correlate-scope.ts'
import type { JudgeContext, Occurrence, Scope } from './expectations/expectation.ts'
import type { EventFact, RecordFact } from './facts.ts'
import type { Program } from './program.ts'

/** The records of one component, cut into subjects, as every program sees them. */
export interface Component {
  readonly subjects: readonly (readonly RecordFact[])[]
  readonly eventsByRecord: ReadonlyMap<string, readonly EventFact[]>
  readonly objects: ObjectRoots
}

export interface CorrelatedJourney {
  readonly journey: Journey
  readonly subjectIndex: number
  readonly object: ObjectId | null
  readonly scope: FoundScope
}

/** One program over one component: what its expectations are judged on. */
export interface Correlation {
  readonly journeys: readonly CorrelatedJourney[]
  /** By object type of `per`: each object that a journey knows of, with the index of that journey. */
  readonly objectScopes: ReadonlyMap<string, readonly ObjectScope[]>
  /** What is in no journey, by subject; judged only by `belongs`. */
  readonly outside: readonly { readonly scope: Scope; readonly subjectIndex: number }[]
}

export interface ObjectScope {
  readonly scope: Scope
  readonly journey: number
}

interface Subject {
  readonly found: readonly FoundRecord[]
  readonly occurrences: readonly OpenOccurrence[]
  readonly ambiguous: readonly Ambiguous[]
  /** What `agree` compares. */
  readonly compared: ComparedRecord[]
}

const nothing: readonly never[] = []
const noObjectScopes: Correlation['objectScopes'] = new Map()

/** Events to objects and journeys (semantics.md 5, 7, 8). Pure, and the same for any order of its inputs. */
export function correlateProgram(prepared: CompiledProgram, component: Component, context: JudgeContext): Correlation {
  const perObject = prepared.program.journey.per === 'subject' ? null : prepared.program.journey.per
  const subjects: Subject[] = []
  for (let index = 0; index < component.subjects.length; index++) subjects.push(findSubject(prepared, index, component))
  const journeys: CorrelatedJourney[] = []

  // 1. Journeys of each subject, or of each object.
  if (perObject === null) {
    for (let index = 0; index < subjects.length; index++) {
      const { found, occurrences } = subjects[index]!
      if (occurrences.length === 0) continue
      for (const journey of segmentJourneys(prepared, occurrences, mergeEvents(found), context)) {
        const key = journey.start.key
        journeys.push({
          journey,
          subjectIndex: index,
          object: null,
          scope: new FoundScope(key, null, journey.occurrences, nothing, journey, found),
        })
      }
    }
  } else {
    for (const [id, { found, occurrences, ambiguous, compared }] of groupByObject(subjects, perObject, component.objects)) {
      const object = { type: perObject, id }
      for (const journey of segmentJourneys(prepared, occurrences, mergeEvents(found), context)) {
        const scope = new FoundScope(keyOf(journey, object), object, journey.occurrences, ambiguous, journey, found)
        scope.records = compared
        journeys.push({ journey, subjectIndex: journey.start.subjectIndex, object, scope })
      }
    }
  }
  if (prepared.agreesPerJourney && perObject === null) addRecords(subjects, journeys)

  // 2. Objects within them.
  let objectScopes = noObjectScopes
  if (prepared.objectTypes.length > 0 && journeys.length > 0) {
    const journeyOf = new Map<Occurrence, number>()
    for (const [index, { journey }] of journeys.entries()) {
      for (const one of journey.occurrences) if (!journeyOf.has(one)) journeyOf.set(one, index)
    }
    objectScopes = new Map(prepared.objectTypes.map((type) => [type, scopeObjects(subjects, type, component.objects, journeys, journeyOf)]))
  }

  // 3. The rest.
  if (!prepared.hasBelongs) return { journeys, objectScopes, outside: nothing }
  const outside: { scope: Scope; subjectIndex: number }[] = []
  for (const [subjectIndex, { occurrences }] of subjects.entries()) {
    const left = occurrences.filter((one) => !one.isInJourney)
    if (left.length > 0) outside.push({ scope: new FoundScope('', null, left, nothing, null, nothing), subjectIndex })
  }
  return { journeys, objectScopes, outside }
}

/** One event may start a journey of each of several objects: then its key alone names none of them. */
function keyOf({ start }: Journey, object: ObjectId): string {
  const alike = start.objects.filter((one) => one.type === object.type).length
  return alike > 1 ? `${start.key} ${object.type}:${object.id}` : start.key
}

function findSubject(prepared: CompiledProgram, subjectIndex: number, component: Component): Subject {
  const found: FoundRecord[] = []
  const occurrences: OpenOccurrence[] = []
  const compared: ComparedRecord[] = []
  for (const record of component.subjects[subjectIndex]!) {
    const events = component.eventsByRecord.get(record.id) ?? nothing
    if (prepared.agreeStreams.size > 0 && prepared.agreeStreams.has(record.stream)) compared.push({ record, events: inOrder(events) })
    if (events.length === 0) continue
    const one = findInRecord(prepared, record, events, component.objects.of(record))
    if (one === undefined) continue
    found.push(one)
    for (const occurrence of one.occurrences) {
      occurrence.subjectIndex = subjectIndex
      occurrences.push(occurrence)
    }
  }
  sortNearly(occurrences, compareOccurrences)
  let ambiguous: readonly Ambiguous[] = nothing
  for (const type of prepared.objectTypes) {
    const left = attachMessages(prepared.program, type, occurrences)
    if (left.length > 0) ambiguous = [...ambiguous, ...left]
  }
  return { found, occurrences, ambiguous, compared }
}

/** The occurrences of a program in the records of one subject, with the objects they name and those inferred for them. */
export function findSubjectOccurrences(
  program: Program,
  records: readonly RecordFact[],
  eventsByRecord: ReadonlyMap<string, readonly EventFact[]>,
  objects: ObjectRoots,
): readonly OpenOccurrence[] {
  return findSubject(compileProgram(program), 0, { subjects: [records], eventsByRecord, objects }).occurrences
}

interface ObjectGroup {
  readonly found: FoundRecord[]
  readonly occurrences: OpenOccurrence[]
  readonly ambiguous: Ambiguous[]
  readonly compared: ComparedRecord[]
}

/** Everything that belongs to each object of this type, whoever it is about, in the order of the objects' ids. */
function groupByObject(subjects: readonly Subject[], type: string, objects: ObjectRoots): readonly (readonly [string, ObjectGroup])[] {
  const groups = new Map<string, ObjectGroup>()
  const groupOf = (id: string): ObjectGroup => {
    let group = groups.get(id)
    if (group === undefined) groups.set(id, (group = { found: [], occurrences: [], ambiguous: [], compared: [] }))
    return group
  }
  for (const { found, occurrences, ambiguous, compared } of subjects) {
    for (const one of found) {
      const ids = new Set<string>()
      for (const object of objects.of(one.record)) if (object.type === type) ids.add(object.id)
      for (const occurrence of one.occurrences) if (occurrence.inferred?.type === type) ids.add(occurrence.inferred.id)
      for (const id of ids) groupOf(id).found.push(one)
    }
    for (const one of occurrences) for (const object of one.objects) if (object.type === type) groupOf(object.id).occurrences.push(one)
    for (const one of ambiguous) if (one.type === type) for (const id of one.candidates) groupOf(id).ambiguous.push(one)
    for (const one of compared) for (const object of objects.of(one.record)) if (object.type === type) groupOf(object.id).compared.push(one)
  }
  for (const { occurrences } of groups.values()) sortNearly(occurrences, compareOccurrences)
  return groups.size === 1 ? [...groups] : [...groups].sort(([a], [b]) => (a < b ? -1 : 1))
}

function scopeObjects(
  subjects: readonly Subject[],
  type: string,
  objects: ObjectRoots,
  journeys: readonly CorrelatedJourney[],
  journeyOf: ReadonlyMap<Occurrence, number>,
): readonly ObjectScope[] {
  const scopes: ObjectScope[] = []
  for (const [id, { found, occurrences, ambiguous, compared }] of groupByObject(subjects, type, objects)) {
    const known = occurrences.find((one) => journeyOf.has(one))
    if (known === undefined) continue
    const index = journeyOf.get(known)!
    const scope = new FoundScope(`${type}:${id}`, { type, id }, occurrences, ambiguous, journeys[index]!.journey, found)
    scope.records = compared
    scopes.push({ scope, journey: index })
  }
  return scopes
}

/** Records that `agree` compares per journey: each in the latest journey of its subject that had begun when the record did. */
function addRecords(subjects: readonly Subject[], journeys: readonly CorrelatedJourney[]): void {
  let next = 0
  while (next < journeys.length) {
    const first = next
    const { subjectIndex, scope } = journeys[first]!
    while (next < journeys.length && journeys[next]!.subjectIndex === subjectIndex) next++
    const { compared } = subjects[subjectIndex]!
    if (next === first + 1) {
      scope.records = compared
      continue
    }
    for (const one of compared) {
      const from = one.events.length === 0 ? one.record.updatedAt : one.events[0]!.occurredAt
      let holder = first
      for (let index = first + 1; index < next; index++) {
        const { startedAt } = journeys[index]!.journey
        if (startedAt <= from && startedAt >= journeys[holder]!.journey.startedAt) holder = index
      }
      journeys[holder]!.scope.records.push(one)
    }
  }
}
