/** Word lists of the text columns that are checked at the door. One word per idea (README, glossary). */

export const findingStatuses = [
  'open',
  'acknowledged',
  'acting',
  'verifying',
  'verification_failed',
  'verified',
  'waived',
  'false_alarm',
  'void',
  'withdrawn',
] as const
export type FindingStatus = (typeof findingStatuses)[number]

export const severities = ['low', 'medium', 'high', 'critical'] as const
export type Severity = (typeof severities)[number]

/** `verdicts.state` is the index in this list. */
export const verdictStates = ['pending', 'at_risk', 'satisfied', 'satisfied_late', 'unknown', 'violated', 'void'] as const

export const streamStates = [
  'new',
  'ok',
  'auth_failed',
  'rate_limited',
  'not_found',
  'bad_response',
  'timeout',
  'network',
  'refused_address',
  'budget',
  'stuck_cursor',
  'suspicious_shrink',
  'missing_secret',
  'paused',
] as const
export type StreamState = (typeof streamStates)[number]

/** `running`, `complete`, or the state of the stream that ended it. */
export const passOutcomes = ['running', 'complete', ...streamStates] as const
