import { randomUUID } from 'node:crypto'
import { openDatabase } from '../db/client.ts'
import { partCount } from '../db/records/bulk.ts'
import { wakeFindings } from '../db/records/finding-changes.ts'
import { stageCounts } from '../db/records/journey-counts.ts'
import { stillnessCounts } from '../db/records/journey-stillness.ts'
import { readDueRuns } from '../db/records/runs.ts'
import { refreshTallies } from '../db/records/tallies.ts'
import { verdictCounts } from '../db/records/verdict-counts.ts'
import { forgetOld, readDirtyRanges } from '../db/records/pulse.ts'
import { type Engine, enqueue, enqueueUnlessWaiting, type Log, registerJob, startEngine, type Transaction } from './engine.ts'
import type { Workspace } from './open-workspace.ts'
import { wake } from './reconcilers/judge.ts'
import { waitsForCheckpoints, writeCheckpoints } from './audit/write-checkpoints.ts'
import { pingOutsideCheck } from './outside-check.ts'
import { Pulse } from './pulse.ts'
import { judgeStreams } from './reconcilers/judge-streams.ts'
import { keepPaths } from './reconcilers/trace-journeys.ts'
import { judge, poll } from './reconcilers/reconcile.ts'
import { runReports, waitsForReports } from './reports/run-reports.ts'
import type { RunDeps } from './runs/actions.ts'
import { advanceRun } from './runs/advance-run.ts'
import { judgeEveryMs, judgingRanges, pollEveryMs, tallyEveryMs, watchEveryMs } from './rhythms.ts'
import { type Recurring, startSchedule } from './schedule.ts'

const partsPerRange = partCount / judgingRanges
const reportTickMs = 5_000
const runsEveryMs = 1_000
const runsPerTick = 200
const outsideCheckTickMs = 1_000
const auditTickMs = 10_000
const traceEveryMs = 5_000
const traceForMs = 2_000
const tidyEveryMs = 86_400_000
const dayMs = 86_400_000

export interface Jobs {
  readonly engine: Engine
  /** Reads a connection now, besides its schedule; within a transaction, once that commits. */
  pollNow(connectionId: string, by: string, tx?: Transaction): Promise<void>
  /** What a command on runs stands on, and how it hands one to the engine within its transaction. */
  readonly runs: RunDeps
  advanceRun(runId: string, tx: Transaction): Promise<void>
  /** Stops ticking, lets running jobs finish for five seconds, leaves the rest to other processes. */
  stop(): Promise<void>
}

/**
 * Runs the workspace's polls, judging and watching as durable jobs. Several processes may run this against one database:
 * every one ticks, the id of a tick makes it one run, and whoever dies is taken over.
 */
export interface JobsOptions {
  readonly ownerUrl: string
  readonly log: Log
  /** How fast the domain clock runs: polls keep its pace. 1 without it. */
  readonly speed?: () => number
  /** A job is not taken to stand still before this long; default a minute. */
  readonly quietMs?: number
  /** Where checkpoints of the audit chain are appended, when audit.yaml names no file; absent: to none. */
  readonly checkpointFile?: string
}

