import type { Cell, Columns, Sql, Tx } from './bulk.ts'
import { arrayOf, fromArrays, hexOf, instant, msOf, partOf, runOverRows, toArrays } from './bulk.ts'

/** What is stored of a record, for comparing with what a page brings. */
export interface StoredVersion {
  readonly componentId: string
  readonly updatedAt: number
  readonly version: string
  readonly contentHash: string
  readonly deleted: boolean
  /** Whose statement a record deleted by a tombstone keeps; null: its own version's. */
  readonly stated: Version | null
}

/** Which version of a record: the greatest of all read counts, by these in this order. */
export interface Version {
  readonly updatedAt: number
  readonly version: string
  readonly contentHash: string
}

/** A record row to write, but for its component. 128-bit hashes are 32 hex digits, times epoch ms, `ops` and `objects` JSON text, `keys` as the fact codec writes them. */
export interface RecordRow {
  readonly id: string
  readonly externalId: string
  readonly updatedAt: number
  readonly version: string | null
  readonly contentHash: string
  readonly status: string | null
  readonly ops: string | null
  readonly objects: string | null
  readonly role: number
  readonly keys: string | null
  readonly deletedAt: number | null
  /** A tombstone: the version whose statement (status, ops, objects, role, keys) it keeps; null: the row states its own. */
  readonly stated: Version | null
  /** The statement is the one already stored: what the row says of it is not written. */
  readonly isStatedAlready: boolean
}

export interface EventRow {
  readonly recordId: string
  readonly occurredAt: number
  readonly type: string
  readonly occurredAfter: number | null
  readonly updatedAt: number
  readonly status: string | null
  readonly ops: string | null
  readonly actorKind: number
  readonly actorId: string | null
  readonly seq: number
}

/** The stored versions of these records, by id. */
export async function readVersions(tx: Tx, workspaceId: number, ids: readonly string[]): Promise<Map<string, StoredVersion>> {
  if (ids.length === 0) return new Map()
  const rows = await tx<
    {
      id: string
      component_id: string
      at: number
      version: string | null
      content_hash: string
      deleted: boolean
      stated_at: number | null
      stated_version: string
      stated_hash: string
    }[]
  >`
    select r.id, r.component_id, date_part('epoch', r.updated_at) * 1000 as at, r.version, r.content_hash, r.deleted_at is not null as deleted,
      date_part('epoch', r.stated_at) * 1000 as stated_at, r.stated_version, r.stated_hash
    from unnest(${arrayOf(ids.map(partOf))}::smallint[], ${arrayOf(ids)}::uuid[]) as k (part, id)
    cross join lateral (select * from records where workspace_id = ${workspaceId} and part = k.part and id = k.id offset 0) r`
  return new Map(
    rows.map((row) => [
      hexOf(row.id),
      {
        componentId: hexOf(row.component_id),
        updatedAt: Math.round(row.at),
        version: row.version ?? '',
        contentHash: hexOf(row.content_hash),
        deleted: row.deleted,
        stated:
          row.stated_at === null
            ? null
            : { updatedAt: Math.round(row.stated_at), version: row.stated_version, contentHash: hexOf(row.stated_hash) },
      },
    ]),
  )
}

const recordColumns: Columns = {
  component_id: 'uuid',
  part: 'smallint',
  id: 'uuid',
  external_id: 'text',
  updated_at: 'ms',
  version: 'text',
  content_hash: 'uuid',
  status: 'text',
  ops: 'jsonb',
  objects: 'text',
  role: 'smallint',
  keys: 'text',
  deleted_at: 'ms',
  stated_at: 'ms',
  stated_version: 'text',
  stated_hash: 'uuid',
  is_stated: 'boolean',
}

function toRecordCells(row: RecordRow): Cell[] {
  return [
    null,
    partOf(row.id),
    row.id,
    row.externalId,
    row.updatedAt,
    row.version,
    row.contentHash,
    row.status,
    row.ops,
    row.objects,
    row.role,
    row.keys,
    row.deletedAt,
    row.stated?.updatedAt ?? null,
    row.stated?.version ?? null,
    row.stated?.contentHash ?? null,
    row.isStatedAlready || null,
  ]
}

