import { type ChainHead, readCheckpoints, readHead, settleCheckpoint, takeCheckpoint } from '../../db/records/audit-chain.ts'
import type { AuditCheckpointRow } from '../../db/schema/audit.ts'
import { type ConfiguredAudit, defaultAudit } from '../configured-audit.ts'
import { ToolError } from '../connectors/connector.ts'
import { parseAllowList } from '../connectors/guard.ts'
import type { Resolve } from '../connectors/guarded-connect.ts'
import type { Checkpoint } from '../domain/audit-chain.ts'
import { hash128 } from '../domain/hash.ts'
import type { Workspace } from '../open-workspace.ts'
import { postWebhook } from '../reports/post-webhook.ts'
import { appendCheckpoint, readCheckpointFile, type WrittenCheckpoint } from './checkpoint-file.ts'
import { verifyChain } from './verify-chain.ts'

export type AuditedWorkspace = Pick<Workspace, 'id' | 'key' | 'database'> & {
  readonly configuration: Pick<Workspace['configuration'], 'egressAllow' | 'audit'>
}

export interface CheckpointOptions {
  /** Where checkpoints are appended; null: to no file. */
  readonly file: string | null
  readonly wallNow?: () => number
  readonly resolve?: Resolve
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
  readonly error?: (message: string) => void
  /** Look at every target, due or not: whether it still tells of the same history. */
  readonly isFirst?: boolean
}

const leaseMs = 5 * 60_000
const longestWaitMs = 3_600_000

/** `file`, and `webhook:` with its name: as the record names them. */
function targetsOf({ webhooks }: ConfiguredAudit, file: string | null): string[] {
  return [...(file === null ? [] : ['file']), ...webhooks.map(({ name }) => `webhook:${name}`)]
}

/** Whether a target lacks enough entries, or one for long enough, and may be tried now. */
function isDue(row: AuditCheckpointRow | undefined, head: ChainHead, { everyEntries, everyMs }: ConfiguredAudit, wallNow: number): boolean {
  if (row === undefined || row.writtenAt === null) return row?.nextAt === undefined || row.nextAt === null || row.nextAt <= wallNow
  // A head behind what was written is to be told at once.
  if (head.seq === row.seq && head.hash === row.hash) return false
  if (row.nextAt !== null && row.nextAt > wallNow) return false
  return row.attempts > 0 || head.seq - row.seq >= everyEntries || wallNow - row.writtenAt >= everyMs || head.seq <= row.seq
}

async function dueTargets(workspace: AuditedWorkspace, file: string | null, wallNow: number, isFirst = false) {
  const { sql } = workspace.database
  const head = await readHead(sql, workspace.id)
  if (head === undefined) return { head, due: [] }
  const audit = workspace.configuration.audit ?? defaultAudit
  const rows = new Map((await readCheckpoints(sql, workspace.id)).map((row) => [row.target, row]))
  const due = targetsOf(audit, file)
    .map((target) => ({ target, row: rows.get(target) }))
    .filter(({ row }) => isFirst || isDue(row, head, audit, wallNow))
  return { head, due }
}

/** Whether there is anything to write: two look-ups by key. */
export async function waitsForCheckpoints(workspace: AuditedWorkspace, file: string | null, wallNow = Date.now()): Promise<boolean> {
  return (await dueTargets(workspace, file, wallNow)).due.length > 0
}

/**
 * Writes the head of the chain to each target that is due. Before, the chain is read from the target's last checkpoint on, as the file
 * tells it: what does not hold gets no checkpoint, is kept as found, and is said on every try. Safe to run twice: the same entry gives
 * the same webhook delivery, and a line twice says nothing new.
 */
export async function writeCheckpoints(
  workspace: AuditedWorkspace,
  options: CheckpointOptions,
): Promise<{ written: number; failed: number; broken: number }> {
  const { sql } = workspace.database
  const wallNow = options.wallNow ?? Date.now
  const counts = { written: 0, failed: 0, broken: 0 }
  const { due } = await dueTargets(workspace, options.file, wallNow(), options.isFirst)
  for (const { target, row } of due) {
    if (options.signal?.aborted) break
    const now = wallNow()
    if (!(await takeCheckpoint(sql, workspace.id, target, { now, until: now + leaseMs }))) continue
    const nextAt = now + Math.min(longestWaitMs, 60_000 * 2 ** Math.min(10, row?.attempts ?? 0))
    try {
      const after = await lastOf(workspace, target, row, options.file)
      const seen = await verifyChain(sql, workspace.id, {
        by: 'throughline',
        ...(after === undefined ? {} : { after }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      })
      if (seen.problem !== null) {
        counts.broken++
        options.error?.(`The audit chain does not hold. ${seen.problem.what} Run throughline audit verify.`)
        await settleCheckpoint(sql, workspace.id, target, { head: null, reason: seen.problem.what, nextAt })
        continue
      }
      const head = seen.to < 1 ? undefined : await readHead(sql, workspace.id, seen.to)
      if (head === undefined || options.signal?.aborted) throw new ToolError('network', 'The server is being stopped.')
      if (head.seq !== after?.seq) {
        await deliver(workspace, target, head, { ...options, wallNow })
        counts.written++
      }
      await settleCheckpoint(sql, workspace.id, target, { head, writtenAt: wallNow() })
    } catch (error) {
      const code = (error as { code?: unknown }).code
      const reason =
        error instanceof ToolError ? error.message : `It could not be written (${typeof code === 'string' ? code : (error as Error).name}).`
      await settleCheckpoint(sql, workspace.id, target, { head: null, reason, nextAt })
      counts.failed++
    }
  }
  return counts
}

/** What the target itself was last told: of a file the file says so, whatever the database does. */
async function lastOf(
  workspace: AuditedWorkspace,
  target: string,
  row: AuditCheckpointRow | undefined,
  file: string | null,
): Promise<Checkpoint | undefined> {
  if (target === 'file' && file !== null) return (await readCheckpointFile(file, workspace.key))?.at(-1)
  return row === undefined || row.writtenAt === null ? undefined : { seq: row.seq, hash: row.hash }
}

async function deliver(
  workspace: AuditedWorkspace,
  target: string,
  head: ChainHead,
  { file, wallNow, resolve, signal, timeoutMs }: CheckpointOptions & { readonly wallNow: () => number },
): Promise<void> {
  const checkpoint: WrittenCheckpoint = {
    type: 'audit.checkpoint',
    workspace: workspace.key,
    seq: head.seq,
    hash: head.hash,
    sealedAt: new Date(head.sealedAt).toISOString(),
    writtenAt: new Date(wallNow()).toISOString(),
  }
  if (target === 'file') return appendCheckpoint(file ?? '', checkpoint)
  const webhook = (workspace.configuration.audit ?? defaultAudit).webhooks.find(({ name }) => `webhook:${name}` === target)
  if (webhook === undefined) return
  await postWebhook(
    { name: webhook.name, url: webhook.url, secret: webhook.secrets.get('secret') ?? '' },
    hash128('audit', workspace.key, target, String(head.seq), head.hash),
    JSON.stringify(checkpoint),
    {
      allow: parseAllowList(workspace.configuration.egressAllow),
      wallNow,
      ...(resolve && { resolve }),
      ...(signal && { signal }),
      ...(timeoutMs && { timeoutMs }),
    },
  )
}
