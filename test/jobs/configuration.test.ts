import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { ConfigurationError, loadConfiguration, readConfiguration } from '../../jobs/configuration.ts'
import { sitesOf } from '../../jobs/configured-sites.ts'
import { connectors } from '../../jobs/connectors/index.ts'
import { formatProblem } from '../../jobs/domain/yaml-source.ts'

const folders: string[] = []
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true })
})

const good: Readonly<Record<string, string>> = {
  'connections.yaml': `workspace: { title: Acme, time_zone: Europe/Rome, default_country: IT }
connections:
  billing: { connector: stripe, secrets: { api_key: { env: STRIPE_KEY } }, poll_every: 5m }
  desk:
    connector: file-drop
    config: { files: [{ stream: log, path: log.csv, time: t, fields: { activity: text } }] }
`,
  'owners.yaml': `owners: { ops: { title: Operations }, billing-team: }
routes: [{ when: { connection: billing }, owner: billing-team }]
default: ops
`,
  'programs/ticket.yaml': `program: ticket
owner: ops
journey: { starts: any }
steps: { closed: { stream: desk.log, where: { activity: Closed } } }
expectations: { closed-once: { at_most: 1, of: closed } }
`,
}

async function folderWith(changes: Readonly<Record<string, string | Uint8Array | null>> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'throughline config '))
  folders.push(folder)
  for (const [name, text] of Object.entries({ ...good, ...changes })) {
    if (text === null) continue
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  return folder
}

const environment = { STRIPE_KEY: 'sk_live_canary' }

async function problemsOf(changes: Readonly<Record<string, string | Uint8Array | null>>): Promise<string[]> {
  return (await readConfiguration(await folderWith(changes), environment, connectors)).problems.map(formatProblem)
}

describe('links to records', () => {
  it('are those the connection names, by stream, instead of what its connector knows', async () => {
    const links = (text: string) => ({
      'connections.yaml': good['connections.yaml']!.replace('connector: file-drop', `connector: file-drop\n    links: ${text}`),
    })
    const folder = await folderWith(links('{ log: "https://desk.example/{id}" }'))
    const { connections } = await loadConfiguration(folder, environment, connectors)
    expect(connections.map(({ id, links }) => [id, links])).toEqual([
      ['billing', { payment_intents: 'https://dashboard.stripe.com/payments/{id}', refunds: 'https://dashboard.stripe.com/refunds/{id}' }],
      ['desk', { log: 'https://desk.example/{id}' }],
    ])
    expect(await problemsOf(links('{ lod: "https://desk.example/{id}" }'))).toEqual([
      expect.stringContaining('has no stream "lod". Did you mean "log"?'),
    ])
    expect(await problemsOf(links('{ log: "javascript:alert({id})" }'))).toEqual([expect.stringContaining('is no http or https address')])
  })
})

describe('sites', () => {
  const owners = (sites: string, route = '{ site: south }') =>
    good['owners.yaml']!.replace('default: ops', `sites: ${sites}\ndefault: ops`).replace('{ connection: billing }', route)
  const stated = (text: string) => good['connections.yaml']!.replace('connector: file-drop', `connector: file-drop\n    ${text}`)

  it('are read with what the tools call them, and where connections and records state them', async () => {
    const folder = await folderWith({
      'owners.yaml': owners('{ south: { title: Southside, known_as: [LOC-2] }, north: }'),
      'connections.yaml': stated('site: north\n    site_from: { log: activity }'),
    })
    const configuration = await loadConfiguration(folder, environment, connectors)
    expect(configuration.sites).toEqual([
      { key: 'south', title: 'Southside', knownAs: ['LOC-2'] },
      { key: 'north', title: 'north', knownAs: [] },
    ])
    const sites = sitesOf(configuration.sites ?? [], configuration.connections)
    expect([...sites.keyOf]).toEqual([
      ['south', 'south'],
      ['loc-2', 'south'],
      ['north', 'north'],
    ])
    expect([...sites.byConnection, ...sites.fieldOf]).toEqual([
      ['desk', 'north'],
      ['desk.log', 'activity'],
    ])
  })

  it.each([
    ['an undeclared site in a route', { 'owners.yaml': owners('{ north: }') }, 'routes[0].when.site: there is no site "south"'],
    ['an undeclared site of a connection', { 'connections.yaml': stated('site: nowhere') }, 'there is no site "nowhere" in owners.yaml.'],
    [
      'a field that is not kept',
      { 'connections.yaml': stated('site_from: { log: activty }') },
      'desk.log keeps no field "activty". Did you mean "activity"?',
    ],
    [
      'a stream that is not there',
      { 'connections.yaml': stated('site_from: { lod: activity }') },
      'has no stream "lod". Did you mean "log"?',
    ],
    [
      'one name for two sites',
      { 'owners.yaml': owners('{ south: , north: { known_as: [South] } }') },
      '"south" already stands for the site "south"',
    ],
    ['a key that means no site', { 'owners.yaml': owners('{ none: , south: }') }, '"none" is no key of a site'],
  ])('%s is refused', async (_, changes, expected) => {
    expect(await problemsOf(changes as Record<string, string>)).toEqual([expect.stringContaining(expected)])
  })
})

