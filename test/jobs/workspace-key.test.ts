import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AppError } from '../../jobs/domain/errors.ts'
import { loadWorkspaceKey } from '../../jobs/workspace-key.ts'

let dataDir = ''
const master = 'ab'.repeat(32)
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'throughline-key-'))
})
afterEach(() => rm(dataDir, { recursive: true }))

const load = (env: Record<string, string> = {}) => loadWorkspaceKey({ dataDir, env })

test('a key is made once, for its owner only, and stays the same', async () => {
  const key = await load()
  expect(key).toHaveLength(32)
  expect(await load()).toEqual(key)
  expect((await stat(join(dataDir, 'workspace.key'))).mode & 0o777).toBe(0o600)
})

test('processes that start together get one key', async () => {
  const keys = await Promise.all(Array.from({ length: 8 }, () => load()))
  expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1)
})

test('with a master key it is stored wrapped, also one made before', async () => {
  const key = await load()
  expect(await load({ THROUGHLINE_MASTER_KEY: master })).toEqual(key)
  const stored = await readFile(join(dataDir, 'workspace.key'), 'utf8')
  expect(stored).not.toContain(key.toString('base64'))
  expect(await load({ THROUGHLINE_MASTER_KEY: Buffer.from(master, 'hex').toString('base64') })).toEqual(key)
  const file = join(dataDir, 'master')
  await writeFile(file, `${master}\n`)
  expect(await load({ THROUGHLINE_MASTER_KEY_FILE: file })).toEqual(key)
})

test.each<[string, Record<string, string>, RegExp]>([
  ['no master key', {}, /is wrapped, and no master key was given. Set THROUGHLINE_MASTER_KEY/],
  [
    'another master key',
    { THROUGHLINE_MASTER_KEY: 'cd'.repeat(32) },
    /does not open the workspace key .* Give the one it was wrapped with/,
  ],
  ['half a master key', { THROUGHLINE_MASTER_KEY: 'cdcd' }, /is not 32 bytes as hex or base64. Make one with: openssl rand -hex 32/],
  ['a missing file', { THROUGHLINE_MASTER_KEY_FILE: '/nowhere/key' }, /The master key file \/nowhere\/key .* cannot be read/],
  ['two master keys', { THROUGHLINE_MASTER_KEY: master, THROUGHLINE_MASTER_KEY_FILE: '/x' }, /Keep one/],
])('with %s a wrapped key is refused, and the message says what to do', async (_, env, message) => {
  await load({ THROUGHLINE_MASTER_KEY: master })
  const error = await load(env).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(AppError)
  expect(error).toMatchObject({ code: 'invalid_configuration', message: expect.stringMatching(message) })
  expect((error as AppError).message).not.toContain(master)
})

test('a damaged file is never replaced by a new key', async () => {
  await writeFile(join(dataDir, 'workspace.key'), 'not json')
  await expect(load()).rejects.toThrow(/is damaged. Restore it from a backup/)
  expect(await readFile(join(dataDir, 'workspace.key'), 'utf8')).toBe('not json')
})
