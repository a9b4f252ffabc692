import { currentValue, stateAt } from '../correlate.ts'
import type { Scalar } from '../facts.ts'
import type { FollowsExpectation } from '../program.ts'
import { deadlineAt } from './deadline.ts'
import type { ExpectationKind, JudgeContext, Occurrence, Scope, Verdict } from './expectation.ts'
import { activationOf, evidenceOf, firstFrom, isAtOrBefore, newVerdict } from './new-verdict.ts'
import { hasPassed, wakesOf } from './watermark.ts'
import type { Passing } from './watermark.ts'

/** `after A expect B within D` (semantics.md 13, 17, 18): gap, late, early, wrong_variant. */
export const follows: ExpectationKind<FollowsExpectation> = {
  kind: 'follows',
  streams: (expectation, steps) => {
    const stream = steps.get(expectation.expect)?.stream
    return stream === undefined ? [] : [stream]
  },
  judge(expectation, scope, context) {
    const anchors = scope.of(expectation.after)
    if (anchors.length === 0) return nothing
    const followers = scope.of(expectation.expect)
    const ambiguous = scope.ambiguous(expectation.expect)
    const verdicts: Verdict[] = []
    for (const anchor of anchors) verdicts.push(judgeAnchor(expectation, anchor, followers, ambiguous, scope, context))
    return verdicts
  },
}

const nothing: readonly Verdict[] = []

function judgeAnchor(
  expectation: FollowsExpectation,
  anchor: Occurrence,
  followers: readonly Occurrence[],
  ambiguous: readonly Occurrence[],
  scope: Scope,
  context: JudgeContext,
): Verdict {
  const activation = activationOf(anchor, scope)
  const evidence = [evidenceOf('anchor', anchor)]
  if (anchor.undoneAt !== null) {
    return newVerdict(expectation, scope, { state: 'void', activation, anchorAt: anchor.at, evidenceAt: anchor.undoneAt, evidence })
  }
  const timezone = context.timezone ?? 'UTC'
  const dueAt = expectation.within === null ? scope.endedAt : deadlineAt(expectation.within, anchor, timezone)
  if (expectation.within !== null && (dueAt === null || dueAt < anchor.at)) {
    const reason = dueAt === null ? 'no_deadline' : 'deadline_before_anchor'
    return newVerdict(expectation, scope, { state: 'void', activation, dueAt, anchorAt: anchor.at, evidence, detail: { reason } })
  }
  const common = { activation, dueAt, anchorAt: anchor.at }
  const found = findFollower(expectation, anchor, dueAt, followers, timezone)

  // 1. It came in time, as promised.
  if (found.inTime !== null) {
    evidence.push(evidenceOf('expected', found.inTime))
    const detail = found.inTime.inferred === null ? undefined : { inferred: true }
    return newVerdict(expectation, scope, {
      ...common,
      state: 'satisfied',
      evidenceAt: found.inTime.at,
      evidence,
      ...(detail && { detail }),
    })
  }
  // 2. Nobody can tell: its time is an interval around the anchor or the deadline.
  if (found.doubtful !== null) {
    evidence.push(evidenceOf('observed', found.doubtful))
    return newVerdict(expectation, scope, { ...common, state: 'unknown', evidence, detail: words(expectation, { reason: 'interval' }) })
  }
  const passing = passingOf(expectation, dueAt, scope, context)
  const doubted = ambiguous.filter((other) => other.at >= anchor.at && (dueAt === null || other.at <= dueAt))
  // 3. It came too late: the same finding, closed by itself.
  if (found.late !== null && passing.state === 'passed' && doubted.length === 0) {
    evidence.push(evidenceOf('expected', found.late))
    return newVerdict(expectation, scope, {
      ...common,
      state: 'satisfied_late',
      kind: 'late',
      violations: 1,
      occurredAt: dueAt,
      evidenceAt: found.late.at,
      evidence,
      detail: words(expectation, { lateByMs: found.late.at - dueAt!, inferred: found.late.inferred !== null }),
    })
  }
  // 4. Something else came: another variant, or the right one before its time.
  if (found.wrongVariant !== null) {
    evidence.push(evidenceOf('observed', found.wrongVariant))
    const detail = words(expectation, wrongField(expectation, anchor, found.wrongVariant))
    const occurredAt = found.wrongVariant.at
    return newVerdict(expectation, scope, {
      ...common,
      state: 'violated',
      kind: 'wrong_variant',
      violations: 1,
      occurredAt,
      evidence,
      detail,
    })
  }
  if (found.early !== null) {
    evidence.push(evidenceOf('observed', found.early))
    const detail = words(expectation, { earlyByMs: found.earlyAt! - found.early.at })
    return newVerdict(expectation, scope, {
      ...common,
      state: 'violated',
      kind: 'early',
      violations: 1,
      occurredAt: found.early.at,
      evidence,
      detail,
    })
  }
  // 5. Nothing came, or nothing that was read.
  if (passing.state === 'pending') return newVerdict(expectation, scope, { ...common, state: 'pending', evidence, wakes: passing.wakes })
  if (passing.state === 'unknown') {
    return newVerdict(expectation, scope, {
      ...common,
      state: 'unknown',
      evidence,
      unread: passing.unread,
      wakes: passing.wakes,
      detail: words(expectation, { reason: 'unread' }),
    })
  }
  if (doubted.length > 0) {
    for (const one of doubted) evidence.push(evidenceOf('observed', one))
    return newVerdict(expectation, scope, { ...common, state: 'unknown', evidence, detail: words(expectation, { reason: 'ambiguous' }) })
  }
  if (found.undone !== null) evidence.push(evidenceOf('observed', found.undone))
  return newVerdict(expectation, scope, {
    ...common,
    state: 'violated',
    kind: 'gap',
    violations: 1,
    occurredAt: found.undone === null ? dueAt : Math.max(dueAt!, found.undone.undoneAt!),
    evidence,
    detail: words(expectation, {}),
  })
}

