import type { Finding, FindingAct, FindingChange } from './finding.ts'

/** What the audit keeps of a finding: its state, not its evidence. */
const auditedFields = [
  'fingerprint',
  'program',
  'programVersion',
  'expectation',
  'kind',
  'severity',
  'status',
  'owner',
  'site',
  'subjectId',
  'journeyId',
  'occurredAt',
  'deadlineAt',
  'dueAt',
  'closedAt',
  'closedReason',
  'closingEvidenceAt',
  'waivedUntil',
  'snoozedUntil',
  'claimedBy',
  'claimedUntil',
  'violations',
  'occurrences',
  'regressions',
] as const satisfies readonly (keyof Finding)[]

export function changeOf(act: FindingAct, before: Finding | null, after: Finding, reason: string): FindingChange {
  const revised = before === null ? after : { ...after, revision: before.revision + 1 }
  return { act, before, after: revised, reason, audit: auditedDifference(before, revised) }
}

export function auditedDifference(before: Finding | null, after: Finding): FindingChange['audit'] {
  const was: Record<string, unknown> = {}
  const is: Record<string, unknown> = {}
  for (const field of auditedFields) {
    if (before === null) {
      if (after[field] !== null) is[field] = after[field]
    } else if (before[field] !== after[field]) {
      was[field] = before[field]
      is[field] = after[field]
    }
  }
  return { before: before === null ? null : was, after: is }
}
