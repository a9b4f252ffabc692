import type { FindingAct } from '../../db/records/findings.ts'
import { changeFinding, noteAct, readFinding } from '../../db/records/findings.ts'
import type { DbTransaction } from '../../db/client.ts'
import type { FindingRow } from '../../db/schema/findings.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import { auditedDifference } from '../../jobs/domain/finding-change.ts'
import type { PersonAct } from '../../jobs/domain/finding-lifecycle.ts'
import { whatOneCanDo } from '../../jobs/domain/finding-lifecycle.ts'
import type { AppDeps } from '../deps.ts'

export interface Act {
  readonly id: string
  /** The revision the person was looking at; null where the act adds to whatever it is now. */
  readonly revision: number | null
}

type Change = Parameters<typeof changeFinding>[3]

export interface Decided {
  readonly set: Change
  readonly reason: string | null
  /** Written in the same transaction, after the change has held. */
  readonly also?: (tx: DbTransaction) => Promise<void>
}

/**
 * Load, decide, apply: one thing a person does to one finding, as one conditional update with its audit row.
 * @throws AppError not_found; conflict when someone was first or the finding does not allow it now.
 */
export async function actOnFinding(
  deps: AppDeps,
  act: Act,
  what: PersonAct,
  decide: (finding: FindingRow, now: number) => Decided,
): Promise<FindingRow> {
  const { workspace, me } = deps
  const now = workspace.clock.now()
  return workspace.database.db.transaction(async (tx) => {
    const found = await readFinding(tx, workspace.id, act.id)
    if (!found) throw new AppError('not_found', `There is no finding ${act.id}.`)
    if (act.revision !== null && found.revision !== act.revision) throw someoneWasFirst(found, act)
    const can = whatOneCanDo(found, me.id, deps.wallNow())[what]
    if (!can.ok) throw new AppError('conflict', can.why)
    const { set, reason, also } = decide(found, now)
    const difference = auditedDifference(found, { ...found, ...set })
    const row: FindingAct = {
      act: `finding.${what}`,
      actor: me.id,
      at: now,
      reason,
      before: difference.before ?? {},
      after: difference.after,
    }
    if (Object.keys(set).length === 0) {
      await noteAct(tx, workspace.id, found.id, row)
      await also?.(tx)
      return found
    }
    const changed = await changeFinding(tx, workspace.id, found, { ...set, changedAt: now }, row)
    if (!changed) throw someoneWasFirst(found, act)
    await also?.(tx)
    return changed
  })
}

function someoneWasFirst(found: FindingRow, act: Act): AppError {
  return new AppError(
    'conflict',
    `Finding ${found.id} changed while you looked (revision ${act.revision ?? found.revision}). Nothing was overwritten; read it again.`,
  )
}
