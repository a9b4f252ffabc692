import { acceptQuarantined } from '../../db/records/quarantine.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import type { AppDeps } from '../deps.ts'

/** Accepts that a record cannot be read: it no longer makes absence in its stream count for nothing, from the next pass on. */
export async function acceptQuarantinedRecord(
  deps: AppDeps,
  connection: string,
  { stream, rawHash, reason }: { readonly stream: string; readonly rawHash: string; readonly reason: string },
): Promise<void> {
  const { database, id: workspaceId, clock } = deps.workspace
  const isNow = await acceptQuarantined(database.sql, workspaceId, {
    connection,
    stream,
    rawHash,
    reason,
    actor: deps.me.id,
    at: clock.now(),
  })
  if (!isNow) throw new AppError('conflict', 'No such record stands set aside in this stream, or someone accepted it first.')
}