export async function startJobs(workspace: Workspace, options: JobsOptions): Promise<Jobs> {
  const { sql } = workspace.database
  const owner = openDatabase(options.ownerUrl, { max: 2 })
  const prefix = `w${workspace.id}`
  const pulse = new Pulse(sql, workspace.id, () => workspace.clock.now())
  const speed = () => options.speed?.() ?? 1
  /** A round of judging: what is dirty is given to a run, and where nothing is, there is nothing to judge. */
  const judgeDirty = async (id: string): Promise<void> => {
    const dirty = await readDirtyRanges(sql, workspace.id, partsPerRange)
    const clean = Array.from({ length: judgingRanges }, (_, range) => range).filter((range) => !dirty.includes(range))
    await pulse.beat(...clean.map((range) => `judge:${range}`))
    for (const range of dirty) await judgeRange(range, `${id}:${range}`)
  }
  const judgeRange = (range: number, id: string) =>
    enqueueUnlessWaiting(owner.sql, { job: 'judge', queue: 'judging', id, input: { range }, partition: `${prefix}:${range}` })

  registerJob<{ connection: string }>('poll', async ({ connection }, run) => {
    const counts = await run.step('read', async () => {
      const isReading = () => void pulse.beat(`poll:${connection}`).catch(() => {})
      const outcomes = await poll(workspace, connection, { signal: run.signal, onProgress: isReading })
      await pulse.beat(`poll:${connection}`)
      return outcomes.map((outcome) => ({
        stream: outcome.stream,
        kind: outcome.kind,
        changed: outcome.kind === 'complete' ? outcome.changed : 0,
      }))
    })
    await run.step('hand on', async () => {
      for (const range of await readDirtyRanges(sql, workspace.id, partsPerRange)) await judgeRange(range, `${run.id}:judge:${range}`)
      return null
    })
    return counts
  })

  registerJob<{ range: number }>('judge', async ({ range }, run) =>
    run.step('judge', async () => {
      const isJudging = () => void pulse.beat(`judge:${range}`).catch(() => {})
      const counts = await judge(workspace, { onProgress: isJudging }, [[range * partsPerRange, (range + 1) * partsPerRange - 1]])
      await pulse.beat(`judge:${range}`)
      return { components: counts.components, findings: counts.findings }
    }),
  )

  registerJob('watch', async (_: unknown, run) =>
    run.step('watch', async () => {
      const findings = await judgeStreams(sql, workspace.judging)
      await pulse.beat('watch')
      return { findings }
    }),
  )

  const runs: RunDeps = {
    workspace,
    wallNow: Date.now,
    pollSoon: (connection) =>
      enqueueUnlessWaiting(owner.sql, {
        job: 'poll',
        queue: 'polls',
        id: `${prefix}:${connection}:verify:${randomUUID()}`,
        input: { connection },
        partition: `${prefix}:${connection}`,
      }),
  }
  registerJob<{ run: string }>('run', async ({ run: id }, run) => run.step('advance', () => advanceRun(runs, id, run.signal)))
  registerJob('verify', async (_: unknown, run) =>
    run.step('verify', async () => {
      const due = await readDueRuns(workspace.database.db, workspace.id, { wallNow: Date.now(), isVerifying: true, limit: runsPerTick })
      for (const id of due) await advanceRun(runs, id, run.signal)
      return due.length
    }),
  )
  const runJob = (id: string, by: string) => ({
    job: 'run',
    queue: 'runbooks' as const,
    id: `${prefix}:run:${id}:${by}`,
    input: { run: id },
  })

  let traceAfter = 0
  registerJob('trace', async (_: unknown, run) =>
    run.step('trace', async () => {
      const started = Date.now()
      const { journeys, days, complete } = await keepPaths(workspace, { forMs: traceForMs, wallNow: Date.now })
      // To see that nothing changed costs what is stored, so it takes a twentieth of the time; catching up may take a third.
      traceAfter = Date.now() + (Date.now() - started) * (complete ? 20 : 2)
      return { journeys, days }
    }),
  )

  registerJob('tally', async (_: unknown, run) =>
    run.step('tally', async () => {
      const times = { now: workspace.clock.now(), wallNow: Date.now() }
      const counted = await refreshTallies(sql, workspace.id, [verdictCounts, stageCounts, stillnessCounts(times.now)], times)
      await pulse.beat('tally')
      return counted
    }),
  )

  registerJob('report', async (_: unknown, run) =>
    run.step('close and deliver', async () => {
      const done = await runReports(workspace, { signal: run.signal })
      await pulse.beat('report')
      return done
    }),
  )

  const checkpointFile = workspace.configuration.audit?.file ?? options.checkpointFile ?? null
  registerJob<{ isFirst: boolean }>('audit', async ({ isFirst }, run) =>
    run.step('write checkpoints', () =>
      writeCheckpoints(workspace, { file: checkpointFile, isFirst, signal: run.signal, error: (message) => options.log.error(message) }),
    ),
  )

  let isFirstAudit = true
  let pinging: Promise<unknown> | undefined
  const engine = await startEngine(options)
  const schedule = startSchedule({ entries: () => entries(), warn: (message) => options.log.warn(message) })

  function entries(): Recurring[] {
    const polls = workspace.configuration.connections
      .filter((connection) => workspace.connections.has(connection.id))
      .map(
        (connection): Recurring => ({
          name: `${prefix}:${connection.id}:poll`,
          everyMs: pollEveryMs(connection.pollSeconds, speed()),
          tick: (id) =>
            enqueueUnlessWaiting(owner.sql, {
              job: 'poll',
              queue: 'polls',
              id,
              input: { connection: connection.id },
              partition: `${prefix}:${connection.id}`,
            }),
        }),
      )
    return [
      ...polls,
      {
        name: `${prefix}:judge`,
        everyMs: judgeEveryMs,
        tick: async (id) => {
          // For what the API shows; judging asks by itself.
          await pulse.beatClock()
          await workspace.programs.refresh(sql)
          await wake(sql, workspace.judging)
          await wakeFindings(sql, workspace.id, workspace.clock.now())
          await judgeDirty(id)
        },
      },
      {
        name: `${prefix}:watch`,
        everyMs: watchEveryMs,
        tick: (id) => enqueueUnlessWaiting(owner.sql, { job: 'watch', queue: 'judging', id, input: null, partition: `${prefix}:watch` }),
      },
      {
        name: `${prefix}:tally`,
        everyMs: tallyEveryMs,
        tick: (id) => enqueueUnlessWaiting(owner.sql, { job: 'tally', queue: 'judging', id, input: null, partition: `${prefix}:tally` }),
      },
      {
        name: `${prefix}:report`,
        everyMs: reportTickMs,
        tick: async (id) => {
          if (!(await waitsForReports(workspace))) return pulse.beat('report')
          await enqueueUnlessWaiting(owner.sql, { job: 'report', queue: 'polls', id, input: null, partition: `${prefix}:report` })
        },
      },
      {
        name: `${prefix}:runs`,
        everyMs: runsEveryMs,
        tick: async (tick) => {
          const due = (isVerifying: boolean) =>
            readDueRuns(workspace.database.db, workspace.id, { wallNow: Date.now(), isVerifying, limit: runsPerTick })
          for (const id of await due(false)) await enqueue(owner.sql, runJob(id, tick))
          if ((await due(true)).length > 0)
            await enqueueUnlessWaiting(owner.sql, {
              job: 'verify',
              queue: 'judging',
              id: tick,
              input: null,
              partition: `${prefix}:verify`,
            })
        },
      },
      {
        name: `${prefix}:audit`,
        everyMs: auditTickMs,
        tick: async (id) => {
          if (!isFirstAudit && !(await waitsForCheckpoints(workspace, checkpointFile))) return
          await enqueueUnlessWaiting(owner.sql, {
            job: 'audit',
            queue: 'polls',
            id,
            input: { isFirst: isFirstAudit },
            partition: `${prefix}:audit`,
          })
          isFirstAudit = false
        },
      },
      {
        name: `${prefix}:outside-check`,
        everyMs: outsideCheckTickMs,
        // Not awaited: a check that answers slowly holds up no other tick.
        tick: async () => {
          pinging ??= pingOutsideCheck(workspace, {
            speed: speed(),
            ...(options.quietMs === undefined ? {} : { quietMs: options.quietMs }),
          })
            .catch((error: unknown) => options.log.warn(`The check outside could not be told (${(error as Error).name}); trying again.`))
            .finally(() => {
              pinging = undefined
            })
        },
      },
      {
        name: `${prefix}:trace`,
        everyMs: traceEveryMs,
        tick: async (id) => {
          if (Date.now() < traceAfter) return
          await enqueueUnlessWaiting(owner.sql, { job: 'trace', queue: 'judging', id, input: null, partition: `${prefix}:trace` })
        },
      },
      {
        name: `${prefix}:tidy`,
        everyMs: tidyEveryMs,
        tick: async () => {
          await forgetOld(sql, workspace.id, Date.now() - 30 * dayMs, workspace.clock.now() - 2 * dayMs)
          await engine.forgetRuns(new Date(Date.now() - dayMs))
        },
      },
    ]
  }

  return {
    engine,
    pollNow: (connectionId, by, tx) =>
      enqueue(tx ?? owner.sql, {
        job: 'poll',
        queue: 'polls',
        id: `${prefix}:${connectionId}:poll:${by}:${workspace.judging.randomId()}`,
        input: { connection: connectionId },
        partition: `${prefix}:${connectionId}`,
      }),
    runs,
    advanceRun: (id, tx) => enqueue(tx, runJob(id, randomUUID())),
    stop: async () => {
      await schedule.stop()
      await pinging
      await engine.stop()
      await owner.close()
    },
  }
}
