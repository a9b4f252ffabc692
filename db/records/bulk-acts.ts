import { and, eq, sql } from 'drizzle-orm'
import type { DbTransaction } from '../client.ts'
import type { BulkActRow } from '../schema/bulk-acts.ts'
import { bulkActs, bulkTargets } from '../schema/bulk-acts.ts'
import type { FindingRow } from '../schema/findings.ts'
import { findings } from '../schema/findings.ts'
import type { Db } from '../client.ts'
import { writeActs } from './audit.ts'
import { arrayOf, partOf } from './bulk.ts'
import type { changeFinding, FindingAct, FindingFilter } from './findings.ts'
import { whereFindings } from './findings.ts'
import { toTransition, writeTransition } from './transitions.ts'

type NewBulkAct = Pick<BulkActRow, 'id' | 'act' | 'asked' | 'filter' | 'asOf' | 'actor' | 'startedAt'>
/** Findings as a person saw them. */
export interface NamedTarget {
  readonly id: string
  readonly revision: number
}

/**
 * Begins an act on many findings and fixes which: all that match, or those named. Undefined: another one is running.
 * The caller compares `total` with what the person confirmed, and rolls back where it differs.
 */
export async function beginBulkAct(
  tx: DbTransaction,
  workspaceId: number,
  bulk: NewBulkAct,
  targets: { readonly filter: FindingFilter } | { readonly named: readonly NamedTarget[] },
): Promise<BulkActRow | undefined> {
  const [begun] = await tx
    .insert(bulkActs)
    .values({ workspaceId, ...bulk, state: 'running', total: 0, handled: 0, done: 0, skipped: {}, beatAt: Date.now() })
    .onConflictDoNothing()
    .returning()
  if (!begun) return undefined
  const source =
    'filter' in targets
      ? sql`select part, id, revision from findings where ${whereFindings(workspaceId, targets.filter)}`
      : sql`select * from unnest(${arrayOf(targets.named.map(({ id }) => partOf(id)))}::smallint[],
          ${arrayOf(targets.named.map(({ id }) => id))}::uuid[], ${arrayOf(targets.named.map(({ revision }) => revision))}::integer[]) as t (part, id, revision)`
  const fixed = await tx.execute<{ total: number }>(sql`
    with fixed as (insert into bulk_targets (workspace_id, bulk_id, n, part, finding_id, revision)
      select ${workspaceId}, ${bulk.id}::uuid, row_number() over (order by id), part, id, revision from (${source}) each returning 1)
    select count(*)::int as total from fixed`)
  const total = (fixed as unknown as { total: number }[])[0]?.total ?? 0
  const [row] = await tx
    .update(bulkActs)
    .set({ total })
    .where(and(eq(bulkActs.workspaceId, workspaceId), eq(bulkActs.id, bulk.id)))
    .returning()
  await noteBulkAct(tx, workspaceId, begun, 'bulk.start', begun.startedAt, { act: bulk.act, filter: bulk.filter, total, ...bulk.asked })
  return row
}

export async function readBulkAct(db: Db | DbTransaction, workspaceId: number, id: string): Promise<BulkActRow | undefined> {
  const [row] = await db
    .select()
    .from(bulkActs)
    .where(and(eq(bulkActs.workspaceId, workspaceId), eq(bulkActs.id, id)))
  return row
}

export async function readRunningBulkAct(db: Db, workspaceId: number): Promise<BulkActRow | undefined> {
  const [row] = await db
    .select()
    .from(bulkActs)
    .where(and(eq(bulkActs.workspaceId, workspaceId), eq(bulkActs.state, 'running')))
  return row
}

export interface BulkBatch {
  readonly bulk: BulkActRow
  /** In the order of their numbers, from the first one not handled. `finding` undefined: it is no more. */
  readonly targets: readonly { readonly revision: number; readonly finding: FindingRow | undefined }[]
}

/**
 * The next findings of a running bulk act, locked; undefined where it runs no more. Findings a judge holds now end the batch before them,
 * so that neither waits for the other; only a batch of one waits, holding nothing else a judge could want.
 */
export async function takeBulkBatch(tx: DbTransaction, workspaceId: number, id: string, size: number): Promise<BulkBatch | undefined> {
  const [bulk] = await tx
    .select()
    .from(bulkActs)
    .where(and(eq(bulkActs.workspaceId, workspaceId), eq(bulkActs.id, id), eq(bulkActs.state, 'running')))
    .for('update')
  if (!bulk) return undefined
  const next = await tx
    .select({ findingId: bulkTargets.findingId, revision: bulkTargets.revision })
    .from(bulkTargets)
    .where(
      and(
        eq(bulkTargets.workspaceId, workspaceId),
        eq(bulkTargets.bulkId, id),
        sql`${bulkTargets.n} > ${bulk.handled} and ${bulkTargets.n} <= ${bulk.handled + size}`,
      ),
    )
    .orderBy(bulkTargets.n)
  const ids = arrayOf(next.map(({ findingId }) => findingId))
  const there = and(eq(findings.workspaceId, workspaceId), sql`${findings.id} = any(${ids}::uuid[])`)
  const existing = new Set((await tx.select({ id: findings.id }).from(findings).where(there)).map((row) => row.id))
  const locked = await tx
    .select()
    .from(findings)
    .where(there)
    .orderBy(findings.id)
    .for('update', size > 1 ? { skipLocked: true } : {})
  const byId = new Map(locked.map((finding) => [finding.id, finding]))
  const held = next.findIndex(({ findingId }) => existing.has(findingId) && !byId.has(findingId))
  const targets = (held === -1 ? next : next.slice(0, held)).map(({ findingId, revision }) => ({ revision, finding: byId.get(findingId) }))
  return { bulk, targets }
}

