import { addApiToken, revokeApiToken } from '../../../db/records/api-tokens.ts'
import { sealing } from '../../../db/records/audit.ts'
import { AppError } from '../../../jobs/domain/errors.ts'
import type { Role } from '../../../jobs/domain/people/roles.ts'
import { requireActor } from '../../acting.ts'
import type { AppDeps } from '../../deps.ts'
import { tokenPrefix } from '../../who-acts.ts'
import { newId, newSecretToken } from './secret-token.ts'

const day = 24 * 3_600_000

/** A token for a machine. It is told once; afterwards only its hash is known. */
export async function makeApiToken(
  { workspace, wallNow }: AppDeps,
  asked: { readonly name: string; readonly role: Role; readonly days: number },
): Promise<{ readonly id: string; readonly token: string; readonly expiresAt: number }> {
  const actor = requireActor()
  const now = wallNow()
  const { token, tokenHash } = newSecretToken(tokenPrefix)
  const made = { id: newId(), name: asked.name, role: asked.role, createdAt: now, createdBy: actor.id, expiresAt: now + asked.days * day }
  await sealing(workspace.database.db, (tx) =>
    addApiToken(
      tx,
      workspace.id,
      { ...made, tokenHash },
      {
        ...{ act: 'token.make', actor: actor.id, at: workspace.clock.now(), target: { kind: 'token', id: made.id } },
        after: { name: asked.name, role: asked.role, days: asked.days },
      },
    ),
  )
  return { id: made.id, token, expiresAt: made.expiresAt }
}

export async function revokeToken({ workspace, wallNow }: AppDeps, id: string): Promise<void> {
  const actor = requireActor()
  const act = { act: 'token.revoke', actor: actor.id, at: workspace.clock.now(), target: { kind: 'token' as const, id } }
  const by = { by: actor.id, now: wallNow() }
  const isRevoked = await sealing(workspace.database.db, (tx) => revokeApiToken(tx, workspace.id, id, by, act))
  if (!isRevoked) throw new AppError('conflict', 'There is no such token, or it was revoked already.')
}
