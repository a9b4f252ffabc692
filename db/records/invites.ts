import { and, desc, eq, gt, isNull } from 'drizzle-orm'
import type { Db, DbTransaction } from '../client.ts'
import type { InviteRow } from '../schema/people.ts'
import { invites } from '../schema/people.ts'
import { noteAct, type PeopleAct } from './people.ts'

type Reader = Db | DbTransaction
type NewInvite = Pick<
  InviteRow,
  'id' | 'tokenHash' | 'kind' | 'email' | 'name' | 'roles' | 'personId' | 'createdAt' | 'createdBy' | 'expiresAt'
>

export async function addInvite(tx: DbTransaction, workspaceId: number, invite: NewInvite, act: PeopleAct): Promise<void> {
  await tx.insert(invites).values({ workspaceId, ...invite })
  await noteAct(tx, workspaceId, act)
}

/** One whose link still opens. */
export async function findInvite(db: Reader, workspaceId: number, tokenHash: string, now: number): Promise<InviteRow | undefined> {
  const [row] = await db
    .select()
    .from(invites)
    .where(and(eq(invites.workspaceId, workspaceId), eq(invites.tokenHash, tokenHash), isNull(invites.endedAt), gt(invites.expiresAt, now)))
  return row
}

export async function listInvites(db: Reader, workspaceId: number, now: number): Promise<InviteRow[]> {
  return db
    .select()
    .from(invites)
    .where(and(eq(invites.workspaceId, workspaceId), isNull(invites.endedAt), gt(invites.expiresAt, now)))
    .orderBy(desc(invites.createdAt))
    .limit(200)
}

/** False: it was used or withdrawn meanwhile. */
export async function endInvite(
  tx: DbTransaction,
  workspaceId: number,
  id: string,
  as: 'used' | 'withdrawn',
  now: number,
  act: PeopleAct | null = null,
): Promise<boolean> {
  const ended = await tx
    .update(invites)
    .set({ endedAt: now, endedAs: as })
    .where(and(eq(invites.workspaceId, workspaceId), eq(invites.id, id), isNull(invites.endedAt)))
    .returning({ id: invites.id })
  if (ended.length > 0 && act !== null) await noteAct(tx, workspaceId, act)
  return ended.length > 0
}

/** Links that a newer one replaces: of one kind, or those for one person. */
export async function withdrawInvites(
  tx: DbTransaction,
  workspaceId: number,
  of: { readonly kind: 'first' } | { readonly personId: string },
  now: number,
): Promise<void> {
  const which = 'kind' in of ? eq(invites.kind, of.kind) : eq(invites.personId, of.personId)
  await tx
    .update(invites)
    .set({ endedAt: now, endedAs: 'withdrawn' })
    .where(and(eq(invites.workspaceId, workspaceId), which, isNull(invites.endedAt)))
}
