import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'svelte/compiler'
import { describe, expect, it } from 'vitest'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const rooms = ['web', 'server', 'jobs', 'db', 'test']
const beside = ['bin', 'docs', '.ci', '.git', '.github', 'node_modules', '.throughline']

const listing = readdirSync(root, { withFileTypes: true })
const files = rooms.flatMap((room) => sourcesBelow(join(root, room))).map((path) => relative(root, path))
const imports = files.flatMap((from) => importsOf(from))
const rulesFor = (room: string) => imports.filter(({ from }) => inside(from, room) && !from.startsWith('test/'))

function sourcesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (['node_modules', 'build', '.svelte-kit', 'fixtures'].includes(entry.name)) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sourcesBelow(path)
    return /\.(ts|js|mjs|svelte)$/.test(entry.name) ? [path] : []
  })
}

interface Import {
  readonly from: string
  /** Path within the repository, or a package's name. */
  readonly to: string
  readonly typesOnly: boolean
}

/** Static imports, re-exports and dynamic imports; one whose target is computed counts as the package `?`. */
function importsOf(from: string): Import[] {
  const source = readFileSync(join(root, from), 'utf8')
  const code = from.endsWith('.svelte') ? scriptsOf(source) : source
  const found: Import[] = []
  const add = (specifier: string, typesOnly: boolean) => found.push({ from, to: targetOf(from, specifier), typesOnly })
  const statement = /^[ \t]*(?:import|export)\s+(type\s+)?(?:[\w*\s{},$]+?\s+from\s+)?['"]([^'"]+)['"]/gm
  for (const [, type, specifier] of code.matchAll(statement)) add(specifier ?? '', type !== undefined)
  for (const [, argument] of code.matchAll(/\bimport\s*\(\s*([^)]*)\)/g)) {
    const literal = /^['"]([^'"]+)['"]/.exec(argument ?? '')
    add(literal?.[1] ?? '?', false)
  }
  return found
}

function scriptsOf(source: string): string {
  const tree = parse(source, { modern: true })
  return [tree.module, tree.instance].map((script) => (script ? source.slice(script.start, script.end) : '')).join('\n')
}

function targetOf(from: string, specifier: string): string {
  if (specifier.startsWith('#lib/') || specifier.startsWith('$lib/')) return `web/src/lib/${specifier.slice(5)}`
  return specifier.startsWith('.') ? relative(root, resolve(root, dirname(from), specifier)) : specifier
}

const inside = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`)
const ours = (path: string) => rooms.some((room) => inside(path, room))
const show = ({ from, to }: Import) => `${from} → ${to}`

describe('the rooms', () => {
  it('are five, with nothing else at the top that holds code', () => {
    const folders = listing.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
    expect(folders.filter((name) => !rooms.includes(name) && !beside.includes(name) && !name.startsWith('.'))).toEqual([])
  })

  it('db imports nothing of ours', () => {
    expect(
      rulesFor('db')
        .filter(({ to }) => ours(to) && !inside(to, 'db'))
        .map(show),
    ).toEqual([])
  })

  it('jobs/domain is pure: nothing of ours but itself and types of db, no database, file, network or process', () => {
    const impure = /^(node:(?!util$|crypto$|url$)|postgres$|pg$|drizzle-orm|undici$|@dbos-inc|hono)/
    const wrong = rulesFor('jobs/domain').filter(
      ({ to, typesOnly }) => (ours(to) && !inside(to, 'jobs/domain') && !(typesOnly && inside(to, 'db'))) || impure.test(to) || to === '?',
    )
    expect(wrong.map(show)).toEqual([])
  })

  it('jobs/domain reads no clock and no dice', () => {
    const reading = files
      .filter((path) => inside(path, 'jobs/domain') && path !== 'jobs/domain/clock.ts')
      .filter((path) => {
        const code = readFileSync(join(root, path), 'utf8')
        return /\bDate\.now\(|new Date\(\)|Math\.random\(|performance\.now\(|randomUUID\(/.test(code)
      })
    expect(reading).toEqual([])
  })

  it('a connector imports its own folder, what connectors share, and domain types; never db', () => {
    const allowedValues = ['jobs/domain/plain.ts', 'jobs/domain/errors.ts']
    const wrong = rulesFor('jobs/connectors').filter(({ from, to, typesOnly }) => {
      if (!ours(to)) return to === '?'
      if (inside(to, 'jobs/domain')) return !typesOnly && !allowedValues.includes(to)
      if (dirname(from) === 'jobs/connectors') return !inside(to, 'jobs/connectors')
      const folder = from.split('/').slice(0, 3).join('/')
      return !inside(to, folder) && !(dirname(to) === 'jobs/connectors')
    })
    expect(wrong.map(show)).toEqual([])
  })

  it('the simulator knows nothing of the judges', () => {
    const wrong = rulesFor('jobs/simulator').filter(
      ({ to }) => inside(to, 'jobs/domain') || inside(to, 'db') || inside(to, 'server') || to === '?',
    )
    expect(wrong.map(show)).toEqual([])
  })

  it('jobs imports neither server nor web, server not web', () => {
    const wrong = [...rulesFor('jobs'), ...rulesFor('server')].filter(
      ({ from, to }) => inside(to, 'web') || (inside(from, 'jobs') && inside(to, 'server')),
    )
    expect(wrong.map(show)).toEqual([])
  })

  it('web imports types of server in lib/api.ts, and nothing else of ours', () => {
    const wrong = rulesFor('web').filter(
      ({ from, to, typesOnly }) => ours(to) && !inside(to, 'web') && !(from === 'web/src/lib/api.ts' && typesOnly && inside(to, 'server')),
    )
    expect(wrong.map(show)).toEqual([])
  })

  it('only the edge opens what is sealed', () => {
    const opening = files.filter((path) => !path.startsWith('test/') && /\bunseal\b/.test(readFileSync(join(root, path), 'utf8')))
    expect(opening.sort()).toEqual(['jobs/domain/plain.ts', 'jobs/edge.ts'])
  })

  it('only jobs/engine.ts knows DBOS', () => {
    const knowing = imports.filter(({ to }) => to.startsWith('@dbos-inc')).map(({ from }) => from)
    expect([...new Set(knowing)]).toEqual(['jobs/engine.ts'])
  })

  it('no source opts out of type checking and no test is skipped', () => {
    const optOut = new RegExp(['@ts-(ignore|expect-error|nocheck)', String.raw`\b(it|test|describe)\.(skip|only|todo)\b`].join('|'))
    expect(files.filter((path) => path !== 'test/architecture.test.ts' && optOut.test(readFileSync(join(root, path), 'utf8')))).toEqual([])
  })
})
