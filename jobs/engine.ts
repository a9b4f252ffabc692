import { randomUUID } from 'node:crypto'
import { DBOS } from '@dbos-inc/dbos-sdk'
import { DBOSExecutor } from '@dbos-inc/dbos-sdk/internal/dbos-executor'
import type { SQL } from 'drizzle-orm'
import { sql as query } from 'drizzle-orm'
import pg from 'pg'
import postgres from 'postgres'
import { watchExecutors } from './take-over.ts'

const application = 'throughline'
/** A constant: a run parked by one release goes on in the next. */
const applicationVersion = 'v1'
/** Every restart of a parked run counts as one. */
const maxRecoveryAttempts = 10_000
const drainMs = 5000

export type Queue = 'polls' | 'judging' | 'runbooks'
/** What a step may return. It is stored: counts and ids, never a payload. */
export type StepResult = string | number | boolean | null | readonly StepResult[] | { readonly [key: string]: StepResult }

export interface Run {
  readonly id: string
  /** Aborted when this process stops. */
  readonly signal: AbortSignal
  /** Does something once, as far as that is known: its result is stored and not asked for again. It may run twice around a crash. */
  step<T extends StepResult>(name: string, work: () => Promise<T>): Promise<T>
}

export interface Log {
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

export interface EngineOptions {
  /** Connection of the database's owner: direct, not through a transaction pooler. */
  readonly ownerUrl: string
  /** Fresh for each start of a process. */
  readonly executorId?: string
  readonly log?: Log
}

export interface Engine {
  readonly executorId: string
  /** Runs by queue and state, for the metrics. */
  depths(): Promise<{ queue: string; status: string; runs: number }[]>
  cancel(runId: string): Promise<void>
  /** Forgets runs that ended before `cutoff`; returns how many. */
  forgetRuns(cutoff: Date): Promise<number>
  /** Lets running jobs finish for five seconds; others take over what is left. */
  stop(): Promise<void>
}

let stopping = new AbortController()

/** Names a kind of run. Call it before `startEngine`, in every process alike. Between its steps a job does nothing but plan from its input. */
export function registerJob<Input>(name: string, job: (input: Input, run: Run) => Promise<StepResult>): void {
  DBOS.registerWorkflow(
    async (input: Input) => {
      const run: Run = {
        id: DBOS.workflowID ?? '',
        signal: stopping.signal,
        step: (step, work) =>
          DBOS.runStep(() => work().catch(rethrowBare), {
            name: step,
            retriesAllowed: true,
            maxAttempts: 5,
            intervalSeconds: 1,
            backoffRate: 2,
          }),
      }
      return job(input, run)
    },
    { name, maxRecoveryAttempts },
  )
}

const ownErrors = new Set(['AppError', 'ToolError', 'StorageError'])

/** A failed step's error is stored and logged, and a stranger's message may quote what it choked on: only our own keep theirs. */
function rethrowBare(error: unknown): never {
  const {
    name = 'Error',
    message = '',
    code = '',
    stack = '',
  } = error as { name?: string; message?: string; code?: string; stack?: string }
  if (ownErrors.has(name)) throw new Error(message)
  const place = /\((?:file:\/\/)?[^()]*\/((?:jobs|db|server)\/[^()]+)\)/.exec(stack)?.[1] ?? ''
  throw new Error([name, code, place && `at ${place}`].filter(Boolean).join(' '))
}

export interface Enqueue {
  readonly job: string
  readonly queue: Queue
  /** Idempotency key, beginning with workspace and connection: the same id is one run, for ever. */
  readonly id: string
  readonly input: StepResult
  /** One run at a time per partition; required by `polls` and `judging`. */
  readonly partition?: string
}

type DrizzleTransaction = { execute(statement: SQL): PromiseLike<unknown> }
export type Transaction = postgres.Sql | postgres.TransactionSql | DrizzleTransaction

/** Within the caller's transaction: the run starts when that commits, or never. Also under the application role. */
export async function enqueue(tx: Transaction, { job, queue, id, input, partition }: Enqueue): Promise<void> {
  const args = JSON.stringify(input)
  const key = partition ?? null
  if ('execute' in tx) {
    await tx.execute(query`select dbos.enqueue_workflow(workflow_name => ${job}::text, queue_name => ${queue}::text,
      positional_args => array[${args}::text::json], workflow_id => ${id}::text, queue_partition_key => ${key}::text,
      app_version => ${applicationVersion}::text, application_name => ${application}::text)`)
  } else {
    await tx`select dbos.enqueue_workflow(workflow_name => ${job}::text, queue_name => ${queue}::text,
      positional_args => array[${args}::text::json], workflow_id => ${id}::text, queue_partition_key => ${key}::text,
      app_version => ${applicationVersion}::text, application_name => ${application}::text)`
  }
}

/** As `enqueue`, unless a run of the same queue and partition still waits for its turn. Needs the owner's connection. */
export async function enqueueUnlessWaiting(owner: postgres.Sql, run: Enqueue & { readonly partition: string }): Promise<void> {
  const waiting = await owner`select from dbos.workflow_status
    where status = 'ENQUEUED' and queue_name = ${run.queue} and queue_partition_key = ${run.partition} limit 1`
  if (waiting.length === 0) await enqueue(owner, run)
}

export async function startEngine({ ownerUrl, executorId = randomUUID(), log = silent }: EngineOptions): Promise<Engine> {
  stopping = new AbortController()
  // DBOS's own pool sends a query on connections that are already in use, which pg warns of at every start.
  const pool = new pg.Pool({
    connectionString: ownerUrl,
    max: 12,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    idle_in_transaction_session_timeout: 60_000,
    application_name: 'throughline-engine',
  })
  pool.on('error', () => {})
  DBOS.setConfig({
    name: application,
    systemDatabaseUrl: ownerUrl,
    systemDatabasePool: pool,
    executorID: executorId,
    applicationVersion,
    enablePatching: true,
    logger: {
      debug: () => {},
      info: () => {},
      warn: (entry) => log.warn(entryText(entry)),
      error: (entry) => log.error(entryText(entry)),
    },
  })
  await DBOS.launch()
  await DBOS.registerQueue('runbooks', { minPollingIntervalMs: 250 })
  await DBOS.registerQueue('polls', { workerConcurrency: 20, partitionConcurrency: 1, minPollingIntervalMs: 250 })
  await DBOS.registerQueue('judging', { workerConcurrency: 6, partitionConcurrency: 1, minPollingIntervalMs: 100 })

  const owner = postgres(ownerUrl, { max: 2, onnotice: () => {}, connection: { application_name: 'throughline-engine' } })
  await admitApplication(owner)
  const watching = await watchExecutors({
    ownerUrl,
    executorId,
    application,
    recover: async (id) => {
      await DBOSExecutor.globalInstance?.recoverPendingWorkflows([id])
    },
    warn: (message) => log.warn(message),
  })

  return {
    executorId,
    cancel: (runId) => DBOS.cancelWorkflow(runId),
    depths: () => owner<{ queue: string; status: string; runs: number }[]>`
      select queue_name as queue, status, count(*)::int as runs from dbos.workflow_status
      where status in ('ENQUEUED', 'PENDING') and queue_name is not null group by 1, 2`,
    forgetRuns,
    stop: async () => {
      stopping.abort()
      await DBOS.shutdown({ workflowCompletionTimeoutMS: drainMs })
      await watching.stop()
      if (!pool.ended) await pool.end()
      await owner.end({ timeout: 5 })
    },
  }
}

/** The application may start runs and signal them, and read none: the two functions act for it. Their search path is fixed by DBOS. */
async function admitApplication(owner: postgres.Sql): Promise<void> {
  await owner.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(hashtextextended('throughline engine grants', 0))`
    const functions = await tx<{ signature: string; definer: boolean }[]>`
      select p.oid::regprocedure::text as signature, p.prosecdef as definer from pg_proc p
      where p.pronamespace = 'dbos'::regnamespace and p.proname in ('enqueue_workflow', 'send_message')`
    for (const { signature, definer } of functions) if (!definer) await tx.unsafe(`alter function ${signature} security definer`)
    await tx`grant usage on schema dbos to throughline_app`
  })
}

async function forgetRuns(cutoff: Date): Promise<number> {
  for (let forgotten = 0; ; ) {
    const ended = await DBOS.listWorkflows({
      status: ['SUCCESS', 'ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED'],
      completedBefore: cutoff.toISOString(),
      limit: 500,
      loadInput: false,
      loadOutput: false,
    })
    if (ended.length === 0) return forgotten
    await DBOS.deleteWorkflows(ended.map((run) => run.workflowID))
    forgotten += ended.length
  }
}

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} }

function entryText(entry: unknown): string {
  return (entry instanceof Error ? entry.message : String(entry)).split('\n', 1)[0] ?? ''
}
