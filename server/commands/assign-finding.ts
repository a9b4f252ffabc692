import type { FindingRow } from '../../db/schema/findings.ts'
import type { AppDeps } from '../deps.ts'
import type { Act } from './act-on-finding.ts'
import { actOnFinding } from './act-on-finding.ts'
import { requireOwner } from './decide-act.ts'

/** Gives a finding to another owner of owners.yaml. */
export async function assignFinding(
  deps: AppDeps,
  act: Act & { readonly owner: string; readonly reason: string | null },
): Promise<FindingRow> {
  requireOwner(deps.workspace.configuration.owners, act.owner)
  return actOnFinding(deps, act, { act: 'assign', owner: act.owner, reason: act.reason })
}
