import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { connectionsFileSchema } from '../../jobs/configuration-schema.ts'
import { connectors } from '../../jobs/connectors/index.ts'
import { parseProgram } from '../../jobs/domain/parse-program.ts'
import { bytes } from '../../web/src/lib/format/bytes.ts'
import { firstStepsOf } from '../../web/src/lib/frame/first-steps.ts'
import { asCurl, readReference } from '../../web/src/routes/help/api/openapi.ts'
import { connectionYaml, variableFor } from '../../web/src/routes/help/connect/connection-yaml.ts'
import { connectorGuides } from '../../web/src/routes/help/connect/guides.ts'
import { glossary } from '../../web/src/routes/help/glossary.ts'
import { commandLine } from '../../web/src/routes/help/guide.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

describe('help', () => {
  it('has the words of the README, word for word', () => {
    const table = read('README.md').split('## Words')[1]?.split('\n## ')[0] ?? ''
    const rows = [...table.matchAll(/^\| (?!word \||---)(.+?) \| (.+?) \|$/gm)].map(([, word, meaning]) => ({ word, meaning }))
    expect(rows.length).toBeGreaterThan(10)
    expect(glossary).toEqual(rows)
  })

  it('names only commands there are', () => {
    const commands = [...read('server/cli/main.ts').matchAll(/\.command\('([a-z-]+)/g)].map(([, name]) => name)
    expect(commandLine.map(({ command }) => command).filter((command) => !commands.includes(command))).toEqual([])
  })

  it('shows a program that can be read', () => {
    const page = read('web/src/routes/help/+page.svelte')
    const source = /text=\{`(program: [\s\S]+?)`\}/.exec(page)?.[1] ?? ''
    const parsed = parseProgram(source, 'programs/first-visit.yaml', {})
    expect(parsed.ok ? [] : parsed.problems).toEqual([])
  })
})

describe('what to write for a first connection', () => {
  const rows = connectors.map((connector) => {
    const { id, name, secrets, configSchema } = connector.describe()
    const asSent = z.toJSONSchema(configSchema, { unrepresentable: 'any', io: 'input' }) as Record<string, unknown>
    return { id, title: name, secrets: [...secrets], configSchema: asSent, own: configSchema }
  })

  it.each(rows.map((row) => [row.id, row] as const))('is accepted as it stands for %s', (id, row) => {
    expect(connectorGuides[id], 'a guide in help/connect/guides.ts').toBeDefined()
    const file: unknown = parse(`workspace: { title: Acme }\n${connectionYaml(row, connectorGuides[id])}`)
    const { connections } = connectionsFileSchema.parse(file)
    const [connection] = Object.values(connections)
    expect(connection?.connector).toBe(id)
    expect(Object.keys(connection?.secrets ?? {})).toEqual(row.secrets)
    row.own.parse(connection?.config ?? {})
  })

  it('names the variable after the connection', () => expect(variableFor('my-billing', 'api_key')).toBe('MY_BILLING_API_KEY'))
})

describe('the API reference', () => {
  const document = {
    paths: {
      '/a/{id}': {
        get: {
          tags: ['things'],
          summary: 'One thing',
          parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
          responses: { 200: { description: 'It', content: { 'application/json': { schema: { $ref: '#/components/schemas/A' } } } } },
        },
        post: {
          requestBody: {
            content: {
              'application/json': { schema: { type: 'object', properties: { reason: { type: 'string' } }, required: ['reason'] } },
            },
          },
        },
      },
    },
    components: {
      schemas: {
        A: {
          allOf: [
            { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] },
            {
              properties: {
                next: { anyOf: [{ $ref: '#/components/schemas/A' }, { type: 'null' }] },
                many: { type: 'array', items: { enum: ['x', 'y'] } },
              },
            },
          ],
        },
      },
    },
  }

  it('follows references, parts and lists, and ends where a shape holds itself', () => {
    const [things, other] = readReference(document).groups
    expect(things?.operations[0]).toMatchObject({
      id: 'get-a-id',
      method: 'GET',
      path: '/a/{id}',
      parameters: [{ path: 'id', place: 'path', isRequired: true }],
    })
    const fields = things?.operations[0]?.answers[0]?.fields ?? []
    expect(fields.slice(0, 2).map(({ path, isRequired }) => [path, isRequired])).toEqual([
      ['id', true],
      ['next', false],
    ])
    expect(fields.find(({ path }) => path === 'many')?.type).toBe('list of x | y')
    expect(other?.tag).toBe('other')
    const post = other?.operations[0]
    if (!post) throw new Error('The change is not in the reference.')
    expect(asCurl(post, 'http://127.0.0.1:4400')).toContain(`-d '{"reason":"string"}'`)
  })

  it.each([null, 42, [], { paths: { '/x': 3 } }])('takes %j for a document with nothing in it', (given) =>
    expect(readReference(given).groups).toEqual([]),
  )
})

describe('the first steps', () => {
  const known = { asOf: '', demo: false, toolRead: false, program: true, route: false, taken: false }
  const done = (...given: Parameters<typeof firstStepsOf>) =>
    firstStepsOf(...given)
      .filter((step) => step.isDone)
      .map((step) => step.id)

  it('are what the workspace shows, what was opened here, and what was done before', () => {
    expect(done(known, [], [])).toEqual(['program'])
    expect(done(known, [{ href: '/findings/f1', title: 'x' }], ['taken'])).toEqual(['finding', 'taken', 'program'])
  })
})

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_400, '1.4 kB'],
  [318_000_000, '318 MB'],
  [1_400_000_000_000_000, '1400 TB'],
])('says %d bytes as %s', (value, said) => expect(bytes(value)).toBe(said))
