import { and, desc, eq, gt, isNull, lt, or } from 'drizzle-orm'
import type { Db, DbTransaction } from '../client.ts'
import type { ApiTokenRow } from '../schema/people.ts'
import { apiTokens } from '../schema/people.ts'
import { noteAct, type PeopleAct } from './people.ts'

type Reader = Db | DbTransaction
type NewToken = Pick<ApiTokenRow, 'id' | 'tokenHash' | 'name' | 'role' | 'createdAt' | 'createdBy' | 'expiresAt'>

const minute = 60_000

export async function addApiToken(tx: DbTransaction, workspaceId: number, token: NewToken, act: PeopleAct): Promise<void> {
  await tx.insert(apiTokens).values({ workspaceId, ...token })
  await noteAct(tx, workspaceId, act)
}

/** One that is neither revoked nor expired; that it was used is noted by the minute. */
export async function useApiToken(db: Reader, workspaceId: number, tokenHash: string, now: number): Promise<ApiTokenRow | undefined> {
  const mine = and(
    eq(apiTokens.workspaceId, workspaceId),
    eq(apiTokens.tokenHash, tokenHash),
    isNull(apiTokens.revokedAt),
    gt(apiTokens.expiresAt, now),
  )
  const [row] = await db.select().from(apiTokens).where(mine)
  if (row && (row.lastUsedAt ?? 0) <= now - minute)
    await db
      .update(apiTokens)
      .set({ lastUsedAt: now })
      .where(and(mine, or(isNull(apiTokens.lastUsedAt), lt(apiTokens.lastUsedAt, now))))
  return row
}

export async function listApiTokens(db: Reader, workspaceId: number): Promise<ApiTokenRow[]> {
  return db.select().from(apiTokens).where(eq(apiTokens.workspaceId, workspaceId)).orderBy(desc(apiTokens.createdAt)).limit(500)
}

/** False: there is none, or it was revoked already. */
export async function revokeApiToken(
  tx: DbTransaction,
  workspaceId: number,
  id: string,
  { by, now }: { readonly by: string; readonly now: number },
  act: PeopleAct,
): Promise<boolean> {
  const revoked = await tx
    .update(apiTokens)
    .set({ revokedAt: now, revokedBy: by })
    .where(and(eq(apiTokens.workspaceId, workspaceId), eq(apiTokens.id, id), isNull(apiTokens.revokedAt)))
    .returning({ id: apiTokens.id })
  if (revoked.length > 0) await noteAct(tx, workspaceId, act)
  return revoked.length > 0
}
