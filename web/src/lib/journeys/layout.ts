import type { Cluster, Ghost, JourneyEvent } from '../api-types.ts'
import { type Axis, at, ghostEnd, ghostStart, laneGap, sameTimeGap, uOf } from './axis.ts'

/** Pixels before the first thing. */
export const left = 28
/** Marks closer than this are shown as one, counted. */
const mergeGap = 16
/** How far one counted mark reaches. */
const mergedWidth = 44
export const laneHeight = 64
const rowHeight = 40
const ghostLeast = 100
const labelGap = 84
const quietWidth = 48
/** A long day says its date again, so that a scrolled lane never stands without one. */
const dayAgainAfter = 420

/** One event, or several that stand too close together to be told apart at this scale. */
export interface Mark {
  /** Of its first event or cluster. */
  id: string
  x: number
  /** Where its last event stands. */
  end: number
  /** Room to the next thing in the same lane: how long a label may be. */
  room: number
  events: JourneyEvent[]
  /** Counted by the API; what they hold is not read yet. */
  clusters: Cluster[]
  count: number
  from: string
  to: string
}
export interface PlacedGhost {
  it: Ghost
  x: number
  width: number
  /** 0 is the row of the events. */
  row: number
  /** How far the time without it reaches, for one that is missing. */
  trail: number
}
export interface Lane {
  connection: string
  top: number
  height: number
  marks: Mark[]
  ghosts: PlacedGhost[]
  /** What came after its deadline: from the deadline to when it came. */
  lates: PlacedGhost[]
}
export interface SwimlaneLayout {
  width: number
  height: number
  lanes: Lane[]
  /** Stretches where nothing happened, drawn short. */
  idles: { x: number; width: number; ms: number }[]
  ticks: { x: number; at: number; hasDay: boolean }[]
  nowX: number | null
  xOf: (time: number) => number
}

/** The scale at which everything fits into `width` pixels, never larger than is good to read. */
export function fitScale(axis: Axis, width: number): number {
  return Math.min(1.4, Math.max(0.001, (width - left - (axis.endsInGhost ? 32 : 128)) / Math.max(1, axis.length)))
}

export interface LayoutInput {
  readonly connections: readonly string[]
  readonly events: readonly JourneyEvent[]
  readonly clusters: readonly Cluster[]
  readonly ghosts: readonly Ghost[]
  readonly now: number | null
  /** Days differ where these words differ. */
  readonly dayOf: (at: number) => string
}

/** Places everything of a journey at a scale. The order is always true; nothing in a lane overlaps. */
export function layOut(axis: Axis, scale: number, { connections, events, clusters, ghosts, now, dayOf }: LayoutInput): SwimlaneLayout {
  const xOf = (time: number) => left + uOf(axis, time) * scale
  const eventsOf = Map.groupBy(events, (event) => event.connection)
  const clustersOf = Map.groupBy(clusters, (cluster) => cluster.connection)
  const ghostsOf = Map.groupBy(ghosts, (ghost) => ghost.connection)
  const endX = left + axis.length * scale
  let top = 0
  const lanes = connections.map((connection): Lane => {
    const marks = placeMarks(eventsOf.get(connection) ?? [], clustersOf.get(connection) ?? [], xOf, scale)
    const own = ghostsOf.get(connection) ?? []
    const placed = placeGhosts(
      own.filter((ghost) => ghost.state !== 'late'),
      marks,
      { xOf, scale, now, trailTo: now === null ? endX : xOf(now) },
    )
    const lates = own
      .filter((ghost) => ghost.state === 'late')
      .map((it) => ({
        it,
        x: xOf(ghostEnd(it)),
        width: Math.max(24, xOf(at(it.cameAt ?? it.dueAt ?? '')) - xOf(ghostEnd(it))),
        row: 0,
        trail: 0,
      }))
    measureRoom(
      marks,
      placed.filter((ghost) => ghost.row === 0),
    )
    const height = laneHeight + rowHeight * Math.max(0, ...placed.map((ghost) => ghost.row))
    top += height
    return { connection, top: top - height, height, marks, ghosts: placed, lates }
  })
  const rightmost = Math.max(
    endX,
    ...lanes.flatMap((lane) => [
      (lane.marks.at(-1)?.end ?? 0) + Math.min(150, Math.max(24, 150 * scale)),
      ...lane.ghosts.map((ghost) => ghost.x + ghost.width),
    ]),
  )
  return {
    width: Math.ceil(rightmost + 24),
    height: top,
    lanes,
    idles: axis.idles.map(({ from, to }) => {
      const [begin, end] = [xOf(from), xOf(to)]
      const width = Math.min(quietWidth, Math.max(6, (end - begin) * 0.4))
      return { x: end - width - Math.min(16, (end - begin) * 0.15), width, ms: to - from }
    }),
    ticks: placeTicks(axis, xOf, now, dayOf),
    nowX: now === null ? null : xOf(now),
    xOf,
  }
}

