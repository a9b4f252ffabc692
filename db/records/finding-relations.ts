import { and, desc, isNotNull, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { findings } from '../schema/findings.ts'
import type { FindingStatus } from '../schema/words.ts'
import type { FindingFilter } from './findings.ts'
import { whereFindings } from './findings.ts'

export interface Ending {
  readonly status: FindingStatus
  readonly reason: string | null
  readonly count: number
  /** Half of them took at most this long from found to ended, ms of domain time. */
  readonly medianMs: number
}

/** How what matches ended, the most frequent way first. */
export async function countEndings(db: Db, workspaceId: number, filter: FindingFilter): Promise<Ending[]> {
  return db
    .select({
      status: findings.status,
      reason: findings.closedReason,
      count: sql<number>`count(*)::int`,
      medianMs: sql<number>`round(percentile_cont(0.5) within group (order by date_part('epoch', ${findings.closedAt} - ${findings.openedAt})) * 1000)`,
    })
    .from(findings)
    .where(and(whereFindings(workspaceId, filter), isNotNull(findings.closedAt)))
    .groupBy(findings.status, findings.closedReason)
    .orderBy(desc(sql`count(*)`))
}

/** Who holds claims among what matches. */
export async function countClaims(db: Db, workspaceId: number, filter: FindingFilter): Promise<{ who: string; count: number }[]> {
  return db
    .select({ who: sql<string>`${findings.claimedBy}`, count: sql<number>`count(*)::int` })
    .from(findings)
    .where(and(whereFindings(workspaceId, filter), isNotNull(findings.claimedBy)))
    .groupBy(findings.claimedBy)
    .orderBy(desc(sql`count(*)`))
}
