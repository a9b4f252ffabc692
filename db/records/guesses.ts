import type { Sql } from '../client.ts'

export interface GuessBucket {
  readonly key: string
  readonly limit: number
  readonly windowMs: number
}

/**
 * Counts one guess in each bucket before it is looked at, so that a thousand at once are a thousand; a full bucket stops it, and it does not
 * count in those that follow. Null: it may be looked at; otherwise when it may be tried again, epoch ms.
 */
export async function countGuess(sql: Sql, workspaceId: number, buckets: readonly GuessBucket[], now: number): Promise<number | null> {
  for (const { key, limit, windowMs } of buckets) {
    const [at, begins] = [new Date(now), new Date(now - windowMs)]
    const [row] = await sql<{ times: number; since: Date }[]>`
      insert into guesses as g (workspace_id, key, since, times) values (${workspaceId}, ${key}, ${at}, 1)
      on conflict (workspace_id, key) do update set
        times = case when g.since <= ${begins} then 1 else g.times + 1 end,
        since = case when g.since <= ${begins} then excluded.since else g.since end
      returning times, since`
    if (row !== undefined && row.times > limit) return row.since.getTime() + windowMs
  }
  return null
}

/** A guess that was right was none. */
export async function takeBackGuess(sql: Sql, workspaceId: number, buckets: readonly GuessBucket[]): Promise<void> {
  const keys = buckets.map(({ key }) => key).sort()
  await sql`update guesses set times = greatest(times - 1, 0) where workspace_id = ${workspaceId} and key = any(${keys}::text[])`
}

export async function forgetGuessesBefore(sql: Sql, workspaceId: number, before: number): Promise<void> {
  await sql`delete from guesses where workspace_id = ${workspaceId} and since < ${new Date(before)}`
}