function placeMarks(events: readonly JourneyEvent[], clusters: readonly Cluster[], xOf: (time: number) => number, scale: number): Mark[] {
  const single = [
    ...events.map((event): Mark => {
      const x = xOf(at(event.occurredAt))
      return { id: event.id, x, end: x, room: 0, events: [event], clusters: [], count: 1, from: event.occurredAt, to: event.occurredAt }
    }),
    ...clusters.map((cluster): Mark => {
      const x = xOf(at(cluster.from))
      const end = xOf(at(cluster.to))
      return { id: cluster.id, x, end, room: 0, events: [], clusters: [cluster], count: cluster.count, from: cluster.from, to: cluster.to }
    }),
  ].sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0))
  for (const [index, mark] of single.entries()) {
    const before = single[index - 1]
    if (before && before.from === mark.from) {
      mark.x = Math.max(mark.x, before.x + sameTimeGap * (scale < 0.5 ? scale : 1))
      mark.end = Math.max(mark.end, mark.x)
    }
  }
  const merged: Mark[] = []
  for (const mark of single) {
    const last = merged.at(-1)
    const isOne = last !== undefined && last.count === 1
    if (last && (isOne ? mark.x - last.end < mergeGap : mark.x - last.x < mergedWidth)) {
      last.events.push(...mark.events)
      last.clusters.push(...mark.clusters)
      last.count += mark.count
      last.end = Math.max(last.end, mark.end)
      if (mark.to > last.to) last.to = mark.to
    } else merged.push(mark)
  }
  return merged
}

interface GhostPlace {
  xOf: (time: number) => number
  scale: number
  now: number | null
  trailTo: number
}

/** A ghost stands among the events where it has room, else in a row of its own below them. */
function placeGhosts(ghosts: readonly Ghost[], marks: readonly Mark[], { xOf, scale, now, trailTo }: GhostPlace): PlacedGhost[] {
  const taken: { row: number; from: number; to: number }[] = []
  return [...ghosts]
    .sort((a, b) => ghostEnd(a) - ghostEnd(b))
    .map((it) => {
      const end = Math.max(xOf(ghostEnd(it)), left + ghostLeast)
      // What is still to come begins now: before, nobody waited for anything that could be seen.
      const isAhead = now !== null && ghostEnd(it) > now && it.state !== 'unknown'
      const begin = xOf(isAhead ? Math.max(ghostStart(it), now) : ghostStart(it))
      const previous = marks.findLast((mark) => mark.x < end - 1)
      const clear = previous === undefined ? left - 20 : previous.end + Math.min(laneGap * Math.min(1, scale), laneGap)
      const x = Math.min(Math.max(begin, clear), end - ghostLeast)
      const isFree = (row: number, from: number, to: number) =>
        !taken.some((other) => other.row === row && other.from < to + 4 && other.to > from - 4)
      const hasRoom = (previous === undefined || x >= previous.end + 14) && isFree(0, x, end)
      let row = 0
      let from = x
      if (!hasRoom) {
        from = Math.min(begin, end - ghostLeast)
        for (row = 1; !isFree(row, from, end); ) row += 1
      }
      taken.push({ row, from, to: end })
      return { it, x: from, width: end - from, row, trail: it.state === 'missing' ? Math.max(0, trailTo - end) : 0 }
    })
}

function measureRoom(marks: readonly Mark[], ghosts: readonly PlacedGhost[]): void {
  for (const [index, mark] of marks.entries()) {
    const stops = [marks[index + 1]?.x, ...ghosts.map((ghost) => ghost.x)].filter((stop) => stop !== undefined && stop > mark.x)
    mark.room = Math.min(220, ...stops.map((stop) => (stop ?? 0) - mark.x - 12))
  }
}

function placeTicks(axis: Axis, xOf: (time: number) => number, now: number | null, dayOf: (at: number) => string): SwimlaneLayout['ticks'] {
  const ticks: SwimlaneLayout['ticks'] = []
  const nowX = now === null ? null : xOf(now)
  let previous: SwimlaneLayout['ticks'][number] | undefined
  let lastDay: SwimlaneLayout['ticks'][number] | undefined
  for (const time of axis.times) {
    const x = xOf(time)
    if (time === now || (nowX !== null && Math.abs(x - nowX) < labelGap)) continue
    if (previous && x - previous.x < labelGap) continue
    const hasDay = !lastDay || dayOf(lastDay.at) !== dayOf(time) || x - lastDay.x > dayAgainAfter
    previous = { x, at: time, hasDay }
    if (hasDay) lastDay = previous
    ticks.push(previous)
  }
  return ticks
}

/** What stands in or near the shown stretch: all that is drawn. `keep` is drawn wherever it is, so that focus is never lost. */
export function inView<T extends { x: number; end?: number; width?: number }>(
  things: readonly T[],
  from: number,
  to: number,
  keep?: (thing: T) => boolean,
): T[] {
  return things.filter((thing) => ((thing.end ?? thing.x + (thing.width ?? 0)) >= from && thing.x <= to) || keep?.(thing))
}

/** The event a mark is named after: evidence before steps before the rest. */
export function leadOf(mark: Mark): JourneyEvent | undefined {
  return mark.events.find((event) => event.findings.length > 0) ?? mark.events.find((event) => event.step !== null) ?? mark.events[0]
}
