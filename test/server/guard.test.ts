import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { StorageError } from '../../db/storage-error.ts'
import { readServerConfig } from '../../server/config.ts'
import { openRecord } from '../../server/cli/open-record.ts'
import { toProblem } from '../../server/errors.ts'
import { withDatabase } from '../support/database.ts'
import { headers, type ServedClinic, serveClinic } from './served-clinic.ts'

const main = await withDatabase()
let clinic: ServedClinic
let consoleRoot: string
beforeAll(async () => {
  consoleRoot = await mkdtemp(join(tmpdir(), 'console-'))
  await writeFile(
    join(consoleRoot, '200.html'),
    `<meta http-equiv="content-security-policy" content="default-src 'none'; script-src 'self' 'sha256-abc='"><p>Console`,
  )
  await writeFile(join(consoleRoot, 'icon.svg'), '<svg/>')
  await writeFile(join(consoleRoot, '..', 'outside.txt'), 'secret').catch(() => {})
  clinic = await serveClinic(await main.another(), { consoleRoot })
})
afterAll(async () => {
  await clinic.close()
  await rm(consoleRoot, { recursive: true })
})

const id = 'a'.repeat(32)
const post = (more: Record<string, string>, path = `/api/v1/findings/${id}/acknowledge`) =>
  clinic.app.request(path, { method: 'POST', headers: { ...headers, ...more }, body: '{"revision":1}' })

describe('S3: a request another site started', () => {
  it.each<Record<string, string>>([
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:9999' },
    { origin: 'http://127.0.0.1:4400', 'sec-fetch-site': 'cross-site' },
  ])('is refused whatever its content type: %o', async (more) => {
    for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded', '']) {
      const response = await post({ ...more, ...(type === '' ? {} : { 'content-type': type }) })
      expect(response.status).toBe(403)
      expect(await response.json()).toMatchObject({ code: 'forbidden' })
    }
  })

  it.each(['PUT', 'PATCH', 'DELETE'])('is refused as %s too, before it is known to be no route', async (method) => {
    const response = await clinic.app.request('/api/v1/findings', { method, headers: { ...headers, origin: 'https://evil.example' } })
    expect(response.status).toBe(403)
  })

  it('passes from our own page and from a program that is no browser', async () => {
    const own = await post({ 'content-type': 'application/json', origin: 'http://127.0.0.1:4400', 'sec-fetch-site': 'same-origin' })
    expect(own.status).toBe(404)
    expect((await post({ 'content-type': 'application/json' })).status).toBe(404)
  })

  it('cannot read by rebinding a name of its own to this address', async () => {
    for (const host of ['evil.example', 'evil.example:4400', '127.0.0.1.evil.example', '', '10.0.0.1:4400']) {
      expect((await clinic.app.request('/api/v1/findings', { headers: { host } })).status).toBe(403)
    }
    for (const host of ['localhost:4400', '127.0.0.1', '[::1]:4400']) {
      expect((await clinic.app.request('/livez', { headers: { host } })).status).toBe(200)
    }
  })

  it('changes nothing by GET with an effect in mind', async () => {
    expect((await clinic.app.request(`/api/v1/findings/${id}/acknowledge`, { headers })).status).toBe(404)
    const overridden = await clinic.app.request('/api/v1/findings', { headers: { ...headers, 'x-http-method-override': 'POST' } })
    expect(overridden.status).toBe(200)
  })
})

describe('S15: every response', () => {
  it.each(['/api/v1/findings', '/api/v1/nothing', '/livez', '/', '/icon.svg', '/api/v1/openapi.json'])(
    'carries the headers: %s',
    async (path) => {
      const response = await clinic.app.request(path, { headers })
      expect(response.headers.get('x-content-type-options')).toBe('nosniff')
      expect(response.headers.get('x-frame-options')).toBe('DENY')
      expect(response.headers.get('referrer-policy')).toBe('no-referrer')
      expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(response.headers.get('cross-origin-resource-policy')).toBe('same-origin')
      expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
      expect(response.headers.get('access-control-allow-origin')).toBeNull()
    },
  )

  it('is not stored when it holds data', async () => {
    expect((await clinic.app.request('/api/v1/findings', { headers })).headers.get('cache-control')).toBe('no-store')
  })
})

describe('the console', () => {
  it('answers any address of its own with its page, under the policy the build wrote', async () => {
    const response = await clinic.app.request('/findings/123', { headers })
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('Console')
    expect(response.headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self' 'sha256-abc='; frame-ancestors 'none'",
    )
  })
  it.each(['/..%2foutside.txt', '/%2e%2e/outside.txt', '/..\\outside.txt', '/%00.txt', '/missing.js'])(
    'gives nothing outside its folder: %s',
    async (path) => {
      const response = await clinic.app.request(path, { headers })
      expect(await response.text()).not.toContain('secret')
      if (path.endsWith('.js')) expect(response.status).toBe(404)
    },
  )
})

