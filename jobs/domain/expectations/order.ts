import type { OrderExpectation } from '../program.ts'
import type { ExpectationKind, JudgeContext, Occurrence, Scope, Verdict } from './expectation.ts'
import { activationOf, evidenceOf, isAtOrBefore, newVerdict } from './new-verdict.ts'
import { hasPassed } from './watermark.ts'

/** `first A then B` (semantics.md 15): each B needs an A at or before it that stood at that time, else it is `disorder`. */
export const order: ExpectationKind<OrderExpectation> = {
  kind: 'order',
  streams: (expectation, steps) => {
    const stream = steps.get(expectation.first)?.stream
    return stream === undefined ? [] : [stream]
  },
  judge(expectation, scope, context) {
    const later = scope.of(expectation.then)
    if (later.length === 0) return nothing
    const firsts = scope.of(expectation.first)
    return later.map((then) => judgeThen(expectation, then, firsts, scope, context))
  },
}

const nothing: readonly Verdict[] = []

function judgeThen(
  expectation: OrderExpectation,
  then: Occurrence,
  firsts: readonly Occurrence[],
  scope: Scope,
  context: JudgeContext,
): Verdict {
  const common = { activation: activationOf(then, scope), anchorAt: then.at }
  const evidence = [evidenceOf('anchor', then)]
  if (then.undoneAt !== null) return newVerdict(expectation, scope, { ...common, state: 'void', evidenceAt: then.undoneAt, evidence })
  let doubtful: Occurrence | null = null
  let afterwards: Occurrence | null = null
  for (const first of firsts) {
    if (first.event === then.event) continue
    if (first.undoneAt !== null && first.undoneAt <= then.at) continue
    const before = isAtOrBefore(first, then)
    if (before === 'yes') {
      evidence.push(evidenceOf('expected', first))
      return newVerdict(expectation, scope, { ...common, state: 'satisfied', evidenceAt: first.at, evidence })
    }
    if (before === 'unknown') doubtful ??= first
    else if (first.undoneAt === null) afterwards ??= first
  }
  const detail = { first: expectation.first, then: expectation.then }
  if (doubtful !== null) {
    evidence.push(evidenceOf('observed', doubtful))
    return newVerdict(expectation, scope, { ...common, state: 'unknown', evidence, detail: { ...detail, reason: 'interval' } })
  }
  if (scope.ambiguous(expectation.first).some((other) => other.at <= then.at)) {
    return newVerdict(expectation, scope, { ...common, state: 'unknown', evidence, detail: { ...detail, reason: 'ambiguous' } })
  }
  const passing = hasPassed(context, order.streams(expectation, context.steps), then.at)
  if (passing.state !== 'passed') {
    const unread = passing.state === 'unknown' ? passing.unread : null
    return newVerdict(expectation, scope, {
      ...common,
      state: passing.state,
      evidence,
      unread,
      wakes: passing.wakes,
      detail: { ...detail, reason: 'unread' },
    })
  }
  if (afterwards !== null) evidence.push(evidenceOf('observed', afterwards))
  return newVerdict(expectation, scope, {
    ...common,
    state: 'violated',
    kind: 'disorder',
    violations: 1,
    occurredAt: then.at,
    evidence,
    detail: { ...detail, cameAfterMs: afterwards === null ? null : afterwards.at - then.at },
  })
}
