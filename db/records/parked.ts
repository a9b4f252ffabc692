import type { Sql, Tx } from './bulk.ts'
import { arrayOf, partOf } from './bulk.ts'

/** Sets a component apart with its marks. It is tried again in wall time: after a minute, then twice as long each time, up to a day. */
export async function parkComponent(sql: Sql, workspaceId: number, id: string, reason: string): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`delete from dirty_components where workspace_id = ${workspaceId} and part = ${partOf(id)} and component_id = ${id}::uuid`
    await tx`insert into parked_components as p (workspace_id, part, component_id, reason, retry_at)
      values (${workspaceId}, ${partOf(id)}, ${id}::uuid, ${reason}, now() + interval '1 minute')
      on conflict (workspace_id, part, component_id) do update set tries = p.tries + 1, reason = excluded.reason,
        retry_at = now() + least(interval '1 day', interval '1 minute' * 2 ^ least(p.tries, 20))`
  })
}

/** Marks the parked components of a range of parts whose time has come. */
export async function retryParked(sql: Sql, workspaceId: number, parts: readonly [number, number]): Promise<number> {
  const result = await sql`
    with tried as (
      update parked_components set retry_at = null
      where workspace_id = ${workspaceId} and part between ${parts[0]} and ${parts[1]} and retry_at <= now()
      returning part, component_id)
    insert into dirty_components (workspace_id, part, component_id) select ${workspaceId}::int, part, component_id from tried`
  return result.count
}

/** These were judged after all. */
export async function unpark(tx: Tx, workspaceId: number, ids: readonly string[]): Promise<void> {
  await tx`delete from parked_components p using unnest(${arrayOf(ids.map(partOf))}::smallint[], ${arrayOf(ids)}::uuid[]) as k (part, id)
    where p.workspace_id = ${workspaceId} and p.part = k.part and p.component_id = k.id`
}

export async function countParked(sql: Sql | Tx, workspaceId: number): Promise<number> {
  const [row] = await sql<{ n: number }[]>`select count(*)::int as n from parked_components where workspace_id = ${workspaceId}`
  return row?.n ?? 0
}
