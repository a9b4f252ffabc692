import { and, eq, inArray } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { type FindingRow, findings } from '../schema/findings.ts'

/** In no order; ids nobody has are left out. */
export async function readFindingsById(db: Db, workspaceId: number, ids: readonly string[]): Promise<FindingRow[]> {
  if (ids.length === 0) return []
  return db
    .select()
    .from(findings)
    .where(and(eq(findings.workspaceId, workspaceId), inArray(findings.id, [...ids])))
}
