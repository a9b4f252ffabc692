import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withDatabase } from '../support/database.ts'
import { headers, minute, morning, type ServedClinic, serveClinic } from './served-clinic.ts'

const main = await withDatabase()
let clinic: ServedClinic
beforeAll(async () => {
  clinic = await serveClinic(await main.another())
})
afterAll(() => clinic.close())

const promises = async () => (await clinic.client.api.v1.expectations.$get()).json()
const promise = async (key: string) =>
  (await clinic.client.api.v1.expectations[':program'][':key'].$get({ param: { program: 'visits', key } })).json()
const activations = async (key: string, query: Record<string, string> = {}) =>
  (await clinic.client.api.v1.expectations[':program'][':key'].activations.$get({ param: { program: 'visits', key }, query })).json()
const findings = async (query: Record<string, string>) => {
  const response = await clinic.app.request(`/api/v1/findings?${new URLSearchParams(query)}`, { headers })
  return ((await response.json()) as { total: number }).total
}

describe('the list of promises', () => {
  it('says of each how it stands, who has it and what it can see, in numbers that its lists hold', async () => {
    const { items, total, judgedAt } = await promises()
    expect(total).toBe(4)
    expect(judgedAt).toBeNull()
    expect(items.map(({ expectation, states, violations }) => [expectation, states, violations])).toEqual([
      ['booking-confirmed', { satisfied: 1, violated: 1 }, 1],
      ['one-confirmation', { violated: 2 }, 1],
      ['one-booking', { satisfied: 2 }, 0],
      ['confirmed-first', {}, 0],
    ])
    for (const { expectation, called, states, violations, findings: own } of items) {
      expect(own.open).toBe(await findings({ expectation: called.join(), status: 'open,acknowledged' }))
      for (const [state, count] of Object.entries(states)) {
        expect((await activations(expectation, { state })).activations).toBe(count)
      }
      expect((await activations(expectation)).violations).toBe(violations)
    }
    expect(items[0]).toMatchObject({
      program: 'visits',
      kind: 'follows',
      promise: '“Confirmed” within 15 minutes after “Booked”',
      owner: { key: 'care', title: 'Care' },
      severity: 'high',
      findings: { open: 1, ended: 0, noise: 0 },
      readTo: new Date(clinic.clock.at).toISOString(),
      coverage: [
        { stream: 'texts.rows', why: 'shows', state: 'ok', connectionTitle: 'texts' },
        { stream: 'booking.rows', why: 'starts', state: 'ok' },
      ],
    })
  })
})

describe('one promise', () => {
  it('shows its lines in the file, who gets each of its findings and why', async () => {
    const detail = await promise('booking-confirmed')
    expect(detail.source).toMatchObject({
      file: 'visits.yaml',
      firstLine: 11,
      text: 'booking-confirmed: { after: booked, expect: confirmed, within: 15m, severity: high }',
    })
    expect(detail.routing).toEqual([
      {
        kind: 'gap',
        title: 'Missing step',
        owner: { key: 'care', title: 'Care' },
        reason: expect.stringContaining('the owner of program visits'),
      },
      {
        kind: 'late',
        title: 'Late step',
        owner: { key: 'care', title: 'Care' },
        reason: expect.stringContaining('the owner of program visits'),
      },
    ])
    expect(detail.steps).toEqual([
      { step: 'booked', title: 'Booked' },
      { step: 'confirmed', title: 'Confirmed' },
    ])
    expect(detail.recent.map(({ kind }) => kind)).toEqual(['gap'])
  })

  it('counts its weeks, each with the list behind it', async () => {
    const { weeks } = await promise('booking-confirmed')
    expect(weeks.items.length).toBeGreaterThanOrEqual(26)
    const last = weeks.items.at(-1)!
    expect(last).toMatchObject({ from: '2026-03-02T00:00:00.000Z', states: { satisfied: 1, violated: 1 }, activations: 2, violations: 1 })
    expect(weeks.items.slice(0, -1).every(({ activations: count }) => count === 0)).toBe(true)
    expect((await activations('booking-confirmed', { at: `${last.from}..${last.to}` })).total).toBe(2)
    expect((await activations('booking-confirmed', { at: `..${last.from}` })).total).toBe(0)
  })

  it('says how long its step takes, with the one that never came counted for as long as it was seen', async () => {
    const { curve } = await promise('booking-confirmed')
    expect(curve).toMatchObject({
      origin: 'start',
      deadlineMs: 15 * minute,
      came: 1,
      unfinished: 1,
      shareByDeadline: 0.5,
      medianMs: 5 * minute,
    })
    expect(curve?.points).toEqual([{ elapsedMs: 5 * minute, share: 0.5, atRisk: 2 }])
    expect((await promise('one-booking')).curve).toBeNull()
  })

  it('is not found where the program makes no such promise', async () => {
    for (const path of ['visits/nothing', 'nothing/booking-confirmed', 'visits/nothing/activations']) {
      expect((await clinic.app.request(`/api/v1/expectations/${path}`, { headers })).status).toBe(404)
    }
  })
})

describe('the activations of a promise', () => {
  it('lead to their journeys', async () => {
    const { items } = await activations('booking-confirmed', { state: 'violated' })
    expect(items).toMatchObject([
      {
        state: 'violated',
        kind: 'gap',
        kindTitle: 'Missing step',
        dueAt: new Date(morning + 15 * minute).toISOString(),
        stageTitle: 'Booked',
      },
    ])
    expect((await clinic.app.request(`/api/v1/journeys/${items[0]?.journeyId}`, { headers })).status).toBe(200)
  })

  it('come page by page, none twice and none left out', async () => {
    const all = await activations('one-booking')
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<typeof activations>> = await activations('one-booking', { limit: '1', ...(cursor ? { cursor } : {}) })
      expect(page.items).toHaveLength(1)
      seen.push(...page.items.map(({ activation }) => activation))
      cursor = page.next
    } while (cursor)
    expect(seen).toEqual(all.items.map(({ activation }) => activation))
    expect(new Set(seen).size).toBe(2)
  })

  it('refuses what is no state and a cursor of another list', async () => {
    for (const query of ['state=fine', 'cursor=bm90aGluZw', 'at=yesterday']) {
      expect((await clinic.app.request(`/api/v1/expectations/visits/one-booking/activations?${query}`, { headers })).status).toBe(400)
    }
  })
})
