import type { Sql } from './bulk.ts'
import { instant } from './bulk.ts'

/** One thing that is counted over a whole table. `counts` must survive JSON: no dates, no maps. */
export interface Tally<T> {
  readonly name: string
  readonly count: (sql: Sql, workspaceId: number) => Promise<T>
}

export interface Counted<T> {
  readonly counts: T
  /** Domain time they are true for, epoch ms. */
  readonly asOf: number
}

/** What counts as quickly as this is counted whenever it is asked for, and is exact. */
const liveUpToMs = 25
const leastEveryMs = 15_000
/** A count may take this share of the time between two, so that large records are counted more rarely. */
const shareOfTime = 1 / 20

interface StoredTally {
  readonly counts: unknown
  readonly asOf: number
  readonly countedAt: number
  readonly tookMs: number
}

async function readTally(sql: Sql, workspaceId: number, name: string): Promise<StoredTally | undefined> {
  const [row] = await sql<StoredTally[]>`
    select case when took_ms > ${liveUpToMs} then counts end as counts, round(date_part('epoch', as_of) * 1000) as "asOf",
      round(date_part('epoch', counted_at) * 1000) as "countedAt", took_ms as "tookMs"
    from tallies where workspace_id = ${workspaceId} and name = ${name}`
  return row
}

/** The counts as last taken where taking them is slow, else taken now. `now`: domain clock. */
export async function readCounts<T>(sql: Sql, workspaceId: number, tally: Tally<T>, now: number): Promise<Counted<T>> {
  const stored = await readTally(sql, workspaceId, tally.name)
  if (stored && stored.tookMs > liveUpToMs) return { counts: stored.counts as T, asOf: stored.asOf }
  return { counts: await tally.count(sql, workspaceId), asOf: now }
}

/** Counts anew what is due to be counted. Safe to run twice: the later count stands. */
export async function refreshTallies(
  sql: Sql,
  workspaceId: number,
  tallies: readonly Tally<unknown>[],
  { now, wallNow }: { readonly now: number; readonly wallNow: number },
): Promise<number> {
  let counted = 0
  for (const tally of tallies) {
    const before = await readTally(sql, workspaceId, tally.name)
    if (before && wallNow - before.countedAt < Math.max(leastEveryMs, before.tookMs / shareOfTime)) continue
    const started = performance.now()
    const counts = await tally.count(sql, workspaceId)
    const tookMs = Math.round(performance.now() - started)
    await sql`insert into tallies as t (workspace_id, name, counts, as_of, counted_at, took_ms)
      values (${workspaceId}, ${tally.name}, ${sql.json(counts as never)}, ${instant(now)}::timestamptz, ${instant(wallNow)}::timestamptz, ${tookMs})
      on conflict (workspace_id, name) do update
        set counts = excluded.counts, as_of = excluded.as_of, counted_at = excluded.counted_at, took_ms = excluded.took_ms
        where t.as_of <= excluded.as_of`
    counted++
  }
  return counted
}
