import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const sources = ['db', 'jobs', 'server'].flatMap((room) =>
  readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ path: relative(root, join(root, room, name)), text: readFileSync(join(root, room, name), 'utf8') })),
)

it('semantics 26: audit rows are written in db/records/audit.ts alone, whose transactions are sealed', () => {
  const writing = sources
    .filter(({ text }) => /insert\s+into\s+audit\b|\.insert\(\s*audit\s*\)|copy\s+audit\b/i.test(text))
    .map(({ path }) => path)
  expect(writing).toEqual(['db/records/audit.ts'])
})

it('semantics 26: nothing but that file calls the database function that seals', () => {
  expect(sources.filter(({ text }) => /select seal_audit/.test(text)).map(({ path }) => path)).toEqual(['db/records/audit.ts'])
})
