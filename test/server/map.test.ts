import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keepPaths } from '../../jobs/reconcilers/trace-journeys.ts'
import { withDatabase } from '../support/database.ts'
import { headers, minute, type ServedClinic, serveClinic } from './served-clinic.ts'

const main = await withDatabase()
let clinic: ServedClinic
beforeAll(async () => {
  clinic = await serveClinic(await main.another())
})
afterAll(() => clinic.close())

const map = async (query: Record<string, string> = {}) =>
  (await clinic.client.api.v1.map[':program'].$get({ param: { program: 'visits' }, query })).json()
const journeys = async (query: Record<string, string>) =>
  (await clinic.client.api.v1.map[':program'].journeys.$get({ param: { program: 'visits' }, query })).json()
const statusOf = async (path: string) => (await clinic.app.request(`/api/v1/map/${path}`, { headers })).status

describe('the map of a program', () => {
  it('says that nothing was counted yet rather than that nothing happened', async () => {
    expect(await map()).toMatchObject({ countedAt: null, journeys: 0 })
  })

  it('counts what journeys passed, how long it took and where they stand, each number with its list', async () => {
    await keepPaths(clinic.workspace, { forMs: 60_000, wallNow: () => 0 })
    const shown = await map()
    expect(shown).toMatchObject({
      title: 'Visits',
      journeys: 2,
      countedAt: new Date(clinic.clock.at).toISOString(),
      versions: [{ version: 1, isInForce: true }],
    })
    expect(shown.steps.map(({ step, journeys: passed, last, hereNow }) => ({ step, passed, last, hereNow }))).toEqual([
      { step: 'booked', passed: 2, last: { open: 1, ended: 0, abandoned: 0 }, hereNow: 1 },
      { step: 'confirmed', passed: 1, last: { open: 1, ended: 0, abandoned: 0 }, hereNow: 1 },
      { step: 'seen', passed: 0, last: { open: 0, ended: 0, abandoned: 0 }, hereNow: 0 },
    ])
    expect(shown.moves).toEqual([
      { from: null, to: 'booked', journeys: 2, medianMs: null },
      { from: 'booked', to: 'confirmed', journeys: 1, medianMs: expect.any(Number) },
    ])
    expect(Math.abs((shown.moves[1]?.medianMs ?? 0) - 5 * minute)).toBeLessThan(30_000)
    for (const { from, to, journeys: passed } of shown.moves) {
      expect((await journeys({ move: `${from ?? ''}..${to}` })).items).toHaveLength(passed)
    }
    for (const { step, journeys: passed, last } of shown.steps) {
      expect((await journeys({ step })).items).toHaveLength(passed)
      expect((await journeys({ move: `${step}..@open` })).items).toHaveLength(last.open)
      expect((await journeys({ move: `${step}..@abandoned` })).items).toHaveLength(last.abandoned)
    }
    expect((await journeys({ move: 'booked..confirmed' })).items[0]).toMatchObject({
      path: ['Booked', 'Confirmed'],
      ending: 'open',
      stageTitle: 'Confirmed',
    })
  })

  it('puts the promises between their steps, with what is open', async () => {
    const { promises } = await map()
    expect(promises.map(({ expectation, kind, from, to, openFindings }) => [expectation, kind, from, to, openFindings])).toEqual([
      ['booking-confirmed', 'follows', 'booked', 'confirmed', 1],
      ['one-confirmation', 'at_most', null, 'confirmed', 1],
      ['one-booking', 'at_most', null, 'booked', 0],
      ['confirmed-first', 'order', 'confirmed', 'seen', 0],
    ])
  })

  it('counts the journeys that began in whole days of a range', async () => {
    expect((await map({ from: '2026-03-01T10:00:00.000Z', to: '2026-03-02T00:00:00.000Z' })).journeys).toBe(0)
    const evening = await map({ from: '2026-03-02T23:00:00.000Z', to: '2026-03-02T23:30:00.000Z' })
    expect(evening).toMatchObject({ journeys: 2, range: { from: '2026-03-02T00:00:00.000Z', to: '2026-03-03T00:00:00.000Z' } })
    expect((await map({ version: '1' })).journeys).toBe(2)
  })

  it('pages the journeys, none twice and none left out', async () => {
    const first = await journeys({ step: 'booked', limit: '1' })
    const second = await journeys({ step: 'booked', limit: '1', cursor: first.next ?? '' })
    expect(second.next).toBeNull()
    expect(new Set([...first.items, ...second.items].map(({ id }) => id)).size).toBe(2)
  })

  it('refuses what there is not', async () => {
    expect(await statusOf('nothing')).toBe(404)
    expect(await statusOf('visits?version=7')).toBe(404)
    expect(await statusOf('visits?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z')).toBe(400)
    expect(await statusOf('visits/journeys?move=booked')).toBe(400)
    expect(await statusOf('visits/journeys?cursor=zzz')).toBe(400)
  })
})
