import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Cluster, Ghost, JourneyEvent } from '../../web/src/lib/api-types.ts'
import { makeAxis, timeOf, uOf } from '../../web/src/lib/journeys/axis.ts'
import { fitScale, inView, layOut, left } from '../../web/src/lib/journeys/layout.ts'
import { rowsInView } from '../../web/src/lib/journeys/rows-in-view.ts'

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

function ghost(connection: string, from: number, dueAt: number, state: Ghost['state'] = 'missing', id = 'ghost'): Ghost {
  return {
    id,
    expectation: 'e',
    step: 's',
    title: 'S',
    connection,
    state,
    from: new Date(from).toISOString(),
    dueAt: new Date(dueAt).toISOString(),
    readTo: null,
    findingId: null,
  }
}

function draw(
  connections: string[],
  events: JourneyEvent[],
  {
    ghosts = [],
    clusters = [],
    now = null,
    scale = 1,
  }: { ghosts?: Ghost[]; clusters?: Cluster[]; now?: number | null; scale?: number } = {},
) {
  const axis = makeAxis(events, clusters, ghosts, now)
  return layOut(axis, scale, { connections, events, clusters, ghosts, now, dayOf })
}

const drawn = fc.array(fc.record({ lane: fc.constantFrom('a', 'b', 'c'), minutes: fc.integer({ min: 0, max: 60_000 }) }), { maxLength: 80 })
const scales = fc.constantFrom(0.01, 0.1, 0.4, 0.7, 1, 2.5)

