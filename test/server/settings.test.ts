import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testClient } from 'hono/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Configuration, loadConfiguration } from '../../jobs/configuration.ts'
import { connectors } from '../../jobs/connectors/index.ts'
import { demoDirectory } from '../../jobs/simulator/demo-configuration.ts'
import { createApp } from '../../server/app.ts'
import { routeInWords } from '../../server/route-words.ts'
import { withDatabase } from '../support/database.ts'
import { headers, type ServedClinic, serveClinic } from './served-clinic.ts'

const main = await withDatabase()
const secrets = { DEMO_STRIPE_KEY: 'sk-planted-1', DEMO_CALCOM_KEY: 'sk-planted-2', DEMO_TWILIO_TOKEN: 'sk-planted-3' }
let clinic: ServedClinic
let app: ReturnType<typeof createApp>
let configuration: Configuration

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'settings-'))
  await cp(demoDirectory, directory, { recursive: true })
  configuration = await loadConfiguration(directory, secrets, connectors)
  clinic = await serveClinic(await main.another())
  // The clinic's rows, served with a configuration that stands in files.
  app = createApp({ ...clinic.deps, workspace: { ...clinic.workspace, configuration } })
})
afterAll(async () => {
  await clinic?.close()
  await rm(configuration.directory, { recursive: true, force: true })
})

const client = () => testClient(app, undefined, undefined, { headers }).api.v1
const settings = async () => (await client().settings.$get()).json()

it('says where each thing of the configuration stands, and that it is what is judged by', async () => {
  const { directory } = configuration
  const shown = await settings()
  expect(shown.directory).toBe(directory)
  expect(shown.files.map(({ file, state }) => [file, state])).toEqual(
    expect.arrayContaining([
      ['connections.yaml', 'in_use'],
      ['owners.yaml', 'in_use'],
    ]),
  )
  const lines = (await readFile(join(directory, 'connections.yaml'), 'utf8')).split('\n')
  for (const connection of shown.connections) expect(lines[(connection.at?.line ?? 0) - 1]).toContain(connection.id)
  const billing = shown.connections.find(({ id }) => id === 'billing')
  expect(billing?.secrets).toEqual([{ name: 'api_key', from: 'environment', isSet: true }])
  const owners = (await readFile(join(directory, 'owners.yaml'), 'utf8')).split('\n')
  expect(owners[(shown.otherwise.at?.line ?? 0) - 1]).toContain('default')
  expect(shown.programs.map(({ key, version }) => [key, version])).toEqual([['visits', 1]])
})

it('tells of an edit that is not in force, and of a mistake with its line', async () => {
  const file = join(configuration.directory, 'owners.yaml')
  const before = await readFile(file, 'utf8')
  try {
    await writeFile(file, before.replace(/title: \w+/, 'title: Renamed'))
    expect((await settings()).files.find((each) => each.file === 'owners.yaml')?.state).toBe('changed')
    await appendFile(file, '\nnonsense: true\n')
    const mistaken = (await settings()).files.find((each) => each.file === 'owners.yaml')
    expect(mistaken?.state).toBe('mistaken')
    expect(mistaken?.problems[0]?.line).toBeGreaterThan(1)
  } finally {
    await writeFile(file, before)
  }
})

it('says where the demo’s configuration stands, whose working copy is gone', async () => {
  const shown = createApp({
    ...clinic.deps,
    demo: () => ({ speed: 60 }),
    workspace: { ...clinic.workspace, configuration: { ...configuration, directory: '/nowhere' } },
  })
  const demo = await (await testClient(shown, undefined, undefined, { headers }).api.v1.settings.$get()).json()
  expect(demo.files.map(({ state }) => state)).toEqual(demo.files.map(() => 'in_use'))
  expect(demo.directory).toBe(demoDirectory)
  expect(demo.owners.every(({ at }) => at !== null)).toBe(true)
})

it('lets no secret out, nor the name of its variable', async () => {
  const file = join(configuration.directory, 'connections.yaml')
  const text = await readFile(file, 'utf8')
  const variables = [...text.matchAll(/env: (\w+)/g)].map(([, name]) => name ?? '')
  expect(variables.length).toBeGreaterThan(2)
  for (const path of ['settings', 'system', 'first-steps']) {
    const response = await app.request(`/api/v1/${path}`, { headers })
    expect(response.status).toBe(200)
    const body = await response.text()
    for (const word of [...variables, ...Object.values(secrets)]) expect(body).not.toContain(word)
  }
})

it('says how Throughline itself is', async () => {
  const response = await client().system.$get()
  const system = await response.json()
  expect(system.versions.throughline).toMatch(/^\d+\.\d+\.\d+/)
  expect(Number.parseInt(system.versions.database, 10)).toBeGreaterThanOrEqual(15)
  expect(system.versions.schema).toMatch(/^\d{4}_/)
  expect(system.database.bytes).toBeGreaterThan(1_000_000)
  expect(system.dirty).toBe(0)
  expect(system.parked).toEqual({ count: 0, first: [] })
})

it('knows which of the first steps were taken', async () => {
  const read = async () => (await client()['first-steps'].$get()).json()
  expect(await read()).toMatchObject({ demo: false, toolRead: true, program: true, taken: false })
  const { items } = await (await client().findings.$get({ query: {} })).json()
  const [finding] = items
  if (!finding) throw new Error('The clinic has no finding.')
  await client().findings[':id'].acknowledge.$post({ param: { id: finding.id }, json: { revision: finding.revision } })
  expect(await read()).toMatchObject({ taken: true })
})

it.each([
  [{}, 'All findings'],
  [{ kind: 'blind', connection: 'texts' }, 'Findings of the kind “Not read” from Texts'],
  [{ severity: 'critical', site: 'hillside' }, 'Critical findings at hillside'],
  [{ kind: 'made_up' }, 'Findings of the kind “made_up”'],
] as const)('says a route %o in words', (when, words) => {
  const connections = [{ id: 'texts', title: 'Texts' }] as unknown as Parameters<typeof routeInWords>[1]['connections']
  expect(routeInWords({ when, owner: 'care' }, { connections, programs: [] })).toBe(words)
})
