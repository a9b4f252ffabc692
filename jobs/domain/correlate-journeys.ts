import { compareEvents, sortNearly } from './correlate.ts'
import type { CompiledProgram, FoundRecord, OpenOccurrence } from './correlate.ts'
import type { EndReason, JudgeContext, StreamGate, Wake } from './expectations/expectation.ts'
import { unreadPast, wakesOf } from './expectations/watermark.ts'
import type { EventFact } from './facts.ts'

/** One pass of a subject or object through the program (semantics.md 7). */
export interface Journey {
  readonly start: OpenOccurrence
  readonly occurrences: OpenOccurrence[]
  startedAt: number
  lastEventAt: number
  lastEvent: EventFact
  events: number
  endedAt: number | null
  endReason: EndReason | null
  /** Streams in which an unread event might still have kept it going. */
  endUnread: readonly StreamGate[]
  wakes: readonly Wake[]
}

const noGates: readonly StreamGate[] = []
const noWakes: readonly Wake[] = []

/**
 * Cuts the sorted events of one subject (or object) into journeys. Recomputed from all of them each time, so late data may move a boundary.
 * `occurrences` and `events` are in canonical order; the events are those of all records that are a step of the program.
 */
export function segmentJourneys(
  prepared: CompiledProgram,
  occurrences: readonly OpenOccurrence[],
  events: readonly EventFact[],
  context: JudgeContext,
): readonly Journey[] {
  const { starts, ends, abandonAfterMs } = prepared.program.journey
  const journeys: Journey[] = []
  let journey: Journey | null = null
  let next = 0
  for (const event of events) {
    const first = next
    let start: OpenOccurrence | null = null
    let isEnd = false
    while (next < occurrences.length && occurrences[next]!.event === event) {
      const occurrence = occurrences[next++]!
      if (starts === null || occurrence.step === starts) start ??= occurrence
      if (occurrence.step === ends && occurrence.undoneAt === null) isEnd = true
    }
    if (
      journey !== null &&
      journey.endedAt === null &&
      abandonAfterMs !== null &&
      event.occurredAt - journey.lastEventAt > abandonAfterMs
    ) {
      abandon(journey, abandonAfterMs, prepared, context)
    }
    if (start !== null && (journey === null || journey.endedAt !== null)) {
      journey = openJourney(start, event)
      journeys.push(journey)
    }
    if (journey === null) continue
    journey.events++
    journey.lastEventAt = event.occurredAt
    journey.lastEvent = event
    for (let index = first; index < next; index++) {
      const occurrence = occurrences[index]!
      occurrence.isInJourney = true
      journey.occurrences.push(occurrence)
    }
    if (isEnd && journey.endedAt === null) {
      journey.endedAt = event.occurredAt
      journey.endReason = 'ends'
    }
  }
  if (journey !== null && journey.endedAt === null) closeByTime(journey, prepared, context)
  return journeys
}

function openJourney(start: OpenOccurrence, event: EventFact): Journey {
  return {
    start,
    occurrences: [],
    startedAt: event.occurredAt,
    lastEventAt: event.occurredAt,
    lastEvent: event,
    events: 0,
    endedAt: null,
    endReason: null,
    endUnread: noGates,
    wakes: noWakes,
  }
}

function closeByTime(journey: Journey, prepared: CompiledProgram, context: JudgeContext): void {
  const { abandonAfterMs } = prepared.program.journey
  if (abandonAfterMs !== null) {
    const at = journey.lastEventAt + abandonAfterMs
    if (context.now > at) {
      abandon(journey, abandonAfterMs, prepared, context)
      return
    }
    journey.wakes = [{ stream: null, at }]
  }
  // Files declared final close their journeys at now (semantics.md 8), once they were read: the last one may hold nothing of this journey.
  const unread: Wake[] = []
  for (const stream of prepared.streams) {
    const read = context.streams.get(stream)
    if (read === undefined || !read.final) return
    if (read.watermark === null) unread.push({ stream, at: 0 })
  }
  if (unread.length > 0) {
    journey.wakes = [...journey.wakes, ...unread]
    return
  }
  journey.endedAt = context.now
  journey.endReason = 'final'
}

function abandon(journey: Journey, abandonAfterMs: number, prepared: CompiledProgram, context: JudgeContext): void {
  const at = journey.lastEventAt + abandonAfterMs
  journey.endedAt = at
  journey.endReason = 'abandoned'
  journey.endUnread = unreadPast(context, prepared.streams, at)
  journey.wakes = journey.endUnread.length === 0 ? noWakes : wakesOf(journey.endUnread)
}

/** All events of these records in canonical order. */
export function mergeEvents(found: readonly FoundRecord[]): readonly EventFact[] {
  if (found.length === 1) return found[0]!.events
  const events: EventFact[] = []
  for (const one of found) for (const event of one.events) events.push(event)
  return sortNearly(events, compareEvents)
}