describe('a configuration folder', () => {
  it('is read whole', async () => {
    const folder = await folderWith()
    const configuration = await loadConfiguration(folder, environment, connectors)
    expect(configuration.workspace).toEqual({ key: 'default', title: 'Acme', timeZone: 'Europe/Rome', defaultCountry: 'IT' })
    expect(
      configuration.connections.map(({ id, pollSeconds, blindAfterSeconds, disabled }) => [id, pollSeconds, blindAfterSeconds, disabled]),
    ).toEqual([
      ['billing', 300, 3600, null],
      ['desk', 300, 3600, null],
    ])
    expect(configuration.connections[1]!.streams.map((stream) => [stream.name, stream.fields.ops])).toEqual([['log', ['activity']]])
    expect(configuration.connections[1]!.config).toMatchObject({ directory: folder })
    expect(configuration.owners).toEqual([
      { key: 'ops', title: 'Operations' },
      { key: 'billing-team', title: 'billing-team' },
    ])
    expect(configuration.routing).toEqual({ routes: [{ when: { connection: 'billing' }, owner: 'billing-team' }], default: 'ops' })
    expect(configuration.programs.map(({ file, program }) => [file, program.key])).toEqual([['programs/ticket.yaml', 'ticket']])
    expect(configuration.notices).toEqual([])
  })

  it('takes a secret from a file beside it', async () => {
    const folder = await folderWith({
      'connections.yaml': good['connections.yaml']!.replace('env: STRIPE_KEY', 'file: secrets/stripe'),
      'secrets/stripe': 'sk_live_from_file\n',
    })
    const { connections } = await loadConfiguration(folder, {}, connectors)
    expect(connections[0]!.secrets.get('api_key')).toBe('sk_live_from_file')
  })

  it('disables a connection whose secret is missing, says what to set, and goes on', async () => {
    const { connections, notices } = await loadConfiguration(await folderWith(), {}, connectors)
    expect(connections.map(({ id, disabled }) => [id, disabled === null])).toEqual([
      ['billing', false],
      ['desk', true],
    ])
    expect(notices).toEqual([
      'Connection "billing" is not polled, the others go on: its secret "api_key" is missing: set the environment variable STRIPE_KEY, then start again.',
    ])
  })

  it('never prints or serialises the value of a secret', async () => {
    const configuration = await loadConfiguration(await folderWith(), environment, connectors)
    expect(configuration.connections[0]!.secrets.get('api_key')).toBe('sk_live_canary')
    const shown = `${inspect(configuration, { depth: 10, showHidden: true })} ${JSON.stringify(configuration)} ${configuration.connections[0]!.secrets}`
    expect(shown).not.toContain('sk_live_canary')
  })
})

