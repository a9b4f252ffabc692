import { asc, desc, getTableColumns } from 'drizzle-orm'
import type { Db } from '../client.ts'
import type { FindingRow } from '../schema/findings.ts'
import { findings } from '../schema/findings.ts'
import { sealing, writeActs } from './audit.ts'
import type { Sql } from './bulk.ts'
import type { FindingFilter, FindingOrder } from './findings.ts'
import { keysOf, whereFindings } from './findings.ts'

/** Everything that matches, by a cursor of the database: one snapshot, a batch in memory at a time. */
export async function* streamFindings(
  { db, sql }: { readonly db: Db; readonly sql: Sql },
  workspaceId: number,
  filter: FindingFilter,
  order: FindingOrder,
  batchSize: number,
): AsyncGenerator<FindingRow[]> {
  const query = db
    .select()
    .from(findings)
    .where(whereFindings(workspaceId, filter))
    .orderBy(...keysOf(order).map((key) => (key.order === 'asc' ? asc(key.by) : desc(key.by))))
    .toSQL()
  const rows = sql.unsafe<Record<string, unknown>[]>(query.sql, query.params as never[]).cursor(batchSize)
  for await (const batch of rows) yield batch.map(toRow)
}

const columns = Object.entries(getTableColumns(findings))

function toRow(stored: Readonly<Record<string, unknown>>): FindingRow {
  const fields = columns.map(([field, column]) => {
    const value = stored[column.name]
    return [field, value === null || value === undefined ? null : column.mapFromDriverValue(value)] as const
  })
  return Object.fromEntries(fields) as FindingRow
}

export interface Export {
  readonly id: string
  readonly actor: string
  /** Domain time. */
  readonly at: number
  readonly format: string
  readonly filter: string
  readonly total: number
}

/** Who took what out: written before the first row leaves. */
export async function noteExport(db: Db, workspaceId: number, { id, actor, at, ...what }: Export): Promise<void> {
  await sealing(db, (tx) =>
    writeActs(tx, workspaceId, [{ targetKind: 'export', targetId: id, act: 'finding.export', actor, at, after: what }]),
  )
}
