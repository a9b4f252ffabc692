import { addComment } from '../../db/records/comments.ts'
import type { FindingRow } from '../../db/schema/findings.ts'
import type { AppDeps } from '../deps.ts'
import type { Act } from './act-on-finding.ts'
import { actOnFinding } from './act-on-finding.ts'

/** A comment changes nothing about the finding, so its revision stays; it is audited like any act, without its text. */
export function commentOnFinding(deps: AppDeps, act: Act & { readonly body: string }): Promise<FindingRow> {
  return actOnFinding(deps, act, { act: 'comment' }, async (tx, finding, now) => {
    await addComment(tx, deps.workspace.id, { findingId: finding.id, author: deps.me.id, body: act.body, at: now })
  })
}
