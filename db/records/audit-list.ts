import { and, desc, eq, getTableColumns, inArray, ne, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import type { AuditRow } from '../schema/audit.ts'
import { audit, auditChain } from '../schema/audit.ts'
import type { Sql } from './bulk.ts'
import type { Cursor, Page } from './page.ts'

export interface AuditFilter {
  readonly actors?: readonly string[]
  readonly acts?: readonly string[]
  readonly targetKinds?: readonly string[]
  readonly targetId?: string
  readonly id?: string
  /** By the wall time of the row, epoch ms; the end does not belong to it. */
  readonly recorded?: { readonly from: number | null; readonly to: number | null }
}

/** A row with the number of its entry; null: it stands in none. */
export type ListedAct = AuditRow & { readonly seq: number | null }

export const actsCountedAtMost = 10_000
/** Nearly all rows are ours: what others did has an index of its own (0015). */
const ourselves = 'throughline'

function where(workspaceId: number, filter: AuditFilter): SQL | undefined {
  const any = (column: Parameters<typeof inArray>[0], values: readonly string[] | undefined) =>
    values && values.length > 0 ? inArray(column, [...values]) : undefined
  const isOthers = filter.actors !== undefined && filter.actors.length > 0 && !filter.actors.includes(ourselves)
  const at = (ms: number) => sql`to_timestamp(${ms}::float8 / 1000)`
  return and(
    eq(audit.workspaceId, workspaceId),
    any(audit.actor, filter.actors),
    isOthers ? ne(audit.actor, sql.raw(`'${ourselves}'`)) : undefined,
    any(audit.act, filter.acts),
    any(audit.targetKind, filter.targetKinds),
    filter.targetId === undefined ? undefined : eq(audit.targetId, filter.targetId),
    filter.id === undefined ? undefined : eq(audit.id, filter.id),
    filter.recorded?.from == null ? undefined : sql`${audit.recordedAt} >= ${at(filter.recorded.from)}`,
    filter.recorded?.to == null ? undefined : sql`${audit.recordedAt} < ${at(filter.recorded.to)}`,
  )
}

const micros = sql<string>`(extract(epoch from ${audit.recordedAt}) * 1000000)::bigint::text`

/** Newest first. The cursor keeps microseconds: many rows are written within one millisecond. */
export async function listActs(
  db: Db,
  workspaceId: number,
  filter: AuditFilter,
  { cursor, limit }: { readonly cursor: Cursor | null; readonly limit: number },
): Promise<Page<ListedAct>> {
  const before = cursor
    ? sql`(${audit.recordedAt}, ${audit.n}) < ('epoch'::timestamptz + ${String(cursor[0])}::bigint * interval '1 microsecond', ${String(cursor[1])}::bigint)`
    : undefined
  const rows = await db
    .select({ ...getTableColumns(audit), micros })
    .from(audit)
    .where(and(where(workspaceId, filter), before))
    .orderBy(desc(audit.recordedAt), desc(audit.n))
    .limit(limit + 1)
  const shown = rows.slice(0, limit)
  const tickets = [...new Set(shown.map(({ ticket }) => ticket))]
  const entries =
    tickets.length === 0
      ? []
      : await db
          .select({ ticket: auditChain.ticket, seq: auditChain.seq })
          .from(auditChain)
          .where(and(eq(auditChain.workspaceId, workspaceId), inArray(auditChain.ticket, tickets)))
  const seqOf = new Map(entries.map(({ ticket, seq }) => [ticket, seq]))
  const last = rows.length > limit ? shown.at(-1) : undefined
  return {
    rows: shown.map(({ micros: _, ...row }) => ({ ...row, seq: seqOf.get(row.ticket) ?? null })),
    next: last ? [last.micros, String(last.n)] : null,
  }
}

/** No further than `actsCountedAtMost`, so its cost is bounded. */
export async function countActs(db: Db, workspaceId: number, filter: AuditFilter): Promise<number> {
  const some = db
    .select({ one: sql<number>`1`.as('one') })
    .from(audit)
    .where(where(workspaceId, filter))
    .limit(actsCountedAtMost + 1)
    .as('some')
  const [row] = await db.select({ count: sql<number>`count(*)::int` }).from(some)
  return row?.count ?? 0
}

/** Everything that matches, newest first, a page in memory at a time. What is written meanwhile is newer, so no page moves. */
export async function* streamActs(db: Db, workspaceId: number, filter: AuditFilter, atOnce: number): AsyncGenerator<readonly ListedAct[]> {
  let cursor: Cursor | null = null
  do {
    const page: Page<ListedAct> = await listActs(db, workspaceId, filter, { cursor, limit: atOnce })
    yield page.rows
    cursor = page.next
  } while (cursor !== null)
}

export interface AuditWords {
  readonly actors: readonly string[]
  readonly acts: readonly string[]
  readonly targetKinds: readonly string[]
}

const wordsAtMost = 200

/** Which actors, acts and kinds of target occur. Each is one look at an index per word, however many rows there are. */
export async function readAuditWords(sql: Sql, workspaceId: number): Promise<AuditWords> {
  const distinct = async (column: string, and = '') => {
    const rows = await sql.unsafe<{ word: string }[]>(
      `with recursive words as (
         (select ${column} as word from audit where workspace_id = $1 ${and} order by ${column} limit 1)
         union all
         select (select ${column} from audit where workspace_id = $1 ${and} and ${column} > words.word order by ${column} limit 1)
         from words where words.word is not null)
       select word from words where word is not null limit ${wordsAtMost}`,
      [workspaceId],
    )
    return rows.map(({ word }) => word)
  }
  const [actors, acts, targetKinds] = await Promise.all([
    distinct('actor', `and actor <> '${ourselves}'`),
    distinct('act'),
    distinct('target_kind'),
  ])
  return { actors: [ourselves, ...actors], acts, targetKinds }
}
