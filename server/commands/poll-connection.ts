import { sealing } from '../../db/records/audit.ts'
import { noteConnectionAct, readConnection } from '../../db/records/connections.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import type { AppDeps } from '../deps.ts'

/** Asks the engine to read a connection ahead of its schedule. */
export async function pollConnectionNow(deps: AppDeps, id: string): Promise<void> {
  const { database, id: workspaceId, clock } = deps.workspace
  const found = await readConnection(database.db, workspaceId, id)
  if (!found) throw new AppError('not_found', `There is no connection ${id}.`)
  if (!found.connection.enabled) throw new AppError('conflict', `Connection ${id} is no longer configured, so it is not read.`)
  if (found.connection.pausedAt !== null) throw new AppError('conflict', `Connection ${id} is paused. Resume it: then it is read at once.`)
  await sealing(database.db, async (tx) => {
    await noteConnectionAct(tx, workspaceId, id, 'connection.poll', { actor: deps.me.id, at: clock.now() })
    await deps.poll(id, tx)
  })
}
