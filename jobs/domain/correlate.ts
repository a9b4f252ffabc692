import type { EventFact, RecordFact, Scalar } from './facts.ts'
import { hash128 } from './hash.ts'
import type { Occurrence } from './expectations/expectation.ts'
import type { Condition, Conditions, Program, Step } from './program.ts'

/** A program prepared once: cost then follows the events, not the number of steps. */
export interface CompiledProgram {
  readonly program: Program
  readonly stepsByStream: ReadonlyMap<string, readonly CompiledStep[]>
  /** Streams of its steps, sorted: an unread event of any of them may move a journey's boundary. */
  readonly streams: readonly string[]
  /** Streams that `agree` compares, whether or not they are steps. */
  readonly agreeStreams: ReadonlySet<string>
  readonly agreesPerJourney: boolean
  /** Object types named by `per` of the expectations or of the journey. */
  readonly objectTypes: readonly string[]
  readonly hasBelongs: boolean
}

interface CompiledStep {
  readonly name: string
  readonly where: readonly Test[]
  readonly when: readonly Test[]
  readonly undoneWhen: readonly Test[] | null
}

interface Test {
  readonly field: string
  readonly value: Scalar
  readonly oneOf: readonly Scalar[] | null
}

const compiled = new WeakMap<Program, CompiledProgram>()

export function compileProgram(program: Program): CompiledProgram {
  const known = compiled.get(program)
  if (known !== undefined) return known
  const stepsByStream = new Map<string, CompiledStep[]>()
  for (const step of program.steps.values()) {
    const list = stepsByStream.get(step.stream)
    if (list === undefined) stepsByStream.set(step.stream, [compileStep(step)])
    else list.push(compileStep(step))
  }
  const agreeStreams = new Set<string>()
  const objectTypes = new Set<string>()
  if (program.journey.per !== 'subject') objectTypes.add(program.journey.per)
  for (const expectation of program.expectations) {
    if (expectation.per !== 'journey') objectTypes.add(expectation.per)
    if (expectation.kind === 'agree') for (const side of expectation.sides) agreeStreams.add(side.stream)
  }
  const result: CompiledProgram = {
    program,
    stepsByStream,
    streams: [...stepsByStream.keys()].sort(),
    agreeStreams,
    agreesPerJourney: program.expectations.some((expectation) => expectation.kind === 'agree' && expectation.per === 'journey'),
    objectTypes: [...objectTypes].sort(),
    hasBelongs: program.expectations.some((expectation) => expectation.kind === 'belongs'),
  }
  compiled.set(program, result)
  return result
}

function compileStep(step: Step): CompiledStep {
  return {
    name: step.name,
    where: compileTests(step.where),
    when: compileTests(step.when),
    undoneWhen: step.undoneWhen === null ? null : compileTests(step.undoneWhen),
  }
}

function compileTests(conditions: Conditions): readonly Test[] {
  return Object.entries(conditions).map(([field, condition]) =>
    isList(condition) ? { field, value: null, oneOf: condition } : { field, value: condition, oneOf: null },
  )
}

function isList(condition: Condition): condition is readonly Scalar[] {
  return Array.isArray(condition)
}

/** A field of the record's state at one of its events: `{...record.ops, status: event.status, ...event.ops}`; null where there is none. */
export function stateAt(record: RecordFact, event: EventFact, field: string): Scalar {
  if (event.ops !== null) {
    const then = event.ops[field]
    if (then !== undefined) return then
  }
  if (field === 'status') return event.status
  const now = record.ops[field]
  return now === undefined ? null : now
}

/** A field of the record's current state. */
export function currentValue(record: RecordFact, field: string): Scalar {
  if (field === 'status') return record.status
  const value = record.ops[field]
  return value === undefined ? null : value
}

function accepts(tests: readonly Test[], record: RecordFact): boolean {
  for (const test of tests) if (!holds(test, currentValue(record, test.field))) return false
  return true
}

function fits(tests: readonly Test[], record: RecordFact, event: EventFact): boolean {
  for (const test of tests) if (!holds(test, stateAt(record, event, test.field))) return false
  return true
}

function holds(test: Test, value: Scalar): boolean {
  return test.oneOf === null ? test.value === value : test.oneOf.includes(value)
}

/** The canonical order of events: time, position in the file, record, type. It never depends on arrival. */
export function compareEvents(a: EventFact, b: EventFact): number {
  if (a.occurredAt !== b.occurredAt) return a.occurredAt - b.occurredAt
  if (a.seq !== b.seq) return a.seq - b.seq
  if (a.recordId !== b.recordId) return a.recordId < b.recordId ? -1 : 1
  return a.type === b.type ? 0 : a.type < b.type ? -1 : 1
}

export function compareOccurrences(a: Occurrence, b: Occurrence): number {
  return compareEvents(a.event, b.event) || (a.step === b.step ? 0 : a.step < b.step ? -1 : 1)
}

