import type { AgreeExpectation } from '../program.ts'
import type { Evidence, ExpectationKind, JudgeContext, Scope, Verdict, Wake } from './expectation.ts'
import { newVerdict } from './new-verdict.ts'
import { readSides } from './agree-sides.ts'
import type { Segment, SideValue } from './agree-sides.ts'
import { readToOf } from './watermark.ts'

/** `agree` (semantics.md 16): the sides' mapped values are one; a disagreement counts once it has outlasted `settle`, and is over once agreement has. */
export const agree: ExpectationKind<AgreeExpectation> = {
  kind: 'agree',
  streams: (expectation) => {
    let streams = streamsOf.get(expectation)
    if (streams === undefined) streamsOf.set(expectation, (streams = [...new Set(expectation.sides.map((side) => side.stream))].sort()))
    return streams
  },
  judge(expectation, scope, context) {
    const verdict = judgeScope(expectation, scope, context)
    return verdict === undefined ? [] : [verdict]
  },
}

const streamsOf = new WeakMap<AgreeExpectation, readonly string[]>()

function judgeScope(expectation: AgreeExpectation, scope: Scope, context: JudgeContext): Verdict | undefined {
  const sides = readSides(expectation, scope.records, scope.object?.type ?? null)
  let present = 0
  const evidence: Evidence[] = []
  for (const side of sides.values) {
    if (side.length > 0) present++
    for (const value of side) evidence.push(asEvidence(value))
  }
  if (present === 0) return undefined
  const activation = scope.key
  const streams = agree.streams(expectation, context.steps)
  const least = leastRead(context, streams)
  if (present < sides.values.length) {
    // Nothing to compare: a record that is missing is a gap, not a drift.
    return newVerdict(expectation, scope, {
      state: 'void',
      activation,
      evidence,
      evidenceAt: sides.lastChangeAt,
      detail: { reason: 'one_side' },
    })
  }

  const settleMs = context.without?.has('settle') ? 0 : expectation.settleMs
  const readTo = least.readTo ?? Number.NEGATIVE_INFINITY
  const heardTo = Math.min(context.now, readTo)
  const episode = findEpisode(sides.segments, settleMs, heardTo)
  const anchorAt = sides.segments[0]?.from ?? null
  if (episode === null) {
    const last = sides.segments[sides.segments.length - 1]!
    return newVerdict(expectation, scope, { state: 'satisfied', activation, anchorAt, evidenceAt: last.agreedFrom ?? last.from, evidence })
  }

  const { disagreedFrom, waitsFor } = episode
  const common = { activation, anchorAt, evidence, occurrences: episode.occurrences }
  const wakes: Wake[] = []
  for (const from of waitsFor) {
    const at = from + settleMs - 1
    if (context.now <= at) wakes.push({ stream: null, at })
    for (const stream of streams) if ((readToOf(context, stream) ?? Number.NEGATIVE_INFINITY) <= at) wakes.push({ stream, at })
  }
  const kind = episode.unmapped ? 'unmapped_state' : 'drift'
  const detail = describe(expectation, sides.values, settleMs)
  if (episode.opened) {
    return newVerdict(expectation, scope, { ...common, state: 'violated', kind, violations: 1, occurredAt: disagreedFrom, wakes, detail })
  }
  const isDue = waitsFor.some((from) => context.now >= from + settleMs)
  return isDue
    ? newVerdict(expectation, scope, {
        ...common,
        state: 'unknown',
        unread: { ...least, at: 0 },
        wakes,
        detail: { ...detail, reason: 'unread' },
      })
    : newVerdict(expectation, scope, { ...common, state: 'pending', wakes, detail })
}

interface Episode {
  readonly disagreedFrom: number
  /** A disagreement in it outlasted `settle`. */
  readonly opened: boolean
  /** One, and one more for each flip between disagreeing and agreeing since. */
  readonly occurrences: number
  readonly unmapped: boolean
  /** Starts of segments whose outlasting of `settle` is not known yet. */
  readonly waitsFor: readonly number[]
}

/** The disagreement that is not over: it ends once agreement has held for `settleMs` as far as both sides were read. */
function findEpisode(segments: readonly Segment[], settleMs: number, heardTo: number): Episode | null {
  let from: number | null = null
  let opened = false
  let flips = 0
  let unmapped = false
  let agreed = true
  let waitsFor: number[] = []
  for (const segment of segments) {
    if (segment.agrees) {
      if (from === null) continue
      if (!agreed) flips++
      agreed = true
      const start = segment.agreedFrom ?? segment.from
      const until = segment.to === null ? heardTo : Math.min(segment.to, heardTo)
      if (until >= start + settleMs) {
        from = null
        opened = false
        flips = 0
        waitsFor = []
      } else if (segment.to === null || segment.to >= start + settleMs) waitsFor.push(start)
      continue
    }
    if (from === null) {
      from = segment.from
      flips = 0
    } else if (agreed) flips++
    agreed = false
    unmapped = segment.unmapped
    if (segment.to !== null && segment.to < segment.from + settleMs) continue
    if (heardTo >= segment.from + settleMs) opened = true
    else waitsFor.push(segment.from)
  }
  if (from === null) return null
  return { disagreedFrom: from, opened, occurrences: 1 + flips, unmapped, waitsFor }
}

function leastRead(context: JudgeContext, streams: readonly string[]): { stream: string; readTo: number | null } {
  let least = { stream: streams[0] ?? '', readTo: readToOf(context, streams[0] ?? '') }
  for (const stream of streams) {
    const readTo = readToOf(context, stream)
    if ((readTo ?? Number.NEGATIVE_INFINITY) < (least.readTo ?? Number.NEGATIVE_INFINITY)) least = { stream, readTo }
  }
  return least
}

function describe(expectation: AgreeExpectation, values: readonly (readonly SideValue[])[], settleMs: number): Verdict['detail'] {
  const detail: Record<string, string | number | boolean | null> = { authority: expectation.authority, settleMs }
  for (const [index, side] of expectation.sides.entries()) {
    const name = `${side.stream}.${side.field}`
    const shown = values[index]!.map((value) => value.raw ?? 'nothing').join(', ')
    if (name === expectation.authority) detail.authorityValue = shown
    else if (detail.other === undefined) {
      detail.other = name
      detail.otherValue = shown
    }
    const unknown = values[index]!.find((value) => value.mapped === null)
    if (unknown !== undefined && detail.field === undefined) {
      detail.field = name
      detail.value = unknown.raw
    }
    detail[name] = shown
  }
  return detail
}

function asEvidence(value: SideValue): Evidence {
  const { record, event } = value
  return {
    role: 'side',
    stream: record.stream,
    externalId: record.externalId,
    recordId: record.id,
    eventType: event?.type ?? null,
    status: value.raw,
    occurredAt: value.at,
    updatedAt: record.updatedAt,
    observedAt: record.observedAt,
    actor: event?.actor ?? null,
  }
}
