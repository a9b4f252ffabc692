import { randomUUID } from 'node:crypto'
import { sealing } from '../../db/records/audit.ts'
import type { NamedTarget } from '../../db/records/bulk-acts.ts'
import {
  advanceBulkAct,
  applyBulkBatch,
  beginBulkAct,
  readBulkAct,
  readRunningBulkAct,
  stopBulkAct,
  takeBulkBatch,
} from '../../db/records/bulk-acts.ts'
import type { FindingFilter } from '../../db/records/findings.ts'
import type { BulkActRow } from '../../db/schema/bulk-acts.ts'
import type { FindingRow } from '../../db/schema/findings.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import { auditedDifference } from '../../jobs/domain/finding-change.ts'
import { whatOneCanDo } from '../../jobs/domain/finding-lifecycle.ts'
import type { AppDeps } from '../deps.ts'
import { type AskedAct, decideAct, requireOwner, whyNothingChanges } from './decide-act.ts'

const batchSize = 100

export type BulkScope =
  | {
      /** As the person sees it in the address. */
      readonly address: string
      readonly filter: FindingFilter
      /** Domain time of the count the person confirmed. */
      readonly asOf: number
      readonly expected: number
    }
  | { readonly named: readonly NamedTarget[] }

/**
 * Begins one act on many findings. It is done in batches: each is one transaction of conditional updates with an audit row each, and
 * counts what it did and what it left, so the totals add up at every instant.
 * @throws AppError conflict when the number differs from what the person confirmed, or another one is running.
 */
export async function beginInBulk(deps: AppDeps, asked: AskedAct, scope: BulkScope): Promise<BulkActRow> {
  const { workspace, me } = deps
  const now = workspace.clock.now()
  if (asked.act === 'assign') requireOwner(workspace.configuration.owners, asked.owner)
  decideAct(asked, { now, wallNow: deps.wallNow(), me })
  const { act, ...details } = asked
  const isByFilter = 'filter' in scope
  const begun = await sealing(workspace.database.db, async (tx) => {
    const bulk = await beginBulkAct(
      tx,
      workspace.id,
      {
        id: randomUUID().replaceAll('-', ''),
        act,
        asked: details,
        filter: isByFilter ? scope.address : '',
        asOf: isByFilter ? scope.asOf : now,
        actor: me.id,
        startedAt: now,
      },
      scope,
    )
    if (bulk && isByFilter && bulk.total !== scope.expected)
      throw new AppError(
        'conflict',
        `You confirmed ${scope.expected}; ${bulk.total} match now. Nothing was changed: look at the list again and confirm anew.`,
      )
    return bulk
  })
  if (begun) return begun
  const running = await readRunningBulkAct(workspace.database.db, workspace.id)
  throw new AppError(
    'conflict',
    `Another act on many findings is running${running ? ` (${running.handled} of ${running.total}, ${running.id})` : ''}. Wait for it or stop it.`,
  )
}

/** Works through the batches until the act is finished, stopped or someone else's. Safe to call twice: a batch belongs to one of them. */
export async function runInBulk(deps: AppDeps, id: string): Promise<void> {
  for (let size = batchSize; ; ) {
    const handled = await runBatch(deps, id, size)
    if (handled === null) return
    size = handled === 0 ? 1 : batchSize
  }
}

export async function stopInBulk({ workspace, me }: AppDeps, id: string): Promise<BulkActRow> {
  const { database, id: workspaceId, clock } = workspace
  const stopped = await sealing(database.db, (tx) => stopBulkAct(tx, workspaceId, id, { actor: me.id, at: clock.now() }))
  const bulk = stopped ?? (await readBulkAct(database.db, workspaceId, id))
  if (!bulk) throw new AppError('not_found', 'There is no such act on many findings.')
  return bulk
}

/** How many it handled; 0: a judge holds the next one. Null: there is nothing left to do. */
async function runBatch(deps: AppDeps, id: string, size: number): Promise<number | null> {
  const { workspace } = deps
  const now = workspace.clock.now()
  return sealing(workspace.database.db, async (tx) => {
    const batch = await takeBulkBatch(tx, workspace.id, id, size)
    if (!batch || batch.bulk.handled === batch.bulk.total) {
      if (batch) await advanceBulkAct(tx, workspace.id, batch.bulk, { handled: 0, done: 0, skipped: {} }, now)
      return null
    }
    const { bulk, targets } = batch
    // What the person asked was checked when it began; an end that has passed meanwhile still ends it.
    const asked = { act: bulk.act, ...bulk.asked } as AskedAct
    const moment = { now, wallNow: deps.wallNow(), me: { ...deps.me, id: bulk.actor } }
    const { set, reason } = decideAct(asked, { ...moment, now: Math.min(now, endOf(asked) - 1) })
    const skipped: Record<string, number> = {}
    const changing: FindingRow[] = []
    for (const { finding, revision } of targets) {
      const why = whyNot(finding, revision, asked, bulk.actor, moment.wallNow)
      if (why === null && finding) changing.push(finding)
      else if (why !== null) skipped[why] = (skipped[why] ?? 0) + 1
    }
    const done = await applyBulkBatch(
      tx,
      workspace.id,
      { ...set, changedAt: now },
      changing.map((finding) => {
        const { before, after } = auditedDifference(finding, { ...finding, ...set })
        return {
          finding,
          act: { act: `finding.${bulk.act}`, actor: bulk.actor, at: now, reason, before: before ?? {}, after: { ...after, bulk: bulk.id } },
        }
      }),
    )
    if (done !== changing.length) throw new Error(`Findings changed under the lock of bulk act ${id}.`)
    const advanced = await advanceBulkAct(tx, workspace.id, bulk, { handled: targets.length, done, skipped }, now)
    return advanced.state === 'running' ? targets.length : null
  })
}

const endOf = (asked: AskedAct): number => ('until' in asked ? asked.until : Number.POSITIVE_INFINITY)

/** Null: it can be done. */
function whyNot(finding: FindingRow | undefined, revision: number, asked: AskedAct, actor: string, wallNow: number): string | null {
  if (!finding) return 'It is no more.'
  if (finding.revision !== revision) return 'It changed meanwhile. Nothing was overwritten.'
  const can = whatOneCanDo(finding, actor, wallNow)[asked.act]
  return can.ok ? whyNothingChanges(finding, asked) : can.why.replace(/ until \d{4}-.*\.$/, '.')
}
