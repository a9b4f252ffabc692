import { sealing } from '../../db/records/audit.ts'
import type { Sql } from '../../db/records/bulk.ts'
import { readComponentFindings, writeFindingChanges } from '../../db/records/finding-changes.ts'
import { readSights } from '../../db/records/sights.ts'
import { decideStreamFindings } from '../domain/decide-stream-findings.ts'
import type { Finding, Routing } from '../domain/finding.ts'
import { noComponent } from '../domain/finding.ts'

/** Judges our own sight: streams not read (`blind`) and shapes that changed (`schema_drift`). One set of rows per workspace. */
export async function judgeStreams(
  sql: Sql,
  deps: { readonly workspaceId: number; readonly workspaceKey: string; readonly routing: Routing; readonly now: () => number },
): Promise<number> {
  return sealing(sql, async (tx) => {
    await tx`select pg_advisory_xact_lock(hashtextextended('throughline.judge-streams', ${deps.workspaceId}::bigint))`
    const sights = await readSights(tx, deps.workspaceId)
    const existing = await readComponentFindings(tx, deps.workspaceId, [noComponent])
    const changes = decideStreamFindings(
      sights,
      existing.map((row) => row.finding as unknown as Finding),
      {
        now: deps.now(),
        routing: deps.routing,
        workspaceKey: deps.workspaceKey,
      },
    )
    await writeFindingChanges(
      tx,
      deps.workspaceId,
      [],
      changes.map((change) => ({ componentId: noComponent, change })),
      deps.now(),
    )
    return changes.length
  })
}
