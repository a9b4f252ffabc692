import type { Sql } from './bulk.ts'

export interface DatabaseState {
  /** As the server says it, e.g. `18.1`. */
  readonly version: string
  readonly bytes: number
  /** Rows by table as the planner estimates them: no count of a large table. Null: never estimated yet. */
  readonly tables: readonly { readonly name: string; readonly rows: number | null; readonly bytes: number }[]
}

const counted = ['records', 'events', 'identifiers', 'journeys', 'verdicts', 'findings', 'audit']

export async function readDatabaseState(sql: Sql): Promise<DatabaseState> {
  const [server] = await sql<{ version: string; bytes: number }[]>`
    select current_setting('server_version') as version, pg_database_size(current_database())::float8 as bytes`
  const tables = await sql<{ name: string; rows: number | null; bytes: number }[]>`
    select c.relname as name, case when c.reltuples < 0 then null else round(c.reltuples)::float8 end as rows,
      pg_total_relation_size(c.oid)::float8 as bytes
    from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relname = any(${counted}) order by bytes desc, name`
  return { version: server?.version.split(' ')[0] ?? '', bytes: server?.bytes ?? 0, tables: [...tables] }
}

export interface HeartbeatRow {
  readonly job: string
  /** Domain clock, epoch ms. */
  readonly beatAt: number
  /** Wall clock, epoch ms. */
  readonly wallAt: number
}

/** Each job's latest run to its end, the longest silent first. */
export async function readHeartbeats(sql: Sql, workspaceId: number): Promise<HeartbeatRow[]> {
  return [
    ...(await sql<HeartbeatRow[]>`
      select job, round(date_part('epoch', beat_at) * 1000) as "beatAt", round(date_part('epoch', wall_at) * 1000) as "wallAt"
      from heartbeats where workspace_id = ${workspaceId} order by wall_at, job`),
  ]
}

/** Components set apart because judging them failed, those tried most often first. The reasons name no person. */
export async function readParked(sql: Sql, workspaceId: number, limit: number) {
  return [
    ...(await sql<{ id: string; reason: string; tries: number; since: number; retryAt: number | null }[]>`
      select component_id as id, reason, tries, round(date_part('epoch', since) * 1000) as since,
        round(date_part('epoch', retry_at) * 1000) as "retryAt"
      from parked_components where workspace_id = ${workspaceId} order by tries desc, since, component_id limit ${limit}`),
  ]
}

/** Whether a person has taken a finding on: what the first steps look for. */
export async function hasFindingTakenOn(sql: Sql, workspaceId: number): Promise<boolean> {
  const [row] = await sql<{ found: boolean }[]>`
    select exists (select from findings where workspace_id = ${workspaceId}
      and status in ('acknowledged', 'acting', 'verifying', 'verification_failed', 'waived')) as found`
  return row?.found ?? false
}
