import type { ReportedWorkspace } from './close-days.ts'
import { closeDays, dueDays } from './close-days.ts'

/** Whether a day waits to be closed. */
export async function waitsForReports(workspace: ReportedWorkspace): Promise<boolean> {
  return (await dueDays(workspace.database.sql, workspace)).length > 0
}

/** Closes the days that are over. Safe to run twice. */
export async function runReports(workspace: ReportedWorkspace, _: { readonly signal?: AbortSignal } = {}): Promise<{ closed: number }> {
  return { closed: (await closeDays(workspace)).length }
}
