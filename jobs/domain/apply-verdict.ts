import type { Evidence, Verdict } from './expectations/expectation.ts'
import { changeOf } from './finding-change.ts'
import { isOpen, isWaiverOver } from './finding-lifecycle.ts'
import type { Finding, FindingChange, FindingStatus, JudgedActivation, Routing } from './finding.ts'
import { settleWithinMs } from './settle-within.ts'
import { routeFinding } from './route-finding.ts'

export interface DecideOptions {
  /** Domain clock, epoch ms. */
  readonly now: number
  readonly routing: Routing
  /** `program\0expectation` of every promise in force; a finding of another one is withdrawn. */
  readonly promises: ReadonlySet<string>
  /** Ids of the subjects this component resolves to now; a finding of another one lost its subject to a merge or a split. */
  readonly subjects: ReadonlySet<string>
}

interface Ending {
  readonly status: Extract<FindingStatus, 'verified' | 'false_alarm' | 'void' | 'withdrawn'>
  readonly closedReason: string
  readonly sentence: string
}

/** A closed finding's `closedReason`, with the sentence the activity shows. */
const endings = {
  came_late: { status: 'verified', closedReason: 'came_late', sentence: 'It came after the deadline.' },
  set_right: { status: 'verified', closedReason: 'set_right', sentence: 'The tools show that it was set right.' },
  late_evidence: { status: 'false_alarm', closedReason: 'late_evidence', sentence: 'Evidence read later shows that it never was one.' },
  anchor_moved: { status: 'void', closedReason: 'anchor_moved', sentence: 'What the promise hangs on moved.' },
  anchor_undone: { status: 'void', closedReason: 'anchor_undone', sentence: 'What the promise hangs on was undone.' },
  anchor_gone: { status: 'void', closedReason: 'anchor_gone', sentence: 'What the promise hangs on is no longer there.' },
  program_changed: {
    status: 'withdrawn',
    closedReason: 'program_changed',
    sentence: 'The new version of the program does not hold it a violation.',
  },
  promise_removed: { status: 'withdrawn', closedReason: 'promise_removed', sentence: 'The program no longer makes this promise.' },
  identity_resolved: { status: 'withdrawn', closedReason: 'identity_resolved', sentence: 'It is certain now whose records these are.' },
  subject_changed: { status: 'withdrawn', closedReason: 'subject_changed', sentence: 'The records now belong to another subject.' },
} as const satisfies Record<string, Ending>

/** What a verdict says about a finding: still violated, ended in some way, or nothing certain. */
function read(finding: Finding, { verdict, programVersion }: JudgedActivation): 'violated' | 'nothing' | Ending {
  if (verdict.state === 'violated') return 'violated'
  if (verdict.state === 'unknown') return 'nothing'
  if (verdict.state === 'satisfied_late') return endings.came_late
  const isWaiting = verdict.state === 'pending' || verdict.state === 'at_risk'
  if (isWaiting && settles.has(finding.kind)) return 'nothing'
  if (finding.programVersion !== programVersion) return endings.program_changed
  if (verdict.state === 'void') return endings.anchor_undone
  if (isWaiting && finding.kind !== 'stuck') return endings.anchor_moved
  const evidenceAt = latestEvidence(verdict)
  const cameByThen = evidenceAt !== null && finding.deadlineAt !== null && evidenceAt <= finding.deadlineAt
  if (hasDeadline.has(finding.kind) && verdict.dueAt !== finding.deadlineAt && !cameByThen) return endings.anchor_moved
  return evidenceAt !== null && evidenceAt > (finding.occurredAt ?? finding.openedAt) ? endings.set_right : endings.late_evidence
}

const hasDeadline: ReadonlySet<string> = new Set(['gap', 'late', 'early', 'wrong_variant'])
/** Kinds that close only after agreement has held for a time: waiting means still disagreeing. */
const settles: ReadonlySet<string> = new Set(['drift', 'unmapped_state'])

