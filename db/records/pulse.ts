import type { Sql } from './bulk.ts'
import { instant } from './bulk.ts'

/** Ranges of parts in which something waits to be judged, by their number. */
export async function readDirtyRanges(sql: Sql, workspaceId: number, partsPerRange: number): Promise<number[]> {
  const rows = await sql<{ range: number }[]>`
    select distinct part / ${partsPerRange}::int as range from dirty_components where workspace_id = ${workspaceId} order by 1`
  return rows.map((row) => row.range)
}

/** Forgets what no page shows any more: passes and console messages older than these. */
export async function forgetOld(sql: Sql, workspaceId: number, passesBefore: number, feedBefore: number): Promise<void> {
  await sql`delete from passes p where workspace_id = ${workspaceId} and started_wall < ${instant(passesBefore)}::timestamptz
    and not exists (select from streams s where s.workspace_id = p.workspace_id and s.pass_id = p.id)`
  await sql`delete from feed where workspace_id = ${workspaceId} and at < ${instant(feedBefore)}::timestamptz`
}
