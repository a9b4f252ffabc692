import type { Cursor } from '../db/records/page.ts'
import type { ClusterView, JourneyEventView } from './shapes/journey.ts'

/** How many things a journey sends at once: beyond it, dense stretches come as counted clusters. */
export const eventsAtOnce = 500

export interface FoldedEvents {
  readonly events: JourneyEventView[]
  readonly clusters: ClusterView[]
}

/**
 * Folds what is more than `atMost` events into at most `atMost` events and clusters together. What stands out stays an event of its own:
 * first and last, the evidence of findings, and the latest steps. Between these each lane's events are folded where they lie close
 * together, so a quiet stretch stays quiet. Folding the window of a cluster again shows what it holds.
 *
 * `events` must be in order of time.
 */
export function foldEvents(events: readonly JourneyEventView[], atMost = eventsAtOnce): FoldedEvents {
  if (events.length <= atMost) return { events: [...events], clusters: [] }
  const standing = standOuts(events, Math.floor(atMost / 4))
  const largest = Math.ceil(events.length / (atMost / 4))
  for (let gapMs = 60_000; ; gapMs *= 2) {
    const runs = runsOf(events, standing, largest, gapMs)
    const room = atMost - standing.size
    if (runs.length > room && gapMs < Number.MAX_SAFE_INTEGER / 4) continue
    const folded = runs.filter((run) => run.length > 1)
    const single = new Set(runs.flatMap((run) => (run.length === 1 ? run : [])))
    return {
      events: events.filter((event) => standing.has(event) || single.has(event)),
      clusters: folded.map(toCluster).sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0)),
    }
  }
}

/** A page of events in order. The cursor is the time and id of the last one shown, so that late data moves no page's beginning. */
export function pageOfEvents(
  events: readonly JourneyEventView[],
  cursor: Cursor | null,
  limit: number,
): { items: JourneyEventView[]; next: Cursor | null } {
  const [at, id] = cursor ?? []
  const shown = cursor === null ? -1 : events.findIndex((event) => event.id === id)
  const after = shown >= 0 ? shown + 1 : cursor === null ? 0 : events.findIndex((event) => event.occurredAt > String(at))
  const items = after === -1 ? [] : events.slice(after, after + limit)
  const last = items.at(-1)
  return { items, next: last !== undefined && after + limit < events.length ? [last.occurredAt, last.id] : null }
}

function standOuts(events: readonly JourneyEventView[], atMost: number): ReadonlySet<JourneyEventView> {
  const ends = [events[0], events.at(-1)].filter((event) => event !== undefined)
  const evidence = events.filter((event) => event.findings.length > 0)
  const steps = events.filter((event) => event.step !== null && !event.undone && event.findings.length === 0)
  return new Set([...ends, ...evidence.reverse(), ...steps.reverse()].slice(0, atMost))
}

/** Neighbours of one lane with nothing that stands out between them, no gap longer than `gapMs`, and at most `largest` of them. */
function runsOf(
  events: readonly JourneyEventView[],
  standing: ReadonlySet<JourneyEventView>,
  largest: number,
  gapMs: number,
): JourneyEventView[][] {
  const runs: JourneyEventView[][] = []
  const open = new Map<string, { run: JourneyEventView[]; lastAt: number }>()
  for (const event of events) {
    if (standing.has(event)) {
      open.delete(event.connection)
      continue
    }
    const at = Date.parse(event.occurredAt)
    const known = open.get(event.connection)
    if (known !== undefined && at - known.lastAt <= gapMs && known.run.length < largest) {
      known.run.push(event)
      known.lastAt = at
    } else {
      const run = [event]
      runs.push(run)
      open.set(event.connection, { run, lastAt: at })
    }
  }
  return runs
}

function toCluster(run: readonly JourneyEventView[]): ClusterView {
  const [first] = run
  const last = run.at(-1)
  if (first === undefined || last === undefined) throw new Error('A cluster holds events.')
  const titles = Map.groupBy(run, (event) => event.title)
  const [title] = [...titles].sort((a, b) => b[1].length - a[1].length)[0] ?? ['']
  return {
    id: `cluster ${first.id} ${last.id}`,
    connection: first.connection,
    from: first.occurredAt,
    to: last.occurredAt,
    count: run.length,
    title,
    evidence: run.filter((event) => event.findings.length > 0).length,
  }
}
