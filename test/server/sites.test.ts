import { afterAll, expect, it } from 'vitest'
import { withDatabase } from '../support/database.ts'
import { serveClinic } from './served-clinic.ts'

const main = await withDatabase()
const clinic = await serveClinic(await main.another(), {}, (configuration) => ({
  ...configuration,
  sites: [{ key: 'south', title: 'Southside', knownAs: [] }],
  connections: configuration.connections.map((one) => (one.id === 'booking' ? { ...one, site: 'south' } : one)),
}))
afterAll(() => clinic.close())

const listed = async (query: Record<string, string>) => {
  const response = await clinic.client.api.v1.findings.$get({ query })
  expect(response.status).toBe(200)
  return (await response.json()) as { items: { kind: string; site: unknown }[]; total: number; facets: Record<string, unknown> }
}
const kinds = async (site: string) => (await listed({ site })).items.map(({ kind }) => kind)

it('findings name their site, are filtered by it or by having none, and are counted by it', async () => {
  const all = await listed({ facets: 'site' })
  expect(all.items.map(({ kind, site }) => [kind, site])).toEqual(
    expect.arrayContaining([
      ['gap', { key: 'south', title: 'Southside' }],
      ['duplicate', { key: 'south', title: 'Southside' }],
    ]),
  )
  expect(all.facets.site).toEqual({ south: all.total })
  expect(await kinds('south')).toHaveLength(all.total)
  expect(await kinds('none')).toEqual([])
  expect(await kinds('none,south')).toHaveLength(all.total)
})

it('the catalogue titles the sites', async () => {
  const response = await clinic.client.api.v1.catalogue.$get()
  expect((await response.json()).sites).toEqual([{ key: 'south', title: 'Southside' }])
})