describe('a configuration with mistakes', () => {
  it('is refused with all of them in one message', async () => {
    const folder = await folderWith({
      'connections.yaml': good['connections.yaml']!.replace('stripe,', 'strip,').replace('Europe/Rome', 'Europe/Roma'),
      'owners.yaml': good['owners.yaml']!.replace('default: ops', 'default: opps'),
      'programs/ticket.yaml': good['programs/ticket.yaml']!.replace('of: closed', 'of: close'),
    })
    const error = await loadConfiguration(folder, environment, connectors).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect((error as Error).message).toBe(`The configuration in ${folder} has 4 mistakes:
  connections.yaml:1:38 workspace.time_zone: this is no known time zone; expected one such as America/New_York or UTC
  connections.yaml:3:25 connections.billing.connector: there is no connector "strip". Did you mean "stripe"?
  programs/ticket.yaml:5:48 expectations.closed-once.of: there is no step "close". Did you mean "closed"?
  owners.yaml:3:10 default: there is no owner "opps". Did you mean "ops"?`)
  })

  it('still gives everything that could be read', async () => {
    const folder = await folderWith({
      'connections.yaml': good['connections.yaml']!.replace('stripe,', 'strip,'),
      'programs/broken.yaml': 'program: [',
    })
    const { configuration, problems } = await readConfiguration(folder, environment, connectors)
    expect(problems).toHaveLength(2)
    expect(configuration?.connections.map((connection) => connection.id)).toEqual(['desk'])
    expect(configuration?.programs.map(({ program }) => program.key)).toEqual(['ticket'])
  })

  it('is not told twice that a broken connection has no streams', async () => {
    const found = await problemsOf({ 'connections.yaml': good['connections.yaml']!.replace('path: log.csv, ', '') })
    expect(found).toEqual([
      'connections.yaml:6:23 connections.desk.config.files[0].path: "path" is missing; expected a file, or a pattern such as exports/*.csv, relative to the folder of connections.yaml',
    ])
  })

  it.each([
    [
      'an unreadable YAML file',
      { 'connections.yaml': 'workspace: {' },
      ['connections.yaml:1:13 cannot be read as YAML: a `{` that begins earlier is not closed before here'],
    ],
    ['a file that is not UTF-8', { 'owners.yaml': Buffer.from([0x61, 0xff]) }, ['owners.yaml:1:1 is not UTF-8 text; save it as UTF-8']],
    [
      'an unknown stream',
      { 'programs/ticket.yaml': good['programs/ticket.yaml']!.replace('desk.log', 'desk.logs') },
      ['programs/ticket.yaml:4:28 steps.closed.stream: connection "desk" has no stream "logs". Did you mean "desk.log"?'],
    ],
    [
      'a field that is not kept',
      { 'programs/ticket.yaml': good['programs/ticket.yaml']!.replace('activity:', 'activty:') },
      ['programs/ticket.yaml:4:47 steps.closed.where.activty: desk.log keeps no field "activty". Did you mean "activity"?'],
    ],
    [
      'a wrong kind in a route',
      { 'owners.yaml': good['owners.yaml']!.replace('connection: billing', 'kind: gapp') },
      ['owners.yaml:2:26 routes[0].when.kind: there is no finding kind "gapp". Did you mean "gap"?'],
    ],
    [
      'two programs of one key',
      { 'programs/z.yaml': good['programs/ticket.yaml']! },
      ['programs/z.yaml:1:10 program: the program "ticket" already stands in programs/ticket.yaml; expected another key'],
    ],
    [
      'an unknown setting of a connection',
      { 'connections.yaml': good['connections.yaml']!.replace('poll_every', 'poll_evry') },
      ['connections.yaml:3:76 connections.billing.poll_evry: there is no setting of this name here. Did you mean "poll_every"?'],
    ],
    [
      'a time format without a zone',
      { 'connections.yaml': good['connections.yaml']!.replace('time: t,', 'time: { column: t, format: "dd/MM/yyyy HH:mm" },') },
      [
        'connections.yaml:6:53 connections.desk.config.files[0].time: times of this format state no zone; add zone: Europe/Rome (the zone in which the tool writes its times)',
      ],
    ],
  ])('%s', async (_, changes, expected) => {
    expect(await problemsOf(changes as Record<string, string>)).toEqual(expected)
  })

  it('a missing file is named with what it should hold', async () => {
    const found = await problemsOf({ 'owners.yaml': null })
    expect(found).toEqual([
      expect.stringMatching(/^owners\.yaml:1:1 there is no owners\.yaml in .*; expected this file with the keys owners, routes, default$/),
    ])
  })

  it('a secret written into the file is refused without being repeated', async () => {
    const written = good['connections.yaml']!.replace('{ env: STRIPE_KEY }', 'sk_live_canary').replace(
      'config: {',
      'config: { token: sk_live_canary,',
    )
    const found = await problemsOf({ 'connections.yaml': written })
    expect(found).toEqual([
      expect.stringContaining(
        'connections.billing.secrets.api_key: this value does not fit; expected where the secret is kept, never the secret itself',
      ),
      expect.stringContaining('connections.desk.config.token: there is no setting of this name here'),
    ])
    expect(found.join()).not.toContain('sk_live_canary')
  })

  it('an empty programs folder is a notice, not a mistake', async () => {
    const { notices } = await loadConfiguration(await folderWith({ 'programs/ticket.yaml': null }), environment, connectors)
    expect(notices).toEqual([expect.stringContaining('There is no program in programs/')])
  })
})
