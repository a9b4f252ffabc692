import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const markdownBelow = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...(existsSync(join(root, 'docs')) ? markdownBelow('docs') : [])].map(
  (path) => ({
    path,
    text: readFileSync(join(root, path), 'utf8'),
  }),
)
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }

const anchorsOf = (text: string) =>
  [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, title]) =>
    (title ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

describe.each(pages)('$path', ({ path, text }) => {
  it('names only paths that exist', () => {
    const named = [...text.matchAll(/`((?:web|server|jobs|db|test|bin|docs|\.ci)\/[\w./+-]*)`/g)].map(([, named]) => named ?? '')
    expect(named.filter((named) => !existsSync(join(root, named)))).toEqual([])
  })

  it('names only npm scripts that exist', () => {
    const named = [...text.matchAll(/\bnpm (?:run ([a-z][\w:-]*)|(?:start|test)\b)/g)].map(([command, name]) => name ?? command.slice(4))
    expect(named.filter((name) => !(name in scripts))).toEqual([])
  })

  it('links only to pages and headings that exist', () => {
    const broken = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target]) => target ?? '')
      .filter((target) => !/^(https?|mailto):/.test(target))
      .filter((target) => {
        const [file = '', anchor] = target.split('#')
        const page = file === '' ? path : relative(root, resolve(root, dirname(path), file))
        if (!existsSync(join(root, page))) return true
        return anchor !== undefined && !anchorsOf(readFileSync(join(root, page), 'utf8')).includes(anchor)
      })
    expect(broken).toEqual([])
  })
})

describe('the scripts', () => {
  it('run only files that exist', () => {
    const named = Object.values(scripts).flatMap((line) =>
      [...line.matchAll(/(?:^|\s)((?:server|jobs|db|test|bin)\/[\w./-]+)/g)].map(([, file]) => file ?? ''),
    )
    expect([...new Set(named)].filter((file) => !existsSync(join(root, file)))).toEqual([])
  })

  it('are called by the CI', () => {
    expect(readFileSync(join(root, '.ci', 'run'), 'utf8')).toContain('npm test')
  })
})
