import type { FindingRow } from '../../db/schema/findings.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import type { AppDeps } from '../deps.ts'
import type { Act } from './act-on-finding.ts'
import { actOnFinding } from './act-on-finding.ts'

/** Gives a finding to another owner of owners.yaml. */
export function assignFinding(deps: AppDeps, act: Act & { readonly owner: string; readonly reason: string | null }): Promise<FindingRow> {
  const owners = deps.workspace.configuration.owners.map((owner) => owner.key)
  if (!owners.includes(act.owner)) {
    throw new AppError('invalid_input', `There is no owner "${act.owner}" in owners.yaml. It has: ${owners.join(', ')}.`)
  }
  return actOnFinding(deps, act, 'assign', (finding) => {
    if (finding.owner === act.owner) throw new AppError('conflict', `It is ${act.owner}'s already.`)
    return { set: { owner: act.owner, ownerReason: `Assigned by ${deps.me.title}.` }, reason: act.reason }
  })
}
