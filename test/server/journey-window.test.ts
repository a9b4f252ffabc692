import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventsAtOnce, foldEvents, pageOfEvents } from '../../server/journey-window.ts'
import type { JourneyEventView } from '../../server/shapes/journey.ts'

const start = Date.parse('2026-03-02T09:00:00Z')

function event(index: number, minutes: number, lane: string, about: { step?: string; finding?: string } = {}): JourneyEventView {
  const at = new Date(start + minutes * 60_000).toISOString()
  return {
    id: `e${index}`,
    connection: lane,
    stream: `${lane}.main`,
    externalId: `r${index}`,
    type: 'made',
    step: about.step ?? null,
    title: 'Made',
    status: null,
    occurredAt: at,
    occurredAfter: null,
    observedAt: at,
    actor: { kind: 'unknown', id: null },
    objects: [],
    undone: false,
    deepLink: null,
    findings: about.finding ? [about.finding] : [],
  }
}

const journeys = fc
  .array(
    fc.record({
      minutes: fc.integer({ min: 0, max: 50_000 }),
      lane: fc.constantFrom('a', 'b', 'c', 'd'),
      isStep: fc.boolean(),
      isEvidence: fc.integer({ min: 0, max: 40 }).map((n) => n === 0),
    }),
    { maxLength: 1_200 },
  )
  .map((all) =>
    all
      .sort((a, b) => a.minutes - b.minutes)
      .map((one, index) =>
        event(index, one.minutes, one.lane, { ...(one.isStep ? { step: 's' } : {}), ...(one.isEvidence ? { finding: 'f' } : {}) }),
      ),
  )

describe('a journey of more events than are sent at once', () => {
  it('is folded into no more than that, and every event is shown or counted once', () => {
    fc.assert(
      fc.property(journeys, fc.integer({ min: 40, max: eventsAtOnce }), (events, atMost) => {
        const folded = foldEvents(events, atMost)
        expect(folded.events.length + folded.clusters.length).toBeLessThanOrEqual(Math.max(atMost, 0))
        const counted = folded.clusters.reduce((sum, cluster) => sum + cluster.count, 0)
        expect(folded.events.length + counted).toBe(events.length)
      }),
      { numRuns: 40 },
    )
  })

  it('keeps the order: no cluster of a lane reaches over an event of that lane', () => {
    fc.assert(
      fc.property(journeys, (events) => {
        const { events: shown, clusters } = foldEvents(events, 60)
        for (const { connection, from, to } of clusters) {
          const inside = shown.filter((one) => one.connection === connection && one.occurredAt > from && one.occurredAt < to)
          expect(inside).toEqual([])
        }
      }),
      { numRuns: 40 },
    )
  })

  it('keeps the evidence of findings apart, and says which clusters hold more of it', () => {
    const events = Array.from({ length: 3_000 }, (_, n) => event(n, n, 'a', n % 10 === 0 ? { finding: 'f' } : {}))
    const { events: shown, clusters } = foldEvents(events)
    const evidence = shown.filter((one) => one.findings.length > 0).length
    expect(evidence).toBeGreaterThan(100)
    expect(evidence + clusters.reduce((sum, cluster) => sum + cluster.evidence, 0)).toBe(300)
  })

  it('shows all that a cluster holds when its window is folded again', () => {
    const events = Array.from({ length: 5_000 }, (_, n) => event(n, n * 7, n % 3 ? 'a' : 'b'))
    for (const cluster of foldEvents(events).clusters) {
      const window = events.filter(
        (one) => one.connection === cluster.connection && one.occurredAt >= cluster.from && one.occurredAt <= cluster.to,
      )
      expect(foldEvents(window)).toMatchObject({ clusters: [] })
      expect(window.length).toBe(cluster.count)
    }
  })

  it('sends a short journey as it is', () => {
    const events = [event(0, 0, 'a'), event(1, 1, 'b')]
    expect(foldEvents(events)).toEqual({ events, clusters: [] })
  })
})

describe('pages of events', () => {
  it('show every event once, in order, also when late data comes between pages', () => {
    const events = Array.from({ length: 950 }, (_, n) => event(n, Math.floor(n / 3), 'a'))
    const seen: string[] = []
    let known = events
    let cursor: Parameters<typeof pageOfEvents>[1] = null
    do {
      const page = pageOfEvents(known, cursor, 100)
      seen.push(...page.items.map((one) => one.id))
      cursor = page.next
      // A late event in front of what was read already.
      if (known === events) known = [event(9_999, -5, 'a'), ...events]
    } while (cursor)
    expect(seen).toEqual(events.map((one) => one.id))
  })

  it('goes on by time when the event they stood at is gone', () => {
    const events = Array.from({ length: 10 }, (_, n) => event(n, n, 'a'))
    const { next } = pageOfEvents(events, null, 5)
    const without = events.filter((one) => one.id !== 'e4')
    expect(pageOfEvents(without, next, 5).items.map((one) => one.id)).toEqual(['e5', 'e6', 'e7', 'e8', 'e9'])
  })
})
