import type { Sql } from './bulk.ts'
import { hexOf } from './bulk.ts'

/** A record of one component, as its tool showed it last. Times epoch ms. */
export interface ComponentRecord {
  readonly id: string
  /** `<connection>.<stream>` */
  readonly stream: string
  readonly externalId: string
  readonly status: string | null
  readonly ops: Readonly<Record<string, string | number | boolean | null>>
  /** Of its latest event; where it has none, when it changed. */
  readonly occurredAt: number
}

const recordsAtMost = 2_000

/** What is known of everything a component holds, oldest first; what is deleted in its tool is left out. */
export async function readComponentRecords(sql: Sql, workspaceId: number, componentId: string): Promise<ComponentRecord[]> {
  const rows = await sql<(Omit<ComponentRecord, 'ops'> & { ops: ComponentRecord['ops'] | null })[]>`
    select r.id::text, s.connection || '.' || s.name as stream, r.external_id as "externalId", r.status, r.ops,
      round(date_part('epoch', coalesce((select max(e.occurred_at) from events e
        where e.workspace_id = r.workspace_id and e.part = r.part and e.record_id = r.id), r.updated_at)) * 1000) as "occurredAt"
    from records r join streams s on s.workspace_id = r.workspace_id and s.id = r.stream_id
    where r.workspace_id = ${workspaceId} and r.component_id = ${componentId}::uuid and r.deleted_at is null
    order by "occurredAt", r.external_id limit ${recordsAtMost}`
  return rows.map((row) => ({ ...row, id: hexOf(row.id), ops: row.ops ?? {} }))
}
