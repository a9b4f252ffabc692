import { openDatabase } from '../db/client.ts'
import { partCount } from '../db/records/bulk.ts'
import { wakeFindings } from '../db/records/finding-changes.ts'
import { stageCounts } from '../db/records/journey-counts.ts'
import { refreshTallies } from '../db/records/tallies.ts'
import { verdictCounts } from '../db/records/verdict-counts.ts'
import { beat, forgetOld, readDirtyRanges } from '../db/records/pulse.ts'
import { type Engine, enqueue, enqueueUnlessWaiting, type Log, registerJob, startEngine, type Transaction } from './engine.ts'
import type { Workspace } from './open-workspace.ts'
import { wake } from './reconcilers/judge.ts'
import { judgeStreams } from './reconcilers/judge-streams.ts'
import { keepPaths } from './reconcilers/trace-journeys.ts'
import { judge, poll } from './reconcilers/reconcile.ts'
import { runReports, waitsForReports } from './reports/run-reports.ts'
import { type Recurring, startSchedule } from './schedule.ts'

const ranges = 4
const partsPerRange = partCount / ranges
const judgeEveryMs = 1_000
const fastestPollMs = 1_000
const watchEveryMs = 5_000
const tallyEveryMs = 15_000
const reportEveryMs = 5_000
const traceEveryMs = 5_000
const traceForMs = 2_000
const tidyEveryMs = 86_400_000
const dayMs = 86_400_000

export interface Jobs {
  readonly engine: Engine
  /** Reads a connection now, besides its schedule; within a transaction, once that commits. */
  pollNow(connectionId: string, by: string, tx?: Transaction): Promise<void>
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
}

export async function startJobs(workspace: Workspace, options: JobsOptions): Promise<Jobs> {
  const { sql } = workspace.database
  const owner = openDatabase(options.ownerUrl, { max: 2 })
  const prefix = `w${workspace.id}`
  const judgeRange = (range: number, id: string) =>
    enqueueUnlessWaiting(owner.sql, { job: 'judge', queue: 'judging', id, input: { range }, partition: `${prefix}:${range}` })

  registerJob<{ connection: string }>('poll', async ({ connection }, run) => {
    const counts = await run.step('read', async () => {
      const outcomes = await poll(workspace, connection, { signal: run.signal })
      await beat(sql, workspace.id, `poll:${connection}`, workspace.clock.now())
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
      const counts = await judge(workspace, {}, [[range * partsPerRange, (range + 1) * partsPerRange - 1]])
      await beat(sql, workspace.id, 'judge', workspace.clock.now())
      return { components: counts.components, findings: counts.findings }
    }),
  )

  registerJob('watch', async (_: unknown, run) =>
    run.step('watch', async () => {
      const findings = await judgeStreams(sql, workspace.judging)
      await beat(sql, workspace.id, 'watch', workspace.clock.now())
      return { findings }
    }),
  )

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
    run.step('tally', () =>
      refreshTallies(sql, workspace.id, [verdictCounts, stageCounts], { now: workspace.clock.now(), wallNow: Date.now() }),
    ),
  )

  registerJob('report', async (_: unknown, run) => run.step('close and deliver', () => runReports(workspace, { signal: run.signal })))

  const engine = await startEngine(options)
  const schedule = startSchedule({ entries: () => entries(), warn: (message) => options.log.warn(message) })

  function entries(): Recurring[] {
    const polls = workspace.configuration.connections
      .filter((connection) => workspace.connections.has(connection.id))
      .map(
        (connection): Recurring => ({
          name: `${prefix}:${connection.id}:poll`,
          everyMs: Math.max(fastestPollMs, Math.round((connection.pollSeconds * 1000) / Math.max(1, options.speed?.() ?? 1))),
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
          await workspace.programs.refresh(sql)
          await wake(sql, workspace.judging)
          await wakeFindings(sql, workspace.id, workspace.clock.now())
          for (const range of await readDirtyRanges(sql, workspace.id, partsPerRange)) await judgeRange(range, `${id}:${range}`)
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
        everyMs: reportEveryMs,
        tick: async (id) => {
          if (await waitsForReports(workspace))
            await enqueueUnlessWaiting(owner.sql, { job: 'report', queue: 'polls', id, input: null, partition: `${prefix}:report` })
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
    stop: async () => {
      await schedule.stop()
      await engine.stop()
      await owner.close()
    },
  }
}
