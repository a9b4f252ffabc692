import type { DbTransaction } from '../../../db/client.ts'
import { beginSession as addSession } from '../../../db/records/sessions.ts'
import { demoSessionRule, sessionRule } from '../../../jobs/domain/people/session-life.ts'
import type { AppDeps } from '../../deps.ts'
import { newId, newSecretToken } from './secret-token.ts'

export interface BegunSession {
  /** For the cookie; only its hash is stored. */
  readonly token: string
  readonly maxAgeMs: number
}

export type SignedInBy = 'password' | 'link' | 'demo'

/** A session of its own at every sign-in: a token known before never becomes one (fixation). */
export async function beginSession(
  { workspace, wallNow }: AppDeps,
  tx: DbTransaction,
  person: { readonly id: string; readonly isDemo: boolean },
  by: SignedInBy,
): Promise<BegunSession> {
  const { idleMs, atMostMs } = person.isDemo ? demoSessionRule : sessionRule
  const now = wallNow()
  const { token, tokenHash } = newSecretToken()
  const id = newId()
  const times = { createdAt: now, idleMs, endsAt: now + atMostMs, confirmedAt: by === 'password' ? now : null }
  await addSession(
    tx,
    workspace.id,
    { id, tokenHash, personId: person.id, ...times },
    {
      act: 'session.begin',
      actor: person.id,
      at: workspace.clock.now(),
      target: { kind: 'session', id },
      after: { by },
    },
  )
  return { token, maxAgeMs: atMostMs }
}
