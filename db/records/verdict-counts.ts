import type { Sql } from './bulk.ts'
import { countVerdicts, countViolatedJourneys, type ExpectationCount } from './expectations.ts'
import { type Counted, readCounts, type Tally } from './tallies.ts'

export interface VerdictCounts {
  /** Per promise and state: activations and violations (semantics.md 12–14). */
  readonly states: readonly ExpectationCount[]
  /** Per promise: journeys with at least one violation. */
  readonly journeys: readonly { readonly program: string; readonly expectation: string; readonly journeys: number }[]
}

export const verdictCounts: Tally<VerdictCounts> = {
  name: 'verdicts',
  count: async (sql, workspaceId) => {
    const [states, journeys] = await Promise.all([countVerdicts(sql, workspaceId), countViolatedJourneys(sql, workspaceId)])
    return { states: [...states], journeys: [...journeys] }
  },
}

/** How each promise stands: exact in small records, else as of the last count, at most some minutes ago. `now`: domain clock. */
export const readVerdictCounts = (sql: Sql, workspaceId: number, now: number): Promise<Counted<VerdictCounts>> =>
  readCounts(sql, workspaceId, verdictCounts, now)
