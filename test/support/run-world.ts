import type { RunRow } from '../../db/records/runs.ts'
import { readRun } from '../../db/records/runs.ts'
import type { ToolAction } from '../../jobs/connectors/connector.ts'
import type { Workspace } from '../../jobs/open-workspace.ts'
import { reconcile } from '../../jobs/reconcilers/reconcile.ts'
import type { RunDeps } from '../../jobs/runs/actions.ts'
import { advanceRun } from '../../jobs/runs/advance-run.ts'
import { type DraftPlan, prepareRun } from '../../jobs/runs/prepare-run.ts'
import { startRun } from '../../jobs/runs/start-run.ts'
import { actingConnector, type ActingTool, startActingTool } from './acting-tool.ts'
import { movedClock, type MovedClock, openPagedWorkspace } from './paged-workspace.ts'

export const minute = 60_000
export const morning = Date.parse('2026-03-02T09:00:00Z')
export const never = new AbortController().signal

export interface RunWorld {
  readonly workspace: Workspace
  readonly deps: RunDeps
  readonly clock: MovedClock
  readonly booking: ActingTool
  readonly texts: ActingTool
  wall: number
  /** The open gap of a booking nobody confirmed. */
  gap(booking: string): Promise<string>
  reconcile(): Promise<void>
  start(findingId: string, change?: Partial<DraftPlan>): Promise<RunRow>
  /** Advances until it rests or ends; the wall clock moves on with each round. */
  settle(runId: string, rounds?: number): Promise<RunRow>
  close(): Promise<void>
}

/** Two tools behind the real pipeline; the texting one can be told to send. Bookings `b-1`… were made at 9:00 and none was confirmed; it is 9:30. */
export async function openRunWorld(ownerUrl: string, options: { people?: number; repeat?: ToolAction['repeat'] } = {}): Promise<RunWorld> {
  const clock = movedClock(morning + 30 * minute)
  const [booking, texts] = await Promise.all([startActingTool(clock.at), startActingTool(clock.at)])
  const email = (id: string) => `${id}@example.org`
  booking.rows = Array.from({ length: options.people ?? 1 }, (_, n) => ({
    id: `b-${n + 1}`,
    email: email(`b-${n + 1}`),
    status: 'accepted',
    at: morning,
    updatedAt: morning,
  }))
  texts.onEffect = (target, n) => {
    const id = texts.rows.some((row) => row.id === `sent-${target}`) ? `sent-${target}-${n}` : `sent-${target}`
    texts.rows = [...texts.rows, { id, email: email(target), status: 'delivered', at: clock.at, updatedAt: clock.at }]
  }
  const workspace = await openPagedWorkspace({
    ownerUrl,
    clock,
    tools: { booking: booking.url, texts: texts.url },
    connector: actingConnector(() => texts.actUrl, options.repeat),
  })
  const world: RunWorld = {
    workspace,
    clock,
    booking,
    texts,
    wall: Date.parse('2026-11-21T12:00:00Z'),
    deps: { workspace, wallNow: () => world.wall, pollSoon: async () => {} },
    gap: async (id) => {
      const rows = await workspace.database.sql<{ id: string }[]>`select replace(f.id::text, '-', '') as id from findings f
        where workspace_id = ${workspace.id} and kind = 'gap' and f.evidence @> ${workspace.database.sql.json([{ externalId: id }])}`
      const [row] = rows
      if (row === undefined) throw new Error(`No gap of ${id}.`)
      return row.id
    },
    reconcile: async () => {
      booking.now = clock.at
      texts.now = clock.at
      await reconcile(workspace)
    },
    start: async (findingId, change = {}) => {
      const prepared = await prepareRun(world.deps, { ...resendPlan(findingId), ...change }, never)
      return (await startRun(world.deps, prepared, { actor: 'dana', reason: null, request: null }, async () => {})).run
    },
    settle: async (runId, rounds = 20) => {
      for (let round = 0; round < rounds; round++) {
        await advanceRun(world.deps, runId, never)
        const run = await readRun(workspace.database.db, workspace.id, runId)
        if (run === undefined) throw new Error('The run is gone.')
        if (run.endedAt !== null || run.nextWall === null || run.state === 'verifying') return run
        world.wall = Math.max(world.wall, run.nextWall)
      }
      throw new Error('The run came to no rest.')
    },
    close: async () => {
      await workspace.close()
      await Promise.all([booking.close(), texts.close()])
    },
  }
  await world.reconcile()
  return world
}

export function resendPlan(findingId: string, target = 'b-1'): DraftPlan {
  return {
    runbook: 'resend-confirmation',
    version: 1,
    findingId,
    steps: [
      {
        key: 'send',
        title: 'Send it again',
        connection: 'texts',
        action: 'send',
        input: { target },
        attempts: 3,
        backoffMs: 1_000,
        timeoutMs: 5_000,
      },
    ],
    limits: { perDay: null, amountPerDay: {} },
    verifyMs: 10 * minute,
    approval: null,
  }
}
