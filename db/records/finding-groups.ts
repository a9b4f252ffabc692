import { sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { findings } from '../schema/findings.ts'
import type { Severity } from '../schema/words.ts'
import type { FindingFilter } from './findings.ts'
import { whereFindings } from './findings.ts'

const columns = {
  expectation: sql`${findings.expectation}`,
  owner: sql`${findings.owner}`,
  kind: sql`${findings.kind}`,
  severity: sql`${findings.severity}`,
  status: sql`${findings.status}`,
  program: sql`coalesce(${findings.program}, '')`,
  site: sql`coalesce(${findings.site}, '')`,
  subject: sql`coalesce(replace(${findings.subjectId}::text, '-', ''), '')`,
}
export const findingGroupings = ['expectation', 'owner', 'connection', 'kind', 'severity', 'status', 'program', 'site', 'subject'] as const
export type FindingGrouping = (typeof findingGroupings)[number]

export interface FindingGroup {
  readonly value: string
  readonly count: number
  readonly worst: Severity
  readonly overdue: number
  /** Epoch ms. */
  readonly oldestOpenedAt: number
  readonly [column: string]: unknown
}

/**
 * What matches, by the values of one field, largest group first. A finding that concerns two connections stands under both,
 * so those groups may add up to more than the findings.
 */
export async function groupFindings(
  db: Db,
  workspaceId: number,
  filter: FindingFilter,
  { by, now, limit }: { readonly by: FindingGrouping; readonly now: number; readonly limit: number },
): Promise<FindingGroup[]> {
  const isConnection = by === 'connection'
  const value = isConnection ? sql`each.connection` : columns[by]
  const from = isConnection
    ? sql`${findings} cross join lateral (select distinct split_part(stream, '.', 1) as connection from unnest(${findings.streams}) as stream) each`
    : sql`${findings}`
  const rows = await db.execute<FindingGroup>(sql`
    select ${value} as value, count(*)::int as count,
      (array['critical', 'high', 'medium', 'low'])[min(array_position(array['critical', 'high', 'medium', 'low'], ${findings.severity}))] as worst,
      (count(*) filter (where ${findings.dueAt} < ${new Date(now).toISOString()}::timestamptz and ${findings.closedAt} is null))::int as overdue,
      (date_part('epoch', min(${findings.openedAt})) * 1000)::float8 as "oldestOpenedAt"
    from ${from} where ${whereFindings(workspaceId, filter)}
    group by 1 order by 2 desc, 1 limit ${limit}`)
  return rows as unknown as FindingGroup[]
}
