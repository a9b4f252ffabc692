import type { FindingRow } from '../../db/schema/findings.ts'
import type { AppDeps } from '../deps.ts'
import type { Act } from './act-on-finding.ts'
import { actOnFinding } from './act-on-finding.ts'

/** Accepts a violation, for a reason and until a time; then it is open again if it still stands. */
export function waiveFinding(deps: AppDeps, act: Act & { readonly until: number; readonly reason: string }): Promise<FindingRow> {
  return actOnFinding(deps, act, { act: 'waive', until: act.until, reason: act.reason })
}
