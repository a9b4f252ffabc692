import { describe, expect, it } from 'vitest'
import { readSpan } from '../../server/finding-span.ts'

/** 22:30 on Sunday the 8th in New York, whose clocks went forward that morning. */
const at = { now: Date.parse('2026-03-09T02:30:00Z'), timeZone: 'America/New_York' }
const iso = (ms: number | null | undefined) => (ms === null || ms === undefined ? null : new Date(ms).toISOString())

describe('a time span of the address', () => {
  it.each([
    ['<now', null, '2026-03-09T02:30:00.000Z'],
    ['..now', null, '2026-03-09T02:30:00.000Z'],
    ['<=now+4h', null, '2026-03-09T06:30:00.000Z'],
    ['>now-24h', '2026-03-08T02:30:00.000Z', null],
    ['now-7d..now', '2026-03-02T02:30:00.000Z', '2026-03-09T02:30:00.000Z'],
    ['today', '2026-03-08T05:00:00.000Z', '2026-03-09T04:00:00.000Z'],
    ['yesterday', '2026-03-07T05:00:00.000Z', '2026-03-08T05:00:00.000Z'],
    ['2026-03-07..2026-03-08', '2026-03-07T05:00:00.000Z', '2026-03-09T04:00:00.000Z'],
    ['2026-03-02T09:00:00-05:00..', '2026-03-02T14:00:00.000Z', null],
  ])('%s', (text, from, to) => {
    const span = readSpan(text, at)
    expect([iso(span?.from), iso(span?.to)]).toEqual([from, to])
  })

  it.each(['', '..', 'soon', '<', '<..', '2026-13-40', '2026-03-08..2026-03-07', 'now..now..now', "today'; drop table findings"])(
    'refuses %j',
    (text) => {
      expect(readSpan(text, at)).toBeNull()
    },
  )
})
