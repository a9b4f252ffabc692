import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ElapsedGroup, shareBy, timeOfShare, timeToEvent } from '../../../jobs/domain/time-to-event.ts'

const came = (elapsedMs: number, n = 1): ElapsedGroup => ({ elapsedMs, came: n, unfinished: 0 })
const unfinished = (elapsedMs: number, n = 1): ElapsedGroup => ({ elapsedMs, came: 0, unfinished: n })

describe('time to event', () => {
  it('is the plain share where everything has come', () => {
    expect(timeToEvent([came(10), came(20), came(30), came(40)])).toEqual([
      { elapsedMs: 10, share: 0.25, atRisk: 4 },
      { elapsedMs: 20, share: 0.5, atRisk: 3 },
      { elapsedMs: 30, share: 0.75, atRisk: 2 },
      { elapsedMs: 40, share: 1, atRisk: 1 },
    ])
  })

  // Remission under 6-MP, Freireich et al. 1963, the textbook example: S(6) = 0.857, S(10) = 0.753, S(22) = 0.538, S(23) = 0.448.
  it('gives the textbook curve', () => {
    const points = timeToEvent([
      { elapsedMs: 6, came: 3, unfinished: 1 },
      came(7),
      unfinished(9),
      { elapsedMs: 10, came: 1, unfinished: 1 },
      unfinished(11),
      came(13),
      came(16),
      unfinished(17),
      unfinished(19),
      unfinished(20),
      came(22),
      came(23),
      unfinished(25),
      unfinished(32, 2),
      unfinished(34),
      unfinished(35),
    ])
    const remaining = (at: number) => Number((1 - shareBy(points, at)).toFixed(3))
    expect([6, 10, 22, 23, 35].map(remaining)).toEqual([0.857, 0.753, 0.538, 0.448, 0.448])
    expect(timeOfShare(points, 0.5)).toBe(23)
  })

  it('lets one that is still waited for count for as long as it was seen', () => {
    // Two of three came at 10; the third was seen to 5 only and says nothing about 10.
    expect(shareBy(timeToEvent([unfinished(5), came(10, 2)]), 10)).toBe(1)
    // Seen to 10 itself, it had not come by then.
    expect(shareBy(timeToEvent([unfinished(10), came(10, 3)]), 10)).toBeCloseTo(0.75)
  })

  it.each([
    ['nothing', []],
    ['nothing that came', [unfinished(10, 7)]],
  ] as const)('says nothing of %s', (_, groups) => {
    expect(timeToEvent(groups)).toEqual([])
    expect(timeOfShare(timeToEvent(groups), 0.5)).toBeNull()
    expect(shareBy(timeToEvent(groups), 1000)).toBe(0)
  })

  it('finds no time for a share that is never reached', () => {
    expect(timeOfShare(timeToEvent([came(1), unfinished(2, 9)]), 0.5)).toBeNull()
  })

  const anyGroups = fc.array(fc.record({ elapsedMs: fc.integer({ min: -50, max: 50 }), came: fc.nat(4), unfinished: fc.nat(4) }), {
    maxLength: 40,
  })

  it('rises, stays between 0 and 1, and is the same for any order and grouping', () => {
    fc.assert(
      fc.property(anyGroups, (groups) => {
        const points = timeToEvent(groups)
        let last = 0
        for (const { share, atRisk } of points) {
          expect(share).toBeGreaterThanOrEqual(last - 1e-12)
          expect(share).toBeLessThanOrEqual(1 + 1e-12)
          expect(atRisk).toBeGreaterThan(0)
          last = share
        }
        const apart = groups.flatMap(({ elapsedMs, came: c, unfinished: u }) => [
          ...Array.from({ length: c }, () => came(elapsedMs)),
          ...Array.from({ length: u }, () => unfinished(elapsedMs)),
        ])
        expect(timeToEvent(apart.reverse())).toEqual(points)
      }),
    )
  })

  it('never falls below the share one sees by counting, which takes the unfinished for never', () => {
    fc.assert(
      fc.property(anyGroups, (groups) => {
        const all = groups.reduce((sum, one) => sum + one.came + one.unfinished, 0)
        const points = timeToEvent(groups)
        for (const { elapsedMs, share } of points) {
          const counted = groups.filter((one) => one.elapsedMs <= elapsedMs).reduce((sum, one) => sum + one.came, 0)
          expect(share).toBeGreaterThanOrEqual(counted / all - 1e-9)
        }
      }),
    )
  })
})
