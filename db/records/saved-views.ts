import { and, asc, eq, sql } from 'drizzle-orm'
import type { Db, DbTransaction } from '../client.ts'
import { writeActs } from './audit.ts'
import type { SavedViewRow } from '../schema/saved-views.ts'
import { savedViews } from '../schema/saved-views.ts'

/** Who changes a view, and when in domain time. */
export interface ViewAct {
  readonly actor: string
  readonly at: number
}

type Named = Pick<SavedViewRow, 'name' | 'query'>

export async function listSavedViews(db: Db | DbTransaction, workspaceId: number): Promise<SavedViewRow[]> {
  return db
    .select()
    .from(savedViews)
    .where(eq(savedViews.workspaceId, workspaceId))
    .orderBy(asc(savedViews.createdAt), asc(savedViews.id))
    .limit(200)
}

/** Undefined: another view has this name, whatever its capitals. */
export async function addSavedView(
  tx: DbTransaction,
  workspaceId: number,
  view: Named & { readonly id: string },
  { actor, at }: ViewAct,
): Promise<SavedViewRow | undefined> {
  const [row] = await tx
    .insert(savedViews)
    .values({ workspaceId, ...view, createdAt: at, createdBy: actor, revision: 1 })
    .onConflictDoNothing()
    .returning()
  if (row) await note(tx, workspaceId, row.id, 'view.save', { actor, at }, null, { name: row.name, query: row.query })
  return row
}

/** Undefined: someone was first, or it is gone. */
export async function changeSavedView(
  tx: DbTransaction,
  workspaceId: number,
  found: SavedViewRow,
  set: Named,
  act: ViewAct,
): Promise<SavedViewRow | undefined> {
  const [row] = await tx
    .update(savedViews)
    .set({ ...set, revision: found.revision + 1 })
    .where(and(eq(savedViews.workspaceId, workspaceId), eq(savedViews.id, found.id), eq(savedViews.revision, found.revision)))
    .returning()
  if (row) await note(tx, workspaceId, row.id, 'view.change', act, { name: found.name, query: found.query }, { ...set })
  return row
}

export async function deleteSavedView(tx: DbTransaction, workspaceId: number, found: SavedViewRow, act: ViewAct): Promise<boolean> {
  const gone = await tx
    .delete(savedViews)
    .where(and(eq(savedViews.workspaceId, workspaceId), eq(savedViews.id, found.id), eq(savedViews.revision, found.revision)))
    .returning({ id: savedViews.id })
  if (gone.length === 0) return false
  await note(tx, workspaceId, found.id, 'view.delete', act, { name: found.name, query: found.query }, null)
  return true
}

/** Makes adding a view wait for others that add one: their number and their names are looked at before. */
export async function lockSavedViews(tx: DbTransaction, workspaceId: number): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext('throughline.saved_views'), ${workspaceId})`)
}

async function note(
  tx: DbTransaction,
  workspaceId: number,
  targetId: string,
  act: string,
  { actor, at }: ViewAct,
  before: Readonly<Record<string, unknown>> | null,
  after: Readonly<Record<string, unknown>> | null,
): Promise<void> {
  await writeActs(tx, workspaceId, [{ targetKind: 'view', targetId, act, actor, at, before, after }])
}
