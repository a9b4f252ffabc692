import type { Cell, Columns, Sql, Tx } from './bulk.ts'
import { arrayOf, hexOf, partOf, runOverRows } from './bulk.ts'

export interface StoredIdentifier {
  readonly componentId: string
  readonly firstNames: readonly string[]
  readonly hot: boolean
}

/** One writer at a time groups records of a workspace: grouping reads and writes shared tokens. Held until the transaction ends. */
export async function lockGrouping(tx: Tx, workspaceId: number): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtextextended('throughline.grouping', ${workspaceId}::bigint))`
}

export async function readIdentifiers(tx: Tx, workspaceId: number, tokens: readonly string[]): Promise<Map<string, StoredIdentifier>> {
  if (tokens.length === 0) return new Map()
  const rows = await tx<{ token: string; component_id: string; first_names: string[]; hot: boolean }[]>`
    select i.token, i.component_id, i.first_names, i.hot
    from unnest(${arrayOf(tokens.map(partOf))}::smallint[], ${arrayOf(tokens)}::uuid[]) as k (part, token)
    cross join lateral (select * from identifiers where workspace_id = ${workspaceId} and part = k.part and token = k.token offset 0) i`
  return new Map(rows.map((row) => [hexOf(row.token), { componentId: hexOf(row.component_id), firstNames: row.first_names, hot: row.hot }]))
}

export async function createComponents(tx: Tx, workspaceId: number, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await tx`insert into components (workspace_id, part, id)
    select ${workspaceId}, k.part, k.id from unnest(${arrayOf(ids.map(partOf))}::smallint[], ${arrayOf(ids)}::uuid[]) as k (part, id)`
}

/** Moves every record and token of the absorbed components to their survivors. Waits for judges that hold any of them. */
export async function mergeComponents(
  tx: Tx,
  workspaceId: number,
  merges: readonly { readonly survivor: string; readonly absorbed: readonly string[] }[],
): Promise<void> {
  if (merges.length === 0) return
  const pairs = merges.flatMap(({ survivor, absorbed }) => absorbed.map((id) => ({ survivor, id })))
  const from = arrayOf(pairs.map((pair) => pair.id))
  const to = arrayOf(pairs.map((pair) => pair.survivor))
  const touched = [...new Set(pairs.flatMap((pair) => [pair.survivor, pair.id]))].sort()
  await tx`select 1 from components where workspace_id = ${workspaceId} and part = any(${arrayOf([...new Set(touched.map(partOf))])}::smallint[])
    and id = any(${arrayOf(touched)}::uuid[]) order by id for update`
  await tx`update records r set component_id = m.survivor from unnest(${from}::uuid[], ${to}::uuid[]) as m (id, survivor)
    where r.workspace_id = ${workspaceId} and r.component_id = m.id`
  await tx`update identifiers i set component_id = m.survivor from unnest(${from}::uuid[], ${to}::uuid[]) as m (id, survivor)
    where i.workspace_id = ${workspaceId} and i.component_id = m.id`
  await tx`update components c set merged_into = m.survivor from unnest(${from}::uuid[], ${to}::uuid[]) as m (id, survivor)
    where c.workspace_id = ${workspaceId} and (c.id = m.id or c.merged_into = m.id) and c.part between 0 and 63`
}

export async function writeIdentifiers(
  tx: Tx,
  workspaceId: number,
  created: readonly ({ readonly token: string } & StoredIdentifier)[],
  changed: readonly ({ readonly token: string } & StoredIdentifier)[],
): Promise<void> {
  const columns: Columns = { part: 'smallint', token: 'uuid', component_id: 'uuid', first_names: 'text[]', hot: 'boolean' }
  const toRow = (row: { token: string } & StoredIdentifier): Cell[] => [
    partOf(row.token),
    row.token,
    row.componentId,
    `{${row.firstNames.join(',')}}`,
    row.hot,
  ]
  await runOverRows(
    tx,
    workspaceId,
    columns,
    created.map(toRow),
    (from) => `insert into identifiers (workspace_id, part, token, component_id, first_names, hot)
      select $1::int, part, token, component_id, first_names, hot from ${from}`,
  )
  await runOverRows(
    tx,
    workspaceId,
    columns,
    changed.map(toRow),
    (from) => `update identifiers i set first_names = s.first_names, hot = s.hot from ${from}
      where i.workspace_id = $1::int and i.part = s.part and i.token = s.token`,
  )
}

/**
 * Locks the live ones of these components in the order given, which is the order of their ids everywhere. An absorbed one is not locked
 * (whoever holds its survivor may delete it) but answered with its survivor.
 */
export async function lockComponents(
  tx: Tx,
  workspaceId: number,
  ids: readonly string[],
): Promise<{ live: string[]; survivors: string[] }> {
  const keys = [arrayOf(ids.map(partOf)), arrayOf(ids)] as const
  const locked = await tx<{ id: string }[]>`
    select c.id from unnest(${keys[0]}::smallint[], ${keys[1]}::uuid[]) as k (part, id)
    cross join lateral (
      select id from components where workspace_id = ${workspaceId} and part = k.part and id = k.id and merged_into is null offset 0 for update) c`
  const absorbed = await tx<{ merged_into: string }[]>`
    select c.merged_into from unnest(${keys[0]}::smallint[], ${keys[1]}::uuid[]) as k (part, id)
    cross join lateral (
      select merged_into from components where workspace_id = ${workspaceId} and part = k.part and id = k.id and merged_into is not null offset 0) c`
  return { live: locked.map((row) => hexOf(row.id)), survivors: [...new Set(absorbed.map((row) => hexOf(row.merged_into)))].sort() }
}

/** Components absorbed by any of these since they were last judged: their derived rows are replaced together. */
export async function readAbsorbed(tx: Tx, workspaceId: number, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await tx<{ id: string; merged_into: string }[]>`
    select c.id, c.merged_into from unnest(${arrayOf(ids)}::uuid[]) as k (id)
    cross join lateral (select id, merged_into from components where workspace_id = ${workspaceId} and merged_into = k.id offset 0) c`
  return new Map(rows.map((row) => [hexOf(row.id), hexOf(row.merged_into)]))
}

/**
 * Leaves a row that another judge holds: one that waited for it while it was absorbed keeps its lock, and may be waiting for the survivor.
 * That judge passes its mark on to the survivor, whose next judgement forgets the row.
 */
export async function forgetAbsorbed(tx: Tx, workspaceId: number, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await tx`
    with free as (
      select c.part, c.id from unnest(${arrayOf(ids.map(partOf))}::smallint[], ${arrayOf(ids)}::uuid[]) as k (part, id)
      cross join lateral (
        select part, id from components where workspace_id = ${workspaceId} and part = k.part and id = k.id offset 0 for update skip locked) c)
    delete from components c using free f where c.workspace_id = ${workspaceId} and c.part = f.part and c.id = f.id`
}

/** Keys that link nothing, all of the workspace: a short list by nature. */
export async function readHotTokens(sql: Sql | Tx, workspaceId: number): Promise<Set<string>> {
  const rows = await sql<{ token: string }[]>`select token from identifiers where workspace_id = ${workspaceId} and hot`
  return new Set(rows.map((row) => hexOf(row.token)))
}
