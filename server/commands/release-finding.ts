import type { FindingRow } from '../../db/schema/findings.ts'
import type { AppDeps } from '../deps.ts'
import type { Act } from './act-on-finding.ts'
import { actOnFinding } from './act-on-finding.ts'

/** Gives a claim back before its lease ends. */
export function releaseFinding(deps: AppDeps, act: Act): Promise<FindingRow> {
  return actOnFinding(deps, act, { act: 'release' })
}
