import type { DbTransaction } from '../../db/client.ts'
import { changeFinding, readFinding } from '../../db/records/findings.ts'
import type { RunRow } from '../../db/records/runs.ts'
import type { FindingRow } from '../../db/schema/findings.ts'
import { auditedDifference } from '../domain/finding-change.ts'
import type { FindingStatus } from '../domain/finding.ts'
import { isOpen, mayBecome } from '../domain/finding-lifecycle.ts'

/** Where the finding of a run stands while and after it is acted on, in the run's own transaction. What the tools settled meanwhile is left as it is. */
export async function moveFinding(
  tx: DbTransaction,
  run: Pick<RunRow, 'workspaceId' | 'findingId' | 'runbook'>,
  to: FindingStatus,
  { actor, at }: { readonly actor: string; readonly at: number },
): Promise<void> {
  const finding: FindingRow | undefined = await readFinding(tx, run.workspaceId, run.findingId)
  if (finding === undefined || !isOpen(finding.status) || finding.status === to || !mayBecome(finding.status, to)) return
  // Back to where it stood: only from what a run made of it.
  if ((to === 'open' || to === 'acknowledged') && finding.status !== 'acting' && finding.status !== 'verifying') return
  const set = { status: to, changedAt: at }
  const { before, after } = auditedDifference(finding, { ...finding, ...set })
  const act = { act: `finding.${to}`, actor, at, reason: `Run ${run.runbook}`, before: before ?? {}, after }
  if ((await changeFinding(tx, run.workspaceId, finding, set, act)) === undefined)
    throw new Error('The finding changed under the run; it is taken up again.')
}
