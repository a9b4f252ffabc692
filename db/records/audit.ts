import { and, asc, eq, sql as query } from 'drizzle-orm'
import type { Db, DbTransaction } from '../client.ts'
import type { AuditRow } from '../schema/audit.ts'
import { audit } from '../schema/audit.ts'
import type { Sql, Tx } from './bulk.ts'
import { instant, runOverRows } from './bulk.ts'

/** What is written about one act. */
export interface NewAct {
  /** Domain time, epoch ms. */
  readonly at: number
  readonly actor: string
  readonly act: string
  readonly targetKind: string
  readonly targetId: string
  readonly reason?: string | null
  /** Plain JSON objects: the fields that differ. */
  readonly before?: unknown
  readonly after?: unknown
}

/** A transaction of either client. */
export type ActTx = DbTransaction | Tx
const isDrizzle = (tx: ActTx | Sql | Db): tx is DbTransaction | Db => 'execute' in tx

const columns = {
  at: 'timestamptz',
  actor: 'text',
  act: 'text',
  target_kind: 'text',
  target_id: 'text',
  reason: 'text',
  before: 'jsonb',
  after: 'jsonb',
}
const json = (value: unknown): string | null => (value === null || value === undefined ? null : JSON.stringify(value))

/**
 * The audit rows of acts, in the transaction that acts. The transaction must end with `sealActs`, as those of `sealing` do: without the
 * chain's entry over these rows the database refuses to commit (semantics.md 26).
 */
export async function writeActs(tx: ActTx, workspaceId: number, acts: readonly NewAct[]): Promise<void> {
  if (acts.length === 0) return
  if (isDrizzle(tx)) {
    await tx.insert(audit).values(acts.map((one) => ({ workspaceId, ...one }) as typeof audit.$inferInsert))
    return
  }
  await runOverRows(
    tx,
    workspaceId,
    columns,
    acts.map(({ at, actor, act, targetKind, targetId, reason = null, before, after }) => [
      instant(at),
      actor,
      act,
      targetKind,
      targetId,
      reason,
      json(before),
      json(after),
    ]),
    (from) => `insert into audit (workspace_id, ${Object.keys(columns).join(', ')})
      select $1::int, ${Object.keys(columns).join(', ')} from ${from}`,
  )
}

/** The chain's entry over what this transaction wrote, if anything: its last statement, because others wait from here to the commit. */
export async function sealActs(tx: ActTx): Promise<void> {
  if (isDrizzle(tx)) await tx.execute(query`select seal_audit()`)
  else await tx`select seal_audit()`
}

/** A transaction that may write acts: sealed after all else it does. */
export function sealing<T>(db: Db, work: (tx: DbTransaction) => Promise<T>): Promise<T>
export function sealing<T>(sql: Sql, work: (tx: Tx) => Promise<T>): Promise<T>
export function sealing<T>(client: Db | Sql, work: ((tx: DbTransaction) => Promise<T>) | ((tx: Tx) => Promise<T>)): Promise<T> {
  const sealed = async <X extends ActTx>(tx: X, act: (tx: X) => Promise<T>) => {
    const result = await act(tx)
    await sealActs(tx)
    return result
  }
  return isDrizzle(client)
    ? client.transaction((tx) => sealed(tx, work as (tx: DbTransaction) => Promise<T>))
    : (client.begin((tx) => sealed(tx, work as (tx: Tx) => Promise<T>)) as Promise<T>)
}

/** Everything done to one thing, oldest first. */
export async function readActs(db: Db, workspaceId: number, targetKind: string, targetId: string): Promise<AuditRow[]> {
  return db
    .select()
    .from(audit)
    .where(and(eq(audit.workspaceId, workspaceId), eq(audit.targetKind, targetKind), eq(audit.targetId, targetId)))
    .orderBy(asc(audit.recordedAt), asc(audit.id))
    .limit(1000)
}
