import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { readAttempts, readRun } from '../../../db/records/runs.ts'
import type { ToolAction } from '../../../jobs/connectors/connector.ts'
import { runFailpoints } from '../../../jobs/failpoint.ts'
import { withDatabase } from '../../support/database.ts'
import { minute, openRunWorld, resendPlan, type RunWorld } from '../../support/run-world.ts'

const main = await withDatabase()
const full = process.env.THROUGHLINE_FULL === '1'
let world: RunWorld
afterEach(() => world?.close())

const keyed: ToolAction['repeat'] = { keyHours: 24, lookUp: true }
const keyless: ToolAction['repeat'] = { keyHours: null, lookUp: true }

function runProcess(
  ownerUrl: string,
  runId: string,
  repeat: ToolAction['repeat'],
  failpoint: string,
): Promise<number | NodeJS.Signals | null> {
  const { booking, texts, clock, wall } = world
  const args = [ownerUrl, booking.url, texts.url, texts.actUrl, runId, String(clock.at), String(wall), JSON.stringify(repeat)]
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../support/run-process.ts'), ...args], {
    env: { ...process.env, THROUGHLINE_FAILPOINT: failpoint },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))
}

/** Kills a process at a place for each booking, and lets another go on once the lease is over. */
async function killAt(failpoint: string, count: number, repeat: ToolAction['repeat']) {
  const ownerUrl = await main.another()
  world = await openRunWorld(ownerUrl, { people: count, repeat })
  world.texts.keepsKeys = repeat.keyHours !== null
  let kills = 0
  const runs: string[] = []
  for (let n = 1; n <= count; n++) {
    const run = await world.start(await world.gap(`b-${n}`), { steps: resendPlan('', `b-${n}`).steps })
    runs.push(run.id)
    if ((await runProcess(ownerUrl, run.id, repeat, `${failpoint}:kill:1`)) === 'SIGKILL') kills++
    // The lease of the dead: two minutes at most.
    world.wall += 3 * minute
    await world.settle(run.id)
  }
  return { kills, runs }
}

const acted = full ? 100 : 3
it('R1: killed after the call returned and before it is recorded, each run has one effect, and both attempts show', {
  timeout: 3_600_000,
}, async () => {
  const { kills, runs } = await killAt('run.step.after-call', acted, keyed)
  expect(kills).toBe(acted)
  expect(world.texts.effects).toHaveLength(acted)
  expect(world.texts.calls).toBe(2 * acted)
  for (const id of runs) {
    const attempts = await readAttempts(world.workspace.database.db, world.workspace.id, id)
    expect(attempts.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, null],
      [2, 'done'],
    ])
  }
  world.clock.at += minute
  await world.reconcile()
  for (const id of runs) expect((await world.settle(id)).state).toBe('verified')
  const acts = await world.workspace.database.sql<{ n: number }[]>`select count(*)::int as n from audit where act = 'run.attempt'`
  expect(acts[0]?.n).toBe(2 * acted)
})

it('R3: killed after the call to a tool without keys, the look-up decides and nothing is sent again', { timeout: 600_000 }, async () => {
  const count = full ? 20 : 2
  const { kills } = await killAt('run.step.after-call', count, keyless)
  expect(kills).toBe(count)
  expect(world.texts.calls).toBe(count)
  expect(world.texts.effects).toHaveLength(count)
})

it.each(runFailpoints)('R2: killed at %s, there is one effect and no run is left behind', { timeout: 3_600_000 }, async (failpoint) => {
  const count = full ? 20 : 1
  const { kills, runs } = await killAt(failpoint, count, keyed)
  if (failpoint !== 'run.ended') expect(kills).toBe(count)
  expect(world.texts.effects).toHaveLength(count)
  world.clock.at += minute
  await world.reconcile()
  for (const id of runs) {
    expect((await world.settle(id)).state).toBe('verified')
    expect((await readRun(world.workspace.database.db, world.workspace.id, id))?.leaseUntil).toBeNull()
  }
})
