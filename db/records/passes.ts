import type { Sql } from './bulk.ts'

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
