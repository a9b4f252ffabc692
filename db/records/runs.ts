import { and, asc, desc, eq, inArray, isNull, lte, ne, or, sql } from 'drizzle-orm'
import type { Db, DbTransaction } from '../client.ts'
import { writeActs } from './audit.ts'
import type { ApprovalRow, AttemptOutcome, RunAttemptRow, RunEvidence, RunRow, RunState, RunStepRow, StepState } from '../schema/runs.ts'
import { approvals, runAttempts, runSteps, runs } from '../schema/runs.ts'

export interface RunAct {
  readonly act: string
  readonly actor: string
  /** Domain time. */
  readonly at: number
  readonly reason?: string | null
  readonly before?: Readonly<Record<string, unknown>> | null
  readonly after?: Readonly<Record<string, unknown>>
}

/** The audit row of an act on a run, and a word to the console about it and its finding. */
export async function noteRunAct(
  tx: DbTransaction,
  workspaceId: number,
  run: Pick<RunRow, 'id' | 'findingId'>,
  { act, actor, at, reason = null, before = null, after = {} }: RunAct,
): Promise<void> {
  await writeActs(tx, workspaceId, [
    { at, actor, act, targetKind: 'run', targetId: run.id, reason, before, after: { ...after, finding: run.findingId } },
  ])
  const when = new Date(at).toISOString()
  await tx.execute(sql`insert into feed (workspace_id, topic, ref, at)
    values (${workspaceId}, 'run', ${run.id}, ${when}::timestamptz), (${workspaceId}, 'finding', ${run.findingId}, ${when}::timestamptz)`)
}

/** A new run with its steps; undefined: another run of this finding is active, or this request made one already. */
export async function insertRun(
  tx: DbTransaction,
  run: Omit<RunRow, 'position' | 'leaseToken' | 'leaseUntil' | 'verifyUntil' | 'message' | 'endedAt' | 'revision'>,
  steps: readonly { readonly key: string; readonly amount: { readonly minor: number; readonly currency: string } | null }[],
): Promise<RunRow | undefined> {
  const [row] = await tx
    .insert(runs)
    .values({ ...run, position: 0, leaseToken: 0, revision: 1 })
    .onConflictDoNothing()
    .returning()
  if (!row) return undefined
  await tx.insert(runSteps).values(
    steps.map((step, position) => ({
      workspaceId: run.workspaceId,
      runId: run.id,
      position,
      key: step.key,
      state: 'pending' as const,
      attempts: 0,
      lookUps: 0,
      amountMinor: step.amount?.minor ?? null,
      currency: step.amount?.currency ?? null,
      runbook: run.runbook,
    })),
  )
  return row
}

export async function readRun(db: Db | DbTransaction, workspaceId: number, id: string): Promise<RunRow | undefined> {
  const [row] = await db
    .select()
    .from(runs)
    .where(and(eq(runs.workspaceId, workspaceId), eq(runs.id, id)))
  return row
}

export async function readActiveRun(db: Db | DbTransaction, workspaceId: number, findingId: string): Promise<RunRow | undefined> {
  const [row] = await db
    .select()
    .from(runs)
    .where(and(eq(runs.workspaceId, workspaceId), eq(runs.findingId, findingId), isNull(runs.endedAt)))
  return row
}

export async function readRunByRequest(
  db: Db | DbTransaction,
  workspaceId: number,
  actor: string,
  key: string,
): Promise<RunRow | undefined> {
  const [row] = await db
    .select()
    .from(runs)
    .where(and(eq(runs.workspaceId, workspaceId), eq(runs.requestedBy, actor), eq(runs.requestKey, key)))
  return row
}

export async function readSteps(db: Db | DbTransaction, workspaceId: number, runId: string): Promise<RunStepRow[]> {
  return db
    .select()
    .from(runSteps)
    .where(and(eq(runSteps.workspaceId, workspaceId), eq(runSteps.runId, runId)))
    .orderBy(asc(runSteps.position))
}

export async function readAttempts(db: Db | DbTransaction, workspaceId: number, runId: string): Promise<RunAttemptRow[]> {
  return db
    .select()
    .from(runAttempts)
    .where(and(eq(runAttempts.workspaceId, workspaceId), eq(runAttempts.runId, runId)))
    .orderBy(asc(runAttempts.position), asc(runAttempts.attempt))
}

export async function readApproval(db: Db | DbTransaction, workspaceId: number, runId: string): Promise<ApprovalRow | undefined> {
  const [row] = await db
    .select()
    .from(approvals)
    .where(and(eq(approvals.workspaceId, workspaceId), eq(approvals.runId, runId)))
    .orderBy(desc(approvals.requestedAt), desc(approvals.id))
    .limit(1)
  return row
}

export interface RunFilter {
  readonly states?: readonly RunState[]
  readonly runbook?: string
  readonly findingId?: string
  readonly isActive?: boolean
}

