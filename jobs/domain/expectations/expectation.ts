import type { EventFact, RecordFact } from '../facts.ts'
import type { Expectation, Step } from '../program.ts'

export const verdictStates = ['pending', 'at_risk', 'satisfied', 'satisfied_late', 'unknown', 'violated', 'void'] as const
export type VerdictState = (typeof verdictStates)[number]

/** One time a step happened. `undoneAt` is set when a later event of the same record undid it. */
export interface Occurrence {
  readonly step: string
  readonly record: RecordFact
  readonly event: EventFact
  /** What the event key (semantics.md 3) is the hash of, as text: hashed only where it is stored. */
  readonly key: string
  readonly at: number
  /** Lower end of the interval in which it occurred, exclusive; equal to `at` when the time is exact. */
  readonly notBefore: number
  readonly undoneAt: number | null
  /** Canonical objects it names: the roots of their chains. */
  readonly objects: readonly { readonly type: string; readonly id: string }[]
  /** The object it was given to by subject and time alone, because it names none of that type (semantics.md 5). */
  readonly inferred: { readonly type: string; readonly id: string } | null
}

/** What one expectation sees: one journey, or one object of it. */
export interface Scope {
  /** Stable text that names this scope in activation keys: the key of its journey's start event, or `type:id` of the object. */
  readonly key: string
  /** True for what lies in no journey. */
  readonly isOutside: boolean
  readonly object: { readonly type: string; readonly id: string } | null
  /** The occurrences of a step in canonical order (time, seq, record, type). Undone ones included. */
  of(step: string): readonly Occurrence[]
  /** Occurrences of a step that may belong to this object or to another one of the same subject: nothing tells which. */
  ambiguous(step: string): readonly Occurrence[]
  /** Every record of this scope with its events in canonical order: `agree` reads fields that are no step. */
  readonly records: readonly { readonly record: RecordFact; readonly events: readonly EventFact[] }[]
  /** When the journey ended (its `ends` step, abandonment, a final file), else null. */
  readonly endedAt: number | null
  readonly endReason: EndReason | null
  /** Set when the journey is over only as far as its streams were read: an unread event might still have prolonged it. */
  readonly endUnread: readonly StreamGate[]
  readonly startedAt: number
  readonly lastEventAt: number
  readonly stage: string
  /** The latest event of the journey; null outside of all journeys. */
  readonly lastEvent: { readonly record: RecordFact; readonly event: EventFact } | null
}

export type EndReason = 'ends' | 'abandoned' | 'final'

/** A stream that must be read past `at` before something may be concluded. */
export interface StreamGate {
  readonly stream: string
  /** How far it was read: watermark minus lag, epoch ms; null: never read completely. */
  readonly readTo: number | null
  readonly at: number
  readonly setAside?: boolean
}

/** How far one stream was read. `readTo` is the watermark minus the declared lag; null: never read completely. */
export interface StreamRead {
  readonly watermark: number | null
  readonly lagMs: number
  readonly final: boolean
  /** Rows of it are set aside: whatever it does not show may be among them. */
  readonly setAside?: boolean
}

export interface JudgeContext {
  /** Domain clock, epoch ms. */
  readonly now: number
  /** By `<connection>.<stream>`. A stream that is not here has never been read. */
  readonly streams: ReadonlyMap<string, StreamRead>
  readonly steps: ReadonlyMap<string, Step>
  /** Streams of all steps of the program: an unread one may still hold what makes a journey go on. */
  readonly programStreams?: readonly string[]
  /** Of the program: in it a field that holds a time without an offset is read. UTC where it is not given. */
  readonly timezone?: string
  /** Names switched-off safeguards, only ever set by `demo:score --without`, to show that the score can fail. */
  readonly without?: ReadonlySet<'watermark-gate' | 'settle' | 'identity-vetoes'>
}

/** Where the evidence stands: enough to find the record in its tool, and when we read it. */
export interface Evidence {
  readonly role: 'anchor' | 'expected' | 'observed' | 'culprit' | 'side' | 'read'
  readonly stream: string
  readonly externalId: string
  readonly recordId: string
  readonly eventType: string | null
  readonly status: string | null
  readonly occurredAt: number | null
  readonly updatedAt: number | null
  readonly observedAt: number | null
  readonly actor: { readonly kind: string; readonly id: string | null } | null
}

/** When a verdict may change without new facts. `stream: null` is the clock; else that stream's watermark minus lag must pass `at`. */
export interface Wake {
  readonly stream: string | null
  /** Epoch ms; judged again once the clock (or the stream's read time) is strictly past it. */
  readonly at: number
}

/** The result of one expectation on one activation (semantics.md 12). */
export interface Verdict {
  readonly expectation: string
  /** Stable key of the activation, from facts only: text of any length. The fingerprint is hashed from it. */
  readonly activation: string
  readonly state: VerdictState
  /** The finding kind where something is or was wrong: set for `violated`, `satisfied_late`; else null. */
  readonly kind: string | null
  /** semantics.md 12–14: gap and late count 1; at_most counts each occurrence beyond the limit. */
  readonly violations: number
  /** For how many activations it counts in totals: 1; 0 when void; for at_most its standing occurrences. Where it is not given: 1. */
  readonly activations?: number
  readonly object: { readonly type: string; readonly id: string } | null
  readonly dueAt: number | null
  /** When the anchoring thing occurred. */
  readonly anchorAt: number | null
  /** When the violation came to be: the missed deadline, the late or forbidden event, the diverging change. */
  readonly occurredAt: number | null
  /** Latest occurrence time of the facts that satisfy or void it; regression compares with it (semantics.md 21). */
  readonly evidenceAt: number | null
  /** For `unknown`: how far the least-read stream that could show it was read (null: never), which one, and whether rows of it are set aside. */
  readonly unread: { readonly stream: string; readonly readTo: number | null; readonly setAside?: boolean } | null
  readonly evidence: readonly Evidence[]
  /** Flips of the same disagreement (agree), cluster size (at_most); 1 otherwise. */
  readonly occurrences: number
  readonly wakes: readonly Wake[]
  /** Numbers, times and operational values that the sentence of the kind needs; no identifiers of people. */
  readonly detail: Readonly<Record<string, string | number | boolean | null>>
}

/** One file per kind of promise. Pure: (scope, clock, watermarks) → verdicts, one per activation. */
export interface ExpectationKind<E extends Expectation = Expectation> {
  readonly kind: E['kind']
  /** Which streams could show its violation: a program's list of streams it depends on. */
  streams(expectation: E, steps: ReadonlyMap<string, Step>): readonly string[]
  judge(expectation: E, scope: Scope, context: JudgeContext): readonly Verdict[]
}