describe('errors', () => {
  it('tell nothing of what is not ours: no message, no stack, no SQL', () => {
    const problem = toProblem(new Error('select * from people where email = ann@example.org'), '/x', 'r-1')
    expect(problem).toMatchObject({ status: 500, code: 'internal', requestId: 'r-1' })
    expect(JSON.stringify(problem)).not.toContain('ann')
  })
  it('tell what the database says of itself, as not available now', () => {
    const problem = toProblem(new StorageError('unavailable', 'The database does not answer. Start it.'), '/x', 'r-1')
    expect(problem).toMatchObject({ status: 503, code: 'unavailable', detail: 'The database does not answer. Start it.' })
  })
  it('S17: a body that is too large, not JSON, or of unknown fields is refused', async () => {
    const path = `/api/v1/findings/${id}/comment`
    const send = (body: string) =>
      clinic.app.request(path, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body })
    expect((await send(JSON.stringify({ body: 'x'.repeat(5_000_000) }))).status).toBe(400)
    expect((await send('{nonsense')).status).toBe(400)
    expect((await send('{"body":"x","extra":1}')).status).toBe(400)
  })
})

describe('the environment', () => {
  it('names a database of one’s own, which --fresh refuses to drop', async () => {
    const config = readServerConfig({ DATABASE_URL: 'postgres://u:s3cret@127.0.0.1:1/x' })
    await expect(openRecord(config, '/anywhere', { fresh: true })).rejects.toThrow(/--fresh is refused with DATABASE_URL/)
  })

  it('has defaults on loopback', () => {
    const dataDir = join(import.meta.dirname, '../../.throughline')
    expect(readServerConfig({})).toMatchObject({ host: '127.0.0.1', port: 4400, databaseUrl: null, dataDir })
  })
  it.each(['0.0.0.0', '192.168.1.4', 'example.org', '::'])('refuses to listen on %s', (host) => {
    expect(() => readServerConfig({ THROUGHLINE_HOST: host })).toThrow(/refuses to listen on/)
  })
  it('listens beyond this machine behind a proxy that ends TLS, told with the address people use', () => {
    const behind = {
      THROUGHLINE_HOST: '0.0.0.0',
      THROUGHLINE_PUBLIC_URL: 'https://t.example',
      THROUGHLINE_TRUSTED_PROXY: '10.0.0.7, 10.1.0.0/24',
    }
    expect(readServerConfig(behind)).toMatchObject({ host: '0.0.0.0', trustedProxies: ['10.0.0.7', '10.1.0.0/24'] })
    expect(readServerConfig(behind).publicUrl?.origin).toBe('https://t.example')
    expect(() => readServerConfig({ ...behind, THROUGHLINE_TRUSTED_PROXY: '' })).toThrow(/refuses to listen on.*THROUGHLINE_TRUSTED_PROXY/)
    expect(() => readServerConfig({ ...behind, THROUGHLINE_PUBLIC_URL: 'http://t.example' })).toThrow(/THROUGHLINE_PUBLIC_URL/)
    expect(() => readServerConfig({ ...behind, THROUGHLINE_PUBLIC_URL: 'https://t.example/path' })).toThrow(/no path/)
    expect(() => readServerConfig({ ...behind, THROUGHLINE_TRUSTED_PROXY: 'proxy' })).toThrow(/THROUGHLINE_TRUSTED_PROXY/)
    expect(() => readServerConfig({ THROUGHLINE_PUBLIC_URL: 'https://t.example' })).toThrow(/THROUGHLINE_TRUSTED_PROXY/)
  })
  it('refuses what it does not know, and says what was meant', () => {
    expect(() => readServerConfig({ THROUGHLINE_PROT: '4400' })).toThrow(/THROUGHLINE_PROT.*THROUGHLINE_PORT/)
  })
  it('reads a setting from a file, and not both ways', async () => {
    const file = join(consoleRoot, 'url')
    await writeFile(file, 'postgres://u:s3cret@db/x\n')
    expect(readServerConfig({ DATABASE_URL_FILE: file }).databaseUrl).toBe('postgres://u:s3cret@db/x')
    expect(() => readServerConfig({ DATABASE_URL_FILE: file, DATABASE_URL: 'postgres://x' })).toThrow(/Keep one/)
    expect(() => readServerConfig({ DATABASE_URL_FILE: '/nothing/there' })).toThrow(/cannot be read/)
  })
  it('never shows a value that does not fit', () => {
    expect(() => readServerConfig({ DATABASE_URL: 'mysql://root:s3cret@db' })).toThrow(expect.not.stringContaining('s3cret'))
  })
})
