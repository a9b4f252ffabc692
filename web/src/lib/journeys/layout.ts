import type { Ghost, JourneyEvent } from '../api-types.ts'

const minuteMs = 60_000
const idleAfterMs = 12 * 3_600_000
const left = 28
const idleWidth = 136
const quietWidth = 48
const quietMargin = 16
const laneGap = 104
const ghostWidth = 92
const labelGap = 76
/** A long day says its date again, so that a scrolled lane never stands without one. */
const dayAgainAfter = 360

export interface Placed<T> {
  it: T
  x: number
  /** Room to the next thing in the same lane: how long a label may be. */
  room: number
}
export interface PlacedGhost extends Placed<Ghost> {
  width: number
}
export interface SwimlaneLayout {
  width: number
  lanes: { connection: string; events: Placed<JourneyEvent>[]; ghosts: PlacedGhost[] }[]
  /** Stretches where nothing happened, drawn short. */
  idles: { x: number; width: number; ms: number }[]
  ticks: { x: number; at: number; hasDay: boolean }[]
  nowX: number | null
}

/**
 * Places events on one time axis for all lanes. Distances grow with the logarithm of time and long idle stretches have one
 * width, so a journey of weeks fits; the order is always true and nothing in a lane overlaps.
 */
export function layOut(
  connections: readonly string[],
  events: readonly JourneyEvent[],
  ghosts: readonly Ghost[],
  now: number | null,
  dayOf: (at: number) => string,
): SwimlaneLayout {
  const at = (iso: string) => Date.parse(iso)
  const ghostStart = (ghost: Ghost) => at(ghost.from ?? ghost.dueAt ?? new Date(now ?? 0).toISOString())
  const ghostEnd = (ghost: Ghost) => at(ghost.dueAt ?? ghost.from ?? new Date(now ?? 0).toISOString())
  const times = [
    ...new Set([
      ...events.map((event) => at(event.occurredAt)),
      ...ghosts.flatMap((ghost) => [ghostStart(ghost), ghostEnd(ghost)]),
      ...(now === null ? [] : [now]),
    ]),
  ].sort((a, b) => a - b)

  const xs = new Map<number, number>()
  const idles: SwimlaneLayout['idles'] = []
  const lastInLane = new Map<string, number>()
  let x = left
  let before: number | undefined
  for (const time of times) {
    const lanes = [
      ...events.filter((event) => at(event.occurredAt) === time).map((event) => event.connection),
      ...ghosts.filter((ghost) => ghostEnd(ghost) === time).map((ghost) => ghost.connection),
    ]
    if (before !== undefined) {
      const passed = time - before
      const isIdle = passed >= idleAfterMs
      const step = isIdle ? idleWidth : Math.min(112, 14 + 14 * Math.log2(1 + passed / minuteMs))
      const crowded = Math.max(0, ...lanes.map((lane) => (lastInLane.get(lane) ?? Number.NEGATIVE_INFINITY) + laneGap))
      const next = Math.max(x + step, crowded)
      if (isIdle) idles.push({ x: next - quietWidth - quietMargin, width: quietWidth, ms: passed })
      x = next
    }
    xs.set(time, x)
    for (const lane of lanes) lastInLane.set(lane, x)
    before = time
  }

  const xOf = (time: number) => xs.get(time) ?? left
  const placed = connections.map((connection) => {
    const inLane = events.filter((event) => event.connection === connection).map((it) => ({ it, x: xOf(at(it.occurredAt)), room: 0 }))
    spread(inLane)
    const ghostsInLane = ghosts
      .filter((ghost) => ghost.connection === connection)
      .map((it) => {
        const end = Math.max(xOf(ghostEnd(it)), xOf(ghostStart(it)) + ghostWidth)
        const previous = Math.max(0, ...inLane.filter((event) => event.x < end).map((event) => event.x + laneGap))
        const start = Math.min(Math.max(xOf(ghostStart(it)), previous), end - ghostWidth / 2)
        return { it, x: start, width: end - start, room: end - start }
      })
    for (const [index, event] of inLane.entries()) {
      const stops = [inLane[index + 1]?.x, ...ghostsInLane.map((ghost) => ghost.x)].filter(
        (stop): stop is number => stop !== undefined && stop > event.x,
      )
      event.room = Math.min(220, ...stops.map((stop) => stop - event.x - 12))
    }
    return { connection, events: inLane, ghosts: ghostsInLane }
  })

  const ticks: SwimlaneLayout['ticks'] = []
  for (const time of times) {
    const previous = ticks.at(-1)
    const isBesideNow = now !== null && time !== now && Math.abs(xOf(time) - xOf(now)) < labelGap
    if (time === now || isBesideNow) continue
    if (!previous || xOf(time) - previous.x >= labelGap) {
      const lastDay = ticks.findLast((tick) => tick.hasDay)
      const hasDay = !lastDay || dayOf(lastDay.at) !== dayOf(time) || xOf(time) - lastDay.x > dayAgainAfter
      ticks.push({ x: xOf(time), at: time, hasDay })
    }
  }
  const rightmost = Math.max(
    x,
    ...placed.flatMap((lane) => [...lane.events.map((event) => event.x), ...lane.ghosts.map((ghost) => ghost.x + ghost.width)]),
  )
  return { width: rightmost + 150, lanes: placed, idles, ticks, nowX: now === null ? null : xOf(now) }
}

/** Events of one lane at the same instant stand beside each other. */
function spread(events: Placed<JourneyEvent>[]): void {
  for (const [index, event] of events.entries()) {
    const previous = events[index - 1]
    if (previous && event.x < previous.x + 22) event.x = previous.x + 22
  }
}
