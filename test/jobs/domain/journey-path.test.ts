import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { medianOfBuckets, pathOf, timeBounds, timeBucketOf, timeOfBucket } from '../../../jobs/domain/journey-path.ts'

const one = (step: string, at: number, undoneAt: number | null = null) => ({ step, at, undoneAt })

describe('the path of a journey', () => {
  it('has each step once, by its first occurrence that still stands', () => {
    expect(pathOf([one('paid', 1), one('booked', 2, 5), one('charted', 3), one('booked', 6), one('charted', 7), one('booked', 8)])).toEqual(
      [
        { step: 'paid', at: 1 },
        { step: 'charted', at: 3 },
        { step: 'booked', at: 6 },
      ],
    )
  })
  it('is empty where all was undone', () => expect(pathOf([one('paid', 1, 2)])).toEqual([]))
})

describe('times in buckets', () => {
  it('are told again within 10 %', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40_000_000 }), (seconds) => {
        expect(Math.abs(timeOfBucket(timeBucketOf(seconds)) / 1000 / seconds - 1)).toBeLessThan(0.1)
      }),
    )
  })
  it('fall where the bounds given to the database put them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_000_000_000 }), (seconds) => {
        expect(Math.abs(timeBounds.filter((bound) => bound <= seconds).length - timeBucketOf(seconds))).toBeLessThanOrEqual(1)
      }),
    )
  })
  it('have a median', () => {
    expect(medianOfBuckets([])).toBeNull()
    expect(medianOfBuckets([{ bucket: 0, journeys: 5 }])).toBe(0)
    const buckets = [60, 60, 300, 86_400].map((seconds) => ({ bucket: timeBucketOf(seconds), journeys: 1 }))
    expect(medianOfBuckets(buckets.reverse())).toBe(timeOfBucket(timeBucketOf(60)))
    expect(medianOfBuckets([...buckets, { bucket: timeBucketOf(300), journeys: 1 }])).toBe(timeOfBucket(timeBucketOf(300)))
  })
})
