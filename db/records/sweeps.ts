import type { Tx } from './bulk.ts'
import { arrayOf, hexOf, instant } from './bulk.ts'

export async function noteSeen(tx: Tx, workspaceId: number, streamId: number, sweepId: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await tx`insert into sweep_seen (workspace_id, stream_id, sweep_id, record_id)
    select ${workspaceId}, ${streamId}, ${sweepId}, k.id from unnest(${arrayOf(ids)}::uuid[]) as k (id) on conflict do nothing`
}

/** How many live records of the stream the sweep has not seen, of how many. */
export async function countUnseen(
  tx: Tx,
  workspaceId: number,
  streamId: number,
  sweepId: string,
): Promise<{ unseen: number; live: number }> {
  const [row] = await tx<{ unseen: number; live: number }[]>`
    select count(*) filter (where s.record_id is null)::int as unseen, count(*)::int as live
    from records r left join sweep_seen s on s.workspace_id = r.workspace_id and s.stream_id = r.stream_id and s.sweep_id = ${sweepId} and s.record_id = r.id
    where r.workspace_id = ${workspaceId} and r.stream_id = ${streamId} and r.deleted_at is null`
  return row ?? { unseen: 0, live: 0 }
}

/** Records the complete sweep did not see are deleted as of that sweep; returns the components they belong to. */
export async function deleteUnseen(tx: Tx, workspaceId: number, streamId: number, sweepId: string, at: number): Promise<string[]> {
  const rows = await tx<{ component_id: string }[]>`
    update records r set deleted_at = ${instant(at)}::timestamptz
    where r.workspace_id = ${workspaceId} and r.stream_id = ${streamId} and r.deleted_at is null
      and not exists (select from sweep_seen s where s.workspace_id = r.workspace_id and s.stream_id = r.stream_id
        and s.sweep_id = ${sweepId} and s.record_id = r.id)
    returning r.component_id`
  return [...new Set(rows.map((row) => hexOf(row.component_id)))].sort()
}

export async function forgetSweep(tx: Tx, workspaceId: number, streamId: number): Promise<void> {
  await tx`delete from sweep_seen where workspace_id = ${workspaceId} and stream_id = ${streamId}`
}
