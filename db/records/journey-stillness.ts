import type { Sql } from './bulk.ts'
import { instant } from './bulk.ts'
import { type Counted, readCounts, type Tally } from './tallies.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** How long nothing has happened in a journey, in steps: below the first, between two, and beyond the last. */
export const stillnessEdgesMs: readonly number[] = [hourMs, 6 * hourMs, dayMs, 3 * dayMs, 7 * dayMs, 30 * dayMs]

export interface StageStillness {
  readonly program: string
  readonly stage: string
  /** Index of the step: 0 below the first edge. */
  readonly step: number
  /** Going on. */
  readonly journeys: number
  /** Of these, with at least one open finding. */
  readonly withFindings: number
}

/** `now`: the domain clock the stillness is measured by. */
export const stillnessCounts = (now: number): Tally<StageStillness[]> => ({
  name: 'stillness',
  count: async (sql, workspaceId) => [
    ...(await sql<StageStillness[]>`
      with troubled as (
        select distinct part, journey_id from findings where workspace_id = ${workspaceId} and journey_id is not null
          and status in ('open', 'acknowledged', 'acting', 'verifying', 'verification_failed'))
      select j.program, j.stage,
        width_bucket(date_part('epoch', ${instant(now)}::timestamptz - j.last_event_at) * 1000, ${[...stillnessEdgesMs]}::float8[]) as step,
        count(*)::int as journeys, count(t.journey_id)::int as "withFindings"
      from journeys j left join troubled t on t.part = j.part and t.journey_id = j.id
      where j.workspace_id = ${workspaceId} and j.ended_at is null group by 1, 2, 3 order by 1, 2, 3`),
  ],
})

/** Where journeys that go on stand, and for how long: exact in small records, else as of the last count. */
export const readStillness = (sql: Sql, workspaceId: number, now: number): Promise<Counted<StageStillness[]>> =>
  readCounts(sql, workspaceId, stillnessCounts(now), now)
