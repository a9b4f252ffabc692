import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { permissions, permissionsOf, roles } from '../../jobs/domain/people/roles.ts'
import { routeName, routePermissions } from '../../server/permissions.ts'
import { withDatabase } from '../support/database.ts'
import { headers, type ServedClinic, serveClinic } from './served-clinic.ts'

const main = await withDatabase()
let clinic: ServedClinic
let documented: string[]
/** As the router has them, those that stand in no description included. */
let served: string[]

beforeAll(async () => {
  clinic = await serveClinic(await main.another(), { consoleRoot: '/nowhere' })
  const answer = await clinic.app.request('/api/v1/openapi.json', { headers })
  const { paths } = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) }).parse(await answer.json())
  documented = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
  served = clinic.app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => routeName(method, path))
})
afterAll(() => clinic?.close())

describe('S1: the matrix of routes', () => {
  it('has every route of the API', () => {
    const missing = [...new Set([...documented, ...served])].filter((route) => !Object.hasOwn(routePermissions, route))
    const lines = missing.map((route) => `  '${route}': '<what it needs>',`).join('\n')
    expect(
      missing,
      `Nobody may ask these routes yet. Add to server/permissions.ts, beside its neighbours, one line each:\n${lines}\n` +
        `What it needs is one of: anyone, person, ${permissions.join(', ')} (jobs/domain/people/roles.ts says what each means).\n`,
    ).toEqual([])
  })

  it('has no row without a route', () => {
    const vain = Object.keys(routePermissions).filter((route) => !served.includes(route))
    expect(vain, `Remove from server/permissions.ts, or name it as its route does: ${vain.join(', ')}`).toEqual([])
  })

  it('lets nobody change anything who may only look', () => {
    const viewer = permissionsOf({ roles: ['viewer'] })
    const changing = Object.entries(routePermissions).filter(([route, needs]) => !route.startsWith('GET ') && viewer.has(needs as never))
    expect(changing).toEqual([])
  })

  it('gives each permission to somebody, and each role something', () => {
    for (const permission of permissions) expect(roles.some((role) => permissionsOf({ roles: [role] }).has(permission))).toBe(true)
    for (const role of roles) expect(permissionsOf({ roles: [role] }).has('see')).toBe(true)
  })
})
