import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Ghost, JourneyEvent } from '../../web/src/lib/api-types.ts'
import { layOut } from '../../web/src/lib/journeys/layout.ts'

const start = Date.parse('2026-11-01T00:00:00Z')
const minute = 60_000
const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10)

function event(id: number, connection: string, at: number): JourneyEvent {
  return {
    id: String(id),
    connection,
    stream: `${connection}.main`,
    externalId: String(id),
    type: 'created',
    step: null,
    title: 'Created',
    status: null,
    occurredAt: new Date(at).toISOString(),
    occurredAfter: null,
    observedAt: new Date(at).toISOString(),
    actor: { kind: 'unknown', id: null },
    objects: [],
    undone: false,
    deepLink: null,
    findings: [],
  }
}

function ghost(connection: string, from: number, dueAt: number): Ghost {
  return {
    id: 'ghost',
    expectation: 'e',
    step: 's',
    title: 'S',
    connection,
    state: 'missing',
    from: new Date(from).toISOString(),
    dueAt: new Date(dueAt).toISOString(),
    readTo: null,
    findingId: null,
  }
}

describe('the swimlane', () => {
  it('keeps the order of events and lets nothing in a lane overlap', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ lane: fc.constantFrom('a', 'b', 'c'), minutes: fc.integer({ min: 0, max: 60_000 }) }), { maxLength: 80 }),
        (drawn) => {
          const events = drawn
            .map(({ lane, minutes }, index) => event(index, lane, start + minutes * minute))
            .sort((a, b) => a.occurredAt.localeCompare(b.occurredAt))
          const layout = layOut(['a', 'b', 'c'], events, [], start + 70_000 * minute, dayOf)
          for (const lane of layout.lanes) {
            for (const [index, placed] of lane.events.entries()) {
              const next = lane.events[index + 1]
              if (next) expect(next.x - placed.x).toBeGreaterThanOrEqual(22)
              expect(placed.x).toBeLessThan(layout.width)
            }
          }
        },
      ),
    )
  })

  it('draws a quiet week as wide as a quiet day', () => {
    const width = (days: number) =>
      layOut(['a'], [event(1, 'a', start), event(2, 'a', start + days * 1440 * minute)], [], null, dayOf).width
    expect(width(7)).toBe(width(1))
    expect(layOut(['a'], [event(1, 'a', start), event(2, 'a', start + 7 * 1440 * minute)], [], null, dayOf).idles).toMatchObject([
      { ms: 7 * 1440 * minute },
    ])
  })

  it('ends a ghost where its deadline stands on the axis', () => {
    const due = start + 15 * minute
    const layout = layOut(['a', 'b'], [event(1, 'a', start), event(2, 'a', due)], [ghost('b', start, due)], null, dayOf)
    const [placed] = layout.lanes[1]?.ghosts ?? []
    expect((placed?.x ?? 0) + (placed?.width ?? 0)).toBeCloseTo(layout.lanes[0]?.events[1]?.x ?? 0)
  })

  it('places nothing when nothing was read', () => {
    const layout = layOut(['a'], [], [], null, dayOf)
    expect(layout.lanes[0]?.events).toEqual([])
    expect(layout.ticks).toEqual([])
  })
})
