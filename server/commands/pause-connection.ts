import { readConnection, setPaused } from '../../db/records/connections.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import type { AppDeps } from '../deps.ts'

/** Stops reading a connection until someone resumes it: it is not fresh meanwhile, and what happens in it is unknown. */
export async function pauseConnection(deps: AppDeps, id: string, reason: string): Promise<void> {
  const { database, id: workspaceId, clock } = deps.workspace
  await requireConfigured(deps, id)
  const isNow = await setPaused(database.sql, workspaceId, id, { reason }, { actor: deps.me.id, at: clock.now() })
  if (!isNow) throw new AppError('conflict', `Connection ${id} is paused already. Read it again, then decide.`)
}

/** Reads a paused connection again: at once, and then on its schedule. */
export async function resumeConnection(deps: AppDeps, id: string): Promise<void> {
  const { database, id: workspaceId, clock } = deps.workspace
  await requireConfigured(deps, id)
  const isNow = await setPaused(database.sql, workspaceId, id, null, { actor: deps.me.id, at: clock.now() })
  if (!isNow) throw new AppError('conflict', `Connection ${id} is not paused: someone resumed it first.`)
  await database.db.transaction((tx) => deps.poll(id, tx))
}

async function requireConfigured({ workspace }: AppDeps, id: string): Promise<void> {
  const found = await readConnection(workspace.database.db, workspace.id, id)
  if (!found) throw new AppError('not_found', `There is no connection ${id}.`)
  if (!found.connection.enabled) throw new AppError('conflict', `Connection ${id} is no longer configured, so it is not read.`)
}
