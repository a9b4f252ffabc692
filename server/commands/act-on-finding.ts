import type { FindingAct } from '../../db/records/findings.ts'
import { sealing } from '../../db/records/audit.ts'
import { changeFinding, noteAct, readFinding } from '../../db/records/findings.ts'
import type { DbTransaction } from '../../db/client.ts'
import type { FindingRow } from '../../db/schema/findings.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import { auditedDifference } from '../../jobs/domain/finding-change.ts'
import { whatOneCanDo } from '../../jobs/domain/finding-lifecycle.ts'
import type { AppDeps } from '../deps.ts'
import { type AskedAct, decideAct, whyNothingChanges } from './decide-act.ts'

export interface Act {
  readonly id: string
  /** The revision the person was looking at; null where the act adds to whatever it is now. */
  readonly revision: number | null
}

/**
 * Load, decide, apply: one thing a person does to one finding, as one conditional update with its audit row. `also` is written in the
 * same transaction, after the change has held.
 * @throws AppError not_found; conflict when someone was first or the finding does not allow it now.
 */
export async function actOnFinding(
  deps: AppDeps,
  act: Act,
  asked: AskedAct | { readonly act: 'comment' },
  also?: (tx: DbTransaction, finding: FindingRow, now: number) => Promise<void>,
): Promise<FindingRow> {
  const { workspace, me } = deps
  const now = workspace.clock.now()
  const wallNow = deps.wallNow()
  return sealing(workspace.database.db, async (tx) => {
    const found = await readFinding(tx, workspace.id, act.id)
    if (!found) throw new AppError('not_found', `There is no finding ${act.id}.`)
    if (act.revision !== null && found.revision !== act.revision) throw someoneWasFirst(found, act)
    const can = whatOneCanDo(found, me.id, wallNow)[asked.act]
    if (!can.ok) throw new AppError('conflict', can.why)
    const row: FindingAct = { act: `finding.${asked.act}`, actor: me.id, at: now, reason: null, before: {}, after: {} }
    if (asked.act === 'comment') {
      await noteAct(tx, workspace.id, found.id, row)
      await also?.(tx, found, now)
      return found
    }
    const why = whyNothingChanges(found, asked)
    if (why !== null) throw new AppError('conflict', why)
    const { set, reason } = decideAct(asked, { now, wallNow, me })
    const { before, after } = auditedDifference(found, { ...found, ...set })
    const changed = await changeFinding(
      tx,
      workspace.id,
      found,
      { ...set, changedAt: now },
      { ...row, reason, before: before ?? {}, after },
    )
    if (!changed) throw someoneWasFirst(found, act)
    await also?.(tx, changed, now)
    return changed
  })
}

function someoneWasFirst(found: FindingRow, act: Act): AppError {
  return new AppError(
    'conflict',
    `Finding ${found.id} changed while you looked (revision ${act.revision ?? found.revision}). Nothing was overwritten; read it again.`,
  )
}
