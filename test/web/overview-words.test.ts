import { describe, expect, it } from 'vitest'
import { headlineOf } from '../../web/src/lib/overview/headline.ts'
import { lastSeen, noteShown } from '../../web/src/lib/overview/last-visit.ts'
import { busyOverview, calmOverview } from './fixtures/overview.ts'

const now = Date.parse('2026-11-20T15:30:00Z')
const calm = calmOverview(now)
const blind = busyOverview(now, undefined).connections

describe('the answer at the top', () => {
  it.each([
    ['nothing is open and all is read', calm, false, 'No: nothing is falling through', 'good'],
    ['the engine is silent', calm, true, 'It cannot be told now: Throughline has gone silent', 'bad'],
    ['a tool is not read', { ...calm, connections: blind }, false, 'Nothing known, but 2 of 4 tools are not up to date', 'warn'],
    ['promises cannot be judged', { ...calm, unknown: { ...calm.unknown, verdicts: 1 } }, false, 'Nothing that could be judged', 'wait'],
    ['something is open', busyOverview(now, undefined), false, 'Yes: 96 findings about 60 people, 12 critical, 7 overdue', 'bad'],
  ] as const)('when %s', (_, picture, isSilent, answer, tone) => {
    expect(headlineOf(picture, isSilent)).toMatchObject({ answer, tone })
  })

  it('is never calm while the engine is silent or anything is unread, whatever else is true', () => {
    for (const picture of [calm, busyOverview(now, undefined)]) {
      for (const connections of [calm.connections, blind]) {
        for (const verdicts of [0, 5]) {
          for (const isSilent of [false, true]) {
            const { tone } = headlineOf({ ...picture, connections, unknown: { ...picture.unknown, verdicts } }, isSilent)
            const mayBeCalm = picture === calm && connections === calm.connections && verdicts === 0 && !isSilent
            expect(tone === 'good').toBe(mayBeCalm)
          }
        }
      }
    }
  })

  it('is no all-clear while a job stands still, and says which', () => {
    expect(headlineOf(calm, false, ['Reading Stripe'])).toMatchObject({
      answer: 'Nothing known, but Reading Stripe stands still',
      tone: 'warn',
    })
    expect(headlineOf(calm, false, ['Counting', 'Reporting']).answer).toBe('Nothing known, but 2 jobs of Throughline stand still')
    expect(headlineOf(busyOverview(now, undefined), false, ['Counting']).more).toBe('There may be more: Counting stands still.')
  })

  it('says with what is open that there may be more', () => {
    expect(headlineOf(busyOverview(now, undefined), false).more).toBe('There may be more: 2 of 4 tools are not up to date.')
  })
})

describe('the last visit', () => {
  const store = () => {
    const kept = new Map<string, string>()
    return { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) }
  }
  const minute = 60_000

  it('is unknown the first time, and stays while one visit lasts', () => {
    const storage = store()
    expect(lastSeen(storage, 0)).toBeNull()
    noteShown(storage, null, '2026-11-20T08:00:00.000Z', 0)
    expect(lastSeen(storage, 20 * minute)).toBeNull()
    noteShown(storage, null, '2026-11-20T08:20:00.000Z', 20 * minute)
    expect(lastSeen(storage, 600 * minute)).toBe('2026-11-20T08:20:00.000Z')
    noteShown(storage, '2026-11-20T08:20:00.000Z', '2026-11-20T18:00:00.000Z', 600 * minute)
    expect(lastSeen(storage, 610 * minute)).toBe('2026-11-20T08:20:00.000Z')
  })

  it('survives a memory that is broken or refused', () => {
    const broken = store()
    broken.setItem('throughline.lastVisit', '{')
    expect(lastSeen(broken, 0)).toBeNull()
    const refused = {
      getItem: () => null,
      setItem: () => {
        throw new Error('refused')
      },
    }
    expect(() => noteShown(refused, null, '2026-11-20T08:00:00.000Z', 0)).not.toThrow()
  })
})
