import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dayStart, timeBuckets } from '../../../jobs/domain/time-buckets.ts'

const at = Date.parse
const iso = (ms: number) => new Date(ms).toISOString()

test('cuts two days into hours, three months into days, more into weeks that begin on Monday', () => {
  expect(timeBuckets(at('2026-03-02T09:15:00Z'), at('2026-03-02T12:30:00Z'), 'UTC')).toEqual({
    unit: 'hour',
    bounds: ['09:00', '10:00', '11:00', '12:00', '12:30'].map((time) => at(`2026-03-02T${time}:00Z`)),
  })
  const week = timeBuckets(at('2026-03-02T15:00:00Z'), at('2026-03-09T15:00:00Z'), 'UTC')
  expect([week.unit, week.bounds.length]).toEqual(['day', 9])
  const year = timeBuckets(at('2026-01-01T00:00:00Z'), at('2026-06-01T00:00:00Z'), 'UTC')
  expect([year.unit, iso(year.bounds[0]!), iso(year.bounds[1]!)]).toEqual(['week', '2025-12-29T00:00:00.000Z', '2026-01-05T00:00:00.000Z'])
})

test('days are those of the zone, with 23 hours when its clocks go forward', () => {
  const { bounds } = timeBuckets(at('2026-03-07T12:00:00Z'), at('2026-03-10T12:00:00Z'), 'America/New_York')
  expect(bounds.map(iso)).toEqual([
    '2026-03-07T05:00:00.000Z',
    '2026-03-08T05:00:00.000Z',
    '2026-03-09T04:00:00.000Z',
    '2026-03-10T04:00:00.000Z',
    '2026-03-10T12:00:00.000Z',
  ])
})

test('the day that holds an instant begins at or before it, and less than 25 hours ago', () => {
  const zones = fc.constantFrom('UTC', 'America/New_York', 'Asia/Kathmandu', 'Africa/Cairo', 'Pacific/Apia')
  fc.assert(
    fc.property(zones, fc.integer({ min: at('2020-01-01'), max: at('2030-01-01') }), (zone, instant) => {
      const start = dayStart(instant, zone)
      expect(start).toBeLessThanOrEqual(instant)
      expect(instant - start).toBeLessThan(25 * 3_600_000)
    }),
  )
})

test('buckets follow each other without a gap, hold the range and end with it', () => {
  const zones = fc.constantFrom('UTC', 'America/New_York', 'Asia/Kolkata')
  const instants = fc.integer({ min: at('2024-01-01'), max: at('2026-01-01') })
  fc.assert(
    fc.property(zones, instants, fc.integer({ min: 60_000, max: 300 * 86_400_000 }), (zone, from, length) => {
      const { bounds } = timeBuckets(from, from + length, zone)
      expect(bounds[0]).toBeLessThanOrEqual(from)
      expect(bounds.at(-1)).toBe(from + length)
      for (let n = 1; n < bounds.length; n++) expect(bounds[n]).toBeGreaterThan(bounds[n - 1]!)
    }),
  )
})