interface Found {
  inTime: Occurrence | null
  late: Occurrence | null
  early: Occurrence | null
  earlyAt: number | null
  wrongVariant: Occurrence | null
  doubtful: Occurrence | null
  /** It came, in time or late, but was undone since. */
  undone: Occurrence | null
}

function findFollower(
  expectation: FollowsExpectation,
  anchor: Occurrence,
  dueAt: number | null,
  followers: readonly Occurrence[],
  timezone: string,
): Found {
  const found: Found = { inTime: null, late: null, early: null, earlyAt: null, wrongVariant: null, doubtful: null, undone: null }
  if (expectation.notBefore !== null) found.earlyAt = deadlineAt(expectation.notBefore, anchor, timezone)
  const anchorSpan = expectation.within === null || expectation.within.field === null ? anchor.at - anchor.notBefore : 0
  for (let index = firstFrom(followers, anchor.notBefore); index < followers.length; index++) {
    const follower = followers[index]!
    if (follower.event === anchor.event) continue
    if (follower.undoneAt !== null) {
      if (follower.at >= anchor.at && (found.undone === null || follower.undoneAt > found.undone.undoneAt!)) found.undone = follower
      continue
    }
    const order = isAtOrBefore(anchor, follower)
    if (order === 'no') continue
    const isExact = follower.notBefore === follower.at
    const mayBeInTime = dueAt === null || (isExact ? follower.at <= dueAt : follower.notBefore < dueAt)
    if (expectation.variant !== null && wrongField(expectation, anchor, follower).field !== null) {
      if (order === 'yes' && mayBeInTime) found.wrongVariant ??= follower
      continue
    }
    if (found.earlyAt !== null && follower.at < found.earlyAt) {
      if (order === 'yes') found.early ??= follower
      continue
    }
    if (order === 'yes' && (dueAt === null || follower.at <= dueAt - anchorSpan)) {
      found.inTime = follower
      return found
    }
    if (mayBeInTime) found.doubtful ??= follower
    else {
      found.late = follower
      return found
    }
  }
  return found
}

function passingOf(expectation: FollowsExpectation, dueAt: number | null, scope: Scope, context: JudgeContext): Passing {
  if (dueAt === null) return { state: 'pending', wakes: [] }
  const streams = follows.streams(expectation, context.steps)
  if (expectation.within === null) {
    if (scope.endUnread.length > 0) return { state: 'unknown', unread: scope.endUnread[0]!, wakes: wakesOf(scope.endUnread) }
    if (scope.endReason === 'final') return { state: 'passed' }
  }
  return hasPassed(context, streams, dueAt)
}

function wrongField(expectation: FollowsExpectation, anchor: Occurrence, follower: Occurrence) {
  for (const [field, wanted] of Object.entries(expectation.variant ?? {})) {
    const expected: Scalar = wanted !== null && typeof wanted === 'object' ? currentValue(anchor.record, wanted.same) : wanted
    const observed = stateAt(follower.record, follower.event, field)
    if (observed !== expected) return { field, observed, expected }
  }
  return { field: null, observed: null, expected: null }
}

function words(expectation: FollowsExpectation, more: Verdict['detail']): Verdict['detail'] {
  const { expect, after, within } = expectation
  return { expect, after, withinMs: within?.offsetMs ?? null, withinField: within?.field ?? null, ...more }
}
