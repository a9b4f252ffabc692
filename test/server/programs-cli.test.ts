import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openDatabase } from '../../db/client.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import { apply, type ApplyOptions } from '../../server/cli/apply.ts'
import { plan } from '../../server/cli/plan.ts'
import { readServerConfig, type ServerConfig } from '../../server/config.ts'
import { withDatabase } from '../support/database.ts'

const main = await withDatabase()
const root = join(import.meta.dirname, '../..')
const patience = 240_000
const now = '2026-10-15T12:00:00Z'
const secret = 'sk_test_canary_9d1f4c'
let folder: string
let file: string
let dataDir: string
let databaseUrl: string
let original: string

beforeAll(async () => {
  process.env.CARD_KEY = secret
  dataDir = await mkdtemp(join(tmpdir(), 'throughline-plan-'))
  folder = join(dataDir, 'clinic')
  await cp(join(root, 'docs/examples/clinic-csv'), folder, { recursive: true })
  file = join(folder, 'programs', 'first-visit.yaml')
  original = await readFile(file, 'utf8')
  databaseUrl = await main.another('empty')
})
afterAll(async () => {
  delete process.env.CARD_KEY
  await rm(dataDir, { recursive: true })
})

function begin(args: readonly string[], env: Record<string, string> = {}) {
  const bare = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('THROUGHLINE_')))
  const child = spawn(process.execPath, [join(root, 'server/cli/main.ts'), ...args], {
    env: { ...bare, DATABASE_URL: databaseUrl, THROUGHLINE_DATA_DIR: dataDir, THROUGHLINE_LOG_LEVEL: 'error', CARD_KEY: secret, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text
  })
  return { child, said }
}

const card = `
  card:
    connector: stripe
    title: Cards
    config: { base_url: "http://127.0.0.1:9" }
    secrets: { api_key: { env: CARD_KEY } }
`
const everything: string[] = []
/** In a process of its own, as one types it. */
async function typed(...args: string[]) {
  const { child, said } = begin([...args, '--config', folder])
  const [code] = await once(child, 'close')
  everything.push(said.out, said.err)
  return { code: code as number, ...said }
}
/** In this process, which is quicker: what a command prints and how it ends. */
async function run(work: (config: ServerConfig, write: (text: string) => Promise<void>, warn: (line: string) => void) => Promise<number>) {
  const said = { out: '', err: '' }
  const write = async (text: string) => {
    said.out += text
  }
  const warn = (line: string) => {
    said.err += `${line}\n`
  }
  const config: ServerConfig = { ...readServerConfig({}), dataDir, databaseUrl }
  const code = await work(config, write, warn).catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error
    warn(error.message)
    return 1
  })
  everything.push(said.out, said.err)
  return { code, ...said }
}
const runPlan = (format: 'json' | 'table') =>
  run((config, write, warn) => plan(config, { config: folder, days: 60, format, now: Date.parse(now) }, write, warn))
const runApply = (more: Partial<ApplyOptions> = {}) =>
  run((config, write, warn) =>
    apply(config, { config: folder, days: 60, now: Date.parse(now), yes: false, allowDelete: false, ...more }, write, warn),
  )
const edit = async (from: string | RegExp, to: string) => writeFile(file, (await readFile(file, 'utf8')).replace(from, to))

const printed = z.object({
  plan: z.string().regex(/^[0-9a-f]{12}-[0-9a-f]{12}$/),
  changes: z.array(
    z.object({
      program: z.string(),
      kind: z.string(),
      version: z.int().nullable(),
      goesBackTo: z.int().nullable(),
      differences: z.array(z.object({ what: z.string(), name: z.string(), change: z.string() })),
      diff: z.array(z.object({ kind: z.string(), text: z.string() })),
    }),
  ),
  backTest: z
    .object({
      share: z.number(),
      expectations: z.array(
        z.object({
          expectation: z.string(),
          appear: z.int(),
          vanish: z.int(),
          vanishing: z.array(z.object({ id: z.string(), isKnown: z.boolean() })),
        }),
      ),
    })
    .nullable(),
})
async function planned(): Promise<z.output<typeof printed> & { code: number }> {
  const told = await runPlan('json')
  return { code: told.code, ...printed.parse(JSON.parse(told.out)) }
}
async function versions(): Promise<string[]> {
  const { sql, close } = openDatabase(databaseUrl, { max: 1 })
  const rows = await sql<{ line: string }[]>`
    select v.program || ' ' || v.version || case when p.current_version = v.version then ' in force' else '' end as line
    from program_versions v left join programs p on p.workspace_id = v.workspace_id and p.key = v.program order by v.program, v.version`
  await close()
  return rows.map(({ line }) => line)
}

