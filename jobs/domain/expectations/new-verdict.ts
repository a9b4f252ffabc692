import type { EventFact, RecordFact } from '../facts.ts'
import type { Expectation } from '../program.ts'
import type { Evidence, Occurrence, Scope, StreamGate, Verdict, VerdictState, Wake } from './expectation.ts'

const noEvidence: readonly Evidence[] = []
const noWakes: readonly Wake[] = []
const noDetail: Verdict['detail'] = {}

interface Given {
  readonly state: VerdictState
  readonly activation: string
  readonly kind?: string
  readonly violations?: number
  readonly activations?: number
  readonly dueAt?: number | null
  readonly anchorAt?: number | null
  readonly occurredAt?: number | null
  readonly evidenceAt?: number | null
  readonly unread?: StreamGate | null
  readonly evidence?: readonly Evidence[]
  readonly occurrences?: number
  readonly wakes?: readonly Wake[]
  readonly detail?: Verdict['detail']
}

export function newVerdict(expectation: Expectation, scope: Scope, given: Given): Verdict {
  const unread = given.unread ?? null
  return {
    expectation: expectation.name,
    activation: given.activation,
    state: given.state,
    kind: given.kind ?? null,
    violations: given.violations ?? 0,
    activations: given.activations ?? (given.state === 'void' ? 0 : 1),
    object: scope.object,
    dueAt: given.dueAt ?? null,
    anchorAt: given.anchorAt ?? null,
    occurredAt: given.occurredAt ?? null,
    evidenceAt: given.evidenceAt ?? null,
    unread:
      unread === null ? null : { stream: unread.stream, readTo: unread.readTo, ...(unread.setAside === true ? { setAside: true } : {}) },
    evidence: given.evidence ?? noEvidence,
    occurrences: given.occurrences ?? 1,
    wakes: given.wakes ?? noWakes,
    detail: given.detail ?? noDetail,
  }
}

/** An event with several objects of the scope's type is one activation in each of them; else its own key names it, whatever journey it falls in. */
export function activationOf(occurrence: Occurrence, scope: Scope): string {
  if (scope.object !== null && occurrence.objects.length > 1) {
    let same = 0
    for (const object of occurrence.objects) if (object.type === scope.object.type) same++
    if (same > 1) return `${occurrence.key} ${scope.key}`
  }
  return occurrence.key
}

export function evidenceOf(role: Evidence['role'], occurrence: Occurrence): Evidence {
  return evidenceOfEvent(role, occurrence.record, occurrence.event)
}

export function evidenceOfEvent(role: Evidence['role'], record: RecordFact, event: EventFact): Evidence {
  return {
    role,
    stream: record.stream,
    externalId: record.externalId,
    recordId: record.id,
    eventType: event.type,
    status: event.status,
    occurredAt: event.occurredAt,
    updatedAt: record.updatedAt,
    observedAt: event.observedAt,
    actor: event.actor,
  }
}

/** Index of the first occurrence not before `at`. */
export function firstFrom(occurrences: readonly Occurrence[], at: number): number {
  let low = 0
  let high = occurrences.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (occurrences[middle]!.at < at) low = middle + 1
    else high = middle
  }
  return low
}

/** Whether `earlier` surely, surely not, or perhaps occurred at or before `later`: inside an interval the order is unknown (semantics.md 3). */
export function isAtOrBefore(earlier: Occurrence, later: Occurrence): 'yes' | 'no' | 'unknown' {
  if (earlier.at <= later.notBefore) return 'yes'
  if (earlier.notBefore < earlier.at ? earlier.notBefore >= later.at : earlier.at > later.at) return 'no'
  return 'unknown'
}
