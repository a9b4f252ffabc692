import type { AuditCheckpointRow, AuditVerificationRow, StoredChainProblem } from '../schema/audit.ts'
import type { Sql } from './bulk.ts'
import { instant } from './bulk.ts'

/** An entry as stored; hashes are hex, `sealedAt` microseconds since 1970. */
export interface StoredEntry {
  readonly seq: number
  readonly ticket: string
  readonly sealedAt: string
  readonly rowHashes: string
  readonly previous: string
  readonly hash: string
}

export interface ChainHead {
  readonly seq: number
  readonly hash: string
  /** Wall time, epoch ms. */
  readonly sealedAt: number
}

/** An audit row with its values as PostgreSQL prints them, times in microseconds. */
export interface PrintedRow {
  readonly ticket: string
  readonly workspaceId: number
  readonly id: string
  readonly at: string
  readonly recordedAt: string
  readonly actor: string
  readonly act: string
  readonly targetKind: string
  readonly targetId: string
  readonly reason: string | null
  readonly before: string | null
  readonly after: string | null
}

/** The last entry, or the one of this number. */
export async function readHead(sql: Sql, workspaceId: number, seq?: number): Promise<ChainHead | undefined> {
  const [row] = await sql<ChainHead[]>`
    select seq::float8 as seq, encode(hash, 'hex') as hash, round(date_part('epoch', sealed_at) * 1000) as "sealedAt" from audit_chain
    where workspace_id = ${workspaceId} ${seq === undefined ? sql`` : sql`and seq = ${seq}`} order by seq desc limit 1`
  return row
}

/** Entries in their order behind `after`; those that stand twice come twice. Empty: there are no more. */
export async function readEntries(sql: Sql, workspaceId: number, after: number, limit: number): Promise<StoredEntry[]> {
  return [
    ...(await sql<StoredEntry[]>`
      select seq::float8 as seq, ticket, audit_micros(sealed_at) as "sealedAt", encode(row_hashes, 'hex') as "rowHashes",
        encode(previous, 'hex') as previous, encode(hash, 'hex') as hash
      from audit_chain where workspace_id = ${workspaceId} and seq > ${after} order by seq limit ${limit}`),
  ]
}

/** The rows of these tickets, in the order they were written, some at a time. */
export async function* readRowsOf(sql: Sql, workspaceId: number, tickets: readonly string[]): AsyncGenerator<readonly PrintedRow[]> {
  const rows = sql<PrintedRow[]>`
    select ticket, workspace_id as "workspaceId", id::text as id, audit_micros(at) as at, audit_micros(recorded_at) as "recordedAt", actor, act,
      target_kind as "targetKind", target_id as "targetId", reason, before::text as before, after::text as after
    from audit where workspace_id = ${workspaceId} and ticket = any(${tickets}::bigint[]) order by ticket, n`
  yield* rows.cursor(1000)
}

/** The first row that no entry holds, with what it says. */
export async function readUnsealed(sql: Sql, workspaceId: number): Promise<string | undefined> {
  const [row] = await sql<{ id: string }[]>`
    select a.id::text as id from audit a where a.workspace_id = ${workspaceId} and not exists (
      select from audit_chain c where c.workspace_id = a.workspace_id and c.ticket = a.ticket)
    order by a.n limit 1`
  return row?.id
}

export async function readCheckpoints(sql: Sql, workspaceId: number): Promise<AuditCheckpointRow[]> {
  return [
    ...(await sql<AuditCheckpointRow[]>`
      select workspace_id as "workspaceId", target, seq::float8 as seq, encode(hash, 'hex') as hash,
        round(date_part('epoch', written_at) * 1000) as "writtenAt", attempts, round(date_part('epoch', next_at) * 1000) as "nextAt", reason
      from audit_checkpoints where workspace_id = ${workspaceId} order by target`),
  ]
}

