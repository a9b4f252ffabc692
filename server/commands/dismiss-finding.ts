import type { FindingRow } from '../../db/schema/findings.ts'
import type { AppDeps } from '../deps.ts'
import type { Act } from './act-on-finding.ts'
import { actOnFinding } from './act-on-finding.ts'

/** "It never was one." Only evidence that occurs after this opens it again. */
export function dismissFinding(deps: AppDeps, act: Act & { readonly reason: string }): Promise<FindingRow> {
  return actOnFinding(deps, act, { act: 'false_alarm', reason: act.reason })
}
