import type { Sql, Tx } from './bulk.ts'
import { arrayOf, hexOf, partOf } from './bulk.ts'

export async function markDirty(tx: Tx, workspaceId: number, components: readonly string[]): Promise<void> {
  if (components.length === 0) return
  await tx`insert into dirty_components (workspace_id, part, component_id)
    select ${workspaceId}, k.part, k.id from unnest(${arrayOf(components.map(partOf))}::smallint[], ${arrayOf(components)}::uuid[]) as k (part, id)`
}

/** Every component of the workspace is judged again: a program changed. */
export async function markAllDirty(sql: Sql | Tx, workspaceId: number): Promise<number> {
  const result = await sql`insert into dirty_components (workspace_id, part, component_id)
    select workspace_id, part, id from components where workspace_id = ${workspaceId} and merged_into is null`
  return result.count
}

/** Takes marks of up to `limit` changes in a range of parts. A mark made after this statement survives and is judged again. */
export async function takeDirty(tx: Tx, workspaceId: number, parts: readonly [number, number], limit: number): Promise<string[]> {
  const rows = await tx<{ component_id: string }[]>`
    with picked as (
      select ctid as place from dirty_components
      where workspace_id = ${workspaceId} and part between ${parts[0]} and ${parts[1]}
      order by part, component_id, seq limit ${limit} for update skip locked)
    delete from dirty_components d using picked p where d.ctid = p.place
    returning d.component_id`
  return [...new Set(rows.map((row) => hexOf(row.component_id)))].sort()
}

export async function countDirty(sql: Sql | Tx, workspaceId: number): Promise<number> {
  const [row] = await sql<{ n: number }[]>`select count(*)::int as n from dirty_components where workspace_id = ${workspaceId}`
  return row?.n ?? 0
}

/** Marks components of a range of parts whose deadline the clock has passed, or whose stream was read past it. Gate 0 is the clock. */
export async function wakeDue(
  sql: Sql | Tx,
  workspaceId: number,
  parts: readonly [number, number],
  passed: readonly { readonly gate: number; readonly until: number }[],
  limit: number,
): Promise<number> {
  const result = await sql`
    with woken as (
      select d.part, d.component_id, d.gate
      from unnest(${arrayOf(passed.map((one) => one.gate))}::int[], ${arrayOf(passed.map((one) => one.until))}::float8[]) as g (gate, until)
      cross join lateral (
        select part, component_id, gate from due
        where workspace_id = ${workspaceId} and gate = g.gate and due_at < to_timestamp(g.until / 1000)
          and part between ${parts[0]} and ${parts[1]}
        order by due_at limit ${limit} for update skip locked) d),
    gone as (
      delete from due d using woken w where d.workspace_id = ${workspaceId} and d.part = w.part and d.component_id = w.component_id and d.gate = w.gate
      returning d.part, d.component_id)
    insert into dirty_components (workspace_id, part, component_id) select distinct ${workspaceId}::int, part, component_id from gone`
  return result.count
}

/** Sets when these components are judged again without new facts; replaces what was set before. */
export async function replaceDue(
  tx: Tx,
  workspaceId: number,
  components: readonly string[],
  rows: readonly { readonly componentId: string; readonly gate: number; readonly at: number }[],
): Promise<void> {
  await tx`delete from due d using unnest(${arrayOf(components.map(partOf))}::smallint[], ${arrayOf(components)}::uuid[]) as k (part, id)
    where d.workspace_id = ${workspaceId} and d.part = k.part and d.component_id = k.id`
  if (rows.length === 0) return
  await tx`insert into due (workspace_id, part, component_id, gate, due_at)
    select ${workspaceId}, k.part, k.id, k.gate, to_timestamp(k.at / 1000)
    from unnest(${arrayOf(rows.map((row) => partOf(row.componentId)))}::smallint[], ${arrayOf(rows.map((row) => row.componentId))}::uuid[],
      ${arrayOf(rows.map((row) => row.gate))}::int[], ${arrayOf(rows.map((row) => row.at))}::float8[]) as k (part, id, gate, at)`
}
