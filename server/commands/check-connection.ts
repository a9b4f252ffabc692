import { noteCheck, readConnection } from '../../db/records/connections.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import type { AppDeps } from '../deps.ts'

/** Asks a tool whether it answers us, now. Stores what it said; nothing is read. */
export async function checkConnection(deps: AppDeps, id: string): Promise<{ ok: boolean; message: string; whatToDo: string | null }> {
  const { database, id: workspaceId, clock } = deps.workspace
  if (!(await readConnection(database.db, workspaceId, id))) throw new AppError('not_found', `There is no connection ${id}.`)
  const result = await deps.check(id)
  const failing = result.ok ? result.streams.filter((stream) => !stream.ok) : []
  const answer = result.ok
    ? {
        ok: failing.length === 0,
        message: failing[0]?.message ?? `It answers; ${result.streams.length} streams can be read.`,
        whatToDo: failing.length === 0 ? null : 'Give the key the rights to read these streams, then check again.',
      }
    : {
        ok: false,
        message: result.message,
        whatToDo: result.reason === 'auth' ? 'Replace the key and check again.' : 'Mend what the message names, then check again.',
      }
  await noteCheck(database.db, workspaceId, id, { actor: deps.me.id, at: clock.now() }, answer)
  return answer
}
