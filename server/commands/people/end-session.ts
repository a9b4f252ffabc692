import { sealing } from '../../../db/records/audit.ts'
import { endSession as end } from '../../../db/records/sessions.ts'
import { AppError } from '../../../jobs/domain/errors.ts'
import { requireActor } from '../../acting.ts'
import type { AppDeps } from '../../deps.ts'

/** Ends a session of one's own: this one, or that of another browser. */
export async function endSession({ workspace, wallNow }: AppDeps, id: string | null): Promise<void> {
  const actor = requireActor()
  const ended = id ?? actor.sessionId
  if (ended === null) throw new AppError('conflict', 'You act without a session here, so there is none to end.')
  const act = { act: 'session.end', actor: actor.id, at: workspace.clock.now(), target: { kind: 'session' as const, id: ended } }
  const isEnded = await sealing(workspace.database.db, (tx) => end(tx, workspace.id, { id: ended, personId: actor.id }, wallNow(), act))
  if (!isEnded && id !== null) throw new AppError('not_found', 'You have no such session.')
}
