import type { FindingRow } from '../../db/schema/findings.ts'
import type { AppDeps } from '../deps.ts'
import type { Act } from './act-on-finding.ts'
import { actOnFinding } from './act-on-finding.ts'

/** Puts a finding away until a time of the domain clock. It stays open and counts. */
export function snoozeFinding(deps: AppDeps, act: Act & { readonly until: number; readonly reason: string | null }): Promise<FindingRow> {
  return actOnFinding(deps, act, { act: 'snooze', until: act.until, reason: act.reason })
}
