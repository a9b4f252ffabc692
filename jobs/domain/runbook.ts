import type { z } from 'zod'

/** A declared recovery (product.md, "Recovery"): what is done about a finding, with which inputs, on whose approval. Plain data: a run stores it. */

export const runbookRoles = ['operator', 'responder', 'approver', 'engineer', 'compliance', 'admin'] as const
export type RunbookRole = (typeof runbookRoles)[number]

/** What an action reaches: `notice` tells people outside of the tools; `none` waits, looks or asks. */
export type StepReach = 'money' | 'message' | 'record' | 'notice' | 'none'

/** What a runbook needs to know of an action. Every `ActionSpec` of a connector is one. */
export interface KnownAction {
  /** As runbooks write it, without its connection: `refund`. */
  readonly name: string
  readonly title: string
  /** One sentence: what changes, and for whom. */
  readonly does: string
  readonly reach: StepReach
  readonly input: z.ZodType
  /** How a lost answer is settled. Null: neutral. */
  readonly repeat: { readonly keyHours: number | null; readonly lookUp: boolean } | null
  /** Null: neutral, so nothing in a tool shows it. */
  readonly verifyBy: { readonly stream: string; readonly withinSeconds: number } | null
}

/** Anything JSON can say. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** The `with` of an action as written: a text `$name` stands for the input of that name, `$$…` for a text that starts with one `$`. */
export type InputTemplate = Readonly<Record<string, Json>>

export interface RunbookAction {
  /** Null: a neutral action. */
  readonly connection: string | null
  readonly action: string
  readonly with: InputTemplate
}

/**
 * Which records of those that fit: the sole one, the first or last by the time they occurred, all of them, or `rest`: all but the first.
 * `all` and `rest` make one step per record.
 */
export const picks = ['only', 'first', 'last', 'all', 'rest'] as const
export type RecordPick = (typeof picks)[number]

export const evidenceRoles = ['anchor', 'expected', 'observed', 'culprit', 'side', 'read'] as const
export type EvidenceRole = (typeof evidenceRoles)[number]

interface InputBase {
  readonly name: string
  readonly title: string | null
}
/** An external id (or one operational field) of a record that the finding names, or that its journey shows. */
export interface RecordInput extends InputBase {
  readonly kind: 'record'
  readonly from: 'evidence' | 'journey'
  /** `<connection>.<stream>` */
  readonly stream: string
  /** Null: any. Only of evidence. */
  readonly role: EvidenceRole | null
  readonly where: Readonly<Record<string, string | number | boolean | null | readonly (string | number | boolean | null)[]>>
  readonly pick: RecordPick
  /** Null: its external id. */
  readonly field: string | null
  /** From each value of the field to what stands for it; another value keeps the run from starting. Null: as it is. */
  readonly map: Readonly<Record<string, string>> | null
}
/** The id of the object the finding is about. */
export interface ObjectInput extends InputBase {
  readonly kind: 'object'
  readonly type: string
}
/** Asked of whoever runs it. Never a free text: what is asked is stored, and names must not be. */
export interface ChoiceInput extends InputBase {
  readonly kind: 'choice'
  readonly choices: readonly { readonly value: string; readonly title: string }[]
}
export interface NumberInput extends InputBase {
  readonly kind: 'number'
  readonly min: number | null
  readonly max: number | null
  readonly isWhole: boolean
}
/** Answered as an ISO 8601 time with its offset; actions get it in UTC. */
export interface TimeInput extends InputBase {
  readonly kind: 'time'
}
export type AskedInput = ChoiceInput | NumberInput | TimeInput
export type RunbookInput = RecordInput | ObjectInput | AskedInput

/** A step is taken only when an earlier question (a step that asks, or a choice) was answered so. */
export interface OnlyIf {
  readonly asked: string
  readonly answers: readonly string[]
}

export interface RunbookStep extends RunbookAction {
  readonly name: string
  readonly title: string | null
  readonly retry: { readonly attempts: number; readonly backoffMs: number }
  /** Of one attempt. */
  readonly timeoutMs: number
  /** Taken when it failed; its success never masks the failed outcome. */
  readonly fallback: RunbookAction | null
  /** Taken when a later step failed. */
  readonly compensate: RunbookAction | null
  readonly onlyIf: readonly OnlyIf[]
  /** 1-based line in the runbook's file. */
  readonly line: number
}

export interface RunbookApproval {
  /** Whoever has this role and did not ask for the run. */
  readonly by: RunbookRole
  readonly withinMs: number
}

export interface RunbookLimits {
  /** Effects in tools that one run may have. */
  readonly perRun: number
  /** Effects in tools that all its runs of one day of the workspace may have. */
  readonly perDay: number
  /** Minor units by ISO 4217 code, over all its runs of one day of the workspace; a currency that is not named is not limited. */
  readonly amountPerDay: Readonly<Record<string, number>>
}

/** Which findings it may run on; an empty list: any. */
export interface RunbookScope {
  readonly kinds: readonly string[]
  readonly programs: readonly string[]
  readonly expectations: readonly string[]
  /** Names of steps, one of which the expectation must speak of. */
  readonly steps: readonly string[]
}

export interface Runbook {
  readonly key: string
  readonly title: string
  /** When to take it, and what it does not do; empty where nothing is said. */
  readonly purpose: string
  readonly for: RunbookScope
  readonly inputs: readonly RunbookInput[]
  readonly steps: readonly RunbookStep[]
  /** Null: none is asked. A plan that reaches money asks for one all the same. */
  readonly approve: RunbookApproval | null
  readonly limits: RunbookLimits
  /** Who may run it. */
  readonly roles: readonly RunbookRole[]
  /** How long a later read has to show the effect; null: what each action itself says. */
  readonly verifyWithinMs: number | null
}

export const defaultApproval: RunbookApproval = { by: 'approver', withinMs: 4 * 3_600_000 }
export const defaultRoles: readonly RunbookRole[] = ['responder', 'admin']
export const defaultLimits = { perRun: 5, perDay: 100 } as const
export const defaultRetry = { attempts: 3, backoffMs: 10_000 } as const
/** Of a plan none of whose actions says how long its effect takes to show. */
export const defaultVerifyMs = 24 * 3_600_000
export const defaultTimeoutMs = 2 * 60_000

/** `billing.refund`, or the name of a neutral action. */
export function actionPath({ connection, action }: Pick<RunbookAction, 'connection' | 'action'>): string {
  return connection === null ? action : `${connection}.${action}`
}
type Pick<T, K extends keyof T> = { [P in K]: T[P] }

/** The name of the input a value of a `with` stands for, else null. */
export function referenceOf(value: Json): string | null {
  return typeof value === 'string' ? (/^\$([A-Za-z][A-Za-z0-9_-]*)$/.exec(value)?.[1] ?? null) : null
}

/** Every input an action's `with` stands on, each once. */
export function referencesOf(value: Json): string[] {
  const name = referenceOf(value)
  if (name !== null) return [name]
  if (typeof value !== 'object' || value === null) return []
  return [...new Set(Object.values(value).flatMap((part: Json) => referencesOf(part)))]
}
