import type { Scalar } from './facts.ts'

/** A condition on one field of a record's state: equal to a value, or to one of several. */
export type Condition = Scalar | readonly Scalar[]
export type Conditions = Readonly<Record<string, Condition>>

export const severities = ['low', 'medium', 'high', 'critical'] as const
export type Severity = (typeof severities)[number]

export interface Step {
  readonly name: string
  /** A short text for people; null: its name is said. */
  readonly title: string | null
  /** `<connection>.<stream>` */
  readonly stream: string
  /** Which records of the stream: fields that say what it is (form, template). Read from the record's current state. */
  readonly where: Conditions
  /** Which states make it happen. Read from the state at each event; the first event that fits is the occurrence. */
  readonly when: Conditions
  /** Which later state makes it undone: it no longer counts and no longer obliges. */
  readonly undoneWhen: Conditions | null
}

/** `15m`, or `24h before booked.startsAt`: a time measured from the anchoring occurrence, or from a field of it. Milliseconds, signed: before is negative. */
export interface Deadline {
  readonly offsetMs: number
  /** Null: from the anchor's own time. Else a field of the anchor record holding an ISO time, read at its current value. */
  readonly field: string | null
}

interface ExpectationBase {
  readonly name: string
  readonly kind: string
  /** `journey`, or an object type (`appointment`): the scope in which steps are matched. */
  readonly per: string
  readonly owner: string | null
  readonly severity: Severity
  readonly title: string | null
  readonly ifItFails: string | null
  readonly producedBy: string | null
  readonly runbook: string | null
  /** Acceptable share of violated activations, 0 to 1. */
  readonly budget: number | null
  readonly renamedFrom: string | null
  /** 1-based line in the program file. */
  readonly line: number
}

export interface FollowsExpectation extends ExpectationBase {
  readonly kind: 'follows'
  readonly after: string
  readonly expect: string
  /** Null: due when the journey ends. */
  readonly within: Deadline | null
  /** An occurrence before this time is `early`. */
  readonly notBefore: Deadline | null
  /** Fields the follower must show; a value `{ same: field }` means the anchor's. Otherwise it is `wrong_variant`. */
  readonly variant: Readonly<Record<string, Scalar | { readonly same: string }>> | null
}
export interface AtMostExpectation extends ExpectationBase {
  readonly kind: 'at_most'
  readonly limit: number
  readonly of: string
  /** Null: the whole scope is one cluster. */
  readonly windowMs: number | null
}
export interface OrderExpectation extends ExpectationBase {
  readonly kind: 'order'
  readonly first: string
  readonly then: string
}
export interface NeverExpectation extends ExpectationBase {
  readonly kind: 'never'
  readonly never: string
  /** Null: never at all. */
  readonly after: string | null
}
export interface AgreeExpectation extends ExpectationBase {
  readonly kind: 'agree'
  /** Each `<connection>.<stream>.<field>`, with raw value to canonical value. */
  readonly sides: readonly { readonly stream: string; readonly field: string; readonly map: Readonly<Record<string, string>> }[]
  readonly pick: 'latest' | 'all' | 'any'
  /** `<connection>.<stream>.<field>` */
  readonly authority: string
  readonly settleMs: number
}
export interface StuckExpectation extends ExpectationBase {
  readonly kind: 'stuck'
  readonly afterMs: number
}
export interface BelongsExpectation extends ExpectationBase {
  readonly kind: 'belongs'
  /** Each occurrence of this step must be in a journey this long after it occurred, else it is an `orphan`. */
  readonly step: string
  readonly withinMs: number
}
export type Expectation =
  | FollowsExpectation
  | AtMostExpectation
  | OrderExpectation
  | NeverExpectation
  | AgreeExpectation
  | StuckExpectation
  | BelongsExpectation

export interface Program {
  readonly key: string
  readonly title: string
  readonly purpose: string
  readonly owner: string
  readonly timezone: string
  readonly journey: {
    /** `subject`, or an object type. */
    readonly per: string
    /** A step name, or null: any step opens it. */
    readonly starts: string | null
    readonly ends: string | null
    readonly abandonAfterMs: number | null
  }
  readonly steps: ReadonlyMap<string, Step>
  readonly expectations: readonly Expectation[]
}
