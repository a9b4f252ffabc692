import { and, asc, eq } from 'drizzle-orm'
import type { Db } from '../client.ts'
import type { AuditRow } from '../schema/audit.ts'
import { audit } from '../schema/audit.ts'

/** Everything done to one thing, oldest first. */
export async function readActs(db: Db, workspaceId: number, targetKind: string, targetId: string): Promise<AuditRow[]> {
  return db
    .select()
    .from(audit)
    .where(and(eq(audit.workspaceId, workspaceId), eq(audit.targetKind, targetKind), eq(audit.targetId, targetId)))
    .orderBy(asc(audit.recordedAt), asc(audit.id))
    .limit(1000)
}
