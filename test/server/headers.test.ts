import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { StorageError } from '../../db/storage-error.ts'
import { createApp } from '../../server/app.ts'
import { withDatabase } from '../support/database.ts'
import { headers, type ServedClinic, serveClinic } from './served-clinic.ts'

const main = await withDatabase()
let clinic: ServedClinic
let consoleRoot: string
let app: ServedClinic['app']
let fails: () => never = () => {
  throw new Error('select * from people')
}

beforeAll(async () => {
  consoleRoot = await mkdtemp(join(tmpdir(), 'console-'))
  const policy = "default-src 'none'; script-src 'self' 'sha256-abc='; require-trusted-types-for 'script'"
  await writeFile(join(consoleRoot, '200.html'), `<meta http-equiv="content-security-policy" content="${policy}"><p>Console`)
  await writeFile(join(consoleRoot, 'favicon.svg'), '<svg/>')
  await mkdir(join(consoleRoot, '_app/immutable'), { recursive: true })
  await writeFile(join(consoleRoot, '_app/immutable/app.js'), 'export {}')
  clinic = await serveClinic(await main.another())
  app = createApp({ ...clinic.deps, consoleRoot, check: async () => fails() })
})
afterAll(async () => {
  await clinic.close()
  await rm(consoleRoot, { recursive: true })
})

const ask = (path: string, init: RequestInit = {}) => app.request(path, { ...init, headers: { ...headers, ...(init.headers as object) } })
const post = (path: string, body: string, more: Record<string, string> = {}) =>
  ask(path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...more } })
const aFinding = async () => (await (await clinic.client.api.v1.findings.$get({ query: {} })).json()).items[0]?.id ?? ''
const nobody = '0'.repeat(32)

/** Every kind of answer there is, by its status. There are no redirects: no address of ours has moved. */
const answers: [string, number, () => Response | Promise<Response>][] = [
  ['JSON', 200, () => ask('/api/v1/findings')],
  ['HEAD', 200, () => ask('/api/v1/findings', { method: 'HEAD' })],
  ['CSV', 200, () => ask('/api/v1/findings/export?format=csv')],
  ['JSON export', 200, () => ask('/api/v1/findings/export?format=json')],
  ['server-sent events', 200, () => ask('/api/v1/feed')],
  ['the description of the API', 200, () => ask('/api/v1/openapi.json')],
  ['health', 200, () => ask('/livez')],
  ['metrics', 200, () => ask('/metrics')],
  ['the page', 200, () => ask('/findings/1')],
  ['the first page', 200, () => ask('/')],
  ['a file', 200, () => ask('/favicon.svg')],
  ['a file that never changes', 200, () => ask('/_app/immutable/app.js')],
  ['accepted', 202, () => post('/api/v1/connections/texts/poll', '')],
  ['a query that does not fit', 400, () => ask('/api/v1/findings?severity=terrible')],
  ['an export that does not fit', 400, () => ask('/api/v1/findings/export?format=xls')],
  ['a body that is no JSON', 400, async () => post(`/api/v1/findings/${await aFinding()}/comment`, '{')],
  ['a body too large', 400, async () => post(`/api/v1/findings/${await aFinding()}/comment`, 'x'.repeat(100_000))],
  ['another site', 403, () => post('/api/v1/findings/views', '{}', { origin: 'https://evil.example' })],
  ['another name', 403, () => ask('/api/v1/findings', { headers: { host: 'evil.example' } })],
  ['no such address', 404, () => ask('/api/v1/nothing')],
  ['no such finding', 404, () => ask(`/api/v1/findings/${nobody}`)],
  ['no such file', 404, () => ask('/missing.js')],
  ['someone was first', 409, async () => post(`/api/v1/findings/${await aFinding()}/release`, '{"revision":1}')],
  ['our own mistake', 500, () => post('/api/v1/connections/texts/check', '')],
]

describe('S15: every answer', () => {
  it.each(answers)('%s (%i) carries the whole set of headers', async (_, status, make) => {
    const response = await make()
    expect(response.status).toBe(status)
    const got = (name: string) => response.headers.get(name)
    expect(got('x-content-type-options')).toBe('nosniff')
    expect(got('x-frame-options')).toBe('DENY')
    expect(got('referrer-policy')).toBe('no-referrer')
    expect(got('cross-origin-opener-policy')).toBe('same-origin')
    expect(got('cross-origin-resource-policy')).toBe('same-origin')
    expect(got('permissions-policy')).toContain('camera=()')
    expect(got('content-security-policy')).toContain("default-src 'none'")
    expect(got('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(got('content-security-policy')).not.toContain("'unsafe-eval'")
    expect(got('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    expect(got('access-control-allow-origin')).toBeNull()
    expect(got('server')).toBeNull()
    expect(got('x-powered-by')).toBeNull()
    await response.body?.cancel()
  })

  it.each(answers.filter(([what]) => !/page|file/.test(what)))('%s (%i) is stored by nobody', async (_, __, make) => {
    const response = await make()
    expect(response.headers.get('cache-control')).toBe('no-store')
    await response.body?.cancel()
  })

  it('a page is asked for anew each time, a file with its hash in its name never', async () => {
    expect((await ask('/findings')).headers.get('cache-control')).toBe('no-cache')
    expect((await ask('/_app/immutable/app.js')).headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  })

  it('has a request id of its own', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, async () => (await ask('/livez')).headers.get('x-request-id')))
    expect(new Set(ids).size).toBe(20)
  })

  it('says 503 and when to ask again while the database is away, and 429 when too many listen', async () => {
    fails = () => {
      throw new StorageError('unavailable', 'The database does not answer. Start it.')
    }
    const away = await post('/api/v1/connections/texts/check', '')
    expect([away.status, away.headers.get('retry-after'), away.headers.get('cache-control')]).toEqual([503, '5', 'no-store'])
    expect(away.headers.get('x-content-type-options')).toBe('nosniff')
    const listening = await Promise.all(Array.from({ length: 100 }, () => ask('/api/v1/feed')))
    const refused = await ask('/api/v1/feed')
    expect([refused.status, refused.headers.get('retry-after'), refused.headers.get('x-frame-options')]).toEqual([429, '30', 'DENY'])
    await Promise.all(listening.map((response) => response.body?.cancel()))
  })
})