/** Rows laid out to be written as soon as their components are known: that is decided under a lock others wait for. */
export interface StagedRecords {
  readonly ids: readonly string[]
  /** All columns but the first, the component. */
  readonly arrays: readonly string[]
}

export function stageRecords(rows: readonly RecordRow[]): StagedRecords {
  return { ids: rows.map((row) => row.id), arrays: rows.length === 0 ? [] : toArrays(recordColumns, rows.map(toRecordCells)).slice(1) }
}

type ComponentOf = (id: string) => string

const placed = ({ ids, arrays }: StagedRecords, componentOf: ComponentOf): string[] => [arrayOf(ids.map(componentOf)), ...arrays]

/** Inserts new records. The stream's row lock keeps other writers of the same records away. */
export async function insertRecords(
  tx: Tx,
  workspaceId: number,
  streamId: number,
  observedAt: number,
  rows: StagedRecords,
  componentOf: ComponentOf,
): Promise<void> {
  if (rows.ids.length === 0) return
  await tx.unsafe(
    `insert into records (workspace_id, part, id, stream_id, component_id, external_id, updated_at, observed_at, version, content_hash,
        status, ops, objects, role, keys, deleted_at, stated_at, stated_version, stated_hash)
      select $1::int, part, id, $2::int, component_id, external_id, updated_at, $3::timestamptz, version, content_hash,
        status, ops, objects, role, keys, deleted_at, stated_at, stated_version, stated_hash from ${fromArrays(recordColumns, 4)}`,
    [workspaceId, streamId, instant(observedAt), ...placed(rows, componentOf)],
    { prepare: true },
  )
}

/** Rewrites changed records. */
export async function updateRecords(
  tx: Tx,
  workspaceId: number,
  observedAt: number,
  rows: StagedRecords,
  componentOf: ComponentOf,
): Promise<void> {
  if (rows.ids.length === 0) return
  await tx.unsafe(
    `update records r set component_id = s.component_id, updated_at = s.updated_at, observed_at = $2::timestamptz,
        version = s.version, content_hash = s.content_hash, deleted_at = s.deleted_at,
        status = case when s.is_stated then r.status else s.status end, ops = case when s.is_stated then r.ops else s.ops end,
        objects = case when s.is_stated then r.objects else s.objects end, role = case when s.is_stated then r.role else s.role end,
        keys = case when s.is_stated then r.keys else s.keys end,
        stated_at = s.stated_at, stated_version = s.stated_version, stated_hash = s.stated_hash
      from ${fromArrays(recordColumns, 3)} where r.workspace_id = $1::int and r.part = s.part and r.id = s.id`,
    [workspaceId, instant(observedAt), ...placed(rows, componentOf)],
    { prepare: true },
  )
}

const restatedColumns: Columns = {
  part: 'smallint',
  id: 'uuid',
  status: 'text',
  ops: 'jsonb',
  objects: 'text',
  role: 'smallint',
  keys: 'text',
  stated_at: 'ms',
  stated_version: 'text',
  stated_hash: 'uuid',
}

/** Gives deleted records the statement of a version older than their tombstone, read after it; they stay deleted as they are. */
export async function restateRecords(
  tx: Tx,
  workspaceId: number,
  rows: readonly (Pick<RecordRow, 'id' | 'status' | 'ops' | 'objects' | 'role' | 'keys'> & { readonly stated: Version })[],
): Promise<void> {
  await runOverRows(
    tx,
    workspaceId,
    restatedColumns,
    rows.map((row) => [
      partOf(row.id),
      row.id,
      row.status,
      row.ops,
      row.objects,
      row.role,
      row.keys,
      row.stated.updatedAt,
      row.stated.version,
      row.stated.contentHash,
    ]),
    (from) => `update records r set status = s.status, ops = s.ops, objects = s.objects, role = s.role, keys = s.keys,
        stated_at = s.stated_at, stated_version = s.stated_version, stated_hash = s.stated_hash
      from ${from} where r.workspace_id = $1::int and r.part = s.part and r.id = s.id`,
  )
}

const eventColumns: Columns = {
  part: 'smallint',
  record_id: 'uuid',
  occurred_at: 'ms',
  type: 'text',
  occurred_after: 'ms',
  updated_at: 'ms',
  status: 'text',
  ops: 'jsonb',
  actor_kind: 'smallint',
  actor_id: 'text',
  seq: 'integer',
}

