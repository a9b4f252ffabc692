import type { Sql } from './bulk.ts'
import { arrayOf, instant } from './bulk.ts'

export interface PassRequests {
  readonly requests: number
  readonly retries: number
  readonly rateLimited: number
  readonly waitedMs: number
  readonly p50Ms: number
  readonly p95Ms: number
}

/** Adds what the latest pass of a stream asked of its tool; of a pass that is carried on, the later times stand. */
export async function notePassRequests(
  sql: Sql,
  workspaceId: number,
  connection: string,
  stream: string,
  counts: PassRequests,
): Promise<void> {
  await sql`
    update passes p set requests = coalesce(p.requests, 0) + ${counts.requests}, retries = coalesce(p.retries, 0) + ${counts.retries},
      rate_limited = coalesce(p.rate_limited, 0) + ${counts.rateLimited}, waited_ms = coalesce(p.waited_ms, 0) + ${counts.waitedMs},
      p50_ms = ${counts.p50Ms}, p95_ms = ${counts.p95Ms}
    from streams s where s.workspace_id = ${workspaceId} and s.connection = ${connection} and s.name = ${stream}
      and p.workspace_id = s.workspace_id and p.id = s.pass_id`
}

export interface RequestTotals {
  readonly streamId: number
  readonly passes: number
  readonly requests: number
  readonly retries: number
  readonly rateLimited: number
  readonly waitedMs: number
  /** Of the slowest pass; null: nothing was asked over HTTP. */
  readonly p95Ms: number | null
}

/** What the passes of streams that began since a domain time asked of their tool, one row per stream that was read. */
export async function readRequestTotals(
  sql: Sql,
  workspaceId: number,
  streamIds: readonly number[],
  since: number,
): Promise<RequestTotals[]> {
  return [
    ...(await sql<RequestTotals[]>`
      select p.stream_id as "streamId", count(*)::int as passes, coalesce(sum(p.requests), 0)::float8 as requests, coalesce(sum(p.retries), 0)::float8 as retries,
        coalesce(sum(p.rate_limited), 0)::float8 as "rateLimited", coalesce(sum(p.waited_ms), 0)::float8 as "waitedMs", max(p.p95_ms) as "p95Ms"
      from unnest(${arrayOf(streamIds)}::int[]) as s (id)
      join passes p on p.workspace_id = ${workspaceId} and p.stream_id = s.id and p.started_at >= ${instant(since)}::timestamptz
      group by 1`),
  ]
}
