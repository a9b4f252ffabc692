import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { codeAt, stepAt } from '../../jobs/domain/people/totp.ts'
import { makeFirstLink } from '../../server/commands/people/invites.ts'
import { withDatabase } from '../support/database.ts'
import { headers, type ServedClinic, serveClinic } from './served-clinic.ts'
import { type Browser, type Known, password, signedInWorld, type SignedInWorld } from './signed-in.ts'

const main = await withDatabase()
let clinic: ServedClinic
let world: SignedInWorld
let ada: Known
const minute = 60_000
const hour = 60 * minute

beforeAll(async () => {
  clinic = await serveClinic(await main.another())
  world = signedInWorld(clinic.deps, { lookAgainMs: 50 })
  ada = await world.addPerson('Ada Admin', ['admin'])
})
afterAll(() => clinic?.close())
beforeEach(() => {
  world.wall.at += 24 * hour
})

const json = async (response: Response | Promise<Response>) => (await response).json() as Promise<Record<string, never>>
const whoIs = async (browser: Browser) => (await browser.get('/api/v1/me')).status
const sessionCookie = 'throughline-session-4400'

describe('the first administrator', () => {
  it('joins by a link that works once, is stored as a hash, and dies with its time', async () => {
    const other = await serveClinic(await main.another())
    const fresh = signedInWorld(other.deps)
    expect(await json(fresh.browser().get('/api/v1/sign-in'))).toMatchObject({ by: 'password', isUnused: true })
    const stale = await makeFirstLink(fresh.deps)
    const link = await makeFirstLink(fresh.deps)
    const { sql } = other.workspace.database
    const stored = await sql`select token_hash from invites`
    expect(JSON.stringify([...stored])).not.toContain(link?.token)

    const asked = { token: link?.token, email: 'first@staff.example', name: 'First', password }
    const it = fresh.browser()
    expect((await it.send('POST', '/api/v1/join', { ...asked, token: stale?.token })).status).toBe(404)
    expect((await it.send('POST', '/api/v1/join', { ...asked, password: 'short' })).status).toBe(400)
    expect(await json(it.send('POST', '/api/v1/join/look', { token: link?.token }))).toMatchObject({ kind: 'first', email: null })
    expect((await it.send('POST', '/api/v1/join', asked)).status).toBe(200)
    expect(await json(it.get('/api/v1/me'))).toMatchObject({ name: 'First', roles: [{ role: 'admin' }] })
    expect((await fresh.browser().send('POST', '/api/v1/join', asked)).status).toBe(404)
    expect(await makeFirstLink(fresh.deps)).toBeNull()
    await other.close()
  })

  it('finds a link that was used by two at once used by one', async () => {
    const other = await serveClinic(await main.another())
    const fresh = signedInWorld(other.deps)
    const link = await makeFirstLink(fresh.deps)
    const answers = await Promise.all(
      [1, 2].map((n) =>
        fresh.browser().send('POST', '/api/v1/join', { token: link?.token, email: `p${n}@staff.example`, name: `P ${n}`, password }),
      ),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
    await other.close()
  })
})

describe('S4: a session', () => {
  it('is a cookie that scripts cannot read, that other sites do not send, and that is not stored', async () => {
    const it = world.browser()
    const response = await it.send('POST', '/api/v1/sign-in', { email: ada.email, password })
    const set = response.headers.getSetCookie().find((line) => line.startsWith(sessionCookie)) ?? ''
    expect(set).toMatch(/HttpOnly/i)
    expect(set).toMatch(/SameSite=Strict/i)
    expect(set).toMatch(/Path=\//i)
    expect(set).not.toMatch(/Domain/i)
    const token = it.cookies.get(sessionCookie) ?? ''
    expect(Buffer.from(token, 'base64url')).toHaveLength(32)
    const { sql } = clinic.workspace.database
    expect(JSON.stringify([...(await sql`select * from sessions`)])).not.toContain(token)
  })

  it('is a __Host- cookie, sent encrypted only, where there is a public address', async () => {
    const publicUrl = new URL('https://throughline.example')
    const secure = signedInWorld(clinic.deps, { publicUrl, trustedProxies: ['10.0.0.7'] })
    const it = secure.browser()
    it.address = '10.0.0.7'
    const response = await it.send('POST', '/api/v1/sign-in', { email: ada.email, password })
    const set = response.headers.getSetCookie().find((line) => line.startsWith('__Host-throughline-session=')) ?? ''
    expect(set).toMatch(/Secure/i)
    expect((await it.get('/api/v1/me')).status).toBe(200)
    it.address = '10.0.0.8'
    expect((await it.get('/api/v1/me')).status).toBe(403)
    it.address = '10.0.0.7'
    expect((await it.send('GET', '/api/v1/me', undefined, { 'x-forwarded-proto': 'http' })).status).toBe(403)
    expect((await it.send('POST', '/api/v1/me/seen', undefined, { origin: 'http://throughline.example' })).status).toBe(403)
  })

  it('is new at each sign-in: one that was known before stays nothing', async () => {
    const it = world.browser()
    it.cookies.set(sessionCookie, 'a'.repeat(43))
    await it.send('POST', '/api/v1/sign-in', { email: ada.email, password })
    const first = it.cookies.get(sessionCookie)
    expect(first).not.toBe('a'.repeat(43))
    await it.send('POST', '/api/v1/sign-in', { email: ada.email, password })
    const before = world.browser()
    before.cookies.set(sessionCookie, first ?? '')
    expect(await whoIs(before)).toBe(401)
    expect(await whoIs(it)).toBe(200)
  })

  it('ends at sign-out, and the token it had opens nothing', async () => {
    const it = await world.signIn(ada)
    const copy = world.browser()
    copy.cookies.set(sessionCookie, it.cookies.get(sessionCookie) ?? '')
    expect(await whoIs(copy)).toBe(200)
    expect((await it.send('POST', '/api/v1/sign-out')).status).toBe(200)
    expect(it.cookies.has(sessionCookie)).toBe(false)
    expect(await whoIs(copy)).toBe(401)
  })

  it('ends when its person does nothing for half an hour, whatever the page asks by itself', async () => {
    const it = await world.signIn(ada)
    for (let passed = 0; passed < 29; passed++) {
      world.wall.at += minute
      expect((await it.get('/api/v1/status')).status).toBe(200)
    }
    world.wall.at += minute
    expect((await it.get('/api/v1/status')).status).toBe(401)
  })

  it('ends after twelve hours, however much was done', async () => {
    const it = await world.signIn(ada)
    for (let passed = 0; passed < 35; passed++) {
      world.wall.at += 20 * minute
      expect((await it.send('POST', '/api/v1/me/seen')).status).toBe(200)
    }
    world.wall.at += 20 * minute
    expect((await it.send('POST', '/api/v1/me/seen')).status).toBe(401)
  })

  it('ends with a new password in every other browser, and with a reset in all', async () => {
    const bo = await world.addPerson('Bo Reset', ['viewer'])
    const [here, there] = [await world.signIn(bo), await world.signIn(bo)]
    const next = 'another river stone lamp'
    expect((await here.send('POST', '/api/v1/me/password', { password: 'wrong wrong wrong', next })).status).toBe(403)
    expect((await here.send('POST', '/api/v1/me/password', { password, next })).status).toBe(200)
    expect([await whoIs(here), await whoIs(there)]).toEqual([200, 401])

    const admin = await world.signIn(ada)
    const { link } = await json(admin.send('POST', `/api/v1/people/${bo.id}/reset`))
    const token = String(link).split('#')[1]
    expect((await world.browser().send('POST', '/api/v1/join', { token, password: 'a third river stone lamp' })).status).toBe(200)
    expect(await whoIs(here)).toBe(401)
  })

  it('shows what its person may from the next request on: other roles, disabled', async () => {
    const cy = await world.addPerson('Cy Changed', ['operator'])
    const it = await world.signIn(cy)
    const admin = await world.signIn(ada)
    const save = (name: string) => it.send('POST', '/api/v1/findings/views', { name, query: 'kind=gap' })
    expect((await save('one')).status).toBeLessThan(300)
    const body = await json(admin.send('PUT', `/api/v1/people/${cy.id}/roles`, { revision: 1, roles: ['viewer'] }))
    expect(body).toMatchObject({ roles: ['viewer'], revision: 2 })
    expect((await save('two')).status).toBe(403)
    expect((await admin.send('POST', `/api/v1/people/${cy.id}/disable`, { revision: 2 })).status).toBe(200)
    expect(await whoIs(it)).toBe(401)
    expect((await world.browser().send('POST', '/api/v1/sign-in', { email: cy.email, password })).status).toBe(401)
  })

  it('closes the streams its person reads when it ends', async () => {
    const it = await world.signIn(ada)
    const response = await it.get('/api/v1/feed')
    const reader = response.body?.getReader()
    expect((await reader?.read())?.done).toBe(false)
    await it.send('POST', '/api/v1/sign-out')
    let isDone = false
    while (!isDone) isDone = (await reader?.read())?.done ?? true
    expect(isDone).toBe(true)
  })

  it('can be ended from another browser of the same person, and of nobody else', async () => {
    const [here, there] = [await world.signIn(ada), await world.signIn(ada)]
    const dee = await world.addPerson('Dee Other', ['admin'])
    const { items } = (await json(here.get('/api/v1/me/sessions'))) as unknown as { items: { id: string; isThis: boolean }[] }
    const other = items.find(({ isThis }) => !isThis)?.id ?? ''
    const stranger = await world.signIn(dee)
    expect((await stranger.send('POST', `/api/v1/me/sessions/${other}/end`)).status).toBe(404)
    expect((await here.send('POST', `/api/v1/me/sessions/${other}/end`)).status).toBe(200)
    expect([await whoIs(here), await whoIs(there)]).toEqual([200, 401])
  })
})

describe('S4: a token of a machine', () => {
  it('is told once, speaks alone, and opens nothing once revoked or expired', async () => {
    const admin = await world.signIn(ada)
    const made = await json(admin.send('POST', '/api/v1/tokens', { name: 'pager', role: 'viewer', days: 1 }))
    const token = String(made.token)
    expect(token).toMatch(/^tl_[\w-]{43}$/)
    expect(JSON.stringify(await json(admin.get('/api/v1/tokens')))).not.toContain(token)
    const ask = (path: string, method = 'GET', more = {}) =>
      world.app.request(path, { method, headers: { ...headers, authorization: `Bearer ${token}`, ...more } })
    expect((await ask('/api/v1/findings')).status).toBe(200)
    // A person's own things are none of a machine's, and a cookie beside it is not looked at.
    const cookie = [...admin.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    expect((await ask('/api/v1/me')).status).toBe(403)
    expect((await ask('/api/v1/people', 'GET', { cookie })).status).toBe(403)
    expect((await world.app.request('/api/v1/people', { headers: { ...headers, cookie, authorization: 'Bearer tl_wrong' } })).status).toBe(
      401,
    )
    const { items } = (await json(admin.get('/api/v1/tokens'))) as unknown as { items: { id: string }[] }
    expect((await admin.send('POST', `/api/v1/tokens/${items[0]?.id}/revoke`)).status).toBe(200)
    expect((await ask('/api/v1/findings')).status).toBe(401)

    const second = await json(admin.send('POST', '/api/v1/tokens', { name: 'brief', role: 'viewer', days: 1 }))
    world.wall.at += 24 * hour
    const late = await world.app.request('/api/v1/findings', { headers: { ...headers, authorization: `Bearer ${String(second.token)}` } })
    expect(late.status).toBe(401)
  })
})

describe('S3: with a session', () => {
  const types = ['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', '']

  it.each(types)('another site changes nothing by a body of type "%s"', async (type) => {
    const it = await world.signIn(ada)
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      for (const from of [
        { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
        { origin: 'null' },
        { origin: 'http://127.0.0.1:9999' },
      ]) {
        const cookie = [...it.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
        const sent = { ...headers, cookie, ...from, ...(type === '' ? {} : { 'content-type': type }) }
        const path = method === 'POST' ? '/api/v1/tokens' : '/api/v1/findings/views'
        const response = await world.app.request(path, { method, headers: sent, body: '{"name":"x","role":"admin"}' })
        expect(response.status).toBe(403)
      }
    }
    expect(await json(it.get('/api/v1/tokens'))).not.toMatchObject({ items: [{ name: 'x' }] })
  })

  it('a request that says nothing of where it comes from is not from our page', async () => {
    const it = await world.signIn(ada)
    const cookie = [...it.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await world.app.request('/api/v1/sign-out', { method: 'POST', headers: { ...headers, cookie } })
    expect(response.status).toBe(403)
    expect(await whoIs(it)).toBe(200)
  })

  it('a method in a header overrides nothing', async () => {
    const it = await world.signIn(ada)
    const response = await it.send('GET', '/api/v1/tokens', undefined, { 'x-http-method-override': 'POST' })
    expect(await json(response)).toHaveProperty('items')
  })
})

describe('codes of an authenticator', () => {
  it('are asked for once confirmed, sealed at rest, and each works once (S5)', async () => {
    const eve = await world.addPerson('Eve Codes', ['operator'])
    const it = await world.signIn(eve)
    const { secret, uri } = (await json(it.send('POST', '/api/v1/me/totp'))) as unknown as { secret: string; uri: string }
    expect(uri).toContain(`secret=${secret}`)
    const { sql } = clinic.workspace.database
    const [row] = await sql<{ sealed: string }[]>`select totp_secret as sealed from people where id = ${eve.id}`
    expect(row?.sealed).toMatch(/^v1\.[0-9a-f]{8}\./)
    expect(row?.sealed).not.toContain(secret)
    const key = Buffer.from(bits(secret))
    const code = () => codeAt(key, stepAt(world.wall.at))
    expect((await it.send('POST', '/api/v1/me/totp/confirm', { code: '000000' })).status).toBe(400)
    expect((await it.send('POST', '/api/v1/me/totp/confirm', { code: code() })).status).toBe(200)

    const next = world.browser()
    const enter = (more: object) => next.send('POST', '/api/v1/sign-in', { email: eve.email, password, ...more })
    expect(await json(enter({}))).toEqual({ isIn: false, needs: 'code' })
    expect(await whoIs(next)).toBe(401)
    // The one that set it up was used by that.
    expect((await enter({ code: code() })).status).toBe(401)
    world.wall.at += 30_000
    expect((await enter({ code: code() })).status).toBe(200)
    expect((await world.browser().send('POST', '/api/v1/sign-in', { email: eve.email, password, code: code() })).status).toBe(401)

    // Moved to another row, the secret does not open.
    const fay = await world.addPerson('Fay Moved', ['viewer'])
    await sql`update people set totp_secret = ${row?.sealed ?? ''}, totp_confirmed_at = now() where id = ${fay.id}`
    const moved = await world.browser().send('POST', '/api/v1/sign-in', { email: fay.email, password, code: '123456' })
    expect(moved.status).toBe(503)
  })
})

describe('break-glass', () => {
  it('opens for an hour, for a reason that is in the audit, and never gives rights to others', async () => {
    const gil = await world.addPerson('Gil Glass', ['break-glass'])
    const it = await world.signIn(gil)
    const poll = () => it.send('POST', '/api/v1/connections/texts/poll')
    expect((await poll()).status).toBe(403)
    expect((await it.send('POST', '/api/v1/me/emergency', { reason: 'x' })).status).toBe(400)
    const reason = 'The messenger fails and nobody on call answers.'
    expect((await it.send('POST', '/api/v1/me/emergency', { reason })).status).toBe(200)
    expect((await poll()).status).toBe(202)
    expect((await it.get('/api/v1/people')).status).toBe(403)
    const { sql } = clinic.workspace.database
    expect(await sql`select actor, reason from audit where act = 'emergency.open'`).toMatchObject([{ actor: gil.id, reason }])
    for (let passed = 0; passed < 3; passed++) {
      world.wall.at += 20 * minute
      await it.send('POST', '/api/v1/me/seen')
    }
    expect((await poll()).status).toBe(403)
  })
})

describe('people', () => {
  it('are invited to roles, and the last administrator stays one', async () => {
    const admin = await world.signIn(ada)
    const answer = await json(
      admin.send('POST', '/api/v1/people/invites', { email: 'Hal@Staff.example', roles: ['approver', 'responder'] }),
    )
    const token = String(answer.link).split('#')[1]
    expect(await json(world.browser().send('POST', '/api/v1/join/look', { token }))).toMatchObject({
      kind: 'invite',
      email: 'Hal@Staff.example',
    })
    const hal = world.browser()
    expect((await hal.send('POST', '/api/v1/join', { token, name: 'Hal Invited', email: 'evil@staff.example', password })).status).toBe(200)
    expect(await json(hal.get('/api/v1/me'))).toMatchObject({
      email: 'Hal@Staff.example',
      roles: [{ role: 'responder' }, { role: 'approver' }],
    })
    expect((await admin.send('POST', '/api/v1/people/invites', { email: 'hal@staff.example', roles: ['viewer'] })).status).toBe(409)

    const { sql } = clinic.workspace.database
    await sql`update people set state = 'disabled' where id <> ${ada.id} and id in (select person_id from memberships where role = 'admin')`
    const demoted = await admin.send('PUT', `/api/v1/people/${ada.id}/roles`, { revision: 1, roles: ['viewer'] })
    expect(demoted.status).toBe(409)
    expect(await json(demoted)).toMatchObject({ detail: expect.stringContaining('last administrator') })
    expect((await admin.send('POST', `/api/v1/people/${ada.id}/disable`, { revision: 1 })).status).toBe(409)
  })
})

function bits(base32: string): number[] {
  const text = [...base32].map((sign) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(sign).toString(2).padStart(5, '0')).join('')
  return (text.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2))
}