describe('the swimlane', () => {
  it('shows every event once, in order, and lets nothing in a lane overlap, at any scale', () => {
    fc.assert(
      fc.property(drawn, scales, (all, scale) => {
        const events = all
          .map(({ lane, minutes }, index) => event(index, lane, start + minutes * minute))
          .sort((a, b) => a.occurredAt.localeCompare(b.occurredAt))
        const layout = draw(['a', 'b', 'c'], events, { now: start + 70_000 * minute, scale })
        for (const lane of layout.lanes) {
          const own = events.filter((each) => each.connection === lane.connection)
          expect(lane.marks.flatMap((mark) => mark.events.map((each) => each.id))).toEqual(own.map((each) => each.id))
          for (const [index, mark] of lane.marks.entries()) {
            const next = lane.marks[index + 1]
            if (next) expect(next.x - mark.x).toBeGreaterThanOrEqual(mark.count > 1 ? 44 : 16)
            expect(mark.x).toBeLessThan(layout.width)
          }
        }
      }),
    )
  })

  it('tells every event apart at scale 1', () => {
    fc.assert(
      fc.property(drawn, (all) => {
        const events = all.map(({ lane, minutes }, index) => event(index, lane, start + minutes * minute))
        const marks = draw(['a', 'b', 'c'], events).lanes.flatMap((lane) => lane.marks)
        expect(marks.every((mark) => mark.count === 1)).toBe(true)
      }),
    )
  })

  it('finds the place of an instant and the instant of a place', () => {
    const axis = makeAxis([event(1, 'a', start), event(2, 'a', start + 90 * minute), event(3, 'b', start + 9000 * minute)], [], [], null)
    for (const minutes of [0, 10, 45, 90, 500, 9000]) {
      expect(timeOf(axis, uOf(axis, start + minutes * minute))).toBeCloseTo(start + minutes * minute, -2)
    }
  })

  it('draws a quiet week as wide as a quiet day', () => {
    const quiet = (days: number) => draw(['a'], [event(1, 'a', start), event(2, 'a', start + days * 1440 * minute)])
    expect(quiet(7).width).toBe(quiet(1).width)
    expect(quiet(7).idles).toMatchObject([{ ms: 7 * 1440 * minute }])
  })

  it('ends a ghost where its deadline stands on the axis, with room for its name', () => {
    const due = start + 15 * minute
    const layout = draw(['a', 'b'], [event(1, 'a', start), event(2, 'b', start + minute), event(3, 'a', due)], {
      ghosts: [ghost('b', start, due)],
    })
    const [placed] = layout.lanes[1]?.ghosts ?? []
    expect((placed?.x ?? 0) + (placed?.width ?? 0)).toBeCloseTo(layout.lanes[0]?.marks[1]?.x ?? 0)
    expect(placed?.width).toBeGreaterThanOrEqual(92)
    expect(placed?.row).toBe(0)
  })

  it('keeps a ghost wide enough to read across a quiet stretch, and begins what is ahead at now', () => {
    const now = start + 60 * minute
    const layout = draw(['a'], [event(1, 'a', start)], { ghosts: [ghost('a', start, start + 12 * 1440 * minute, 'pending')], now })
    const [placed] = layout.lanes[0]?.ghosts ?? []
    expect(placed?.width).toBeGreaterThanOrEqual(92)
    expect(placed?.x).toBeGreaterThanOrEqual(layout.nowX ?? 0)
  })

  it('gives ghosts that overlap rows of their own', () => {
    const now = start + 60 * minute
    const layout = draw(['a'], [event(1, 'a', start)], {
      now,
      ghosts: [ghost('a', start, now + 60 * minute, 'pending', 'g1'), ghost('a', start, now + 90 * minute, 'pending', 'g2')],
    })
    expect(layout.lanes[0]?.ghosts.map((each) => each.row)).toEqual([0, 1])
    expect(layout.lanes[0]?.height).toBeGreaterThan(draw(['a'], [event(1, 'a', start)]).lanes[0]?.height ?? 0)
  })

  it('shows how long something has been missing', () => {
    const now = start + 300 * minute
    const layout = draw(['a', 'b'], [event(1, 'a', start)], { now, ghosts: [ghost('b', start, start + 15 * minute)] })
    const [placed] = layout.lanes[1]?.ghosts ?? []
    expect((placed?.x ?? 0) + (placed?.width ?? 0) + (placed?.trail ?? 0)).toBeCloseTo(layout.nowX ?? 0)
  })

  it('fits five thousand events into a screen as few counted marks', () => {
    const events = Array.from({ length: 5000 }, (_, n) => event(n, n % 3 ? 'a' : 'b', start + n * 7 * minute))
    const axis = makeAxis(events, [], [], null)
    const scale = fitScale(axis, 1200)
    const layout = layOut(axis, scale, { connections: ['a', 'b'], events, clusters: [], ghosts: [], now: null, dayOf })
    const marks = layout.lanes.flatMap((lane) => lane.marks)
    expect(layout.width).toBeLessThanOrEqual(1200)
    expect(marks.length).toBeLessThan(80)
    expect(marks.reduce((sum, mark) => sum + mark.count, 0)).toBe(5000)
    const large = layOut(axis, 1, { connections: ['a', 'b'], events, clusters: [], ghosts: [], now: null, dayOf })
    expect(inView(large.lanes[0]?.marks ?? [], 10_000, 11_200).length).toBeLessThan(20)
  })

  it('gives a cluster the room its events will take, so that opening it moves nothing', () => {
    const ends = [event(0, 'b', start), event(99, 'b', start + 3000 * minute)]
    const inside = Array.from({ length: 40 }, (_, n) => event(n + 1, 'a', start + (100 + n) * minute))
    const cluster: Cluster = {
      id: 'c',
      connection: 'a',
      from: inside[0]?.occurredAt ?? '',
      to: inside.at(-1)?.occurredAt ?? '',
      count: 40,
      title: 'Created',
      evidence: 0,
    }
    const folded = draw(['a', 'b'], ends, { clusters: [cluster] })
    const opened = draw(['a', 'b'], [...ends, ...inside])
    expect(folded.lanes[0]?.marks).toMatchObject([{ count: 40, id: 'c' }])
    expect(Math.abs(folded.width - opened.width)).toBeLessThan(200)
  })

  it('places nothing when nothing was read', () => {
    const layout = draw(['a'], [])
    expect(layout.lanes[0]?.marks).toEqual([])
    expect(layout.ticks).toEqual([])
    expect(left).toBeGreaterThan(0)
  })
})

describe('rows in view', () => {
  it('always cover the view, and leave room for the others', () => {
    fc.assert(
      fc.property(
        fc.nat(5000),
        fc.integer({ min: 20, max: 60 }),
        fc.nat(200_000),
        fc.integer({ min: 0, max: 1200 }),
        (count, height, top, viewHeight) => {
          const view = rowsInView(count, height, top, viewHeight)
          expect(view.above + (view.to - view.from) * height + view.below).toBe(count * height)
          const shownTop = Math.min(top, Math.max(0, count * height - viewHeight))
          if (top === shownTop && count > 0) {
            expect(view.above).toBeLessThanOrEqual(shownTop)
            expect(view.to * height).toBeGreaterThanOrEqual(Math.min(count * height, shownTop + viewHeight))
          }
          expect(view.to - view.from).toBeLessThanOrEqual(Math.ceil(viewHeight / height) + 24)
        },
      ),
    )
  })
})
