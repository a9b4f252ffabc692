import type { NewAct } from '../../db/records/audit.ts'
import { sealing, writeActs } from '../../db/records/audit.ts'
import type { Sql } from '../../db/records/bulk.ts'

export const actOf = (n: number, of: Partial<NewAct> = {}): NewAct => ({
  at: Date.UTC(2026, 0, 1) + n,
  actor: 'local-owner',
  act: 'finding.claim',
  targetKind: 'finding',
  targetId: `finding-${n}`,
  reason: `reason ${n}`,
  before: { status: 'open' },
  after: { status: 'acknowledged', n },
  ...of,
})

/** One transaction with so many acts. */
export async function act(sql: Sql, workspaceId: number, n: number, rows = 1): Promise<void> {
  await sealing(sql, (tx) =>
    writeActs(
      tx,
      workspaceId,
      Array.from({ length: rows }, (_, i) => actOf(n * 10 + i)),
    ),
  )
}
