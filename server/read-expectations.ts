import { countVerdicts, countViolatedJourneys } from '../db/records/expectations.ts'
import type { VerdictCounts } from '../db/records/verdict-counts.ts'
import { verdictStates } from '../db/schema/words.ts'
import type { Expectation, Program } from '../jobs/domain/program.ts'
import type { Workspace } from '../jobs/open-workspace.ts'
import { promiseOf, titleOf } from './journey-view.ts'
import { promisesOf } from '../jobs/domain/program-versions.ts'
import { namesOf } from './view-context.ts'

export interface ExpectationSummary {
  readonly program: string
  readonly expectation: string
  readonly title: string
  readonly promise: string
  readonly severity: string
  readonly owner: string | null
  readonly budget: number | null
  /** Every activation there is (semantics.md 12), whatever its verdict; of `at_most` each occurrence that could have been one too many. */
  readonly activations: number
  readonly states: Readonly<Record<string, number>>
  /** Semantics 13 and 14: gap and late count one, closed ones included; `at_most` each occurrence beyond the limit. */
  readonly violations: number
  /** Journeys with at least one violation. */
  readonly journeys: number
}

/** A promise, what it is part of, and every name its verdicts and findings go by. */
export interface KnownPromise {
  readonly program: Program
  readonly expectation: Expectation
  readonly called: ReadonlySet<string>
  readonly isInForce: boolean
}

/** One line per promise of the programs in force, and per promise of an earlier version that journeys which ended under it still keep. */
export async function readExpectations(
  workspace: Pick<Workspace, 'id' | 'database' | 'judging' | 'configuration'>,
): Promise<ExpectationSummary[]> {
  const { sql } = workspace.database
  const [states, journeys] = await Promise.all([countVerdicts(sql, workspace.id), countViolatedJourneys(sql, workspace.id)])
  return summarise(workspace, { states, journeys }).map(({ summary }) => summary)
}

/** The same from counts that were taken before. */
export function summarise(
  workspace: Pick<Workspace, 'judging' | 'configuration'>,
  counts: VerdictCounts,
): { readonly promise: KnownPromise; readonly summary: ExpectationSummary }[] {
  const names = namesOf(workspace)
  return workspace.judging.programs.flatMap((inForce) =>
    promisesOf(inForce).flatMap((promise) => {
      const { program, expectation, called, isInForce } = promise
      const isOwn = (row: { readonly program: string; readonly expectation: string }) =>
        row.program === program.key && called.has(row.expectation)
      const own = counts.states.filter(isOwn)
      if (own.length === 0 && !isInForce) return []
      const states: Record<string, number> = {}
      for (const row of own) {
        const state = verdictStates[row.state] ?? 'unknown'
        states[state] = (states[state] ?? 0) + row.activations
      }
      return {
        promise,
        summary: {
          program: program.key,
          expectation: expectation.name,
          title: titleOf(program, expectation.name, names(program.key)),
          promise: promiseOf(expectation, names(program.key)) ?? expectation.name,
          severity: expectation.severity,
          owner: expectation.owner,
          budget: expectation.budget,
          activations: own.reduce((sum, row) => sum + row.activations, 0),
          states,
          violations: own.reduce((sum, row) => sum + row.violations, 0),
          journeys: counts.journeys.filter(isOwn).reduce((sum, row) => sum + row.journeys, 0),
        },
      }
    }),
  )
}
