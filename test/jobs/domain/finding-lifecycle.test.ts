import { describe, expect, it } from 'vitest'
import { findingStatuses } from '../../../db/schema/words.ts'
import { isOpen, mayBecome, whatOneCanDo } from '../../../jobs/domain/finding-lifecycle.ts'
import { routeFinding } from '../../../jobs/domain/route-finding.ts'
import { at, opened } from './findings-support.ts'

describe('the life of a finding', () => {
  it('reaches every ending from open, and open again from every ending', () => {
    for (const ending of ['verified', 'waived', 'false_alarm', 'void', 'withdrawn'] as const) {
      expect(mayBecome('open', ending)).toBe(true)
      expect(mayBecome(ending, 'open')).toBe(true)
      expect(isOpen(ending)).toBe(false)
    }
  })
  it('never goes from acting to waived: what runs is waited for', () => {
    expect(mayBecome('acting', 'waived')).toBe(false)
    expect(mayBecome('verifying', 'waived')).toBe(false)
  })
  it('has a way out of every status', () => {
    for (const status of findingStatuses) expect(findingStatuses.some((to) => mayBecome(status, to))).toBe(true)
  })
})

describe('what one can do', () => {
  const wall = at('12:00')
  it('everything but take back what nobody did, on an open one', () => {
    const can = whatOneCanDo(opened(), 'dana', wall)
    expect(Object.entries(can).filter(([, { ok }]) => !ok)).toEqual([
      ['release', { ok: false, why: 'Nobody has claimed it.' }],
      ['unsnooze', { ok: false, why: 'It is not snoozed.' }],
    ])
    expect(whatOneCanDo({ ...opened(), snoozedUntil: wall }, 'dana', wall).unsnooze).toEqual({ ok: true })
  })
  it('nothing but comment on an ended one, and it says why', () => {
    const can = whatOneCanDo({ ...opened(), status: 'verified' }, 'dana', wall)
    expect(Object.entries(can).filter(([, { ok }]) => ok)).toEqual([['comment', { ok: true }]])
    expect(can.waive).toEqual({ ok: false, why: 'This finding is verified.' })
  })
  it('what another has claimed waits until the lease on wall time ends', () => {
    const claimed = { ...opened(), claimedBy: 'kim', claimedUntil: wall + 1 }
    expect(whatOneCanDo(claimed, 'dana', wall).claim).toMatchObject({ ok: false, why: expect.stringContaining('kim has claimed it') })
    expect(whatOneCanDo(claimed, 'kim', wall).release).toEqual({ ok: true })
    expect(whatOneCanDo(claimed, 'dana', wall + 1).claim).toEqual({ ok: true })
  })
})

describe('routing', () => {
  const thing = {
    kind: 'gap',
    program: 'virtual-care',
    expectation: 'booking-confirmed',
    severity: 'high' as const,
    connections: ['booking', 'texts'],
    site: { key: 'north', why: 'the site of the connection booking' },
    expectationOwner: 'messaging',
    connectionOwner: null,
    programOwner: 'care-operations',
  }
  const route = (routes: Parameters<typeof routeFinding>[0]['routes'], more = {}) =>
    routeFinding({ routes, default: 'front-desk' }, { ...thing, ...more })

  it('the first route that fits wins, and says which', () => {
    expect(
      route([
        { when: { kind: 'drift' }, owner: 'a' },
        { when: { connection: 'texts', severity: 'high' }, owner: 'b' },
        { when: {}, owner: 'c' },
      ]),
    ).toEqual({ owner: 'b', reason: 'Route 2 of owners.yaml: connection is texts and severity is high.' })
  })
  it('a site it was routed by comes with how it is known', () => {
    expect(route([{ when: { kind: 'gap', site: 'north' }, owner: 'b' }]).reason).toBe(
      'Route 1 of owners.yaml: kind is gap and site is north (the site of the connection booking).',
    )
  })
  it.each([
    [{ kind: 'gap' }, true],
    [{ program: 'virtual-care', expectation: 'booking-confirmed' }, true],
    [{ site: 'north' }, true],
    [{ site: 'south' }, false],
    [{ connection: 'ehr' }, false],
    [{ severity: 'low' as const }, false],
  ])('a route fits when all it names does: %o', (when, fits) => {
    expect(route([{ when, owner: 'x' }]).owner).toBe(fits ? 'x' : 'messaging')
  })
  it('without a route: whom the promise names, then the connection, then the program, then the default', () => {
    expect(route([])).toEqual({ owner: 'messaging', reason: 'The promise “booking-confirmed” names its owner.' })
    expect(route([], { expectationOwner: null, connectionOwner: 'it' }).owner).toBe('it')
    expect(route([], { expectationOwner: null }).owner).toBe('care-operations')
    expect(route([], { expectationOwner: null, programOwner: null })).toEqual({
      owner: 'front-desk',
      reason: 'No route fits: the default owner of owners.yaml.',
    })
  })
})