/** The same events in canonical order, each once; the list itself where it is so already. */
export function inOrder(events: readonly EventFact[]): readonly EventFact[] {
  for (let index = 1; index < events.length; index++) {
    if (compareEvents(events[index - 1]!, events[index]!) >= 0) {
      const sorted = [...events].sort(compareEvents)
      return sorted.filter((event, at) => at === 0 || compareEvents(sorted[at - 1]!, event) !== 0)
    }
  }
  return events
}

/** Sorts in place. Journeys are short and nearly in order, where insertion beats the engine's sort several times. */
export function sortNearly<T>(items: T[], compare: (a: T, b: T) => number): T[] {
  if (items.length > 64) return items.sort(compare)
  for (let index = 1; index < items.length; index++) {
    const item = items[index]!
    let place = index
    while (place > 0 && compare(items[place - 1]!, item) > 0) {
      items[place] = items[place - 1]!
      place--
    }
    items[place] = item
  }
  return items
}

const noObjects: readonly { readonly type: string; readonly id: string }[] = []

class FoundOccurrence implements Occurrence {
  readonly step: string
  readonly record: RecordFact
  readonly event: EventFact
  readonly at: number
  readonly notBefore: number
  undoneAt: number | null = null
  objects: readonly { readonly type: string; readonly id: string }[]
  inferred: { readonly type: string; readonly id: string } | null = null
  isInJourney = false
  subjectIndex = -1

  constructor(step: string, record: RecordFact, event: EventFact, objects: readonly { readonly type: string; readonly id: string }[]) {
    this.step = step
    this.record = record
    this.event = event
    this.at = event.occurredAt
    this.notBefore = event.occurredAfter ?? event.occurredAt
    this.objects = objects
  }

  get key(): string {
    return `${this.event.recordId}:${this.event.occurredAt}:${this.event.type}`
  }
}

/** An occurrence while it is being correlated: objects may still be inferred. */
export type OpenOccurrence = FoundOccurrence

/** Semantics 3: the hash of the record, which is itself the hash of (connection, stream, external id), with type and time. */
export function eventKey(event: EventFact): string {
  return hash128('event', event.recordId, event.type, event.occurredAt)
}

export interface FoundRecord {
  readonly record: RecordFact
  /** In canonical order. */
  readonly events: readonly EventFact[]
  /** In order of time; a record may be several steps, and the same step again after it was undone. */
  readonly occurrences: readonly FoundOccurrence[]
}

/**
 * What the program sees in one record: `where` on its current state, then the first event whose state fits `when`; after being undone,
 * a later fit is a new occurrence (semantics.md 4). Undefined when the record is none of the program's steps.
 */
export function findInRecord(
  program: CompiledProgram,
  record: RecordFact,
  events: readonly EventFact[],
  objects: readonly { readonly type: string; readonly id: string }[] = noObjects,
): FoundRecord | undefined {
  const steps = program.stepsByStream.get(record.stream)
  if (steps === undefined) return undefined
  let accepted = false
  let ordered: readonly EventFact[] | null = null
  const occurrences: FoundOccurrence[] = []
  for (const step of steps) {
    if (step.where.length > 0 && !accepts(step.where, record)) continue
    accepted = true
    ordered ??= inOrder(events)
    findSteps(step, record, ordered, objects, occurrences)
  }
  return accepted ? { record, events: ordered ?? events, occurrences } : undefined
}

function findSteps(
  step: CompiledStep,
  record: RecordFact,
  events: readonly EventFact[],
  objects: readonly { readonly type: string; readonly id: string }[],
  found: FoundOccurrence[],
): void {
  let standing: FoundOccurrence | null = null
  let isFirst = true
  for (const event of events) {
    const undone = step.undoneWhen !== null && fits(step.undoneWhen, record, event)
    if (standing !== null) {
      if (undone) {
        standing.undoneAt = event.occurredAt
        standing = null
      } else if (step.undoneWhen === null) break
    } else if ((!undone || isFirst) && fits(step.when, record, event)) {
      isFirst = false
      standing = new FoundOccurrence(step.name, record, event, objects)
      found.push(standing)
      if (undone) {
        standing.undoneAt = event.occurredAt
        standing = null
      }
    }
  }
  if (standing !== null && record.deletedAt !== null) standing.undoneAt = record.deletedAt
}

/** Every occurrence of every step of the program, in canonical order. */
export function findOccurrences(
  program: Program,
  records: readonly RecordFact[],
  eventsByRecord: ReadonlyMap<string, readonly EventFact[]>,
): readonly Occurrence[] {
  const prepared = compileProgram(program)
  return records
    .flatMap((record) => findInRecord(prepared, record, eventsByRecord.get(record.id) ?? [], record.objects)?.occurrences ?? [])
    .sort(compareOccurrences)
}
