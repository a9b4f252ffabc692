import { and, asc, desc, eq, gte, sql } from 'drizzle-orm'
import type { Db, DbTransaction } from '../client.ts'
import { sealing, writeActs } from './audit.ts'
import type { Sql } from './bulk.ts'
import { instant } from './bulk.ts'
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

/** The latest passes of each stream of a connection, or of all, since a domain time; latest first. */
export async function readPasses(
  db: Db,
  workspaceId: number,
  connection: string | null,
  { since, perStream }: { readonly since: number; readonly perStream: number },
): Promise<(PassRow & { stream: string; connection: string })[]> {
  // Stream by stream, as the index has them: a busy tool has thousands of passes a day.
  const latest = db
    .select()
    .from(passes)
    .where(and(eq(passes.workspaceId, streams.workspaceId), eq(passes.streamId, streams.id), gte(passes.startedAt, since)))
    .orderBy(desc(passes.startedAt), desc(passes.id))
    .limit(perStream)
    .as('latest')
  const rows = await db
    .select({ pass: latest._.selectedFields, stream: streams.name, connection: streams.connection })
    .from(streams)
    .innerJoinLateral(latest, sql`true`)
    .where(and(eq(streams.workspaceId, workspaceId), connection === null ? undefined : eq(streams.connection, connection)))
    .orderBy(desc(latest.startedAt), desc(latest.id))
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
  await sealing(db, async (tx) => {
    await tx
      .update(connections)
      .set({ checkedAt: at, checkResult: result })
      .where(and(eq(connections.workspaceId, workspaceId), eq(connections.id, id)))
    await noteConnectionAct(tx, workspaceId, id, 'connection.check', { actor, at })
  })
}

/** Whether a person stopped reading it for a while. */
export async function isPaused(sql: Sql, workspaceId: number, id: string): Promise<boolean> {
  return (await sql`select from connections where workspace_id = ${workspaceId} and id = ${id} and paused_at is not null`).length > 0
}

/** Stops reading a connection that is read, or goes on with one that is paused, with the audit row. False: it already is as asked. */
export async function setPaused(
  sql: Sql,
  workspaceId: number,
  id: string,
  paused: { readonly reason: string } | null,
  { actor, at }: ConnectionAct,
): Promise<boolean> {
  return sealing(sql, async (tx) => {
    const rows =
      paused === null
        ? await tx`update connections set paused_at = null, paused_by = null, paused_reason = null
            where workspace_id = ${workspaceId} and id = ${id} and enabled and paused_at is not null`
        : await tx`update connections set paused_at = ${instant(at)}::timestamptz, paused_by = ${actor}, paused_reason = ${paused.reason}
            where workspace_id = ${workspaceId} and id = ${id} and enabled and paused_at is null`
    if (rows.count === 0) return false
    const act = paused === null ? 'connection.resume' : 'connection.pause'
    await writeActs(tx, workspaceId, [{ at, actor, act, targetKind: 'connection', targetId: id, reason: paused?.reason ?? null }])
    await tx`insert into feed (workspace_id, topic, ref, at) values (${workspaceId}, 'connection', ${id}, ${instant(at)}::timestamptz)`
    return true
  })
}

/** The transaction it is given seals it (db/records/audit.ts). */
export async function noteConnectionAct(tx: DbTransaction, workspaceId: number, id: string, act: string, by: ConnectionAct): Promise<void> {
  await writeActs(tx, workspaceId, [{ act, targetKind: 'connection', targetId: id, ...by }])
}
