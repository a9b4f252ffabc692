import { describe, expect, it } from 'vitest'
import type { Recurring } from '../../jobs/schedule.ts'
import { dueTicks } from '../../jobs/schedule.ts'

const every = (name: string, everyMs: number): Recurring => ({ name, everyMs, tick: async () => {} })
const minute = 60_000
const at = (iso: string) => Date.parse(iso)

describe('the schedule', () => {
  it('gives every process the same tick, whenever within the interval it looks', () => {
    const entries = [every('1:billing', 5 * minute)]
    const early = dueTicks(entries, new Map(), at('2026-03-01T10:00:00.100Z'))
    const late = dueTicks(entries, new Map(), at('2026-03-01T10:04:59.900Z'))
    expect(early.map((due) => due.slot)).toEqual([at('2026-03-01T10:00:00Z')])
    expect(late).toEqual(early)
  })

  it('does not repeat a tick', () => {
    const last = new Map([['1:billing', at('2026-03-01T10:00:00Z')]])
    expect(dueTicks([every('1:billing', 5 * minute)], last, at('2026-03-01T10:03:00Z'))).toEqual([])
  })

  it('P19: catches up once after six hours of sleep', () => {
    const last = new Map([['1:billing', at('2026-03-01T04:00:00Z')]])
    const due = dueTicks([every('1:billing', 5 * minute)], last, at('2026-03-01T10:02:00Z'))
    expect(due.map(({ slot }) => new Date(slot).toISOString())).toEqual(['2026-03-01T10:00:00.000Z'])
  })

  it('P19: a clock set back by 90 seconds asks for a tick that has run already, under the same id', () => {
    const last = new Map([['1:billing', at('2026-03-01T10:05:00Z')]])
    const due = dueTicks([every('1:billing', 5 * minute)], last, at('2026-03-01T10:04:00Z'))
    expect(due.map(({ slot }) => slot)).toEqual([at('2026-03-01T10:00:00Z')])
  })

  it('P19: neither skips nor doubles a tick where the local clock changes', () => {
    const entries = [every('1:billing', 30 * minute)]
    const last = new Map<string, number>()
    const seen: string[] = []
    for (let now = at('2026-11-01T04:00:00Z'); now < at('2026-11-01T08:00:00Z'); now += minute) {
      for (const { entry, slot } of dueTicks(entries, last, now)) {
        last.set(entry.name, slot)
        seen.push(new Date(slot).toISOString())
      }
    }
    expect(new Set(seen).size).toBe(8)
    expect(seen).toHaveLength(8)
  })
})
