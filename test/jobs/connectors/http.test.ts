import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ToolError } from '../../../jobs/connectors/connector.ts'
import { parseAllowList } from '../../../jobs/connectors/guard.ts'
import type { HttpDeps, ToolHttp } from '../../../jobs/connectors/http.ts'
import { openToolHttp, retryAfterOf } from '../../../jobs/connectors/http.ts'
import type { FakeTool } from '../../support/faketool.ts'
import { startFakeTool } from '../../support/faketool.ts'

let tool: FakeTool
let other: FakeTool
const opened: ToolHttp[] = []
beforeEach(async () => {
  tool = await startFakeTool()
  other = await startFakeTool()
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((http) => http.close()))
  await tool.close()
  await other.close()
})

const ourNow = Date.parse('2026-03-02T11:59:00Z')
function open(deps: Partial<HttpDeps> & { baseUrl?: string; requestsPerSecond?: number } = {}) {
  const slept: number[] = []
  const { baseUrl = tool.url, requestsPerSecond = 1_000_000, ...rest } = deps
  const http = openToolHttp(
    { baseUrl, headers: { authorization: 'Bearer sk_secret_42' }, requestsPerSecond },
    {
      connection: 'billing',
      allow: parseAllowList([tool.endpoint]),
      now: () => ourNow,
      random: () => 0.5,
      sleep: async (ms) => void slept.push(ms),
      ...rest,
    },
  )
  opened.push(http)
  return { http, slept, read: (path = '/x', query = {}) => http.get(path, { what: 'things', query }) }
}
async function failure(work: Promise<unknown>): Promise<ToolError> {
  const error = await work.then(
    () => new Error('it was read'),
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(ToolError)
  return error as ToolError
}

describe('what is read', () => {
  test('gives status, headers, JSON and how far the clocks are apart', async () => {
    tool.on('/x', { json: { ok: 1 } })
    const response = await open().read()
    expect(response).toMatchObject({ status: 200, json: { ok: 1 }, dateSkewMs: 60_000, toolTime: Date.parse('2026-03-02T12:00:00Z') })
  })
  test('a tool without a Date header leaves the skew unknown', async () => {
    tool.now = null
    tool.on('/x', { json: {} })
    expect(await open().read()).toMatchObject({ dateSkewMs: null, toolTime: null })
  })
  test('repeats a key for a list and keeps odd keys', async () => {
    tool.on('/x', { json: {} })
    await open().read('/x', { 'types[]': ['a', 'b'], 'DateSent>': '2026', gone: undefined })
    expect([...(tool.ledger[0]?.query ?? [])]).toEqual([
      ['types[]', 'a'],
      ['types[]', 'b'],
      ['DateSent>', '2026'],
    ])
  })
  test('stays below the path of its base URL', async () => {
    tool.on('/fhir/R4/Patient', { json: {} })
    await open({ baseUrl: `${tool.url}/fhir/R4/` }).read('Patient')
    expect(tool.ledger[0]?.path).toBe('/fhir/R4/Patient')
  })
  test('unpacks gzip', async () => {
    tool.on('/x', { body: gzipSync('{"packed":true}'), headers: { 'content-encoding': 'gzip' } })
    expect((await open().read()).json).toEqual({ packed: true })
  })
})

describe('P8: an answer that is no data is an error', () => {
  test.each([
    ['HTML of a sign-in page', { body: '<html>Sign in</html>', headers: { 'content-type': 'text/html' } }, /text\/html instead of JSON/],
    ['HTML that says it is JSON', { body: '<html>Sign in</html>' }, /not JSON/],
    ['an empty 200', { body: '' }, /empty body/],
    ['a 204', { status: 204, headers: {} }, /answered 204/],
    [
      'another charset',
      { body: Buffer.from('{"a":"é"}', 'latin1'), headers: { 'content-type': 'application/json; charset=iso-8859-1' } },
      /another encoding/,
    ],
    ['UTF-16', { body: Buffer.from('{"a":1}', 'utf16le') }, /not JSON/],
    ['half a body', { body: '{"data":[{"id":1},' }, /not JSON/],
    ['two bodies', { body: '{}{}' }, /not JSON/],
    ['no type at all', { body: '{}', headers: { 'content-type': '' } }, /instead of JSON/],
    ['a compression nobody asked for', { body: '{}', headers: { 'content-encoding': 'zstd' } }, /compression/],
    ['damaged gzip', { body: 'not gzip', headers: { 'content-encoding': 'gzip' } }, /damaged|could not be read/],
  ])('P8: %s', async (_, answer, message) => {
    tool.on('/x', answer)
    const error = await failure(open().read())
    expect(error.message).toMatch(message)
    expect(['bad_response', 'network']).toContain(error.reason)
  })
  test('P8: a body cut in the middle is not half read', async () => {
    tool.on('/x', { body: '{"data":[1,2', headers: { 'content-length': '500' }, cut: true })
    expect((await failure(open().read())).reason).toBe('network')
  })
})

describe('failures by status', () => {
  test.each([
    [401, 'auth'],
    [403, 'auth'],
    [404, 'not_found'],
    [410, 'not_found'],
    [400, 'bad_response'],
    [422, 'bad_response'],
    [429, 'rate_limited'],
    [500, 'network'],
    [503, 'network'],
  ])('%i is %s', async (status, reason) => {
    tool.on('/x', { status, json: { error: 'no' } })
    expect((await failure(open({ limits: { attempts: 1 } }).read())).reason).toBe(reason)
  })
  test('a refused key is asked once', async () => {
    tool.on('/x', { status: 401, json: {} })
    await failure(open().read())
    expect(tool.ledger).toHaveLength(1)
  })
  test('a passing failure is retried with growing pauses, then given up', async () => {
    tool.on('/x', { status: 503, json: {} })
    const { read, slept } = open()
    expect((await failure(read())).reason).toBe('network')
    expect(tool.ledger).toHaveLength(4)
    expect(slept).toEqual([375, 750, 1500])
  })
  test('a passing failure that passes is no failure', async () => {
    tool.on('/x', [{ status: 502, json: {} }, { body: '', cut: true }, { json: { fine: true } }])
    expect((await open().read()).json).toEqual({ fine: true })
  })
})

describe('Retry-After', () => {
  const date = Date.parse('2026-03-02T12:00:00Z')
  test.each([
    ['7', 7000],
    ['0', 0],
    ['Mon, 02 Mar 2026 12:00:09 GMT', 9000],
    ['Mon, 02 Mar 2026 11:00:00 GMT', 0],
    ['1000000000', 3_600_000],
    ['Tue, 02 Mar 2100 12:00:00 GMT', 3_600_000],
    ['soon', null],
    [undefined, null],
  ])('P7: %s', (header, ms) => expect(retryAfterOf(header === undefined ? {} : { 'retry-after': header }, date, 3_600_000)).toBe(ms))
  test('P7: a short wait is waited, with jitter', async () => {
    tool.on('/x', [{ status: 429, headers: { 'retry-after': '2' }, json: {} }, { json: {} }])
    const { read, slept } = open()
    await read()
    expect(slept).toEqual([2125])
  })
  test('P7: a long wait is left to the schedule', async () => {
    tool.on('/x', { status: 429, headers: { 'retry-after': '120' }, json: {} })
    const { read, slept } = open()
    const error = await failure(read())
    expect([error.reason, error.retryAfterMs, slept]).toEqual(['rate_limited', 120_000, []])
    expect(tool.ledger).toHaveLength(1)
  })
  test('P7: no more than five requests a second', async () => {
    tool.on('/x', { json: {} })
    let wall = 0
    const at: number[] = []
    const { http } = open({ requestsPerSecond: 5, wallNow: () => wall, sleep: async (ms) => void (wall += ms) })
    for (let n = 0; n < 11; n++) {
      await http.get('/x', { what: 'things' })
      at.push(wall)
    }
    expect(at.at(-1)).toBe(2000)
  })
})

describe('caps', () => {
  test('P10: a body beyond the limit is let go', async () => {
    const chunks = Array.from({ length: 200 }, () => ({ bytes: `"${'x'.repeat(9998)}",` }))
    tool.on('/x', { chunks: [{ bytes: '[' }, ...chunks] })
    expect((await failure(open({ limits: { bodyBytes: 100_000 } }).read())).message).toMatch(/larger than 100000 bytes/)
  })
  test('P10: a small body that unpacks beyond the limit is let go', async () => {
    tool.on('/x', { body: gzipSync(Buffer.alloc(50_000_000, 0x20)), headers: { 'content-encoding': 'gzip' } })
    expect((await failure(open({ limits: { bodyBytes: 1_000_000 } }).read())).message).toMatch(/larger than/)
  })
  test('P10: nesting and keys without end', async () => {
    tool.on('/deep', { body: '['.repeat(100_000) + ']'.repeat(100_000) })
    tool.on('/wide', { body: `{${Array.from({ length: 1_000_000 }, (_, n) => `"k${n}":[1,2]`).join(',')}}` })
    const { read } = open()
    expect((await failure(read('/deep'))).message).toMatch(/more than 64 levels/)
    expect((await failure(read('/wide'))).message).toMatch(/larger than|more than \d+ values/)
  })
  test('P11: a byte a second ends at the deadline', async () => {
    tool.on('/x', { chunks: Array.from({ length: 50 }, () => ({ bytes: ' ', afterMs: 50 })) })
    expect((await failure(open({ limits: { deadlineMs: 300 } }).read())).reason).toBe('timeout')
  })
  test('P11: headers that never come end at the deadline', async () => {
    tool.on('/x', { delayMs: 5_000, json: {} })
    expect((await failure(open({ limits: { deadlineMs: 300 } }).read())).reason).toBe('timeout')
  })
  test('a stop from outside ends the read', async () => {
    tool.on('/x', { delayMs: 5_000, json: {} })
    const stop = AbortSignal.timeout(100)
    expect((await failure(open().http.get('/x', { what: 'things', signal: stop }))).message).toMatch(/was stopped/)
  })
})

describe('S8: one origin', () => {
  test.each([301, 302, 303, 307, 308])('S8: a %i to an inside address is not followed', async (status) => {
    tool.on('/x', { status, headers: { location: `${other.url}/internal` }, json: {} })
    other.on('/internal', { json: { leaked: true } })
    expect((await failure(open().read())).message).toMatch(/Redirects are not followed/)
    expect(other.ledger).toHaveLength(0)
  })
  test('S8: a next link to another origin is refused, and no credential leaves', async () => {
    const { http } = open()
    for (const link of [
      `${other.url}/next`,
      '//evil.example/next',
      'http://127.0.0.1:1/next',
      `https://${tool.endpoint}/next`,
      `http://user:pass@${tool.endpoint}/next`,
      'file:///etc/passwd',
      '\\\\evil.example\\x',
      'javascript:alert(1)',
    ]) {
      expect(() => http.sameOrigin(link)).toThrow(/another address/)
      expect((await failure(http.get(link, { what: 'things' }))).reason).toBe('refused_address')
    }
    expect([...tool.ledger, ...other.ledger]).toHaveLength(0)
  })
  test('S8: a relative next link and one of the same origin are followed', async () => {
    tool.on('/next', { json: {} })
    const { http } = open()
    await http.get('/next?a=1&b=2?3', { what: 'things' })
    await http.get(`${tool.url}/next?page=2`, { what: 'things' })
    expect(tool.ledger.map((one) => `${one.query}`)).toEqual(['a=1&b=2%3F3', 'page=2'])
    expect(tool.ledger.every((one) => one.headers.authorization === 'Bearer sk_secret_42')).toBe(true)
  })

  const port = () => tool.endpoint.split(':')[1]
  test('S8: a listed name connects to the address that was checked', async () => {
    tool.on('/x', { json: { here: true } })
    const { read } = open({
      baseUrl: `http://tool.example:${port()}`,
      allow: parseAllowList([`tool.example:${port()}`]),
      resolve: async () => ['127.0.0.1'],
    })
    expect((await read()).json).toEqual({ here: true })
    expect(tool.ledger[0]?.headers.host).toBe(`tool.example:${port()}`)
  })
  test('S8: a name that turns to the metadata service is refused even when listed', async () => {
    const { read } = open({
      baseUrl: `http://tool.example:${port()}`,
      allow: parseAllowList([`tool.example:${port()}`]),
      resolve: async () => ['169.254.169.254'],
      limits: { attempts: 1 },
    })
    expect((await failure(read())).reason).toBe('refused_address')
  })
  test('S8: public at first, then loopback (rebinding): asked again at each connection, refused', async () => {
    const answers = [['127.0.0.1'], ['10.0.0.1']]
    let asked = 0
    const resolve = async () => answers[asked++] ?? ['127.0.0.1']
    const { read } = open({ baseUrl: 'https://tool.example', allow: new Set(), resolve, limits: { attempts: 1 } })
    for (let n = 0; n < 3; n++) expect((await failure(read())).reason).toBe('refused_address')
    expect(asked).toBe(3)
  })
  test('S8: one private address among public ones refuses all', async () => {
    const { read } = open({
      baseUrl: 'https://tool.example',
      allow: new Set(),
      resolve: async () => ['93.184.216.34', '127.0.0.1'],
      limits: { attempts: 1 },
    })
    const error = await failure(read())
    expect(error.reason).toBe('refused_address')
    expect(error.message).toMatch(/Nothing was sent/)
  })
  test('S8: a name without an address is a network failure', async () => {
    const fails = async () => {
      throw new Error('ENOTFOUND tool.example')
    }
    expect(
      (await failure(open({ baseUrl: 'https://tool.example', allow: new Set(), resolve: fails, limits: { attempts: 1 } }).read())).reason,
    ).toBe('network')
    expect(
      (await failure(open({ baseUrl: 'https://tool.example', allow: new Set(), resolve: async () => [], limits: { attempts: 1 } }).read()))
        .reason,
    ).toBe('network')
  })
})

describe('redaction', () => {
  test.each([400, 401, 404, 429, 500, 302, 200])('a failure with status %i shows no body, header, query or key', async (status) => {
    tool.on('/v1/people/jane.doe', {
      status,
      body: 'Jane Doe jane@example.com',
      headers: { 'content-type': 'text/plain; name=jane', 'x-person': 'jane', location: 'https://jane.example/' },
    })
    const error = await failure(open({ limits: { attempts: 1 } }).read('/v1/people/jane.doe', { email: 'jane@example.com' }))
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toMatch(/jane|sk_secret/i)
    expect(error.message).toMatch(/^Connection billing: /)
  })
  test('a broken connection shows no address', async () => {
    await tool.close()
    const error = await failure(open({ limits: { attempts: 1 } }).read('/x', { email: 'jane@example.com' }))
    expect(error.message).toBe('Connection billing: things could not be read (ECONNREFUSED).')
    expect(error.cause).toBeUndefined()
    tool = await startFakeTool()
  })
})
