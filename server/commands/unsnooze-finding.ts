import type { FindingRow } from '../../db/schema/findings.ts'
import type { AppDeps } from '../deps.ts'
import type { Act } from './act-on-finding.ts'
import { actOnFinding } from './act-on-finding.ts'

/** Takes a snooze back: the finding is on the active list again. */
export function unsnoozeFinding(deps: AppDeps, act: Act): Promise<FindingRow> {
  return actOnFinding(deps, act, { act: 'unsnooze' })
}
