import type { StreamState } from '../schema/words.ts'
import { sealing, writeActs } from './audit.ts'
import type { Sql, Tx } from './bulk.ts'
import { instant } from './bulk.ts'

export interface StreamRow {
  readonly id: number
  readonly connection: string
  readonly name: string
  readonly title: string
  readonly lagSeconds: number
  readonly fullSweepSeconds: number | null
  readonly final: boolean
  readonly cursor: unknown
  readonly passMode: 'incremental' | 'full' | null
  readonly passId: number | null
  readonly passStartedAt: number | null
  readonly sweepId: string | null
  readonly shrinkAllowed: boolean
  readonly epoch: number
  readonly watermark: number | null
  readonly lastCompleteAt: number | null
  readonly lastSweepAt: number | null
  readonly state: StreamState
  readonly stateReason: string | null
  readonly stateSince: number | null
  /** Wall time before which the tool asked not to be read again. */
  readonly retryAt: number | null
  readonly records: number
  /** Why rows that are set aside make absence in it count for nothing; null: it counts. */
  readonly setAsideReason: string | null
}

/** The streams of a workspace, or of one connection, by name. */
export async function readStreams(sql: Sql | Tx, workspaceId: number, connection: string | null = null): Promise<StreamRow[]> {
  const rows = await sql<StreamRow[]>`
    select id, connection, name, title, lag_seconds as "lagSeconds", full_sweep_seconds as "fullSweepSeconds", final, cursor,
      pass_mode as "passMode", pass_id::int as "passId", date_part('epoch', pass_started_at) * 1000 as "passStartedAt", sweep_id as "sweepId",
      shrink_allowed as "shrinkAllowed", epoch::int as epoch, date_part('epoch', watermark) * 1000 as watermark,
      date_part('epoch', last_complete_at) * 1000 as "lastCompleteAt", date_part('epoch', last_sweep_at) * 1000 as "lastSweepAt",
      state, state_reason as "stateReason", date_part('epoch', state_since) * 1000 as "stateSince",
      date_part('epoch', retry_at) * 1000 as "retryAt", records::int as records, set_aside_reason as "setAsideReason"
    from streams where workspace_id = ${workspaceId} and (${connection}::text is null or connection = ${connection}) order by connection, name`
  return [...rows]
}

export interface StreamProgress {
  readonly cursor: unknown
  readonly epoch: number
  /** Set on the page that completes a pass. */
  readonly complete: boolean
  /** With it: everything that changed before this time has been read; null: the pass claims nothing, the watermark stays. */
  readonly completeTo: number | null
  /** Rows that stand set aside, where the connector knows; `reason` while absence counts for nothing because of them. */
  readonly setAside: { readonly count: number; readonly reason: string | null } | null
  readonly passMode: 'incremental' | 'full' | null
  readonly now: number
  readonly addedRecords: number
  readonly clockSkewMs: number | null
  readonly sweepDone: boolean
}

/** Moves a stream's cursor if nobody else has: the row lock it takes makes this connection's the only writer until commit. False: someone else has the stream. */
export async function advanceStream(tx: Tx, workspaceId: number, id: number, progress: StreamProgress): Promise<boolean> {
  const now = instant(progress.now)
  const readTo = instant(progress.completeTo)
  const { complete, setAside } = progress
  const rows = await tx`
    update streams set epoch = epoch + 1, cursor = ${progress.cursor === undefined ? null : tx.json(progress.cursor as never)},
      pass_mode = ${progress.passMode}, records = records + ${progress.addedRecords},
      clock_skew_ms = coalesce(${progress.clockSkewMs}, clock_skew_ms),
      watermark = greatest(watermark, ${readTo}::timestamptz),
      last_complete_at = case when ${complete} then ${now}::timestamptz else last_complete_at end,
      last_sweep_at = case when ${progress.sweepDone} then ${now}::timestamptz else last_sweep_at end,
      sweep_id = case when ${progress.sweepDone} then null else sweep_id end,
      shrink_allowed = shrink_allowed and not ${progress.sweepDone},
      state = case when ${complete} then 'ok' else state end,
      state_reason = case when ${complete} then null else state_reason end,
      state_since = case when ${complete} and state <> 'ok' then ${now}::timestamptz else state_since end,
      set_aside = case when ${setAside !== null} then ${setAside?.count ?? null}::integer else set_aside end,
      set_aside_reason = case when ${setAside !== null} then ${setAside?.reason ?? null}::text else set_aside_reason end,
      set_aside_since = case when ${setAside === null} then set_aside_since
        when ${setAside?.reason ?? null}::text is not null then coalesce(set_aside_since, ${now}::timestamptz) end,
      retry_at = null
    where workspace_id = ${workspaceId} and id = ${id} and epoch = ${progress.epoch}`
  return rows.count === 1
}

