import { currentValue, sortNearly, stateAt } from '../correlate.ts'
import type { EventFact, RecordFact, Scalar } from '../facts.ts'
import type { AgreeExpectation } from '../program.ts'
import type { Scope } from './expectation.ts'

/** What one record of a side shows, and since when. */
export interface SideValue {
  readonly record: RecordFact
  /** The change to this value; null where only the record's own change time tells it. */
  readonly event: EventFact | null
  readonly at: number
  readonly raw: string | null
  /** Null: the program does not map it. */
  readonly mapped: string | null
}

/** A time in which nothing changed on any side. */
export interface Segment {
  readonly from: number
  /** Null: until now. */
  readonly to: number | null
  readonly agrees: boolean
  readonly unmapped: boolean
  /** Start of the unbroken agreement this segment continues. */
  readonly agreedFrom: number | null
}

export interface Sides {
  /** By side of the expectation: the values that count now. */
  readonly values: readonly (readonly SideValue[])[]
  /** From the time every side had a record. */
  readonly segments: readonly Segment[]
  readonly lastChangeAt: number
}

interface Track {
  readonly record: RecordFact
  readonly from: number
  /** Gone from here on: deleted, or replaced by a later record where the latest is picked. */
  to: number
  readonly changes: readonly SideValue[]
}

/** Every change of every side as one line of time, cut where anything changes. */
export function readSides(expectation: AgreeExpectation, records: Scope['records'], objectType: string | null): Sides {
  const tracks: Track[][] = []
  for (const { stream, field, map } of expectation.sides) {
    const side: Track[] = []
    for (const { record, events } of records) if (record.stream === stream) side.push(trackOf(record, events, field, map))
    if (side.length > 1) {
      side.sort((a, b) => a.from - b.from || depthOf(a, objectType) - depthOf(b, objectType) || (a.record.id < b.record.id ? -1 : 1))
      if (expectation.pick === 'latest') {
        for (let index = 1; index < side.length; index++) side[index - 1]!.to = Math.min(side[index - 1]!.to, side[index]!.from)
      }
    }
    tracks.push(side)
  }

  const cuts = cutsOf(tracks)
  const segments: Segment[] = []
  let agreedFrom: number | null = null
  for (let index = 0; index < cuts.length; index++) {
    const from = cuts[index]!
    const agreement = agreementAt(expectation.pick, tracks, from)
    if (agreement === 'one-sided') {
      agreedFrom = null
      continue
    }
    const agrees: boolean = agreement === 'agree'
    agreedFrom = agrees ? (agreedFrom ?? from) : null
    segments.push({ from, to: index + 1 < cuts.length ? cuts[index + 1]! : null, agrees, unmapped: agreement === 'unmapped', agreedFrom })
  }
  const end = cuts.length === 0 ? 0 : cuts[cuts.length - 1]!
  return { values: tracks.map((side) => valuesAt(side, end)), segments, lastChangeAt: end }
}

function trackOf(record: RecordFact, events: readonly EventFact[], field: string, map: Readonly<Record<string, string>>): Track {
  const changes: SideValue[] = []
  for (const event of events) addChange(changes, record, event, event.occurredAt, stateAt(record, event, field), map)
  const lastAt = events.length === 0 ? record.updatedAt : events[events.length - 1]!.occurredAt
  addChange(changes, record, null, Math.max(record.updatedAt, lastAt), currentValue(record, field), map)
  return { record, from: changes[0]!.at, to: record.deletedAt ?? Number.POSITIVE_INFINITY, changes }
}

function addChange(
  changes: SideValue[],
  record: RecordFact,
  event: EventFact | null,
  at: number,
  value: Scalar,
  map: Readonly<Record<string, string>>,
): void {
  const raw = value === null ? null : String(value)
  if (changes.length > 0 && changes[changes.length - 1]!.raw === raw) return
  changes.push({ record, event, at, raw, mapped: raw !== null && Object.hasOwn(map, raw) ? map[raw]! : null })
}

/** The distinct times at which a value changed or a record came or went, in order. */
function cutsOf(tracks: readonly (readonly Track[])[]): readonly number[] {
  const times: number[] = []
  for (const side of tracks) {
    for (const track of side) {
      for (const change of track.changes) if (change.at < track.to) times.push(change.at)
      if (track.to !== Number.POSITIVE_INFINITY) times.push(track.to)
    }
  }
  sortNearly(times, earlierFirst)
  let kept = 0
  for (let index = 0; index < times.length; index++) if (index === 0 || times[index] !== times[index - 1]) times[kept++] = times[index]!
  times.length = kept
  return times
}

function earlierFirst(a: number, b: number): number {
  return a - b
}

function depthOf(track: Track, type: string | null): number {
  return track.record.objects.some((object) => object.type === type && object.root !== undefined && object.root !== object.id) ? 1 : 0
}

function valueAt(track: Track, at: number): SideValue | null {
  if (track.from > at || track.to <= at) return null
  let value = track.changes[0]!
  for (let index = 1; index < track.changes.length && track.changes[index]!.at <= at; index++) value = track.changes[index]!
  return value
}

function valuesAt(side: readonly Track[], at: number): readonly SideValue[] {
  const values: SideValue[] = []
  for (const track of side) {
    const value = valueAt(track, at)
    if (value !== null) values.push(value)
  }
  return values
}

type Agreement = 'one-sided' | 'unmapped' | 'agree' | 'disagree'

function agreementAt(pick: AgreeExpectation['pick'], tracks: readonly (readonly Track[])[], at: number): Agreement {
  if (pick === 'any') return agreementOfAny(tracks, at)
  let agreed: string | null = null
  let isUnmapped = false
  let isSplit = false
  for (const side of tracks) {
    let isPresent = false
    for (const track of side) {
      const value = valueAt(track, at)
      if (value === null) continue
      isPresent = true
      if (value.mapped === null) isUnmapped = true
      else if (agreed === null) agreed = value.mapped
      else if (agreed !== value.mapped) isSplit = true
    }
    if (!isPresent) return 'one-sided'
  }
  return isUnmapped ? 'unmapped' : isSplit ? 'disagree' : 'agree'
}

/** Some value that every side shows. */
function agreementOfAny(tracks: readonly (readonly Track[])[], at: number): Agreement {
  const sides = tracks.map((side) => valuesAt(side, at).map((value) => value.mapped))
  if (sides.some((side) => side.length === 0)) return 'one-sided'
  if (sides.some((side) => side.includes(null))) return 'unmapped'
  const [first, ...others] = sides
  return first!.some((value) => others.every((other) => other.includes(value))) ? 'agree' : 'disagree'
}
