import {
  noteVerification,
  type PrintedRow,
  readEntries,
  readHead,
  readRowsOf,
  readUnsealed,
  type StoredEntry,
} from '../../db/records/audit-chain.ts'
import type { Sql } from '../../db/records/bulk.ts'
import { type ChainProblem, ChainVerification, type Checkpoint, type FoundRow, hashRow } from '../domain/audit-chain.ts'

export interface Verified {
  /** The entries looked at, `from` to `to`; `to` below `from`: there was none. */
  readonly from: number
  readonly to: number
  readonly rows: number
  readonly hash: string
  readonly problem: ChainProblem | null
}

export interface VerifyOptions {
  /** Who looks, for the record of it. */
  readonly by: string
  readonly checkpoints?: readonly Checkpoint[]
  /** Where an earlier look ended. Without it the whole chain, and the rows that stand in no entry. */
  readonly after?: Checkpoint
  readonly onProgress?: (seen: { readonly entries: number; readonly rows: number }) => void
  readonly signal?: AbortSignal
}

const entriesAtOnce = 200

/** Reads the chain and its rows in pieces, whatever its length, and keeps what was found. */
export async function verifyChain(sql: Sql, workspaceId: number, options: VerifyOptions): Promise<Verified> {
  const { checkpoints = [], after } = options
  const verification = new ChainVerification(workspaceId, checkpoints, after)
  const from = (after?.seq ?? 0) + 1
  let rows = 0
  let problem =
    after === undefined
      ? undefined
      : verification.begin((await readHead(sql, workspaceId, after.seq))?.hash, (await readHead(sql, workspaceId))?.seq ?? 0)
  for (let seq = after?.seq ?? 0; problem === undefined && !options.signal?.aborted; ) {
    const entries = await readEntries(sql, workspaceId, seq, entriesAtOnce)
    if (entries.length === 0) break
    const found = await hashRows(sql, workspaceId, entries)
    for (const entry of entries) {
      const of = found.get(entry.ticket) ?? []
      rows += of.length
      problem = verification.read(entry, of)
      if (problem !== undefined) break
      seq = entry.seq
    }
    options.onProgress?.({ entries: verification.last.seq - from + 1, rows })
  }
  problem ??= verification.end(after === undefined ? await readUnsealed(sql, workspaceId) : undefined)
  const { seq: to, hash } = verification.last
  if (!options.signal?.aborted)
    await noteVerification(sql, workspaceId, {
      by: options.by,
      fromSeq: from,
      toSeq: to,
      rows,
      checkpointSeq: checkpoints.length === 0 ? null : Math.max(...checkpoints.map((one) => one.seq)),
      problem: problem ?? null,
    })
  return { from, to, rows, hash, problem: problem ?? null }
}

async function hashRows(sql: Sql, workspaceId: number, entries: readonly StoredEntry[]): Promise<Map<string, FoundRow[]>> {
  const found = new Map<string, FoundRow[]>()
  const keep = (row: PrintedRow) => {
    const rows = found.get(row.ticket)
    const one = { id: row.id, hash: hashRow(row) }
    if (rows === undefined) found.set(row.ticket, [one])
    else rows.push(one)
  }
  for await (const rows of readRowsOf(
    sql,
    workspaceId,
    entries.map(({ ticket }) => ticket),
  ))
    for (const row of rows) keep(row)
  return found
}
