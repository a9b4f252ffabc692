import type { Sql } from './bulk.ts'

export interface ExpectationCount {
  readonly program: string
  readonly expectation: string
  /** Index in `verdictStates`. */
  readonly state: number
  /** Rows: those of void activations count for no activation (semantics.md 12). */
  readonly verdicts: number
  readonly activations: number
  readonly violations: number
}

/** Per expectation and state: activations and violations (semantics.md 12–14). */
export async function countVerdicts(sql: Sql, workspaceId: number): Promise<ExpectationCount[]> {
  return sql<
    ExpectationCount[]
  >`select program, expectation, state, count(*)::int as verdicts, sum(activations)::int as activations, sum(violations)::int as violations
    from verdicts where workspace_id = ${workspaceId} group by program, expectation, state order by program, expectation, state`
}

/** Per expectation: how many journeys have at least one violation. */
export async function countViolatedJourneys(
  sql: Sql,
  workspaceId: number,
): Promise<{ program: string; expectation: string; journeys: number }[]> {
  return sql<{ program: string; expectation: string; journeys: number }[]>`
    select program, expectation, count(distinct journey_id)::int as journeys from verdicts
    where workspace_id = ${workspaceId} and violations > 0 group by program, expectation`
}

/** Journeys that keep the earlier version of their program they ended under. */
export async function countKeptJourneys(sql: Sql, workspaceId: number): Promise<number> {
  const [row] = await sql<{ journeys: number }[]>`
    select count(*)::int as journeys from journeys j
    join programs p on p.workspace_id = j.workspace_id and p.key = j.program and p.current_version > j.program_version
    where j.workspace_id = ${workspaceId}`
  return row?.journeys ?? 0
}