/** Takes the next checkpoint of a target for a while, so that one process writes it. False: another one has it, or was first. */
export async function takeCheckpoint(
  sql: Sql,
  workspaceId: number,
  target: string,
  times: { readonly now: number; readonly until: number },
): Promise<boolean> {
  const [row] = await sql`
    insert into audit_checkpoints (workspace_id, target, seq, hash, next_at) values (${workspaceId}, ${target}, 0, '', ${instant(times.until)}::timestamptz)
    on conflict (workspace_id, target) do update set next_at = excluded.next_at
      where audit_checkpoints.next_at is null or audit_checkpoints.next_at <= ${instant(times.now)}::timestamptz
    returning 1`
  return row !== undefined
}

/** What became of it: `head` was taken by the target, or it is tried again at `nextAt`. Wall times. */
export async function settleCheckpoint(
  sql: Sql,
  workspaceId: number,
  target: string,
  outcome:
    | { readonly head: ChainHead; readonly writtenAt: number }
    | { readonly head: null; readonly reason: string; readonly nextAt: number },
): Promise<void> {
  if (outcome.head === null)
    await sql`update audit_checkpoints set attempts = attempts + 1, next_at = ${instant(outcome.nextAt)}::timestamptz, reason = ${outcome.reason}
      where workspace_id = ${workspaceId} and target = ${target}`
  else
    await sql`update audit_checkpoints set seq = ${outcome.head.seq}, hash = decode(${outcome.head.hash}, 'hex'),
        written_at = ${instant(outcome.writtenAt)}::timestamptz, attempts = 0, next_at = null, reason = null
      where workspace_id = ${workspaceId} and target = ${target}`
}

export interface NewVerification {
  readonly by: string
  readonly fromSeq: number
  readonly toSeq: number
  readonly rows: number
  readonly checkpointSeq: number | null
  readonly problem: StoredChainProblem | null
}

export async function noteVerification(sql: Sql, workspaceId: number, seen: NewVerification): Promise<void> {
  await sql`insert into audit_verifications (workspace_id, by, from_seq, to_seq, rows, checkpoint_seq, problem)
    values (${workspaceId}, ${seen.by}, ${seen.fromSeq}, ${seen.toSeq}, ${seen.rows}, ${seen.checkpointSeq},
      ${seen.problem === null ? null : sql.json({ ...seen.problem })})`
}

/** The last look at the chain; with `whole`, the last one from its first entry. */
export async function readLastVerification(
  sql: Sql,
  workspaceId: number,
  options: { readonly whole?: boolean } = {},
): Promise<Omit<AuditVerificationRow, 'n' | 'workspaceId'> | undefined> {
  const [row] = await sql<Omit<AuditVerificationRow, 'n' | 'workspaceId'>[]>`
    select round(date_part('epoch', verified_at) * 1000) as "verifiedAt", by, from_seq::float8 as "fromSeq", to_seq::float8 as "toSeq",
      rows::float8 as rows, checkpoint_seq::float8 as "checkpointSeq", problem
    from audit_verifications where workspace_id = ${workspaceId} ${options.whole ? sql`and from_seq = 1` : sql``} order by n desc limit 1`
  return row
}

/** The last entries, newest first, with how many rows each has. */
export async function readLastEntries(
  sql: Sql,
  workspaceId: number,
  limit: number,
): Promise<(ChainHead & { readonly rows: number; readonly previous: string })[]> {
  return [
    ...(await sql<(ChainHead & { rows: number; previous: string })[]>`
      select seq::float8 as seq, encode(hash, 'hex') as hash, encode(previous, 'hex') as previous, octet_length(row_hashes) / 32 as rows,
        round(date_part('epoch', sealed_at) * 1000) as "sealedAt"
      from audit_chain where workspace_id = ${workspaceId} order by seq desc limit ${limit}`),
  ]
}

/** The first entry that was sealed after the last checkpoint; wall time, epoch ms. Null: all of it is covered. */
export async function readUncoveredSince(sql: Sql, workspaceId: number, seq: number): Promise<number | null> {
  const [row] = await sql<{ at: number }[]>`select round(date_part('epoch', sealed_at) * 1000) as at from audit_chain
    where workspace_id = ${workspaceId} and seq > ${seq} order by seq limit 1`
  return row?.at ?? null
}
