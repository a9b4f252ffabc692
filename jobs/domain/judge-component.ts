import { compileProgram } from './correlate.ts'
import type { CompiledProgram } from './correlate.ts'
import { groupObjects } from './correlate-objects.ts'
import { correlateProgram } from './correlate-program.ts'
import type { Component, CorrelatedJourney, Correlation, ObjectScope } from './correlate-program.ts'
import { judgeScope } from './expectations/index.ts'
import type { EndReason, JudgeContext, Verdict, Wake } from './expectations/expectation.ts'
import { hasPassed } from './expectations/watermark.ts'
import type { EventFact, RecordFact } from './facts.ts'
import { hash128 } from './hash.ts'
import type { Ambiguity, Decision, Link, Resolution } from './identity/resolution.ts'
import { resolveIdentity } from './identity.ts'
import type { Program } from './program.ts'
import { type EarlierVersion, KeptJourneys, type ProgramInForce } from './program-versions.ts'

export interface ComponentFacts {
  readonly records: readonly RecordFact[]
  /** By record id, in any order. */
  readonly events: ReadonlyMap<string, readonly EventFact[]>
  readonly hotTokens: ReadonlySet<string>
  readonly decisions: readonly Decision[]
  readonly programs: readonly ProgramInForce[]
  /** `steps`, `timezone` and `programStreams` are set from each program. */
  readonly context: Omit<JudgeContext, 'steps'> & Partial<Pick<JudgeContext, 'steps'>>
}

export interface JudgedSubject {
  readonly recordIds: readonly string[]
  readonly links: readonly Link[]
  /** Of the sorted record ids: subjects are compared by it, never by their surrogate id. */
  readonly fingerprint: string
}

export interface JudgedJourney {
  readonly key: string
  readonly program: string
  readonly programVersion: number
  readonly subjectIndex: number | null
  readonly object: { readonly type: string; readonly id: string } | null
  readonly startedAt: number
  readonly lastEventAt: number
  readonly endedAt: number | null
  readonly endReason: EndReason | null
  readonly stage: string
  readonly events: number
  readonly verdicts: readonly Verdict[]
  /** The records of its steps. */
  readonly recordIds: readonly string[]
}

/** A verdict outside any journey. Program null: about the facts themselves (`@identity`). */
export interface LooseVerdict extends Verdict {
  readonly program: string | null
  readonly programVersion: number | null
  readonly subjectIndex: number | null
}

export interface ComponentJudgement {
  readonly subjects: readonly JudgedSubject[]
  readonly ambiguities: readonly Ambiguity[]
  readonly journeys: readonly JudgedJourney[]
  readonly loose: readonly LooseVerdict[]
  /** The earliest per gate: nothing here changes without new facts before one of them passes. */
  readonly wakes: readonly Wake[]
}

/**
 * Everything Throughline says about one component (records that share keys): who they are about, their journeys and every verdict.
 * A pure function of its arguments; the order of records, events, decisions and programs never matters.
 */
export function judgeComponent(facts: ComponentFacts): ComponentJudgement {
  const records = currentRecords(facts.records)
  const resolution: Resolution = resolveIdentity(records, facts.hotTokens, facts.decisions, facts.context.without)
  return judgeResolved(facts, records, resolution)
}

/** The same over a partition that is already known: journeys and verdicts alone. Records are in the order of their ids, each once. */
export function judgeResolved(facts: ComponentFacts, records: readonly RecordFact[], resolution: Resolution): ComponentJudgement {
  const component: Component = {
    subjects: recordsBySubject(records, resolution),
    eventsByRecord: facts.events,
    objects: groupObjects(records),
  }
  const journeys: JudgedJourney[] = []
  const loose: LooseVerdict[] = []
  const wakes = new EarliestWakes()
  const judged: Judged = { journeys, loose, wakes }
  for (const { program, version, earlier = nothing } of facts.programs) {
    const past = earlier.length === 0 ? nothing : reached(earlier, facts.events)
    const kept = past.length === 0 ? null : judgeEnded(past, component, facts.context, judged)
    const prepared = compileProgram(program)
    const context = contextFor(facts.context, prepared)
    const correlation = correlateProgram(prepared, component, context)
    const lastUntil = past.at(-1)?.until ?? Number.NEGATIVE_INFINITY
    const left = kept === null ? correlation : leaveOut(correlation, (journey) => kept.holds(journey, lastUntil))
    judgeProgram(program, version, left, context, judged, kept)
  }
  for (const ambiguity of resolution.ambiguities) {
    const verdict = ambiguousIdentity(ambiguity, records, resolution, facts.context)
    loose.push(verdict)
    wakes.add(verdict.wakes)
  }
  return {
    subjects: resolution.clusters.map(({ recordIds, links }) => new FoundSubject(recordIds, links)),
    ambiguities: resolution.ambiguities,
    journeys,
    loose,
    wakes: wakes.all(),
  }
}

interface Judged {
  readonly journeys: JudgedJourney[]
  readonly loose: LooseVerdict[]
  readonly wakes: EarliestWakes
}

