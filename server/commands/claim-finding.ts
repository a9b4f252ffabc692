import type { FindingRow } from '../../db/schema/findings.ts'
import type { AppDeps } from '../deps.ts'
import type { Act } from './act-on-finding.ts'
import { actOnFinding } from './act-on-finding.ts'

export const leaseMinutes = 30

/** "I am on it", for a while: so that two people do not fix the same thing. The lease runs on wall time and ends by itself. */
export function claimFinding(deps: AppDeps, act: Act & { readonly minutes: number }): Promise<FindingRow> {
  return actOnFinding(deps, act, { act: 'claim', minutes: act.minutes })
}