/** Newest first, after `after`. */
export async function listRuns(
  db: Db,
  workspaceId: number,
  filter: RunFilter,
  { after, limit }: { readonly after: { readonly at: number; readonly id: string } | null; readonly limit: number },
): Promise<RunRow[]> {
  return db
    .select()
    .from(runs)
    .where(
      and(
        eq(runs.workspaceId, workspaceId),
        filter.states && filter.states.length > 0 ? inArray(runs.state, [...filter.states]) : undefined,
        filter.runbook === undefined ? undefined : eq(runs.runbook, filter.runbook),
        filter.findingId === undefined ? undefined : eq(runs.findingId, filter.findingId),
        filter.isActive === true ? isNull(runs.endedAt) : undefined,
        after === null
          ? undefined
          : sql`(${runs.requestedAt}, ${runs.id}) < (${new Date(after.at).toISOString()}::timestamptz, ${after.id}::uuid)`,
      ),
    )
    .orderBy(desc(runs.requestedAt), desc(runs.id))
    .limit(limit)
}

export async function countRuns(db: Db, workspaceId: number): Promise<{ state: RunState; runs: number }[]> {
  return db
    .select({ state: runs.state, runs: sql<number>`count(*)::int` })
    .from(runs)
    .where(eq(runs.workspaceId, workspaceId))
    .groupBy(runs.state)
}

/** Runs with something to do at `wallNow` that nobody works on. `isVerifying`: only those that wait for a read; else all others. */
export async function readDueRuns(
  db: Db,
  workspaceId: number,
  { wallNow, isVerifying, limit }: { readonly wallNow: number; readonly isVerifying: boolean; readonly limit: number },
): Promise<string[]> {
  const rows = await db
    .select({ id: runs.id })
    .from(runs)
    .where(
      and(
        eq(runs.workspaceId, workspaceId),
        lte(runs.nextWall, wallNow),
        isVerifying ? eq(runs.state, 'verifying') : ne(runs.state, 'verifying'),
        or(isNull(runs.leaseUntil), lte(runs.leaseUntil, wallNow)),
      ),
    )
    .orderBy(asc(runs.nextWall))
    .limit(limit)
  return rows.map(({ id }) => id)
}

/** Takes a run up for as long as `leaseMs`, unless someone else works on it or it has ended. Whoever held it before writes nothing any more. */
export async function takeRun(db: Db, workspaceId: number, id: string, wallNow: number, leaseMs: number): Promise<RunRow | undefined> {
  const [row] = await db
    .update(runs)
    .set({ leaseToken: sql`${runs.leaseToken} + 1`, leaseUntil: wallNow + leaseMs })
    .where(
      and(
        eq(runs.workspaceId, workspaceId),
        eq(runs.id, id),
        isNull(runs.endedAt),
        or(isNull(runs.leaseUntil), lte(runs.leaseUntil, wallNow)),
      ),
    )
    .returning()
  return row
}

export type RunChange = Partial<Pick<RunRow, 'state' | 'position' | 'nextWall' | 'verifyUntil' | 'message' | 'endedAt' | 'leaseUntil'>>

/** Changes a run that is held by `token`; false: someone else has it, and nothing was written. */
export async function changeHeldRun(
  tx: Db | DbTransaction,
  run: Pick<RunRow, 'workspaceId' | 'id'>,
  token: number,
  set: RunChange,
): Promise<boolean> {
  const rows = await tx
    .update(runs)
    .set({ ...set, revision: sql`${runs.revision} + 1` })
    .where(and(eq(runs.workspaceId, run.workspaceId), eq(runs.id, run.id), eq(runs.leaseToken, token), isNull(runs.endedAt)))
    .returning({ id: runs.id })
  return rows.length > 0
}

/** Changes a run as a person saw it; undefined: it changed meanwhile. Takes it from whoever works on it. */
export async function changeSeenRun(
  tx: DbTransaction,
  run: Pick<RunRow, 'workspaceId' | 'id' | 'revision'>,
  set: RunChange,
): Promise<RunRow | undefined> {
  const [row] = await tx
    .update(runs)
    .set({ ...set, leaseToken: sql`${runs.leaseToken} + 1`, leaseUntil: null, revision: run.revision + 1 })
    .where(and(eq(runs.workspaceId, run.workspaceId), eq(runs.id, run.id), eq(runs.revision, run.revision), isNull(runs.endedAt)))
    .returning()
  return row
}

export type StepChange = Partial<
  Pick<
    RunStepRow,
    'state' | 'idempotencyKey' | 'since' | 'attempts' | 'lookUps' | 'message' | 'evidence' | 'shownAt' | 'startedAt' | 'endedAt'
  >
>

export async function changeStep(
  tx: Db | DbTransaction,
  step: Pick<RunStepRow, 'workspaceId' | 'runId' | 'position'>,
  set: StepChange,
): Promise<void> {
  await tx
    .update(runSteps)
    .set(set)
    .where(and(eq(runSteps.workspaceId, step.workspaceId), eq(runSteps.runId, step.runId), eq(runSteps.position, step.position)))
}