function judgeProgram(
  program: Program,
  version: number,
  correlation: Correlation,
  context: JudgeContext,
  { journeys: judged, loose, wakes }: Judged,
  kept: KeptJourneys | null,
): void {
  const { journeys, objectScopes, outside } = correlation
  const verdicts: Verdict[][] = []
  for (let index = 0; index < journeys.length; index++) verdicts.push([])
  for (const expectation of program.expectations) {
    if (expectation.per === 'journey' || expectation.kind === 'belongs' || expectation.kind === 'stuck') {
      for (let index = 0; index < journeys.length; index++) {
        for (const verdict of judgeScope(expectation, journeys[index]!.scope, context)) verdicts[index]!.push(verdict)
      }
    } else {
      for (const { scope, journey } of objectScopes.get(expectation.per) ?? nothing) {
        for (const verdict of judgeScope(expectation, scope, context)) verdicts[journey]!.push(verdict)
      }
    }
    if (expectation.kind !== 'belongs') continue
    for (const { scope, subjectIndex } of outside) {
      for (const verdict of judgeScope(expectation, scope, context)) {
        if (kept?.hasOccurrence(verdict.activation)) continue
        loose.push({ ...verdict, program: program.key, programVersion: version, subjectIndex })
        wakes.add(verdict.wakes)
      }
    }
  }
  for (let index = 0; index < journeys.length; index++) {
    const { journey } = journeys[index]!
    wakes.add(journey.wakes)
    const own =
      kept === null ? verdicts[index]! : verdicts[index]!.filter((verdict) => !kept.hasVerdict(verdict.expectation, verdict.activation))
    for (const verdict of own) wakes.add(verdict.wakes)
    judged.push(new FoundJourney(program.key, version, journeys[index]!, own))
  }
}

/** The earlier versions that can keep a journey of this component: those that were in force after its first event. */
function reached(earlier: readonly EarlierVersion[], events: ComponentFacts['events']): readonly EarlierVersion[] {
  let firstAt = Number.POSITIVE_INFINITY
  for (const own of events.values()) for (const { occurredAt } of own) if (occurredAt < firstAt) firstAt = occurredAt
  return earlier.filter(({ until }) => until >= firstAt)
}

/** Semantics 22: journeys that had ended when their version was replaced are judged by it. */
function judgeEnded(
  earlier: readonly EarlierVersion[],
  component: Component,
  given: ComponentFacts['context'],
  judged: Judged,
): KeptJourneys {
  const kept = new KeptJourneys()
  for (const { program, version, until } of earlier) {
    const prepared = compileProgram(program)
    const context = contextFor(given, prepared)
    const correlation = correlateProgram(prepared, component, context)
    // One that the clock has still to end under this version may yet be its own.
    for (const { journey } of correlation.journeys) judged.wakes.add(journey.wakes.filter(({ at }) => at <= until))
    const ended = leaveOut(correlation, (journey) => !kept.keeps(journey, until))
    const first = judged.journeys.length
    judgeProgram(program, version, { ...ended, outside: nothing }, context, judged, kept)
    for (const journey of ended.journeys) kept.add(journey)
    for (const { verdicts } of judged.journeys.slice(first)) {
      for (const { expectation, activation } of verdicts) kept.addVerdict(expectation, activation)
    }
  }
  return kept
}

function leaveOut(correlation: Correlation, isLeftOut: (journey: CorrelatedJourney) => boolean): Correlation {
  const places = new Map<number, number>()
  const journeys: CorrelatedJourney[] = []
  for (const [index, journey] of correlation.journeys.entries()) {
    if (isLeftOut(journey)) continue
    places.set(index, journeys.length)
    journeys.push(journey)
  }
  if (journeys.length === correlation.journeys.length) return correlation
  const objectScopes = new Map(
    [...correlation.objectScopes].map(([type, scopes]): [string, ObjectScope[]] => [
      type,
      scopes.flatMap(({ scope, journey }) => {
        const place = places.get(journey)
        return place === undefined ? [] : [{ scope, journey: place }]
      }),
    ]),
  )
  return { ...correlation, journeys, objectScopes }
}

const nothing: readonly never[] = []

const contexts = new WeakMap<ComponentFacts['context'], Map<CompiledProgram, JudgeContext>>()

/** One context per clock and program, shared by all components of a batch. */
function contextFor(given: ComponentFacts['context'], prepared: CompiledProgram): JudgeContext {
  let known = contexts.get(given)
  if (known === undefined) contexts.set(given, (known = new Map()))
  let context = known.get(prepared)
  if (context === undefined) {
    const { program, streams } = prepared
    context = { ...given, steps: program.steps, timezone: program.timezone, programStreams: streams }
    known.set(prepared, context)
  }
  return context
}

/** Hashed when asked for: most subjects of a backfill are compared once, those of a re-judgement never. */
class FoundSubject implements JudgedSubject {
  readonly recordIds: readonly string[]
  readonly links: readonly Link[]

  constructor(recordIds: readonly string[], links: readonly Link[]) {
    this.recordIds = recordIds
    this.links = links
  }

  get fingerprint(): string {
    return hash128('subject', ...this.recordIds)
  }
}

