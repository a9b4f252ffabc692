import { and, desc, eq, gt, isNull, lt, ne, sql } from 'drizzle-orm'
import type { Db, DbTransaction, Sql } from '../client.ts'
import type { SessionRow } from '../schema/people.ts'
import { sessions } from '../schema/people.ts'
import { noteAct, type PeopleAct } from './people.ts'

type Reader = Db | DbTransaction

/** A session as its next request finds it: whose it is, and what they are by now. */
export interface FoundSession {
  readonly id: string
  readonly personId: string
  readonly name: string
  readonly isActive: boolean
  readonly roles: readonly string[]
  readonly createdAt: number
  readonly seenAt: number
  readonly idleMs: number
  readonly endsAt: number
  readonly endedAt: number | null
  readonly confirmedAt: number | null
  readonly emergencyUntil: number | null
}

export async function findSession(sql: Sql, workspaceId: number, tokenHash: string): Promise<FoundSession | undefined> {
  const ms = (column: string) => sql.unsafe(`(extract(epoch from s.${column}) * 1000)::float8`)
  const [row] = await sql<FoundSession[]>`
    select replace(s.id::text, '-', '') as id, replace(s.person_id::text, '-', '') as "personId", p.name, p.state = 'active' as "isActive",
      array(select m.role from memberships m where m.workspace_id = s.workspace_id and m.person_id = s.person_id order by m.role) as roles,
      ${ms('created_at')} as "createdAt", ${ms('seen_at')} as "seenAt", s.idle_ms::float8 as "idleMs", ${ms('ends_at')} as "endsAt",
      ${ms('ended_at')} as "endedAt", ${ms('confirmed_at')} as "confirmedAt", ${ms('emergency_until')} as "emergencyUntil"
    from sessions s join people p on p.workspace_id = s.workspace_id and p.id = s.person_id
    where s.workspace_id = ${workspaceId} and s.token_hash = ${tokenHash}`
  return row
}

export async function beginSession(
  tx: DbTransaction,
  workspaceId: number,
  session: Pick<SessionRow, 'id' | 'tokenHash' | 'personId' | 'createdAt' | 'idleMs' | 'endsAt' | 'confirmedAt'>,
  act: PeopleAct,
): Promise<void> {
  await tx.insert(sessions).values({ workspaceId, ...session, seenAt: session.createdAt })
  await noteAct(tx, workspaceId, act)
  // Ended ones are kept for a while: their person sees where they were signed in.
  const monthAgo = session.createdAt - 30 * 24 * 3_600_000
  await tx
    .delete(sessions)
    .where(and(eq(sessions.workspaceId, workspaceId), eq(sessions.personId, session.personId), lt(sessions.endsAt, monthAgo)))
}

/** Its person did something. */
export async function touchSession(db: Reader, workspaceId: number, id: string, now: number): Promise<void> {
  await db
    .update(sessions)
    .set({ seenAt: now })
    .where(and(eq(sessions.workspaceId, workspaceId), eq(sessions.id, id), isNull(sessions.endedAt), lt(sessions.seenAt, now)))
}

export async function confirmSession(db: Reader, workspaceId: number, id: string, now: number): Promise<void> {
  await db.update(sessions).set({ confirmedAt: now, seenAt: now }).where(within(workspaceId, id))
}

export async function setEmergency(
  tx: DbTransaction,
  workspaceId: number,
  id: string,
  emergency: { readonly until: number; readonly reason: string } | null,
  act: PeopleAct,
): Promise<void> {
  await tx
    .update(sessions)
    .set({ emergencyUntil: emergency?.until ?? null, emergencyReason: emergency?.reason ?? null })
    .where(within(workspaceId, id))
  await noteAct(tx, workspaceId, act)
}

/** False: it had ended. */
export async function endSession(
  tx: DbTransaction,
  workspaceId: number,
  { id, personId }: { readonly id: string; readonly personId: string },
  now: number,
  act: PeopleAct,
): Promise<boolean> {
  const ended = await tx
    .update(sessions)
    .set({ endedAt: now })
    .where(and(within(workspaceId, id), eq(sessions.personId, personId), isNull(sessions.endedAt)))
    .returning({ id: sessions.id })
  if (ended.length > 0) await noteAct(tx, workspaceId, act)
  return ended.length > 0
}

/** All of a person but one. The act that made it necessary is in the audit already. */
export async function endSessionsOf(
  tx: DbTransaction,
  workspaceId: number,
  personId: string,
  now: number,
  but: string | null = null,
): Promise<void> {
  await tx
    .update(sessions)
    .set({ endedAt: now })
    .where(
      and(
        eq(sessions.workspaceId, workspaceId),
        eq(sessions.personId, personId),
        isNull(sessions.endedAt),
        ...(but === null ? [] : [ne(sessions.id, but)]),
      ),
    )
}

export async function listSessions(db: Reader, workspaceId: number, personId: string, now: number): Promise<SessionRow[]> {
  return db
    .select()
    .from(sessions)
    .where(and(eq(sessions.workspaceId, workspaceId), eq(sessions.personId, personId), isNull(sessions.endedAt), gt(sessions.endsAt, now)))
    .orderBy(desc(sessions.seenAt))
    .limit(100)
}

/** When each person was last here. */
export async function readLastSeen(db: Reader, workspaceId: number): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .select({ personId: sessions.personId, seenAt: sql<string>`max(${sessions.seenAt})` })
    .from(sessions)
    .where(eq(sessions.workspaceId, workspaceId))
    .groupBy(sessions.personId)
  return new Map(rows.map((row) => [row.personId, new Date(row.seenAt).getTime()]))
}

const within = (workspaceId: number, id: string) => and(eq(sessions.workspaceId, workspaceId), eq(sessions.id, id))
