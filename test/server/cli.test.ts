import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { withDatabase } from '../support/database.ts'

const main = await withDatabase()
const root = join(import.meta.dirname, '../..')
const clinic = join(root, 'docs/examples/clinic-csv')
const patience = 120_000
let dataDir: string
let databaseUrl: string
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'throughline-cli-'))
  databaseUrl = await main.another('empty')
})
afterAll(() => rm(dataDir, { recursive: true }))

function begin(args: readonly string[], env: Record<string, string> = {}) {
  const bare = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('THROUGHLINE_')))
  const child = spawn(process.execPath, [join(root, 'server/cli/main.ts'), ...args], {
    env: { ...bare, DATABASE_URL: databaseUrl, THROUGHLINE_DATA_DIR: dataDir, THROUGHLINE_LOG_LEVEL: 'error', ...env },
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

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const { child, said } = begin(args, env)
  const [code] = await once(child, 'close')
  return { code, ...said }
}

const time = z.iso.datetime()
const printed = z.object({
  findings: z.array(
    z.object({
      id: z.string().length(32),
      kind: z.string(),
      expectation: z.string(),
      program: z.string(),
      subject: z.string(),
      objects: z.array(z.object({ type: z.string(), id: z.string() })),
      status: z.string(),
      severity: z.string(),
      owner: z.string(),
      dueAt: time,
      occurredAt: time,
      violations: z.int(),
      journey: z.string(),
      evidence: z
        .array(
          z.object({
            connection: z.string(),
            stream: z.string(),
            externalId: z.string(),
            occurredAt: time,
            updatedAt: time,
            observedAt: time,
          }),
        )
        .min(1),
    }),
  ),
  expectations: z.array(z.object({ expectation: z.string(), activations: z.int(), violations: z.int(), journeys: z.int() })),
})

describe('a configuration of CSV files, from the command line', () => {
  it('is valid, in one line', { timeout: patience }, async () => {
    expect(await run(['validate', '--config', clinic])).toMatchObject({
      code: 0,
      out: expect.stringContaining('3 connections, 1 program with 3 promises'),
    })
  })

  it('reconciles to findings: exit 2, a summary per promise, and again without a change', { timeout: patience }, async () => {
    const args = ['reconcile', '--config', clinic, '--now', '2026-10-15T12:00:00Z']
    const first = await run(args)
    expect(first).toMatchObject({ code: 2, out: expect.stringContaining('3 open findings, 0 ended') })
    expect(first.out).toMatch(/first-visit\/confirmed-once +12 +1 +1/)
    const again = await run(args)
    expect(again).toMatchObject({ code: 2, out: expect.stringContaining('3 open findings, 0 ended') })
    expect(again.out).toContain('0 changed')
  })

  it('lists them as JSON with everything a script needs, without naming the configuration again', { timeout: patience }, async () => {
    const { code, out } = await run(['findings', '--format', 'json', '--all'])
    expect(code).toBe(0)
    const { findings, expectations } = printed.parse(JSON.parse(out))
    expect(findings.map(({ kind }) => kind).sort()).toEqual(['disorder', 'duplicate', 'gap'])
    expect(expectations).toContainEqual(
      expect.objectContaining({ expectation: 'booked-in-two-days', activations: 11, violations: 1, journeys: 1 }),
    )
  })

  it('shows them as a table, and one journey with its eight questions', { timeout: patience }, async () => {
    const shown = await run(['findings'])
    expect(shown.out).toMatch(/gap +high +open +front-desk/)
    const { findings } = printed.parse(JSON.parse((await run(['findings', '--format', 'json'])).out))
    const journey = await run(['journey', findings[0]?.journey ?? ''])
    expect(journey.code).toBe(0)
    for (const asks of ['What occurred?', 'What must happen next?', 'What is unresolved?']) expect(journey.out).toContain(asks)
    expect(await run(['journey', 'nobody'])).toMatchObject({ code: 1, err: expect.stringContaining('There is no journey') })
  })

  it('checks and polls a connection by name, and helps with a slip', { timeout: patience }, async () => {
    expect(await run(['check', 'texts', '--config', clinic])).toMatchObject({
      code: 0,
      out: expect.stringContaining('texts.messages: 12 of'),
    })
    expect(await run(['poll', 'texts', '--config', clinic])).toMatchObject({
      code: 0,
      out: expect.stringContaining('texts.messages: read'),
    })
    expect(await run(['poll', 'text', '--config', clinic])).toMatchObject({ code: 1, err: expect.stringContaining('texts') })
  })
})

describe('mistakes: what happened, to what, what to do', () => {
  it('in a program file: file, line and what was expected, and exit 1', { timeout: patience }, async () => {
    const broken = await mkdtemp(join(tmpdir(), 'throughline-broken-'))
    await cp(clinic, broken, { recursive: true })
    const file = join(broken, 'programs', 'first-visit.yaml')
    await writeFile(file, (await readFile(file, 'utf8')).replace(/expect: booked/, 'expect: bocked'))
    const told = await run(['validate', '--config', broken])
    expect(told).toMatchObject({ code: 1, err: expect.stringMatching(/programs\/first-visit\.yaml:\d+.*bocked/) })
    await rm(broken, { recursive: true })
  })

  it.each([
    [['reconcile', '--config', '/nothing/there', '--now', '2026-01-01T00:00:00Z'], /There is no folder/],
    [['reconcile', '--config', clinic, '--now', '2026-01-01T00:00:00'], /Expected a time with its offset/],
    [['findings', '--format', 'xml'], /Allowed choices are table, json/],
    [['nonsense'], /unknown command/],
  ])('%o', { timeout: patience }, async (args, message) => {
    const told = await run(args)
    expect(told.code).toBe(1)
    expect(told.err).toMatch(message)
    expect(told.err).not.toMatch(/\n +at /)
  })

  it('an unknown setting, another host', { timeout: patience }, async () => {
    expect(await run(['findings'], { THROUGHLINE_PROT: '1' })).toMatchObject({ code: 1, err: expect.stringContaining('THROUGHLINE_PORT') })
    expect(await run(['start', '--config', clinic], { THROUGHLINE_HOST: '0.0.0.0' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('refuses to listen'),
    })
  })
})

describe('start', () => {
  it('serves a configuration until it is told to stop, and then stops in order', { timeout: patience }, async () => {
    const { child, said } = begin(['start', '--config', clinic], { THROUGHLINE_PORT: '0' })
    await expect.poll(() => said.err, { timeout: 60_000, interval: 200 }).toMatch(/shows .* at http:\/\/127\.0\.0\.1:\d+/)
    const url = /at (http:\S+)/.exec(said.err)?.[1] ?? ''
    // Ready once the first round of polls and judging was seen to end.
    await expect.poll(async () => (await fetch(`${url}/readyz`)).status, { timeout: 60_000, interval: 500 }).toBe(200)
    // Nobody may read it before the first administrator joined by the link that the start printed.
    expect((await fetch(`${url}/api/v1/findings`)).status).toBe(401)
    const token = /\/join#([\w-]{43})/.exec(said.err)?.[1]
    const joined = await fetch(`${url}/api/v1/join`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: url },
      body: JSON.stringify({ token, email: 'first@staff.example', name: 'First', password: 'river stone lamp nine' }),
    })
    expect(joined.status).toBe(200)
    const cookie = joined.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ')
    const findings = async () =>
      z.object({ total: z.int() }).parse(await (await fetch(`${url}/api/v1/findings`, { headers: { cookie } })).json())
    await expect.poll(async () => (await findings()).total, { timeout: 60_000, interval: 500 }).toBeGreaterThanOrEqual(3)
    const ended = once(child, 'close')
    child.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
    expect(said.err).toContain('Stopping')
  })

  it('says which port is taken and what to do', { timeout: patience }, async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const told = await run(['start', '--config', clinic], { THROUGHLINE_PORT: String(port) })
    expect(told).toMatchObject({ code: 1, err: expect.stringContaining(`Port ${port} of 127.0.0.1 is taken`) })
    other.close()
  })
})
