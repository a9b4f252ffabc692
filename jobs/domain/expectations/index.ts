import type { Expectation } from '../program.ts'
import { agree } from './agree.ts'
import { atMost } from './at-most.ts'
import { belongs } from './belongs.ts'
import type { ExpectationKind, JudgeContext, Scope, Verdict } from './expectation.ts'
import { follows } from './follows.ts'
import { never } from './never.ts'
import { order } from './order.ts'
import { stuck } from './stuck.ts'

export const expectationKinds = [follows, atMost, order, never, agree, stuck, belongs] as const

const byKind: ReadonlyMap<string, ExpectationKind> = new Map(
  expectationKinds.map((kind) => [kind.kind, kind as unknown as ExpectationKind]),
)

/** The kind of promise an expectation is. Each kind only ever meets its own. */
export function kindOf(expectation: Expectation): ExpectationKind {
  const kind = byKind.get(expectation.kind)
  if (kind === undefined)
    throw new TypeError(`No judge for expectations of kind "${expectation.kind}". Add its file to jobs/domain/expectations/index.ts.`)
  return kind
}

export function judgeScope(expectation: Expectation, scope: Scope, context: JudgeContext): readonly Verdict[] {
  return kindOf(expectation).judge(expectation, scope, context)
}