describe('U2: plan and apply', () => {
  it('U2: of a folder that was never opened everything is new, and planning writes nothing', { timeout: patience }, async () => {
    expect(await planned()).toMatchObject({ code: 2, changes: [{ program: 'first-visit', kind: 'added', version: null }] })
    expect(await versions()).toEqual([])
  })

  it('U2: the first reconcile applies it; after that there is nothing to plan: exit 0', { timeout: patience }, async () => {
    expect((await typed('reconcile', '--now', now)).out).toContain('3 open findings')
    expect(await versions()).toEqual(['first-visit 1 in force'])
    expect(await planned()).toMatchObject({ code: 0, changes: [], backTest: null })
    expect(await runApply({ yes: true })).toMatchObject({ code: 0, out: expect.stringContaining('Nothing to do') })
    expect(await versions()).toEqual(['first-visit 1 in force'])
  })

  it('U2: a change exits 2 and says in words, as text and by findings what it does', { timeout: patience }, async () => {
    // From here on there is a connection with a secret; planning asks its tool nothing.
    const connections = join(folder, 'connections.yaml')
    await writeFile(connections, `egress: { allow: ["127.0.0.1:9"] }\n${await readFile(connections, 'utf8')}${card}`)
    await edit('within: 2d', 'within: 90d')
    const made = await planned()
    expect(made.code).toBe(2)
    expect(made.changes).toMatchObject([
      {
        program: 'first-visit',
        kind: 'changed',
        version: 1,
        differences: [{ what: 'expectation', name: 'booked-in-two-days', change: 'changed' }],
      },
    ])
    expect(made.changes[0]?.diff.filter(({ kind }) => kind !== 'same')).toHaveLength(2)
    expect(made.backTest).toMatchObject({ share: 1 })
    expect(made.backTest?.expectations.find(({ expectation }) => expectation === 'booked-in-two-days')).toMatchObject({
      appear: 0,
      vanish: 1,
      vanishing: [{ isKnown: true }],
    })
    const table = await typed('plan', '--now', now, '--days', '60')
    expect(table.code).toBe(2)
    for (const words of ['within: 2 days → 90 days', '1 vanish', 'Would vanish:', made.plan]) expect(table.out).toContain(words)
    expect(await versions()).toEqual(['first-visit 1 in force'])
  })

  it('U2: a stale plan is refused, whichever side moved, and says what to do', { timeout: patience }, async () => {
    const made = await planned()
    await edit('within: 90d', 'within: 80d')
    const edited = await runApply({ plan: made.plan })
    expect(edited).toMatchObject({ code: 1, err: expect.stringMatching(/program or runbook files of the folder were edited.*plan again/s) })
    const fresh = await planned()
    expect(await runApply({ plan: fresh.plan })).toMatchObject({ code: 0, out: expect.stringContaining('version 2 is in force') })
    const again = await runApply({ plan: fresh.plan })
    expect(again).toMatchObject({
      code: 1,
      err: expect.stringMatching(/other programs or runbooks are in force.*version 2 of "first-visit", by local-owner/s),
    })
    expect(await runApply({ plan: 'yesterday' })).toMatchObject({ code: 1, err: expect.stringContaining('is no plan id') })
    expect(await versions()).toEqual(['first-visit 1', 'first-visit 2 in force'])
  })

  it('U2: a second plan is empty, and going back is said to be that', { timeout: patience }, async () => {
    expect(await planned()).toMatchObject({ code: 0, changes: [] })
    await writeFile(file, original)
    expect(await planned()).toMatchObject({ code: 2, changes: [{ kind: 'changed', goesBackTo: 1 }] })
  })

  it('U2: without a plan id it asks, and where nobody can be asked it applies nothing', { timeout: patience }, async () => {
    expect(await runApply()).toMatchObject({ code: 1, err: expect.stringMatching(/nobody can be asked.*--plan.*--yes/s) })
    expect(await versions()).toEqual(['first-visit 1', 'first-visit 2 in force'])
  })

  it('U2: applies at the same moment make one version', { timeout: patience }, async () => {
    const both = await Promise.all([runApply({ yes: true }), runApply({ yes: true })])
    expect(both.some(({ code, out }) => code === 0 && out.includes('version 3 is in force'))).toBe(true)
    for (const { code, out, err } of both)
      expect(code === 0 ? /version 3 is in force|Nothing to do/.test(out) : /at the same moment/.test(err)).toBe(true)
    expect(await versions()).toEqual(['first-visit 1', 'first-visit 2', 'first-visit 3 in force'])
  })

  it('U2: a deletion needs its flag', { timeout: patience }, async () => {
    await edit('program: first-visit', 'program: second-visit')
    const made = await planned()
    expect(made.changes.map(({ program, kind }) => `${kind} ${program}`)).toEqual(['removed first-visit', 'added second-visit'])
    expect(await runApply({ yes: true })).toMatchObject({
      code: 1,
      err: expect.stringMatching(/Nothing was applied.*"first-visit".*--allow-delete/s),
    })
    expect(await versions()).toHaveLength(3)
    expect(await runApply({ plan: made.plan, allowDelete: true })).toMatchObject({
      code: 0,
      out: expect.stringContaining('"first-visit" is out of force'),
    })
    expect(await versions()).toEqual(['first-visit 1', 'first-visit 2', 'first-visit 3', 'second-visit 1 in force'])
  })

  it('U2: a mistake in the file is told with its line, and nothing is planned or applied', { timeout: patience }, async () => {
    await writeFile(file, original.replace('within: 2d', 'within: 2 days'))
    const mistake = { code: 1, err: expect.stringMatching(/first-visit\.yaml:\d+:\d+ .*write it as 2d/) }
    expect(await typed('plan')).toMatchObject(mistake)
    expect(await runApply({ yes: true })).toMatchObject(mistake)
    expect(await versions()).toHaveLength(4)
  })

  it('U2: a start changes nothing that is in force, and says what to do', { timeout: patience }, async () => {
    await writeFile(file, original)
    const { child, said } = begin(['start', '--config', folder], { THROUGHLINE_PORT: '0' })
    await expect.poll(() => said.err, { timeout: 120_000, interval: 200 }).toMatch(/shows .* at http/)
    const ended = once(child, 'close')
    child.kill('SIGTERM')
    await ended
    everything.push(said.out, said.err)
    expect(said.err).toContain('The program "first-visit" of the folder is not in force yet.')
    expect(said.err).toContain('throughline plan')
    expect(await versions()).toHaveLength(4)
  })

  it('U2: secrets are never printed', () => {
    expect(everything.length).toBeGreaterThan(20)
    expect(everything.filter((text) => text.includes(secret))).toEqual([])
  })
})
