import type { Sql } from './bulk.ts'

/** Open findings by promise and kind. */
export async function countOpenByPromise(
  sql: Sql,
  workspaceId: number,
): Promise<{ program: string; expectation: string; kind: string; open: number }[]> {
  return [
    ...(await sql<{ program: string; expectation: string; kind: string; open: number }[]>`
      select program, expectation, kind, count(*)::int as open from findings
      where workspace_id = ${workspaceId} and program is not null
        and status in ('open', 'acknowledged', 'acting', 'verifying', 'verification_failed') group by program, expectation, kind`),
  ]
}
