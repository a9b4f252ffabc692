import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseAllowList } from '../../../jobs/connectors/guard.ts'
import type { HttpDeps, ToolHttp } from '../../../jobs/connectors/http.ts'
import { openToolHttp } from '../../../jobs/connectors/http.ts'
import type { SendOptions } from '../../../jobs/connectors/sent.ts'
import type { FakeTool } from '../../support/faketool.ts'
import { startFakeTool } from '../../support/faketool.ts'
import { startTcpProxy } from '../../support/tcp-proxy.ts'

let tool: FakeTool
const opened: ToolHttp[] = []
beforeEach(async () => {
  tool = await startFakeTool()
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((http) => http.close()))
  await tool.close()
})

const canary = 'zq-canary-name'
function open(deps: Partial<HttpDeps> & { baseUrl?: string; requestsPerSecond?: number } = {}) {
  const { baseUrl = tool.url, requestsPerSecond = 1_000_000, ...rest } = deps
  const http = openToolHttp(
    { baseUrl, headers: { authorization: 'Bearer sk_secret_42' }, requestsPerSecond },
    {
      connection: 'billing',
      allow: parseAllowList([tool.endpoint, ...(baseUrl.startsWith('http://127') ? [new URL(baseUrl).host] : [])]),
      now: () => Date.parse('2026-03-02T11:59:00Z'),
      sleep: async () => {},
      ...rest,
    },
  )
  opened.push(http)
  const send = (path = '/x', options: Partial<SendOptions> = {}) =>
    http.send(path, { method: 'POST', what: 'the refund', body: { form: { name: canary } }, ...options })
  return { http, send }
}

describe('what is written', () => {
  test('a form goes once, with its key and our credentials', async () => {
    tool.on('/x', { json: { id: 're_1' } })
    const sent = await open().send('/x', {
      body: { form: { amount: 500, gone: undefined, 'metadata[key]': 'k&1' } },
      headers: { 'idempotency-key': 'k1' },
    })
    expect(sent).toMatchObject({ kind: 'answered', response: { status: 200, json: { id: 're_1' }, dateSkewMs: 60_000 } })
    expect(tool.ledger).toHaveLength(1)
    expect(tool.ledger[0]).toMatchObject({ method: 'POST', body: 'amount=500&metadata%5Bkey%5D=k%261' })
    expect(tool.ledger[0]?.headers).toMatchObject({
      'idempotency-key': 'k1',
      authorization: 'Bearer sk_secret_42',
      'content-type': 'application/x-www-form-urlencoded',
    })
  })
  test('JSON goes as the type the tool wants, below the path of its base URL', async () => {
    tool.on('/fhir/R4/Task/1', { status: 200, json: {} })
    const { send } = open({ baseUrl: `${tool.url}/fhir/R4/` })
    const patch = [{ op: 'replace', path: '/status', value: 'cancelled' }]
    await send('Task/1', { method: 'PATCH', body: { json: patch, type: 'application/json-patch+json' }, headers: { 'if-match': 'W/"3"' } })
    expect(tool.ledger[0]).toMatchObject({ method: 'PATCH', path: '/fhir/R4/Task/1', body: JSON.stringify(patch) })
    expect(tool.ledger[0]?.headers).toMatchObject({ 'content-type': 'application/json-patch+json', 'if-match': 'W/"3"' })
  })
  test('each goes over a connection of its own', async () => {
    tool.on('/x', { json: {} })
    const { send } = open()
    await send()
    await send()
    expect(tool.ledger.map(({ headers }) => headers.connection)).not.toContain('upgrade')
    expect(tool.ledger).toHaveLength(2)
  })
  test('P7: writes share the budget of the reads', async () => {
    tool.on('/x', { json: {} })
    let wall = 0
    const { http, send } = open({ requestsPerSecond: 5, wallNow: () => wall, sleep: async (ms) => void (wall += ms) })
    for (let n = 0; n < 5; n++) {
      await http.get('/x', { what: 'things' })
      await send()
    }
    expect(wall).toBe(1800)
  })
})

