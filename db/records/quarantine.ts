import { sealing, writeActs } from './audit.ts'
import type { Sql, Tx } from './bulk.ts'
import { instant } from './bulk.ts'

export interface QuarantinedRow {
  readonly stream: string
  readonly rawHash: string
  /** An id or a line, never content. */
  readonly location: string
  readonly reason: string
  /** Domain time, epoch ms. */
  readonly firstSeenAt: number
  readonly lastSeenAt: number
  readonly times: number
  readonly acceptedAt: number | null
  readonly acceptedBy: string | null
  readonly acceptedReason: string | null
}

/** Records of a connection that could not be read, those met last first. */
export async function readQuarantined(sql: Sql, workspaceId: number, connection: string, limit: number): Promise<QuarantinedRow[]> {
  return [
    ...(await sql<QuarantinedRow[]>`
      select s.name as stream, q.raw_hash as "rawHash", q.location, q.reason, q.times, round(date_part('epoch', q.first_seen_at) * 1000) as "firstSeenAt",
        round(date_part('epoch', q.last_seen_at) * 1000) as "lastSeenAt", round(date_part('epoch', q.accepted_at) * 1000) as "acceptedAt",
        q.accepted_by as "acceptedBy", q.accepted_reason as "acceptedReason"
      from quarantine q join streams s on s.workspace_id = q.workspace_id and s.id = q.stream_id
      where q.workspace_id = ${workspaceId} and s.connection = ${connection} order by q.last_seen_at desc, q.raw_hash limit ${limit}`),
  ]
}

/** What a person accepts as unreadable, by stream. */
export async function readAccepted(
  sql: Sql | Tx,
  workspaceId: number,
  connection: string,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const rows = await sql<{ stream: string; rawHash: string }[]>`
    select s.name as stream, q.raw_hash as "rawHash" from quarantine q join streams s on s.workspace_id = q.workspace_id and s.id = q.stream_id
    where q.workspace_id = ${workspaceId} and s.connection = ${connection} and q.accepted_at is not null`
  return new Map([...Map.groupBy(rows, (row) => row.stream)].map(([stream, its]) => [stream, new Set(its.map((row) => row.rawHash))]))
}

export interface Acceptance {
  readonly connection: string
  readonly stream: string
  readonly rawHash: string
  readonly actor: string
  readonly reason: string
  /** Domain time. */
  readonly at: number
}

/** Accepts one that stands set aside, with its audit row; false: there is none, or someone was first. */
export async function acceptQuarantined(
  sql: Sql,
  workspaceId: number,
  { connection, stream, rawHash, actor, reason, at }: Acceptance,
): Promise<boolean> {
  return sealing(sql, async (tx) => {
    const rows = await tx`
      update quarantine q set accepted_at = ${instant(at)}::timestamptz, accepted_by = ${actor}, accepted_reason = ${reason}
      from streams s where s.workspace_id = ${workspaceId} and s.connection = ${connection} and s.name = ${stream}
        and q.workspace_id = s.workspace_id and q.stream_id = s.id and q.raw_hash = ${rawHash} and q.accepted_at is null`
    if (rows.count === 0) return false
    const targetId = `${connection}.${stream}`
    await writeActs(tx, workspaceId, [{ at, actor, act: 'quarantine.accept', targetKind: 'stream', targetId, reason, after: { rawHash } }])
    await tx`insert into feed (workspace_id, topic, ref, at) values (${workspaceId}, 'connection', ${connection}, ${instant(at)}::timestamptz)`
    return true
  })
}
