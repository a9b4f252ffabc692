import type { Cluster, Ghost, JourneyEvent } from '../api-types.ts'

const minuteMs = 60_000
/** From here on a stretch without anything counts as idle: it has one width, however long it is. */
const idleAfterMs = 12 * 3_600_000
const idleWidth = 136
/** Room a mark and its label take in a lane at scale 1. */
export const laneGap = 104
/** Room between marks of one lane at the same instant. */
export const sameTimeGap = 22
/** Least room for a ghost and its label at scale 1. */
export const ghostRoom = 172

export const at = (iso: string): number => Date.parse(iso)
export const ghostStart = (ghost: Ghost): number => at(ghost.from ?? ghost.dueAt ?? new Date(0).toISOString())
export const ghostEnd = (ghost: Ghost): number => at(ghost.dueAt ?? ghost.from ?? new Date(0).toISOString())

/**
 * One time axis for all lanes. Distances grow with the logarithm of time and idle stretches have one width, so a journey of weeks
 * fits; where a lane is crowded the axis stretches until its labels have room. Positions are pixels at scale 1.
 */
export interface Axis {
  readonly times: readonly number[]
  readonly us: readonly number[]
  readonly idles: readonly { readonly from: number; readonly to: number }[]
  readonly length: number
  /** The last thing is a ghost, whose name stands before its end. */
  readonly endsInGhost: boolean
}

interface Need {
  lane: string
  /** Room it takes before it, and after it up to its last mark. */
  before: number
  after: number
}

export function makeAxis(
  events: readonly JourneyEvent[],
  clusters: readonly Cluster[],
  ghosts: readonly Ghost[],
  now: number | null,
): Axis {
  const needs = new Map<number, Need[]>()
  const need = (time: number, one?: Need) => {
    const known = needs.get(time)
    if (known === undefined) needs.set(time, one ? [one] : [])
    else if (one) known.push(one)
  }
  for (const event of events) {
    const here = needs.get(at(event.occurredAt))?.find((one) => one.lane === event.connection)
    if (here) here.after += sameTimeGap
    else need(at(event.occurredAt), { lane: event.connection, before: laneGap, after: 0 })
  }
  for (const cluster of clusters) {
    need(at(cluster.from), { lane: cluster.connection, before: laneGap, after: 0 })
    const isInstant = cluster.from === cluster.to
    if (isInstant) need(at(cluster.to), { lane: cluster.connection, before: 0, after: sameTimeGap * (cluster.count - 1) })
    else need(at(cluster.to), { lane: cluster.connection, before: laneGap * (cluster.count - 1), after: 0 })
  }
  for (const ghost of ghosts) {
    need(ghostStart(ghost))
    if (ghost.cameAt) need(at(ghost.cameAt))
    need(ghostEnd(ghost), ghost.state === 'late' ? undefined : { lane: ghost.connection, before: laneGap + ghostRoom, after: 0 })
  }
  if (now !== null) need(now)

  const times = [...needs.keys()].sort((a, b) => a - b)
  const us: number[] = []
  const idles: { from: number; to: number }[] = []
  const lastInLane = new Map<string, number>()
  let u = 0
  for (const [index, time] of times.entries()) {
    const passed = index === 0 ? 0 : time - (times[index - 1] ?? time)
    const isIdle = passed >= idleAfterMs
    if (index > 0) u += isIdle ? idleWidth : Math.min(112, 14 + 14 * Math.log2(1 + passed / minuteMs))
    const here = needs.get(time) ?? []
    for (const { lane, before } of here) u = Math.max(u, (lastInLane.get(lane) ?? Number.NEGATIVE_INFINITY) + before)
    if (isIdle) idles.push({ from: times[index - 1] ?? time, to: time })
    us.push(u)
    for (const { lane, after } of here) lastInLane.set(lane, u + after)
  }
  const last = times.at(-1)
  const endsInGhost = ghosts.some((ghost) => ghost.state !== 'late' && ghostEnd(ghost) === last)
  return { times, us, idles, length: Math.max(u, ...lastInLane.values(), 0), endsInGhost }
}

/** Where an instant stands, at scale 1. Between two known instants it is interpolated. */
export function uOf({ times, us }: Axis, time: number): number {
  return between(times, us, time)
}

/** Which instant stands at a place. */
export function timeOf({ times, us }: Axis, u: number): number {
  return between(us, times, u)
}

function between(from: readonly number[], to: readonly number[], value: number): number {
  let low = 0
  let high = from.length - 1
  if (high < 0) return 0
  if (value <= (from[0] ?? 0)) return to[0] ?? 0
  if (value >= (from[high] ?? 0)) return to[high] ?? 0
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((from[middle] ?? 0) <= value) low = middle
    else high = middle
  }
  const [a = 0, b = 0, x = 0, y = 0] = [from[low], from[high], to[low], to[high]]
  return b === a ? x : x + ((value - a) / (b - a)) * (y - x)
}