const toEventCells = (row: EventRow): Cell[] => [
  partOf(row.recordId),
  row.recordId,
  row.occurredAt,
  row.type,
  row.occurredAfter,
  row.updatedAt,
  row.status,
  row.ops,
  row.actorKind,
  row.actorId,
  row.seq,
]

/** Writes the events of records of which none is stored yet. */
export async function insertEvents(tx: Tx, workspaceId: number, observedAt: number, rows: readonly EventRow[]): Promise<void> {
  await runOverRows(tx, workspaceId, eventColumns, rows.map(toEventCells), insertingEvents, [instant(observedAt)])
}

/** Appends events. Where two versions state the same event differently, the newer version's statement stands, whichever came first. */
export async function appendEvents(tx: Tx, workspaceId: number, observedAt: number, rows: readonly EventRow[]): Promise<void> {
  await runOverRows(
    tx,
    workspaceId,
    eventColumns,
    rows.map(toEventCells),
    (from) => `${insertingEvents(from)}
      on conflict (workspace_id, part, record_id, occurred_at, type) do update
        set status = excluded.status, ops = excluded.ops, actor_kind = excluded.actor_kind, actor_id = excluded.actor_id,
          updated_at = excluded.updated_at, occurred_after = excluded.occurred_after
        where (excluded.updated_at, coalesce(excluded.status, ''), coalesce(excluded.ops::text, ''), excluded.actor_kind, coalesce(excluded.actor_id, ''))
            > (e.updated_at, coalesce(e.status, ''), coalesce(e.ops::text, ''), e.actor_kind, coalesce(e.actor_id, ''))`,
    [instant(observedAt)],
  )
}

function insertingEvents(from: string): string {
  return `insert into events as e (workspace_id, part, record_id, occurred_at, type, occurred_after, updated_at, observed_at,
      status, ops, actor_kind, actor_id, seq)
    select $1::int, part, record_id, occurred_at, type, occurred_after, updated_at, $2::timestamptz,
      status, ops, actor_kind, actor_id, seq from ${from}`
}

/** [id, component, stream, external id, updated, observed, status, ops, objects, role, keys, deleted] */
export type RecordValues = readonly [
  string,
  string,
  number,
  string,
  number,
  number,
  string | null,
  Record<string, never> | null,
  string | null,
  number,
  string | null,
  number | null,
]

/** [record, type, occurred, occurred after, observed, status, ops, actor kind, actor, seq] */
export type EventValues = readonly [
  string,
  string,
  number,
  number | null,
  number,
  string | null,
  Record<string, never> | null,
  number,
  string | null,
  number,
]

export async function readFacts(
  sql: Sql | Tx,
  workspaceId: number,
  components: readonly string[],
): Promise<{ records: RecordValues[]; events: EventValues[] }> {
  const ids = arrayOf(components)
  const records = await sql
    .unsafe(
      `select r.id, r.component_id, r.stream_id, r.external_id, ${msOf('r.updated_at')}, ${msOf('r.observed_at')}, r.status, r.ops, r.objects,
        r.role, r.keys, ${msOf('r.deleted_at')}
       from unnest($2::uuid[]) as c (id) cross join lateral (select * from records where workspace_id = $1 and component_id = c.id offset 0) r`,
      [workspaceId, ids],
    )
    .values()
  const found = (records as unknown as RecordValues[]).map((row) => hexOf(row[0])).sort()
  const events = await sql
    .unsafe(
      `select e.record_id, e.type, ${msOf('e.occurred_at')}, ${msOf('e.occurred_after')}, ${msOf('e.observed_at')}, e.status, e.ops, e.actor_kind,
        e.actor_id, e.seq
       from unnest($2::smallint[], $3::uuid[]) as r (part, id)
       cross join lateral (select * from events where workspace_id = $1 and part = r.part and record_id = r.id offset 0) e`,
      [workspaceId, arrayOf(found.map(partOf)), arrayOf(found)],
    )
    .values()
  return { records: records as unknown as RecordValues[], events: events as unknown as EventValues[] }
}