/** The finding after its verdict, or undefined when nothing changes. */
export function nextFinding(finding: Finding, activation: JudgedActivation, options: DecideOptions): FindingChange | undefined {
  const { now } = options
  const waiverExpired = isWaiverOver(finding, now)
  const moved = placed(finding, activation)
  const outcome = read(finding, activation)

  if (isOpen(finding.status) || waiverExpired) {
    if (typeof outcome === 'object') return changeOf('finding.close', finding, closed(moved, activation, outcome, now), outcome.sentence)
    const woken = finding.snoozedUntil !== null && finding.snoozedUntil <= now
    const current: Finding = {
      ...(outcome === 'violated' ? shown(moved, activation) : moved),
      ...(waiverExpired ? { status: 'open', waivedUntil: null } : {}),
      ...(woken ? { snoozedUntil: null } : {}),
    }
    if (waiverExpired)
      return changeOf('finding.reopen', finding, { ...reopened(current, now), regressions: finding.regressions }, 'Its waiver ran out.')
    if (!isSamePlace(finding, moved))
      return changeOf('finding.move', finding, { ...current, changedAt: now }, 'Late data or a merge moved it.')
    if (woken) return changeOf('finding.wake', finding, { ...current, changedAt: now }, 'The time it was snoozed until has come.')
    return sameFacts(finding, current)
      ? undefined
      : changeOf('finding.update', finding, { ...current, changedAt: now }, 'The tools show more.')
  }

  if (outcome === 'violated' && finding.status !== 'waived') {
    const again = violatedAgain(finding, moved, activation, now)
    if (again) return again
  }
  if (typeof outcome === 'object' && isAmendedBy(finding, outcome)) {
    return changeOf('finding.amend', finding, closed(moved, activation, outcome, now), outcome.sentence)
  }
  return isSamePlace(finding, moved)
    ? undefined
    : changeOf('finding.move', finding, { ...moved, changedAt: now }, 'Late data or a merge moved it.')
}

/** A finding nothing was judged for any more: its promise, its subject or its anchor is gone. */
export function closeVanished(finding: Finding, options: DecideOptions): FindingChange | undefined {
  const cameLate = finding.status === 'verified' && finding.closedReason === 'came_late'
  const isPromised = finding.program === null || options.promises.has(`${finding.program}\0${finding.expectation}`)
  if (!isOpen(finding.status) && !isWaiverOver(finding, options.now) && !(cameLate && isPromised)) return undefined
  const ending = vanishing(finding, isPromised, options.subjects)
  const after: Finding = {
    ...finding,
    ...ended(ending, options.now),
    closingEvidenceAt: null,
    closingEvidence: null,
  }
  return changeOf(cameLate ? 'finding.amend' : 'finding.close', finding, after, ending.sentence)
}

function vanishing(finding: Finding, isPromised: boolean, subjects: ReadonlySet<string>): Ending {
  if (!isPromised) return endings.promise_removed
  if (finding.kind === 'ambiguous_identity') return endings.identity_resolved
  return finding.subjectId !== null && !subjects.has(finding.subjectId) ? endings.subject_changed : endings.anchor_gone
}

/** A new finding; one whose step came too late is opened and closed at once, so that it counts. */
export function openFinding(id: string, activation: JudgedActivation, options: DecideOptions): FindingChange {
  const { verdict } = activation
  const { now } = options
  const kind = verdict.kind ?? 'gap'
  const streams = streamsOf(activation)
  const routed = routeFinding(options.routing, {
    kind,
    program: activation.program,
    expectation: verdict.expectation,
    severity: activation.severity,
    connections: connectionsOf(streams),
    site: activation.site ?? null,
    expectationOwner: activation.expectationOwner,
    programOwner: activation.programOwner,
  })
  const opened: Finding = {
    id,
    fingerprint: activation.fingerprint,
    aliases: [],
    program: activation.program,
    programVersion: activation.programVersion,
    expectation: verdict.expectation,
    kind,
    severity: activation.severity,
    status: 'open',
    owner: routed.owner,
    ownerReason: routed.reason,
    subjectId: activation.subjectId,
    journeyId: activation.journeyId,
    objectType: verdict.object?.type ?? null,
    objectId: verdict.object?.id ?? null,
    site: activation.site?.key ?? null,
    streams,
    openedAt: now,
    occurredAt: verdict.occurredAt,
    deadlineAt: verdict.dueAt,
    dueAt: now + settleWithinMs(activation.severity),
    changedAt: now,
    closedAt: null,
    closedReason: null,
    closingEvidenceAt: null,
    closingEvidence: null,
    waivedUntil: null,
    snoozedUntil: null,
    claimedBy: null,
    claimedUntil: null,
    violations: verdict.violations,
    occurrences: verdict.occurrences,
    regressions: 0,
    detail: verdict.detail,
    evidence: verdict.evidence,
    revision: 1,
  }
  return verdict.state === 'satisfied_late'
    ? changeOf('finding.open', null, closed(opened, activation, endings.came_late, now), endings.came_late.sentence)
    : changeOf('finding.open', null, opened, routed.reason)
}

function violatedAgain(finding: Finding, moved: Finding, activation: JudgedActivation, now: number): FindingChange | undefined {
  const current = reopened(shown(moved, activation), now)
  // Nothing that happened closed these: the promise holds again, so the finding does.
  if (finding.status === 'withdrawn' || (finding.status === 'void' && finding.closingEvidenceAt === null)) {
    return changeOf('finding.reopen', finding, { ...current, regressions: finding.regressions }, 'What had ended it no longer holds.')
  }
  const closingAt = finding.closingEvidenceAt ?? finding.closedAt ?? now
  const contraryAt = latestEvidence(activation.verdict) ?? Number.NEGATIVE_INFINITY
  if (contraryAt > closingAt) {
    return changeOf('finding.regress', finding, current, 'Contrary evidence occurred after what had closed it.')
  }
  // Nothing newer speaks against it, so a person's closing stands. One by itself said no more than the verdict of its time, and the
  // verdict over all that is known now is another: without this, the order in which facts were read would decide (semantics.md 19).
  if (closedByItself(finding)) {
    return changeOf('finding.reopen', finding, { ...current, regressions: finding.regressions }, 'What had ended it no longer holds.')
  }
  return undefined
}

