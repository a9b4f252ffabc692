import type { BelongsExpectation } from '../program.ts'
import type { ExpectationKind, Verdict } from './expectation.ts'
import { activationOf, evidenceOf, newVerdict } from './new-verdict.ts'
import { hasPassed } from './watermark.ts'

/** `belongs: step, within: 1h`: an occurrence that is in no journey by then is an `orphan`. Its scope is a journey, or what lies outside of all. */
export const belongs: ExpectationKind<BelongsExpectation> = {
  kind: 'belongs',
  streams: (_expectation, steps) => [...new Set([...steps.values()].map((step) => step.stream))].sort(),
  judge(expectation, scope, context) {
    const verdicts: Verdict[] = []
    for (const occurrence of scope.of(expectation.step)) {
      const dueAt = occurrence.at + expectation.withinMs
      const common = {
        activation: activationOf(occurrence, scope),
        dueAt,
        anchorAt: occurrence.at,
        evidence: [evidenceOf('anchor', occurrence)],
      }
      if (occurrence.undoneAt !== null) {
        verdicts.push(newVerdict(expectation, scope, { ...common, state: 'void', evidenceAt: occurrence.undoneAt }))
        continue
      }
      if (!scope.isOutside) {
        verdicts.push(newVerdict(expectation, scope, { ...common, state: 'satisfied', evidenceAt: scope.startedAt }))
        continue
      }
      const detail = { step: expectation.step }
      const passing = hasPassed(context, context.programStreams ?? belongs.streams(expectation, context.steps), dueAt)
      if (passing.state === 'passed') {
        verdicts.push(
          newVerdict(expectation, scope, { ...common, state: 'violated', kind: 'orphan', violations: 1, occurredAt: dueAt, detail }),
        )
      } else {
        const unread = passing.state === 'unknown' ? passing.unread : null
        verdicts.push(newVerdict(expectation, scope, { ...common, state: passing.state, unread, wakes: passing.wakes, detail }))
      }
    }
    return verdicts
  },
}
