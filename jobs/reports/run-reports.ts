import { hasDueDeliveries } from '../../db/records/report-deliveries.ts'
import type { ReportedWorkspace } from './close-days.ts'
import { closeDays, dueDays } from './close-days.ts'
import { deliverReports } from './deliver.ts'

/** Whether a day waits to be closed, or a report to be sent. */
export async function waitsForReports(workspace: ReportedWorkspace, wallNow = Date.now()): Promise<boolean> {
  const { sql } = workspace.database
  return (await dueDays(sql, workspace)).length > 0 || hasDueDeliveries(sql, workspace.id, wallNow)
}

/** Closes the days that are over and sends what is due. Safe to run twice. */
export async function runReports(
  workspace: ReportedWorkspace,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<{ closed: number; sent: number; failed: number }> {
  const closed = (await closeDays(workspace)).length
  return { closed, ...(await deliverReports(workspace, signal === undefined ? {} : { signal })) }
}
