import type { Expectation } from './program.ts'
import { kindsOf } from './promise.ts'
import type { RunbookScope } from './runbook.ts'

/** The steps a promise speaks of. */
export function stepsOfExpectation(expectation: Expectation): string[] {
  switch (expectation.kind) {
    case 'follows':
      return [expectation.after, expectation.expect]
    case 'at_most':
      return [expectation.of]
    case 'order':
      return [expectation.first, expectation.then]
    case 'never':
      return expectation.after === null ? [expectation.never] : [expectation.never, expectation.after]
    case 'belongs':
      return [expectation.step]
    case 'agree':
    case 'stuck':
      return []
  }
}

/** What a finding is, as far as a scope can tell. `steps`: those its promise speaks of; null: not known any more. */
export interface ScopedFinding {
  readonly kind: string
  readonly program: string | null
  readonly expectation: string
  readonly steps: readonly string[] | null
}

/** Why a runbook is not for this finding; null: it is. */
export function whyNotFor(scope: RunbookScope, finding: ScopedFinding): string | null {
  if (scope.kinds.length > 0 && !scope.kinds.includes(finding.kind))
    return `it is for findings of the kind ${scope.kinds.join(' or ')}, and this is ${finding.kind}`
  if (scope.programs.length > 0 && (finding.program === null || !scope.programs.includes(finding.program)))
    return `it is for the program ${scope.programs.join(' or ')}, and this finding is of ${finding.program ?? 'none'}`
  if (scope.expectations.length > 0 && !scope.expectations.includes(finding.expectation))
    return `it is for the expectation ${scope.expectations.join(' or ')}, and this finding is of ${finding.expectation}`
  if (scope.steps.length > 0 && !(finding.steps ?? []).some((step) => scope.steps.includes(step)))
    return `it is for promises about ${scope.steps.join(' or ')}, and this one speaks of ${(finding.steps ?? []).join(' and ') || 'no step'}`
  return null
}

/** Whether some finding of this promise is one the runbook may run on. */
export function mayServe(scope: RunbookScope, program: string, expectation: Expectation): boolean {
  return kindsOf(expectation).some(
    (kind) => whyNotFor(scope, { kind, program, expectation: expectation.name, steps: stepsOfExpectation(expectation) }) === null,
  )
}
