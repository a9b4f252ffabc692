import { readConnection } from '../../db/records/connections.ts'
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
  if (!(await readConnection(database.db, workspaceId, connection)))
    throw new AppError('not_found', `There is no connection ${connection}.`)
  const why = whyNotAccepted(deps, connection, stream)
  if (why !== null) throw new AppError('conflict', why)
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

/** A file counts its rows itself: what is not mended there is set aside again, accepted or not. */
export function whyNotAccepted({ workspace }: Pick<AppDeps, 'workspace'>, connection: string, stream: string): string | null {
  const streams = workspace.configuration.connections.find(({ id }) => id === connection)?.streams ?? []
  const isFile = streams.some(({ name, cursor }) => name === stream && cursor === 'file')
  return isFile ? 'A row of a file is mended in the file: save it again, and it is read anew.' : null
}
