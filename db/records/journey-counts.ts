import type { Sql } from './bulk.ts'
import { type Counted, readCounts, type Tally } from './tallies.ts'

export interface StageCount {
  readonly program: string
  readonly stage: string
  /** Ended journeys keep the stage they reached. */
  readonly ended: boolean
  readonly journeys: number
  /** Of these, with at least one open finding. */
  readonly withFindings: number
}

export const stageCounts: Tally<StageCount[]> = {
  name: 'stages',
  count: async (sql, workspaceId) => [
    ...(await sql<StageCount[]>`
      with troubled as (
        select distinct j.part, j.id from findings f
        join journeys j on j.workspace_id = f.workspace_id and j.part = f.part and j.id = f.journey_id
        where f.workspace_id = ${workspaceId} and f.status in ('open', 'acknowledged', 'acting', 'verifying', 'verification_failed'))
      select j.program, j.stage, j.ended_at is not null as ended, count(*)::int as journeys, count(t.id)::int as "withFindings"
      from journeys j left join troubled t on t.part = j.part and t.id = j.id
      where j.workspace_id = ${workspaceId} group by 1, 2, 3 order by 1, 2, 3`),
  ],
}

/** How many journeys stand at each stage: exact in small records, else as of the last count. `now`: domain clock. */
export const readStageCounts = (sql: Sql, workspaceId: number, now: number): Promise<Counted<StageCount[]>> =>
  readCounts(sql, workspaceId, stageCounts, now)