function closedByItself(finding: Finding): boolean {
  return finding.closedReason !== null && finding.closedReason in endings
}

/** An ending by itself is corrected when later evidence tells another one; what a person decided stays. */
function isAmendedBy(finding: Finding, ending: Ending): boolean {
  if (finding.closedReason === ending.closedReason) return false
  if (finding.closedReason === 'came_late') return ending.status !== 'withdrawn'
  return closedByItself(finding) && finding.status !== 'verified' && ending.closedReason === 'came_late'
}

function placed(finding: Finding, activation: JudgedActivation): Finding {
  const place = { subjectId: activation.subjectId, journeyId: activation.journeyId }
  if (finding.fingerprint === activation.fingerprint) return { ...finding, ...place }
  const aliases = [...finding.aliases, finding.fingerprint].filter((alias) => alias !== activation.fingerprint)
  return {
    ...finding,
    ...place,
    fingerprint: activation.fingerprint,
    aliases: [...new Set(aliases)],
    expectation: activation.verdict.expectation,
  }
}

function shown(finding: Finding, activation: JudgedActivation): Finding {
  const { verdict, programVersion } = activation
  return {
    ...finding,
    programVersion,
    kind: verdict.kind ?? finding.kind,
    occurredAt: verdict.occurredAt,
    deadlineAt: verdict.dueAt,
    violations: verdict.violations,
    occurrences: Math.max(finding.occurrences, verdict.occurrences),
    detail: verdict.detail,
    evidence: verdict.evidence,
    streams: streamsOf(activation),
    site: activation.site?.key ?? null,
  }
}

function closed(finding: Finding, activation: JudgedActivation, ending: Ending, now: number): Finding {
  const { verdict } = activation
  const kept = ending.closedReason === 'came_late' ? shown(finding, activation) : finding
  return {
    ...kept,
    ...ended(ending, now),
    closingEvidenceAt: latestEvidence(verdict),
    closingEvidence: verdict.evidence.length > 0 ? verdict.evidence : null,
  }
}

function ended(ending: Ending, now: number): Partial<Finding> {
  return {
    status: ending.status,
    closedReason: ending.closedReason,
    closedAt: now,
    changedAt: now,
    snoozedUntil: null,
    waivedUntil: null,
    claimedBy: null,
    claimedUntil: null,
  }
}

/** Open again, its owner kept. */
function reopened(finding: Finding, now: number): Finding {
  return {
    ...finding,
    status: 'open',
    changedAt: now,
    dueAt: now + settleWithinMs(finding.severity),
    closedAt: null,
    closedReason: null,
    closingEvidenceAt: null,
    closingEvidence: null,
    waivedUntil: null,
    regressions: finding.regressions + 1,
  }
}

function latestEvidence(verdict: Verdict): number | null {
  const times = [verdict.evidenceAt, verdict.state === 'violated' ? verdict.occurredAt : null]
  if (verdict.evidenceAt === null || verdict.state === 'violated') {
    for (const item of verdict.evidence) if (item.role !== 'read') times.push(item.occurredAt)
  }
  const known = times.filter((time) => time !== null)
  return known.length === 0 ? null : Math.max(...known)
}

function isSamePlace(a: Finding, b: Finding): boolean {
  return a.fingerprint === b.fingerprint && a.journeyId === b.journeyId && a.subjectId === b.subjectId
}

function sameFacts(a: Finding, b: Finding): boolean {
  return (
    a.kind === b.kind &&
    a.programVersion === b.programVersion &&
    a.site === b.site &&
    a.occurredAt === b.occurredAt &&
    a.deadlineAt === b.deadlineAt &&
    a.violations === b.violations &&
    a.occurrences === b.occurrences &&
    witnesses(a.evidence) === witnesses(b.evidence)
  )
}

/** Evidence read again without change is no change. */
function witnesses(evidence: readonly Evidence[]): string {
  return evidence.map(witnessOf).join('\n')
}

function witnessOf(item: Evidence): string {
  return `${item.role} ${item.recordId} ${item.eventType} ${item.status} ${item.occurredAt}`
}

function streamsOf({ verdict, streams = [] }: JudgedActivation): readonly string[] {
  return [...new Set([...verdict.evidence.map((item) => item.stream), ...streams])].sort()
}

function connectionsOf(streams: readonly string[]): readonly string[] {
  return [...new Set(streams.map((stream) => stream.split('.')[0] ?? stream))]
}
