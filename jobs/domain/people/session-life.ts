const minute = 60_000
const hour = 60 * minute

/** How long a sign-in holds, in wall time. HIPAA 164.312(a)(2)(iii) asks for automatic log-off. */
export interface SessionRule {
  /** Ends when its person did nothing for so long. */
  readonly idleMs: number
  /** Ends however much was done. */
  readonly atMostMs: number
}

export const sessionRule: SessionRule = { idleMs: 30 * minute, atMostMs: 12 * hour }
/** The demo's people and data are invented. */
export const demoSessionRule: SessionRule = { idleMs: 7 * 24 * hour, atMostMs: 7 * 24 * hour }
/** How long break-glass opens what it opens. */
export const emergencyMs = hour
/** A password given so recently need not be given again before an act that moves money. */
export const confirmedWithinMs = 5 * minute

export interface SessionTimes {
  readonly createdAt: number
  readonly seenAt: number
  readonly idleMs: number
  readonly endsAt: number
  readonly endedAt: number | null
}

export type SessionState = 'holds' | 'ended' | 'idle' | 'over'

/** A clock set back never makes a session live longer than its rule: what was seen in the future was seen just now. */
export function sessionState(session: SessionTimes, now: number): SessionState {
  if (session.endedAt !== null) return 'ended'
  if (now >= session.endsAt) return 'over'
  return now - session.seenAt >= session.idleMs ? 'idle' : 'holds'
}

export function isConfirmedRecently(confirmedAt: number | null, now: number): boolean {
  return confirmedAt !== null && confirmedAt <= now && now - confirmedAt < confirmedWithinMs
}
