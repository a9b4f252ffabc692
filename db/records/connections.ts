import { and, asc, desc, eq, gte, sql } from 'drizzle-orm'
import type { Db, DbTransaction } from '../client.ts'
import { audit } from '../schema/audit.ts'
import type { ConnectionRow } from '../schema/connections.ts'
import { connections } from '../schema/connections.ts'
import type { PassRow } from '../schema/passes.ts'
import { passes } from '../schema/passes.ts'
import type { StreamRow } from '../schema/streams.ts'
import { streams } from '../schema/streams.ts'

export interface ConnectionStatus {
  readonly connection: ConnectionRow
  readonly streams: readonly StreamRow[]
}

export async function readConnections(db: Db, workspaceId: number): Promise<ConnectionStatus[]> {
  const rows = await db.select().from(connections).where(eq(connections.workspaceId, workspaceId)).orderBy(asc(connections.id))
  const all = await db.select().from(streams).where(eq(streams.workspaceId, workspaceId)).orderBy(asc(streams.name))
  return rows.map((connection) => ({ connection, streams: all.filter((stream) => stream.connection === connection.id) }))
}

export async function readConnection(db: Db, workspaceId: number, id: string): Promise<ConnectionStatus | undefined> {
  const [connection] = await db
    .select()
    .from(connections)
    .where(and(eq(connections.workspaceId, workspaceId), eq(connections.id, id)))
  if (!connection) return undefined
  const rows = await db
    .select()
    .from(streams)
    .where(and(eq(streams.workspaceId, workspaceId), eq(streams.connection, id)))
    .orderBy(asc(streams.name))
  return { connection, streams: rows }
}

/** Passes of a connection's streams since a domain time, latest first. */
export async function readPasses(
  db: Db,
  workspaceId: number,
  connection: string | null,
  since: number,
  limit: number,
): Promise<(PassRow & { stream: string; connection: string })[]> {
  const rows = await db
    .select({ pass: passes, stream: streams.name, connection: streams.connection })
    .from(passes)
    .innerJoin(streams, and(eq(streams.workspaceId, passes.workspaceId), eq(streams.id, passes.streamId)))
    .where(
      and(
        eq(passes.workspaceId, workspaceId),
        connection === null ? undefined : eq(streams.connection, connection),
        gte(passes.startedAt, since),
      ),
    )
    .orderBy(desc(passes.startedAt), desc(passes.id))
    .limit(limit)
  return rows.map(({ pass, ...rest }) => ({ ...pass, ...rest }))
}

export async function countQuarantined(db: Db, workspaceId: number): Promise<{ streamId: number; count: number }[]> {
  return (await db.execute<{ streamId: number; count: number }>(sql`
    select stream_id as "streamId", count(*)::int as count from quarantine where workspace_id = ${workspaceId} group by 1`)) as unknown as {
    streamId: number
    count: number
  }[]
}

export interface ConnectionAct {
  readonly actor: string
  /** Domain time. */
  readonly at: number
}

/** What a tool said of itself, with the audit row of the act. */
export async function noteCheck(
  db: Db,
  workspaceId: number,
  id: string,
  { actor, at }: ConnectionAct,
  result: Readonly<Record<string, unknown>>,
): Promise<void> {
  await db.transaction(async (tx) => {
    await tx
      .update(connections)
      .set({ checkedAt: at, checkResult: result })
      .where(and(eq(connections.workspaceId, workspaceId), eq(connections.id, id)))
    await noteConnectionAct(tx, workspaceId, id, 'connection.check', { actor, at })
  })
}

export async function noteConnectionAct(tx: DbTransaction, workspaceId: number, id: string, act: string, by: ConnectionAct): Promise<void> {
  await tx.insert(audit).values({ workspaceId, act, targetKind: 'connection', targetId: id, ...by })
}
