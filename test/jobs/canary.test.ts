import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startEmbedded } from '../../db/embedded.ts'
import { migrate } from '../../db/migrate.ts'
import { loadConfiguration } from '../../jobs/configuration.ts'
import { connectors } from '../../jobs/connectors/index.ts'
import { startJobs } from '../../jobs/main.ts'
import { openWorkspace } from '../../jobs/open-workspace.ts'
import { reconcile } from '../../jobs/reconcilers/reconcile.ts'
import { canaryMark } from '../../jobs/simulator/canary.ts'
import { manualClock } from '../../jobs/simulator/clock.ts'
import { writeDemoConfiguration } from '../../jobs/simulator/demo-configuration.ts'
import { tools } from '../../jobs/simulator/outages.ts'
import { needlesOf } from '../../jobs/simulator/people.ts'
import { demoSecrets, startSimulator } from '../../jobs/simulator/simulator.ts'
import { day } from '../../jobs/simulator/times.ts'
import { formsOf, Needles } from '../support/needles.ts'

/** Past the day on which a tool begins to show a field nobody knows. */
const daysOfHistory = 25
const startAt = Date.parse('2026-03-01T00:00:00Z')

let directory = ''
let url = ''
let needles: Needles
let cluster: Awaited<ReturnType<typeof startEmbedded>>
let people = 0
let somebody = ''
const logged: string[] = []

/**
 * Every row of every table of every schema, the engine's included, as text. Not by COPY: postgres.js pauses its socket on a full
 * last chunk and, when the end arrives in another packet, never resumes it.
 */
async function dump(): Promise<Buffer> {
  const owner = postgres(url, { max: 1, onnotice: () => {} })
  const tables = await owner<{ name: string; rows: number }[]>`
    select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') order by 1`
  const parts: Buffer[] = []
  for (const { name } of tables) {
    const [table] = await owner.unsafe(`select string_agg(t::text, e'\\n') as rows from ${name} t`)
    parts.push(Buffer.from(`\n-- ${name}\n${table?.rows ?? ''}`))
  }
  await owner.end()
  return Buffer.concat(parts)
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** Hits in the database's own files, what was deleted and the write-ahead log included. */
async function scanFiles(): Promise<string[]> {
  const owner = postgres(url, { max: 1 })
  await owner`checkpoint`
  const [row] = await owner<{ data_directory: string }[]>`show data_directory`
  await owner.end()
  const found: string[] = []
  let bytes = 0
  for (const file of await filesUnder(row?.data_directory ?? '')) {
    const content = await readFile(file)
    bytes += content.length
    for (const hit of needles.findIn(content)) found.push(`${file}: ${hit}`)
  }
  expect(bytes).toBeGreaterThan(10_000_000)
  return found
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'throughline-canary-'))
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
      logged.push(String(chunk))
      return true
    }),
  )
  for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    spies.push(vi.spyOn(console, level).mockImplementation((...words: unknown[]) => void logged.push(words.map(String).join(' '))) as never)
  }
  try {
    cluster = await startEmbedded({ dataDir: join(directory, 'data'), durable: false })
    url = cluster.url()
    await migrate(url)
    const clock = manualClock(startAt + daysOfHistory * day)
    const simulator = await startSimulator({ seed: 11, clock, startAt, dataDir: null, rateLimits: false })
    const configuration = await loadConfiguration(
      writeDemoConfiguration(join(directory, 'config'), simulator.urls, 50),
      demoSecrets,
      connectors,
    )
    const workspace = await openWorkspace({
      configuration,
      connectors,
      ownerUrl: url,
      workspaceKey: Buffer.alloc(32, 9),
      clock,
      actor: 'canary',
    })
    const say = (message: string) => void logged.push(message)

    // 1. Through the engine, so that its own tables hold what polls and judges hand on; then once more by hand.
    const jobs = await startJobs(workspace, { ownerUrl: url, log: { info: say, warn: say, error: say } })
    for (const connection of workspace.connections.keys()) await jobs.pollNow(connection, 'canary')
    await vi.waitFor(
      async () => {
        const [row] = await workspace.database.sql`select count(*)::int as unread from streams where watermark is null`
        expect(row?.unread).toBe(0)
      },
      { timeout: 60_000, interval: 200 },
    )
    await jobs.stop()
    clock.advanceTo(clock.now() + day)
    const { outcomes } = await reconcile(workspace)
    logged.push(JSON.stringify(outcomes))

    // 2. Tools that answer pages and errors with something of someone in them.
    for (const tool of tools) simulator.tools[tool].switches.html = true
    logged.push(JSON.stringify((await reconcile(workspace)).outcomes))
    for (const tool of tools) simulator.tools[tool].switches.html = false

    people = simulator.world.people.length
    somebody = simulator.world.people[0]?.phone ?? ''
    needles = new Needles([canaryMark, ...Object.values(demoSecrets), ...simulator.world.people.flatMap(needlesOf)])
    await workspace.close()
    await simulator.stop()
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}, 240_000)

afterAll(async () => {
  await cluster?.destroy()
  await rm(directory, { recursive: true, force: true })
})

describe('S10: nothing that identifies anyone, and no secret, is at rest', () => {
  it('is not in any table, the engine’s included', async () => {
    const dumped = await dump()
    expect(people).toBeGreaterThan(200)
    expect(dumped.toString('latin1')).toMatch(/-- dbos\.workflow_status\n./)
    expect(dumped.length).toBeGreaterThan(1_000_000)
    expect(needles.findIn(dumped)).toEqual([])
  })

  it('is not in the logs, nor in what failed polls say', () => {
    const text = logged.join('\n')
    expect(text).toContain('bad_response')
    expect(needles.findIn(Buffer.from(text))).toEqual([])
  })

  it('is not in the bytes of the data folder', { timeout: 120_000 }, async () => {
    expect(await scanFiles()).toEqual([])
  })

  it('would be found, had it leaked: in any column, in any encoding', { timeout: 120_000 }, async () => {
    const owner = postgres(url, { max: 1 })
    for (const [form, text] of formsOf(`${canaryMark} planted`)) {
      await owner`update streams set state_reason = ${text} where id = (select min(id) from streams)`
      expect(needles.findIn(await dump()), form).not.toEqual([])
    }
    await owner`update streams set state_reason = ${`could not reach ${somebody}`} where id = (select min(id) from streams)`
    expect(needles.findIn(await dump())).not.toEqual([])
    await owner`update streams set state_reason = null`
    await owner`insert into dbos.operation_outputs (workflow_uuid, function_id, function_name, output)
      select workflow_uuid, 999, 'planted', ${Buffer.from(`x${canaryMark}`).toString('base64')} from dbos.workflow_status limit 1`
    expect(needles.findIn(await dump())).not.toEqual([])
    await owner`delete from dbos.operation_outputs where function_id = 999`
    expect(needles.findIn(await dump())).toEqual([])
    await owner.end()
    // Deleted, but still in the log and in dead rows.
    expect(await scanFiles()).not.toEqual([])
  })
})