export async function beginAttempt(tx: DbTransaction, attempt: Omit<RunAttemptRow, 'endedWall' | 'outcome' | 'message'>): Promise<void> {
  await tx.insert(runAttempts).values(attempt)
}

/** The end of an attempt by whoever began it; false: someone else took the run up since. */
export async function endAttempt(
  tx: DbTransaction,
  attempt: Pick<RunAttemptRow, 'workspaceId' | 'runId' | 'position' | 'attempt' | 'token'>,
  end: { readonly endedWall: number; readonly outcome: AttemptOutcome; readonly message: string },
): Promise<boolean> {
  const rows = await tx
    .update(runAttempts)
    .set(end)
    .where(
      and(
        eq(runAttempts.workspaceId, attempt.workspaceId),
        eq(runAttempts.runId, attempt.runId),
        eq(runAttempts.position, attempt.position),
        eq(runAttempts.attempt, attempt.attempt),
        eq(runAttempts.token, attempt.token),
        isNull(runAttempts.outcome),
      ),
    )
    .returning({ attempt: runAttempts.attempt })
  return rows.length > 0
}

export interface DayUse {
  readonly steps: number
  readonly amounts: Readonly<Record<string, number>>
}

/**
 * What runs of a runbook began to do since a time, this step left out. Holds back every other reader of the same runbook until the
 * transaction ends: two that would each fit do not both pass.
 */
export async function readDayUse(
  tx: DbTransaction,
  workspaceId: number,
  runbook: string,
  since: number,
  besides: { readonly runId: string; readonly position: number },
): Promise<DayUse> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`${workspaceId} ${runbook}`}, 17))`)
  const rows = await tx
    .select({
      currency: runSteps.currency,
      steps: sql<number>`count(*)::int`,
      minor: sql<number>`coalesce(sum(${runSteps.amountMinor}), 0)::float8`,
    })
    .from(runSteps)
    .where(
      and(
        eq(runSteps.workspaceId, workspaceId),
        eq(runSteps.runbook, runbook),
        sql`${runSteps.startedAt} >= ${new Date(since).toISOString()}::timestamptz`,
        inArray(runSteps.state, ['acting', 'waiting', 'done', 'unknown'] satisfies StepState[]),
        sql`not (${runSteps.runId} = ${besides.runId}::uuid and ${runSteps.position} = ${besides.position})`,
      ),
    )
    .groupBy(runSteps.currency)
  return {
    steps: rows.reduce((sum, row) => sum + row.steps, 0),
    amounts: Object.fromEntries(rows.flatMap((row) => (row.currency === null ? [] : [[row.currency, row.minor]]))),
  }
}

export async function insertApproval(tx: DbTransaction, approval: Omit<ApprovalRow, 'decidedBy' | 'decidedAt' | 'reason'>): Promise<void> {
  await tx.insert(approvals).values(approval)
}

/** Decides one that still waits; undefined: someone decided it first, or it is over. */
export async function decideApproval(
  tx: DbTransaction,
  approval: Pick<ApprovalRow, 'workspaceId' | 'id'>,
  set: Pick<ApprovalRow, 'state' | 'decidedBy' | 'decidedAt' | 'reason'>,
): Promise<ApprovalRow | undefined> {
  const [row] = await tx
    .update(approvals)
    .set(set)
    .where(and(eq(approvals.workspaceId, approval.workspaceId), eq(approvals.id, approval.id), eq(approvals.state, 'waiting')))
    .returning()
  return row
}

export async function listApprovals(
  db: Db,
  workspaceId: number,
  state: ApprovalRow['state'] | null,
  limit: number,
): Promise<ApprovalRow[]> {
  return db
    .select()
    .from(approvals)
    .where(and(eq(approvals.workspaceId, workspaceId), state === null ? undefined : eq(approvals.state, state)))
    .orderBy(desc(approvals.requestedAt), desc(approvals.id))
    .limit(limit)
}

/** A record as the last poll left it, with when that version was first seen; undefined: no poll has seen it. */
export interface SeenRecord {
  readonly status: string | null
  readonly ops: string | null
  readonly updatedAt: number
  readonly observedAt: number
  readonly isDeleted: boolean
}

export async function readSeenRecord(db: Db, workspaceId: number, part: number, recordId: string): Promise<SeenRecord | undefined> {
  const rows = await db.execute<{ status: string | null; ops: string | null; updated: number; observed: number; deleted: boolean }>(
    sql`select status, ops::text as ops, date_part('epoch', updated_at) * 1000 as updated, date_part('epoch', observed_at) * 1000 as observed,
      deleted_at is not null as deleted from records where workspace_id = ${workspaceId} and part = ${part} and id = ${recordId}::uuid`,
  )
  const [row] = rows
  return (
    row && { status: row.status, ops: row.ops, updatedAt: Number(row.updated), observedAt: Number(row.observed), isDeleted: row.deleted }
  )
}

export type { ApprovalRow, RunAttemptRow, RunEvidence, RunRow, RunStepRow }
