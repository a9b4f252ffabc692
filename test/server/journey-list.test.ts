import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withDatabase } from '../support/database.ts'
import { headers, minute, morning, type ServedClinic, serveClinic } from './served-clinic.ts'

const main = await withDatabase()
const hour = 60 * minute
const day = 24 * hour
const people = 60
let clinic: ServedClinic

/** Sixty people booked over two days; every third was confirmed, the others wait or were let down. Ann and Bob are there too. */
beforeAll(async () => {
  clinic = await serveClinic(await main.another())
  const now = morning + 3 * day
  const at = (n: number) => morning + hour + n * 45 * minute
  const row = (id: string, n: number, status: string, when: number) => ({
    id,
    email: `p${n}@example.org`,
    status,
    at: when,
    updatedAt: when,
  })
  const numbers = Array.from({ length: people }, (_, n) => n)
  clinic.booking.rows = [...clinic.booking.rows, ...numbers.map((n) => row(`b-${n}`, n, 'accepted', at(n)))]
  clinic.texts.rows = [
    ...clinic.texts.rows,
    ...numbers.filter((n) => n % 3 === 0).map((n) => row(`t-${n}`, n, 'delivered', at(n) + 5 * minute)),
  ]
  clinic.clock.at = now
  await clinic.reconcile()
}, 120_000)
afterAll(() => clinic.close())

type Query = NonNullable<Parameters<ServedClinic['client']['api']['v1']['journeys']['$get']>[0]>['query']
async function listed(query: Query = {}) {
  const answer = await clinic.client.api.v1.journeys.$get({ query })
  expect(answer.status).toBe(200)
  return answer.json()
}

async function everyPage(query: Query, limit = 7) {
  const items: Awaited<ReturnType<typeof listed>>['items'] = []
  let cursor: string | null | undefined
  do {
    const page: Awaited<ReturnType<typeof listed>> = await listed({ ...query, limit: String(limit), ...(cursor ? { cursor } : {}) })
    items.push(...page.items)
    cursor = page.next
  } while (cursor)
  return items
}

describe('the list of journeys', () => {
  it('shows every journey once over its pages, in either order', async () => {
    const all = await listed({ limit: '200' })
    expect(all.total).toBe(people + 2)
    for (const sort of ['activity', '-activity'] as const) {
      const items = await everyPage({ sort })
      expect(new Set(items.map((item) => item.id)).size).toBe(people + 2)
      const times = items.map((item) => item.lastEventAt)
      expect(times).toEqual(sort === 'activity' ? times.toSorted().reverse() : times.toSorted())
    }
    const { next } = await listed({ limit: '5' })
    expect((await clinic.app.request(`/api/v1/journeys?sort=-activity&cursor=${next}`, { headers })).status).toBe(400)
  })

  it('says which tools know the person, and filters by them, present or absent', async () => {
    const known = await everyPage({ tool: 'texts' })
    const unknown = await everyPage({ without: 'texts' })
    expect(known).toHaveLength(people / 3 + 1)
    expect(known.every((item) => item.tools?.includes('texts'))).toBe(true)
    expect(unknown).toHaveLength(people - people / 3 + 1)
    expect(unknown.every((item) => item.tools?.join() === 'booking')).toBe(true)
    expect(await everyPage({ tool: 'nothing' })).toEqual([])
  })

  it('filters by for how long nothing has happened', async () => {
    const now = morning + 3 * day
    const still = (item: { lastEventAt: string }) => now - Date.parse(item.lastEventAt)
    const [young, old, between] = await Promise.all([
      everyPage({ stuck: '..2d' }),
      everyPage({ stuck: '2d' }),
      everyPage({ stuck: '2d..60h' }),
    ])
    expect(young.length + old.length).toBe(people + 2)
    expect(young.every((item) => still(item) < 2 * day)).toBe(true)
    expect(old.every((item) => still(item) >= 2 * day)).toBe(true)
    expect(between.every((item) => still(item) >= 2 * day && still(item) < 60 * hour)).toBe(true)
    expect((await clinic.app.request('/api/v1/journeys?stuck=soon', { headers })).status).toBe(400)
  })

  it('shows those with an open finding, and finds one by the beginning of its id or of its person’s', async () => {
    const open = await everyPage({ open: 'true' })
    expect(open.length).toBeGreaterThan(0)
    expect(open.every((item) => item.openFindings > 0)).toBe(true)
    const all = await everyPage({})
    expect(open).toHaveLength(all.filter((item) => item.openFindings > 0).length)
    const [first] = all
    for (const q of [first?.id, first?.id.slice(0, 12), first?.subjectId?.slice(0, 12)])
      expect((await listed({ q: q ?? '' })).items.map((item) => item.id)).toEqual([first?.id])
    expect((await listed({ q: '%' })).items).toEqual([])
    expect((await listed({ subject: first?.subjectId ?? '' })).items.map((item) => item.id)).toEqual([first?.id])
  })

  it('counts each stage by for how long nothing happened, and each count is the length of its list', async () => {
    const { programs, edges } = await (await clinic.client.api.v1.journeys.stages.$get()).json()
    const [visits] = programs
    expect(visits?.stages.map((stage) => stage.stage)).toEqual(['booked', 'confirmed'])
    const words = edges.map((seconds) => `${seconds / 3600}h`)
    let counted = 0
    for (const stage of visits?.stages ?? []) {
      for (const [step, { journeys, withFindings }] of stage.still.entries()) {
        const stuck = `${words[step - 1] ?? ''}..${words[step] ?? ''}`
        const query = { program: visits?.program ?? '', stage: stage.stage, ended: 'false' as const, ...(stuck === '..' ? {} : { stuck }) }
        expect((await listed(query)).total, stuck).toBe(journeys)
        expect((await listed({ ...query, open: 'true' })).total, stuck).toBe(withFindings)
        counted += journeys
      }
      expect((await listed({ stage: stage.stage, ended: 'true' })).total).toBe(stage.ended)
      counted += stage.ended
    }
    expect(counted).toBe(people + 2)
  })
})