/** Opens a pass: a row for the freshness strip, its mode and sweep on the stream. Returns undefined when someone else has the stream. */
export async function openPass(
  sql: Sql,
  workspaceId: number,
  stream: StreamRow,
  mode: 'incremental' | 'full',
  now: number,
): Promise<StreamRow | undefined> {
  return sql.begin(async (tx) => {
    const [pass] = await tx<{ id: number }[]>`
      insert into passes (workspace_id, stream_id, mode, started_at) values (${workspaceId}, ${stream.id}, ${mode}, ${instant(now)}::timestamptz)
      returning id::int as id`
    const sweepId = mode === 'full' && stream.records > 0 ? `pass-${pass?.id}` : null
    const rows = await tx`
      update streams set epoch = epoch + 1, pass_mode = ${mode}, pass_id = ${pass?.id ?? null}, pass_started_at = ${instant(now)}::timestamptz,
        sweep_id = ${sweepId}, cursor = case when ${mode} = 'full' then null else cursor end
      where workspace_id = ${workspaceId} and id = ${stream.id} and epoch = ${stream.epoch}`
    if (rows.count === 0) return undefined
    return {
      ...stream,
      epoch: stream.epoch + 1,
      passMode: mode,
      passId: pass?.id ?? null,
      passStartedAt: now,
      sweepId,
      cursor: mode === 'full' ? null : stream.cursor,
    }
  }) as Promise<StreamRow | undefined>
}

/** Says why a stream is not being read. The cursor stays at the last committed page. False: someone else has the stream; nothing is said. */
export async function failStream(
  sql: Sql,
  workspaceId: number,
  stream: StreamRow,
  failure: {
    readonly state: StreamState
    readonly reason: string
    /** Wall time. */
    readonly retryAt: number | null
    readonly now: number
    readonly restart: boolean
  },
): Promise<boolean> {
  return sql.begin(async (tx) => {
    const failed = await tx`
      update streams set state = ${failure.state}, state_reason = ${failure.reason}, retry_at = ${instant(failure.retryAt)}::timestamptz,
        state_since = case when state = ${failure.state} then state_since else ${instant(failure.now)}::timestamptz end,
        cursor = case when ${failure.restart} then null else cursor end, pass_mode = case when ${failure.restart} then null else pass_mode end,
        epoch = epoch + 1
      where workspace_id = ${workspaceId} and id = ${stream.id} and epoch = ${stream.epoch}`
    if (failed.count === 0) return false
    if (stream.passId !== null) {
      await tx`update passes set ended_at = ${instant(failure.now)}::timestamptz, outcome = ${failure.state}, message = ${failure.reason}
        where workspace_id = ${workspaceId} and id = ${stream.passId}`
    }
    await tx`insert into feed (workspace_id, topic, ref, at) values (${workspaceId}, 'connection', ${stream.connection}, ${instant(failure.now)}::timestamptz)`
    return true
  }) as Promise<boolean>
}

