import type { DecideOptions } from '../../../jobs/domain/decide-findings.ts'
import { decideFindings, fingerprintOf } from '../../../jobs/domain/decide-findings.ts'
import type { Evidence, Verdict } from '../../../jobs/domain/expectations/expectation.ts'
import type { Finding, FindingChange, JudgedActivation } from '../../../jobs/domain/finding.ts'
import { hash128 } from '../../../jobs/domain/hash.ts'

const day = Date.UTC(2026, 2, 2)
/** `9:15` of the day all these tests play on. */
export function at(clock: string): number {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number)
  return day + (hours * 60 + minutes) * 60_000
}

export function options(now: string, rest: Partial<DecideOptions> = {}): DecideOptions {
  return {
    now: at(now),
    routing: { routes: [], default: 'care-operations' },
    promises: new Set(['virtual-care\0booking-confirmed']),
    subjects: new Set(['s1']),
    ...rest,
  }
}

export function evidence(role: Evidence['role'], record: string, clock: string | null = null, rest: Partial<Evidence> = {}): Evidence {
  return {
    role,
    stream: role === 'anchor' ? 'booking.bookings' : 'texts.messages',
    externalId: record,
    recordId: hash128('record', record),
    eventType: null,
    status: null,
    occurredAt: clock === null ? null : at(clock),
    updatedAt: clock === null ? null : at(clock),
    observedAt: clock === null ? null : at(clock),
    actor: null,
    ...rest,
  }
}

/** The gap of capability 1: booked 9:00, the confirmation due 9:15. */
export function verdict(rest: Partial<Verdict> = {}): Verdict {
  return {
    expectation: 'booking-confirmed',
    activation: 'booking-1',
    state: 'violated',
    kind: 'gap',
    violations: 1,
    object: { type: 'appointment', id: 'booking-1' },
    dueAt: at('9:15'),
    anchorAt: at('9:00'),
    occurredAt: at('9:15'),
    evidenceAt: null,
    unread: null,
    evidence: [evidence('anchor', 'booking-1', '9:00')],
    occurrences: 1,
    wakes: [],
    detail: { after: 'booked', expect: 'confirmed', withinMs: 900_000, withinField: null },
    ...rest,
  }
}

export function activation(of: Verdict, rest: Partial<JudgedActivation> = {}): JudgedActivation {
  return {
    fingerprint: fingerprintOf('acme', 'virtual-care', of.expectation, of.activation),
    program: 'virtual-care',
    programVersion: 1,
    subjectId: 's1',
    journeyId: 'j1',
    severity: 'high',
    expectationOwner: 'messaging',
    programOwner: 'care-operations',
    verdict: of,
    ...rest,
  }
}

export const inTime = (clock = '9:12') =>
  verdict({
    state: 'satisfied',
    kind: null,
    violations: 0,
    occurredAt: null,
    evidenceAt: at(clock),
    evidence: [evidence('anchor', 'booking-1', '9:00'), evidence('expected', 'message-1', clock)],
  })
export const tooLate = (clock = '9:40') =>
  verdict({
    state: 'satisfied_late',
    kind: 'late',
    evidenceAt: at(clock),
    evidence: [evidence('anchor', 'booking-1', '9:00'), evidence('expected', 'message-1', clock)],
  })
export const unknown = () =>
  verdict({ state: 'unknown', kind: null, violations: 0, unread: { stream: 'texts.messages', readTo: at('9:10') } })

/** The findings after the changes, as the database would hold them. */
export function applied(existing: readonly Finding[], changes: readonly FindingChange[]): Finding[] {
  const kept = new Map(existing.map((finding) => [finding.id, finding]))
  for (const change of changes) kept.set(change.after.id, change.after)
  return [...kept.values()]
}

export function decide(existing: readonly Finding[], judged: readonly JudgedActivation[], decideOptions: DecideOptions): Finding[] {
  return applied(existing, decideFindings(existing, judged, decideOptions))
}

/** One finding, opened at 9:30 from the verdict. */
export function opened(of: Verdict = verdict(), now = '9:30'): Finding {
  const [finding] = decide([], [activation(of)], options(now))
  if (!finding) throw new Error('The verdict opened nothing.')
  return finding
}