describe('R4: surely not done', () => {
  test.each([400, 401, 403, 404, 410, 412, 422, 429])('a %i is the tool’s no, asked once', async (status) => {
    tool.on('/x', { status, headers: { 'retry-after': '7' }, json: { error: { code: 'nope', message: canary } } })
    const sent = await open().send()
    expect(sent).toMatchObject({ kind: 'not_done', status, json: { error: { code: 'nope' } }, retryAfterMs: 7000 })
    expect('message' in sent && sent.message).not.toContain(canary)
    expect(tool.ledger).toHaveLength(1)
  })
  test('R4: a no without a readable body is a no', async () => {
    tool.on('/x', { status: 400, headers: { 'content-type': 'text/html' }, body: `<html>${canary}</html>` })
    expect(await open().send()).toMatchObject({ kind: 'not_done', status: 400, json: undefined })
  })
  test('R4: a refused connection', async () => {
    const gone = await startFakeTool()
    await gone.close()
    const sent = await open({ baseUrl: gone.url }).send()
    expect(sent).toMatchObject({ kind: 'not_done', reason: 'network', status: null })
    expect('message' in sent && sent.message).toMatch(/Nothing was sent/)
  })
  test('R4: a name that does not resolve, and one that leads inside', async () => {
    const nowhere = open({ baseUrl: 'https://tool.example', resolve: async () => Promise.reject(new Error('ENOTFOUND')) })
    expect(await nowhere.send()).toMatchObject({ kind: 'not_done', reason: 'network', status: null })
    const inside = open({ baseUrl: 'https://tool.example', resolve: async () => ['169.254.169.254'], allow: parseAllowList([]) })
    expect(await inside.send()).toMatchObject({ kind: 'not_done', reason: 'refused_address', status: null })
  })
  test.each(['https://evil.example/x', '//evil.example/x', 'http://user:pw@127.0.0.1/x'])('S8: %s is refused', async (url) => {
    expect(await open().send(url)).toMatchObject({ kind: 'not_done', reason: 'refused_address', status: null })
    expect(tool.ledger).toHaveLength(0)
  })
  test('R4: stopped before it was sent', async () => {
    expect(await open().send('/x', { signal: AbortSignal.abort() })).toMatchObject({ kind: 'not_done', reason: 'timeout' })
    expect(tool.ledger).toHaveLength(0)
  })
})

describe('R4: it may have been done', () => {
  test.each([500, 502, 503, 504, 408, 409, 302, 303, 307])('a %i does not say, and is asked once', async (status) => {
    tool.on('/x', { status, headers: { location: `${tool.url}/other` }, json: { message: canary } })
    const sent = await open().send()
    expect(sent).toMatchObject({ kind: 'unclear', status })
    expect(JSON.stringify(sent)).not.toContain(canary)
    expect(tool.ledger).toHaveLength(1)
  })
  test('R5: a failure the tool had saved for the key is known as such', async () => {
    tool.on('/x', { status: 500, headers: { 'idempotent-replayed': 'true' }, json: {} })
    expect(await open().send()).toMatchObject({ kind: 'unclear', isReplay: true })
  })
  test.each([
    ['HTML in a 200', { body: `<html>${canary}</html>`, headers: { 'content-type': 'text/html' } }],
    ['an empty 200', { body: '' }],
    ['a 204', { status: 204, body: '' }],
    ['half a body', { body: `{"id":"${canary}` }],
    ['another charset', { body: '{}', headers: { 'content-type': 'application/json; charset=utf-16' } }],
    ['damaged gzip', { body: 'not gzip', headers: { 'content-encoding': 'gzip' } }],
  ])('R4: %s', async (_, answer) => {
    tool.on('/x', answer)
    const sent = await open().send()
    expect(sent.kind).toBe('unclear')
    expect(JSON.stringify(sent)).not.toContain(canary)
  })
  test('R4: cut after it was read', async () => {
    tool.on('/x', { headers: { 'content-length': '500' }, body: '{"id":"re_1"', cut: true })
    expect(await open().send()).toMatchObject({ kind: 'unclear', reason: 'network' })
    expect(tool.ledger).toHaveLength(1)
  })
  test('R4: no answer before the deadline', async () => {
    tool.on('/x', { delayMs: 20_000, json: {} })
    expect(await open({ limits: { deadlineMs: 400 } }).send()).toMatchObject({ kind: 'unclear', reason: 'timeout', status: null })
    expect(tool.ledger).toHaveLength(1)
  })
  test('R4: a server that takes the connection and cuts it', async () => {
    const rude = createServer((socket) => socket.once('data', () => socket.destroy()))
    await new Promise<void>((done) => rude.listen(0, '127.0.0.1', done))
    const baseUrl = `http://127.0.0.1:${(rude.address() as AddressInfo).port}`
    expect(await open({ baseUrl }).send()).toMatchObject({ kind: 'unclear', reason: 'network' })
    await new Promise((done) => rude.close(done))
  })
  test('H4: a line cut on the way is unclear, a line that is cut already is not', async () => {
    const proxy = await startTcpProxy(Number(new URL(tool.url).port))
    const { send } = open({ baseUrl: `http://127.0.0.1:${proxy.port}` })
    const asked = new Promise<void>((done) =>
      tool.on('/x', () => {
        done()
        return { delayMs: 20_000, json: {} }
      }),
    )
    const sending = send()
    await asked
    proxy.cut()
    expect(await sending).toMatchObject({ kind: 'unclear', reason: 'network' })
    expect(tool.ledger).toHaveLength(1)
    await proxy.close()
    expect(await send()).toMatchObject({ kind: 'not_done', reason: 'network' })
    expect(tool.ledger).toHaveLength(1)
  })
  test('P10: an answer beyond the limit', async () => {
    tool.on('/x', { body: `"${'x'.repeat(200_000)}"` })
    expect(await open({ limits: { bodyBytes: 100_000 } }).send()).toMatchObject({ kind: 'unclear', reason: 'bad_response' })
  })
})
