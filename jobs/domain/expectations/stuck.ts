import type { StuckExpectation } from '../program.ts'
import type { Evidence, ExpectationKind, Scope } from './expectation.ts'
import { evidenceOfEvent, newVerdict } from './new-verdict.ts'
import { hasPassed } from './watermark.ts'

/** `stuck_after: 10d`: a journey that has not ended and in which nothing moved for that long. */
export const stuck: ExpectationKind<StuckExpectation> = {
  kind: 'stuck',
  streams: (_expectation, steps) => [...new Set([...steps.values()].map((step) => step.stream))].sort(),
  judge(expectation, scope, context) {
    const activation = scope.key
    const isOver = scope.endReason === 'ends' || scope.endReason === 'final'
    const dueAt = scope.lastEventAt + expectation.afterMs
    const common = { activation, dueAt, anchorAt: scope.startedAt }
    if (isOver) return [newVerdict(expectation, scope, { ...common, state: 'satisfied', evidenceAt: scope.endedAt })]
    const streams = context.programStreams ?? stuck.streams(expectation, context.steps)
    const passing = hasPassed(context, streams, dueAt)
    if (passing.state === 'pending') {
      return [newVerdict(expectation, scope, { ...common, state: 'pending', evidenceAt: scope.lastEventAt, wakes: passing.wakes })]
    }
    const detail = { stage: scope.stage, afterMs: expectation.afterMs }
    if (passing.state === 'unknown') {
      return [newVerdict(expectation, scope, { ...common, state: 'unknown', unread: passing.unread, wakes: passing.wakes, detail })]
    }
    return [
      newVerdict(expectation, scope, {
        ...common,
        state: 'violated',
        kind: 'stuck',
        violations: 1,
        occurredAt: dueAt,
        evidence: lastEvidence(scope),
        detail,
      }),
    ]
  },
}

function lastEvidence({ lastEvent }: Scope): readonly Evidence[] {
  return lastEvent === null ? [] : [evidenceOfEvent('anchor', lastEvent.record, lastEvent.event)]
}
