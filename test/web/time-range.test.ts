import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boundsOf, instantOf, instantOfWallTime, lastOf, rangeTitle, readRange, wallTimeIn } from '../../web/src/lib/time-range.ts'

const now = Date.parse('2026-11-20T15:30:00Z')
const week = lastOf('7d')
const read = (search: string) => readRange(new URLSearchParams(search), week)

describe('one end of a range', () => {
  it.each([
    ['now', now],
    ['now-24h', now - 24 * 3_600_000],
    ['now-90m', now - 90 * 60_000],
    ['now-2w', now - 14 * 86_400_000],
    ['2026-11-18T05:00:00.000Z', Date.parse('2026-11-18T05:00:00Z')],
    ['2026-11-18T05:00Z', Date.parse('2026-11-18T05:00:00Z')],
    ['2026-11-18T05:00:00-05:00', Date.parse('2026-11-18T10:00:00Z')],
  ])('reads %s', (text, at) => expect(instantOf(text, now)).toBe(at))

  it.each(['', 'yesterday', 'now+1d', 'now-1y', 'now-999999w', '2026-11-18', '2026-11-18T05:00', '2026-13-40T05:00Z', '1763615400000'])(
    'knows no %j',
    (text) => expect(instantOf(text, now)).toBeUndefined(),
  )
})

describe('the range of an address', () => {
  it('is what stands there, by halves too', () => {
    expect(read('?from=now-24h&to=now')).toEqual({ from: 'now-24h', to: 'now' })
    expect(read('?from=now-24h')).toEqual({ from: 'now-24h', to: 'now' })
    expect(read('?from=2026-11-01T00:00Z&to=2026-11-02T00:00Z')).toEqual({ from: '2026-11-01T00:00Z', to: '2026-11-02T00:00Z' })
  })

  it.each(['', '?from=soon', '?from=now&to=now-7d', '?from=now-7d&to=<b>', '?from=2026-11-02T00:00Z&to=2026-11-01T00:00Z'])(
    'is the page’s own for %j',
    (search) => expect(read(search)).toEqual(week),
  )

  it('has a beginning before its end, whatever stands in the address', () => {
    const end = fc.oneof(
      fc.constant('now'),
      fc.integer({ min: 0, max: 2_000_000 }).map((amount) => `now-${amount}h`),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      fc.string(),
    )
    fc.assert(
      fc.property(end, end, (from, to) => {
        const bounds = boundsOf(readRange(new URLSearchParams({ from, to }), week), now)
        expect(bounds.from).toBeLessThanOrEqual(bounds.to)
      }),
    )
  })

  it('has a title that says what is shown', () => {
    expect(rangeTitle(lastOf('24h'), now, 'UTC')).toBe('Last 24 hours')
    expect(rangeTitle({ from: 'now-1w', to: 'now' }, now, 'UTC')).toBe('Last week')
    expect(rangeTitle({ from: '2026-11-18T05:00Z', to: '2026-11-20T10:00Z' }, now, 'America/New_York')).toBe(
      '18 Nov, 00:00 – 20 Nov, 05:00',
    )
    expect(rangeTitle({ from: '2026-11-18T05:00Z', to: 'now' }, now, 'UTC')).toBe('18 Nov, 05:00 – now')
  })
})

describe('a clock on a wall', () => {
  it.each([
    ['2026-11-20T10:30', 'America/New_York', '2026-11-20T15:30:00.000Z'],
    ['2026-07-01T00:00', 'America/New_York', '2026-07-01T04:00:00.000Z'],
    ['2026-11-20T10:30', 'UTC', '2026-11-20T10:30:00.000Z'],
    ['2026-11-20T10:30', 'Asia/Kathmandu', '2026-11-20T04:45:00.000Z'],
    // Skipped: 02:30 does not exist that night.
    ['2026-03-08T02:30', 'America/New_York', '2026-03-08T07:30:00.000Z'],
    // Twice: the first is meant.
    ['2026-11-01T01:30', 'America/New_York', '2026-11-01T05:30:00.000Z'],
  ])('at %s in %s means %s', (text, zone, instant) => {
    const at = instantOfWallTime(text, zone)
    expect(at === undefined ? at : new Date(at).toISOString()).toBe(instant)
  })

  it('is read back as it was shown, to the minute', () => {
    const zones = ['UTC', 'America/New_York', 'Europe/Berlin', 'Asia/Kathmandu', 'Pacific/Apia', 'Australia/Lord_Howe']
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(2015, 0), max: Date.UTC(2035, 0) }), fc.constantFrom(...zones), (at, zone) => {
        const wall = wallTimeIn(at, zone)
        expect(wallTimeIn(instantOfWallTime(wall, zone) ?? 0, zone)).toBe(wall)
      }),
    )
  })

  it('says nothing of a text that is no time', () => expect(instantOfWallTime('soon', 'UTC')).toBeUndefined())
})