/** Writes a batch: each change is conditional on the revision locked, and has its audit row. Returns how many held. */
export async function applyBulkBatch(
  tx: DbTransaction,
  workspaceId: number,
  set: Parameters<typeof changeFinding>[3],
  changes: readonly { readonly finding: FindingRow; readonly act: FindingAct }[],
): Promise<number> {
  if (changes.length === 0) return 0
  const keys = sql.join(
    changes.map(({ finding }) => sql`(${finding.part}::smallint, ${finding.id}::uuid, ${finding.revision}::integer)`),
    sql`, `,
  )
  const changed = await tx
    .update(findings)
    .set({ ...set, revision: sql`${findings.revision} + 1` })
    .where(and(eq(findings.workspaceId, workspaceId), sql`(${findings.part}, ${findings.id}, ${findings.revision}) in (${keys})`))
    .returning({ id: findings.id })
  const held = new Set(changed.map(({ id }) => id))
  const kept = changes.filter(({ finding }) => held.has(finding.id))
  await writeTransition(tx, workspaceId, ...kept.map(({ finding, act }) => toTransition(finding, { ...finding, ...set }, act.at)))
  await writeActs(
    tx,
    workspaceId,
    changes.map(({ finding, act }) => ({ targetKind: 'finding', targetId: finding.id, ...act })),
  )
  return changed.length
}

/** Moves a bulk act on by one batch; the last one ends it, with a word to the console each time. */
export async function advanceBulkAct(
  tx: DbTransaction,
  workspaceId: number,
  bulk: BulkActRow,
  counted: { readonly handled: number; readonly done: number; readonly skipped: Readonly<Record<string, number>> },
  now: number,
): Promise<BulkActRow> {
  const skipped = { ...bulk.skipped }
  for (const [why, count] of Object.entries(counted.skipped)) skipped[why] = (skipped[why] ?? 0) + count
  const handled = bulk.handled + counted.handled
  const state = handled === bulk.total ? 'finished' : 'running'
  const [row] = await tx
    .update(bulkActs)
    .set({ handled, done: bulk.done + counted.done, skipped, state, beatAt: Date.now() })
    .where(and(eq(bulkActs.workspaceId, workspaceId), eq(bulkActs.id, bulk.id), eq(bulkActs.handled, bulk.handled)))
    .returning()
  if (!row) throw new Error(`Bulk act ${bulk.id} moved under its own lock.`)
  if (counted.done > 0)
    await tx.execute(sql`insert into feed (workspace_id, topic, ref, at)
      values (${workspaceId}, 'finding', '*', ${new Date(now).toISOString()}::timestamptz)`)
  if (state === 'finished') {
    await noteBulkAct(tx, workspaceId, row, 'bulk.end', now, { done: row.done, skipped: row.skipped })
    await forgetTargets(tx, workspaceId, bulk.id)
  }
  return row
}

/** Undefined: it was not running. */
export async function stopBulkAct(
  tx: DbTransaction,
  workspaceId: number,
  id: string,
  { actor, at }: { readonly actor: string; readonly at: number },
): Promise<BulkActRow | undefined> {
  const [row] = await tx
    .update(bulkActs)
    .set({ state: 'stopped' })
    .where(and(eq(bulkActs.workspaceId, workspaceId), eq(bulkActs.id, id), eq(bulkActs.state, 'running')))
    .returning()
  if (row) {
    await noteBulkAct(tx, workspaceId, { ...row, actor }, 'bulk.stop', at, { handled: row.handled, total: row.total, done: row.done })
    await forgetTargets(tx, workspaceId, id)
  }
  return row
}

async function forgetTargets(tx: DbTransaction, workspaceId: number, id: string): Promise<void> {
  await tx.delete(bulkTargets).where(and(eq(bulkTargets.workspaceId, workspaceId), eq(bulkTargets.bulkId, id)))
}

async function noteBulkAct(
  tx: DbTransaction,
  workspaceId: number,
  bulk: Pick<BulkActRow, 'id' | 'actor'>,
  act: string,
  at: number,
  after: Readonly<Record<string, unknown>>,
): Promise<void> {
  await writeActs(tx, workspaceId, [{ targetKind: 'bulk', targetId: bulk.id, act, actor: bulk.actor, at, after }])
}
