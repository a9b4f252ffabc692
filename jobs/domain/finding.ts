import type { FindingStatus } from '../../db/schema/words.ts'
import type { Evidence, Verdict } from './expectations/expectation.ts'
import type { Severity } from './program.ts'
import type { FoundSite } from './site.ts'

export type { FindingStatus }

/** System findings belong to no group of records; their rows stand under this one. */
export const noComponent = '00000000000000000000000000000000'

/** One violated promise with an owner and a life. Times are epoch milliseconds, ids 32 hex digits. */
export interface Finding {
  readonly id: string
  readonly fingerprint: string
  /** Fingerprints it had before it moved; a finding answers to all of them. */
  readonly aliases: readonly string[]
  /** Null: a system finding (`blind`, `schema_drift`). */
  readonly program: string | null
  readonly programVersion: number | null
  readonly expectation: string
  readonly kind: string
  readonly severity: Severity
  readonly status: FindingStatus
  readonly owner: string
  readonly ownerReason: string
  readonly subjectId: string | null
  readonly journeyId: string | null
  readonly objectType: string | null
  readonly objectId: string | null
  /** Key of the site it concerns; null where the facts tell none. */
  readonly site: string | null
  /** Every `<connection>.<stream>` of the evidence, sorted. */
  readonly streams: readonly string[]
  /** Domain time at which it was found. */
  readonly openedAt: number
  /** When the violation came to be. */
  readonly occurredAt: number | null
  /** The deadline of the promise. */
  readonly deadlineAt: number | null
  /** When its owner should have settled it. */
  readonly dueAt: number
  readonly changedAt: number
  readonly closedAt: number | null
  readonly closedReason: string | null
  /** Latest occurrence time of what closed it; a regression must have occurred after it. */
  readonly closingEvidenceAt: number | null
  readonly closingEvidence: readonly Evidence[] | null
  readonly waivedUntil: number | null
  readonly snoozedUntil: number | null
  readonly claimedBy: string | null
  /** Wall time: leases do not follow the domain clock. */
  readonly claimedUntil: number | null
  readonly violations: number
  readonly occurrences: number
  readonly regressions: number
  readonly detail: Readonly<Record<string, string | number | boolean | null>>
  readonly evidence: readonly Evidence[]
  readonly revision: number
}

export const findingActs = [
  'finding.open',
  'finding.update',
  'finding.close',
  'finding.amend',
  'finding.regress',
  'finding.reopen',
  'finding.wake',
  'finding.move',
] as const
export type FindingAct = (typeof findingActs)[number]

/**
 * One change of one finding, complete for the writer: `before` null inserts `after`; otherwise the row is replaced
 * where id and `before.revision` still hold. The audit row is (act, reason, the fields that differ).
 */
export interface FindingChange {
  readonly act: FindingAct
  readonly before: Finding | null
  readonly after: Finding
  readonly reason: string
  readonly audit: { readonly before: Readonly<Record<string, unknown>> | null; readonly after: Readonly<Record<string, unknown>> }
}

/** One verdict as the findings see it: with the fingerprint of its activation and the journey it belongs to. */
export interface JudgedActivation {
  readonly fingerprint: string
  /** Fingerprints under `renamed_from`; a finding found under one of them moves here. */
  readonly formerFingerprints?: readonly string[]
  /** Null: about the facts themselves (`@identity`). */
  readonly program: string | null
  readonly programVersion: number | null
  readonly subjectId: string | null
  readonly journeyId: string | null
  /** Of the expectation. */
  readonly severity: Severity
  /** Owner the expectation names, else null. */
  readonly expectationOwner: string | null
  readonly programOwner: string | null
  /** Streams that could show what the promise waits for: a gap concerns them although they show nothing. */
  readonly streams?: readonly string[]
  /** Null, or not given: the facts tell none. */
  readonly site?: FoundSite | null
  readonly verdict: Verdict
}

export interface OwnerRoute {
  readonly when: {
    readonly kind?: string
    readonly program?: string
    readonly expectation?: string
    readonly connection?: string
    readonly severity?: Severity
    readonly site?: string
  }
  readonly owner: string
}

/** owners.yaml, parsed. The first route that fits wins. */
export interface Routing {
  readonly routes: readonly OwnerRoute[]
  readonly default: string
}
