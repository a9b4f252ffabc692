import type { NeverExpectation } from '../program.ts'
import type { ExpectationKind, JudgeContext, Occurrence, Scope, Verdict } from './expectation.ts'
import { activationOf, evidenceOf, isAtOrBefore, newVerdict } from './new-verdict.ts'
import { hasPassed } from './watermark.ts'

/** `never B after A`, or never B at all (semantics.md 15): each standing B while an A stands is `unexpected`. */
export const never: ExpectationKind<NeverExpectation> = {
  kind: 'never',
  streams: (expectation, steps) => {
    const streams = new Set<string>()
    for (const name of [expectation.never, expectation.after]) {
      const stream = name === null ? undefined : steps.get(name)?.stream
      if (stream !== undefined) streams.add(stream)
    }
    return [...streams]
  },
  judge(expectation, scope, context) {
    const forbidden = scope.of(expectation.never)
    if (forbidden.length === 0) return nothing
    const afters = expectation.after === null ? nothing : scope.of(expectation.after)
    return forbidden.map((one) => judgeForbidden(expectation, one, afters, scope, context))
  },
}

const nothing: readonly never[] = []

function judgeForbidden(
  expectation: NeverExpectation,
  forbidden: Occurrence,
  afters: readonly Occurrence[],
  scope: Scope,
  context: JudgeContext,
): Verdict {
  const common = { activation: activationOf(forbidden, scope), anchorAt: forbidden.at }
  const evidence = [evidenceOf('anchor', forbidden)]
  if (forbidden.undoneAt !== null) {
    return newVerdict(expectation, scope, { ...common, state: 'void', evidenceAt: forbidden.undoneAt, evidence })
  }
  const detail = { never: expectation.never, after: expectation.after }
  if (expectation.after === null) return violated()

  let doubtful: Occurrence | null = null
  let standing: Occurrence | null = null
  let lifted: Occurrence | null = null
  for (const after of afters) {
    if (after.event === forbidden.event) continue
    const before = isAtOrBefore(after, forbidden)
    // They are in order of their latest time: one seen only between two reads may have begun before those that stand in front of it.
    if (before === 'no') continue
    if (after.undoneAt !== null && after.undoneAt <= forbidden.at) lifted = after
    else if (before === 'yes') standing ??= after
    else doubtful ??= after
  }
  if (standing !== null) {
    // Its lifting could stand in an event not yet read.
    const step = context.steps.get(expectation.after)
    if (step !== undefined && step.undoneWhen !== null) {
      const passing = hasPassed(context, [step.stream], forbidden.at)
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
    }
    evidence.push(evidenceOf('observed', standing))
    return violated()
  }
  if (doubtful !== null) {
    evidence.push(evidenceOf('observed', doubtful))
    return newVerdict(expectation, scope, { ...common, state: 'unknown', evidence, detail: { ...detail, reason: 'interval' } })
  }
  // What forbids it may stand in an event not yet read: that it was allowed is not known before.
  const step = context.steps.get(expectation.after)
  const passing = step === undefined ? null : hasPassed(context, [step.stream], forbidden.at)
  if (passing !== null && passing.state !== 'passed') {
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
  if (lifted !== null) evidence.push(evidenceOf('observed', lifted))
  return newVerdict(expectation, scope, { ...common, state: 'satisfied', evidenceAt: lifted?.undoneAt ?? forbidden.at, evidence })

  function violated(): Verdict {
    return newVerdict(expectation, scope, {
      ...common,
      state: 'violated',
      kind: 'unexpected',
      violations: 1,
      occurredAt: forbidden.at,
      evidence,
      detail,
    })
  }
}
