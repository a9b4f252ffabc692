import { arrayOf, instant, type Sql, type Tx } from './bulk.ts'

/** Where a reader of the feed stands: transaction id and row within it. */
export interface FeedPosition {
  readonly txid: string
  readonly n: string
}

export interface FeedRow extends FeedPosition {
  readonly topic: string
  readonly ref: string
  readonly at: Date
}

/** Beyond this many at once a reader reads again what it shows instead of asking about each. */
const namedAtMost = 100

/** Tells which journeys changed, in the transaction that changed them; `*` stands for more than a reader wants named. */
export async function tellJourneys(tx: Tx, workspaceId: number, journeys: ReadonlySet<string>, now: number): Promise<void> {
  if (journeys.size === 0) return
  const refs = journeys.size > namedAtMost ? ['*'] : [...journeys]
  await tx`insert into feed (workspace_id, topic, ref, at)
    select ${workspaceId}, 'journey', ref, ${instant(now)}::timestamptz from unnest(${arrayOf(refs)}::text[]) as r (ref)`
}

/**
 * Rows after a position, in order. Only transactions older than every running one are shown:
 * one that is still to commit may not slip in behind the reader.
 */
export async function readFeed(sql: Sql, workspaceId: number, after: FeedPosition, limit: number): Promise<FeedRow[]> {
  return sql<FeedRow[]>`select txid::text, n::text, topic, ref, at from feed
    where workspace_id = ${workspaceId} and txid < pg_snapshot_xmin(pg_current_snapshot())
      and (txid, n) > (${after.txid}::xid8, ${after.n}::bigint)
    order by txid, n limit ${limit}`
}

/** The position from which a new reader sees everything that commits from now on. */
export async function readFeedEnd(sql: Sql, workspaceId: number): Promise<FeedPosition> {
  const [row] = await sql<FeedPosition[]>`select txid::text, n::text from feed
    where workspace_id = ${workspaceId} and txid < pg_snapshot_xmin(pg_current_snapshot()) order by txid desc, n desc limit 1`
  return row ?? { txid: '0', n: '0' }
}

/** The oldest position kept; a reader before it has missed something. */
export async function readFeedStart(sql: Sql, workspaceId: number): Promise<FeedPosition | undefined> {
  const [row] = await sql<FeedPosition[]>`select txid::text, n::text from feed where workspace_id = ${workspaceId} order by txid, n limit 1`
  return row
}