class FoundJourney implements JudgedJourney {
  readonly program: string
  readonly programVersion: number
  readonly subjectIndex: number
  readonly object: JudgedJourney['object']
  readonly startedAt: number
  readonly lastEventAt: number
  readonly endedAt: number | null
  readonly endReason: EndReason | null
  readonly stage: string
  readonly events: number
  readonly verdicts: readonly Verdict[]
  readonly #scopeKey: string
  readonly #occurrences: CorrelatedJourney['journey']['occurrences']

  constructor(program: string, version: number, { journey, subjectIndex, object, scope }: CorrelatedJourney, verdicts: readonly Verdict[]) {
    this.program = program
    this.programVersion = version
    this.subjectIndex = subjectIndex
    this.object = object
    this.startedAt = journey.startedAt
    this.lastEventAt = journey.lastEventAt
    this.endedAt = journey.endedAt
    this.endReason = journey.endReason
    this.stage = scope.stage
    this.events = journey.events
    this.verdicts = verdicts
    this.#scopeKey = scope.key
    this.#occurrences = journey.occurrences
  }

  get recordIds(): readonly string[] {
    return [...new Set(this.#occurrences.map((one) => one.record.id))]
  }

  get key(): string {
    return hash128('journey', this.program, this.#scopeKey)
  }
}

/** In the order of their ids; of a record given twice the newest version (semantics.md 2). */
function currentRecords(records: readonly RecordFact[]): readonly RecordFact[] {
  let isOrdered = true
  for (let index = 1; index < records.length; index++) {
    if (records[index - 1]!.id >= records[index]!.id) isOrdered = false
  }
  if (isOrdered) return records
  const sorted = [...records].sort((a, b) =>
    a.id < b.id ? -1 : a.id > b.id ? 1 : a.updatedAt - b.updatedAt || a.observedAt - b.observedAt,
  )
  return sorted.filter((record, index) => record.id !== sorted[index + 1]?.id)
}

function recordsBySubject(records: readonly RecordFact[], { clusters }: Resolution): readonly (readonly RecordFact[])[] {
  if (clusters.length === 1 && clusters[0]!.recordIds.length === records.length) return [records]
  const byId = new Map(records.map((record) => [record.id, record]))
  return clusters.map(({ recordIds }) => recordIds.flatMap((id) => byId.get(id) ?? []))
}

/** It counts once the streams of all it might fit were read past it: before, one of them may still say that two of these are one. */
function ambiguousIdentity(
  ambiguity: Ambiguity,
  records: readonly RecordFact[],
  { clusters }: Resolution,
  context: ComponentFacts['context'],
): LooseVerdict {
  const named = new Set([ambiguity.recordId, ...ambiguity.candidates])
  const shown = records.filter((record) => named.has(record.id))
  const own = shown.find((record) => record.id === ambiguity.recordId)
  const streams = [...new Set(shown.map((record) => record.stream))].filter((stream) => context.streams.has(stream)).sort()
  const passing = hasPassed(context, streams, own?.updatedAt ?? Number.NEGATIVE_INFINITY)
  const isKnown = passing.state === 'passed'
  return {
    expectation: '@identity',
    activation: hash128('ambiguous', ambiguity.recordId),
    state: isKnown ? 'violated' : passing.state,
    kind: isKnown ? 'ambiguous_identity' : null,
    violations: isKnown ? 1 : 0,
    object: null,
    dueAt: null,
    anchorAt: own?.updatedAt ?? null,
    occurredAt: own?.updatedAt ?? null,
    evidenceAt: null,
    unread: passing.state === 'unknown' ? passing.unread : null,
    evidence: shown.map((record) => ({
      role: record.id === ambiguity.recordId ? 'anchor' : 'culprit',
      stream: record.stream,
      externalId: record.externalId,
      recordId: record.id,
      eventType: null,
      status: record.status,
      occurredAt: null,
      updatedAt: record.updatedAt,
      observedAt: record.observedAt,
      actor: null,
    })),
    occurrences: 1,
    wakes: isKnown ? [] : passing.wakes,
    detail: { reason: ambiguity.kind, tokenKind: ambiguity.by, candidates: ambiguity.candidates.length },
    program: null,
    programVersion: null,
    subjectIndex: clusters.findIndex((cluster) => cluster.recordIds.includes(ambiguity.recordId)),
  }
}

/** A component waits for few gates: a list is quicker than a map. */
class EarliestWakes {
  #wakes: Wake[] | null = null

  add(wakes: readonly Wake[]): void {
    for (let index = 0; index < wakes.length; index++) {
      const wake = wakes[index]!
      const known = this.#wakes?.findIndex((one) => one.stream === wake.stream) ?? -1
      if (known === -1) (this.#wakes ??= []).push(wake)
      else if (wake.at < this.#wakes![known]!.at) this.#wakes![known] = wake
    }
  }

  all(): readonly Wake[] {
    return this.#wakes === null ? nothing : this.#wakes.sort((a, b) => ((a.stream ?? '') < (b.stream ?? '') ? -1 : 1))
  }
}
