import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mayDo, type Role, roles } from '../../jobs/domain/people/roles.ts'
import { needsOf, type Needs, routePermissions } from '../../server/permissions.ts'
import { withDatabase } from '../support/database.ts'
import { headers, type ServedClinic, serveClinic } from './served-clinic.ts'
import { type Browser, signedInWorld, type SignedInWorld } from './signed-in.ts'

const main = await withDatabase()
let clinic: ServedClinic
let world: SignedInWorld
const browsers = new Map<Role, Browser>()
let token: string
const known = Object.entries(routePermissions).map(([route, needs]) => {
  const [method = '', path = ''] = route.split(' ')
  return {
    route,
    method,
    path: path
      .replace('{day}', '2026-03-01')
      .replaceAll(/\{\w+\}/g, '0'.repeat(32))
      .replace('/*', '/'),
    needs,
  }
})
/** These would end what the others stand on. */
const endsIt = new Set(['POST /api/v1/sign-out'])

beforeAll(async () => {
  clinic = await serveClinic(await main.another(), { consoleRoot: '/nowhere' })
  world = signedInWorld(clinic.deps)
  for (const role of roles) browsers.set(role, await world.signIn(await world.addPerson(`Of ${role}`, [role])))
  const made = await (await browserOf('admin').send('POST', '/api/v1/tokens', { name: 'machine', role: 'operator' })).json()
  token = (made as { token: string }).token
})
afterAll(() => clinic?.close())

function browserOf(role: Role): Browser {
  const browser = browsers.get(role)
  if (!browser) throw new Error(`Nobody is ${role}.`)
  return browser
}

/** The status; the body of a stream is not waited for. */
async function ask(browser: Browser, { method, path }: { method: string; path: string }): Promise<number> {
  const response = await browser.send(method, path, method === 'GET' ? undefined : {})
  await response.body?.cancel()
  return response.status
}

describe('S1: every route, asked by', () => {
  it.each(roles)('%s, is refused exactly where the matrix says so', async (role) => {
    const browser = browserOf(role)
    const wrong: string[] = []
    for (const each of known) {
      if (endsIt.has(each.route)) continue
      const isAllowed = each.needs === 'anyone' || each.needs === 'person' || mayDo({ roles: [role] }, each.needs)
      const status = await ask(browser, each)
      const isOpened = role !== 'break-glass' && each.route.startsWith('POST /api/v1/me/emergency')
      if (isOpened ? status === 200 : (status === 403) === isAllowed || status === 401) wrong.push(`${each.route}: ${status}`)
    }
    expect(wrong.filter((line) => !line.startsWith('POST /api/v1/me/totp') && !line.startsWith('POST /api/v1/sign-in/demo'))).toEqual([])
  })

  it('nobody, is answered only where anyone is', async () => {
    const wrong: string[] = []
    for (const each of known) {
      const status = await ask(world.browser(), each)
      if ((each.needs === 'anyone') === (status === 401 && !each.route.endsWith('/sign-in'))) wrong.push(`${each.route}: ${status}`)
    }
    expect(wrong).toEqual([])
    expect(await ask(world.browser(), { method: 'POST', path: '/api/v1/nothing' })).toBe(401)
  })

  it('a machine, is refused where its role is and where a person is meant', async () => {
    const wrong: string[] = []
    for (const { route, method, path, needs } of known) {
      const response = await world.app.request(path, {
        method,
        headers: { ...headers, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(method === 'GET' ? {} : { body: '{}' }),
      })
      await response.body?.cancel()
      const isAllowed = needs === 'anyone' || (needs !== 'person' && mayDo({ roles: ['operator'] }, needs))
      if ((response.status === 403) === isAllowed && !route.startsWith('POST /api/v1/sign-in/demo'))
        wrong.push(`${route}: ${response.status}`)
    }
    expect(wrong).toEqual([])
  })

  it('a viewer who would change something, leaves a row in the audit, once each', async () => {
    const { sql } = clinic.workspace.database
    const refused = await sql<{ route: string }[]>`select distinct target_id as route from audit where act = 'access.refuse'`
    const viewer = await sql<{ id: string }[]>`select replace(id::text, '-', '') as id from people where name = 'Of viewer'`
    const rows = await sql<{ route: string }[]>`
      select target_id as route from audit where act = 'access.refuse' and actor = ${viewer[0]?.id ?? ''}`
    const changing = known
      .filter(({ method, needs }) => method !== 'GET' && needs !== 'anyone' && needs !== 'person')
      .map(({ route }) => route)
    expect([...rows].map(({ route }) => route).sort()).toEqual(changing.sort())
    expect(refused.every(({ route }) => needsOf(route) !== undefined)).toBe(true)
  })

  it('anyone, is refused where a route is in no matrix', async () => {
    const needs: Needs | undefined = needsOf('GET /api/v1/not-yet')
    expect(needs).toBeUndefined()
    expect(needsOf('toString')).toBeUndefined()
  })
})