/** A person says that what a sweep no longer saw is really gone: the next complete sweep of these streams may delete it. Answers their names. */
export async function acceptShrink(sql: Sql, workspaceId: number, connection: string, by: string, now: number): Promise<string[]> {
  return sealing(sql, async (tx) => {
    const rows = await tx<{ name: string }[]>`update streams set shrink_allowed = true
      where workspace_id = ${workspaceId} and connection = ${connection} and state = 'suspicious_shrink' and not shrink_allowed returning name`
    await writeActs(
      tx,
      workspaceId,
      rows.map(({ name }) => ({
        at: now,
        actor: by,
        act: 'stream.accept_shrink',
        targetKind: 'stream',
        targetId: `${connection}.${name}`,
        before: { shrinkAllowed: false },
        after: { shrinkAllowed: true },
      })),
    )
    return rows.map((row) => row.name)
  })
}

export interface PassCount {
  readonly read: number
  readonly changed: number
  readonly quarantined: number
  readonly from: number | null
  /** Null: the pass claims nothing. */
  readonly to: number | null
  readonly complete: boolean
}

export async function notePage(tx: Tx, workspaceId: number, passId: number, now: number, page: PassCount): Promise<void> {
  await tx`
    update passes set pages = pages + 1, read = read + ${page.read}, changed = changed + ${page.changed},
      quarantined = quarantined + ${page.quarantined}, covered_from = coalesce(covered_from, ${instant(page.from)}::timestamptz),
      covered_to = case when ${page.complete} then ${instant(page.to)}::timestamptz else covered_to end,
      ended_at = case when ${page.complete} then ${instant(now)}::timestamptz else ended_at end,
      outcome = case when ${page.complete} then 'complete' else outcome end
    where workspace_id = ${workspaceId} and id = ${passId}`
}

export async function noteQuarantined(
  tx: Tx,
  workspaceId: number,
  streamId: number,
  now: number,
  rows: readonly { readonly rawHash: string; readonly where: string; readonly reason: string }[],
): Promise<void> {
  for (const row of rows) {
    await tx`
      insert into quarantine (workspace_id, stream_id, raw_hash, location, reason, first_seen_at, last_seen_at)
      values (${workspaceId}, ${streamId}, ${row.rawHash}, ${row.where}, ${row.reason}, ${instant(now)}::timestamptz, ${instant(now)}::timestamptz)
      on conflict (workspace_id, stream_id, raw_hash) do update
        set last_seen_at = greatest(quarantine.last_seen_at, excluded.last_seen_at), times = quarantine.times + 1`
  }
}

export async function noteDrifts(
  tx: Tx,
  workspaceId: number,
  streamId: number,
  passId: number | null,
  now: number,
  rows: readonly { readonly path: string; readonly what: string }[],
): Promise<void> {
  for (const row of rows) {
    await tx`
      insert into drifts (workspace_id, stream_id, path, what, first_seen_at, last_seen_at, pass_id)
      values (${workspaceId}, ${streamId}, ${row.path}, ${row.what}, ${instant(now)}::timestamptz, ${instant(now)}::timestamptz, ${passId})
      on conflict (workspace_id, stream_id, path, what) do update
        set last_seen_at = greatest(drifts.last_seen_at, excluded.last_seen_at), pass_id = excluded.pass_id`
  }
}

/** A full pass that ended has read every record: what it did not meet is over. */
export async function settleDriftsUnseen(tx: Tx, workspaceId: number, streamId: number, passId: number): Promise<void> {
  await tx`delete from drifts where workspace_id = ${workspaceId} and stream_id = ${streamId} and pass_id is distinct from ${passId}`
}

/** What stands is all there is. */
export async function settleDriftsBut(
  tx: Tx,
  workspaceId: number,
  streamId: number,
  standing: readonly { readonly path: string; readonly what: string }[],
): Promise<void> {
  await tx`delete from drifts where workspace_id = ${workspaceId} and stream_id = ${streamId}
    and not (path || ' ' || what = any(${standing.map(({ path, what }) => `${path} ${what}`)}::text[]))`
}

export type { StreamState }
