import { sealing } from '../../../db/records/audit.ts'
import { changePerson } from '../../../db/records/people.ts'
import { confirmSession, endSessionsOf, setEmergency } from '../../../db/records/sessions.ts'
import { AppError } from '../../../jobs/domain/errors.ts'
import { whyPasswordWillNotDo } from '../../../jobs/domain/people/password-rule.ts'
import { emergencyMs, isConfirmedRecently } from '../../../jobs/domain/people/session-life.ts'
import { hashPassword } from '../../../jobs/passwords.ts'
import { requireActor } from '../../acting.ts'
import type { AppDeps } from '../../deps.ts'
import { type Proof, prove, type SignInFrom } from './sign-in.ts'
import { readMyself } from './totp.ts'

/** Shows again that it is still the person who signed in: before what moves money, opens doors or changes how one signs in. */
export async function confirmMyself(deps: AppDeps, proof: Proof, from: SignInFrom): Promise<void> {
  const person = await readMyself(deps)
  const { sessionId } = requireActor()
  if (!person.isDemo) {
    const proven = await prove(deps, person, proof, { account: person.email, ...from }).catch((error: unknown) => {
      // They stay signed in: it is this one act that is refused.
      throw error instanceof AppError && error.code === 'unauthenticated'
        ? new AppError('forbidden', 'The password or the code is wrong.')
        : error
    })
    if (proven === 'code') throw new AppError('invalid_input', 'The code of your authenticator is missing.')
  }
  if (sessionId !== null) await confirmSession(deps.workspace.database.db, deps.workspace.id, sessionId, deps.wallNow())
}

/**
 * For acts that need it: their command calls this first.
 * @throws AppError forbidden unless the password was given within the last five minutes. A machine has none to give.
 */
export function requireConfirmed(deps: Pick<AppDeps, 'wallNow'>): void {
  const actor = requireActor()
  if (actor.by === 'machine' || isConfirmedRecently(actor.confirmedAt, deps.wallNow())) return
  throw new AppError('forbidden', 'Confirm first that it is you: give your password again, then repeat this within five minutes.')
}

export async function changePassword(deps: AppDeps, asked: Proof & { readonly next: string }, from: SignInFrom): Promise<void> {
  const person = await readMyself(deps)
  const { workspace } = deps
  if (person.isDemo) throw new AppError('conflict', 'The people of the demo have no password.')
  await confirmMyself(deps, asked, from)
  const why = whyPasswordWillNotDo(asked.next, person)
  if (why !== null) throw new AppError('invalid_input', why)
  const password = await hashPassword(asked.next)
  const act = { act: 'person.password', actor: person.id, at: workspace.clock.now(), target: { kind: 'person' as const, id: person.id } }
  await sealing(workspace.database.db, async (tx) => {
    if (!(await changePerson(tx, workspace.id, person, { password }, act)))
      throw new AppError('conflict', 'You were changed a moment ago, perhaps in another window. Try again.')
    await endSessionsOf(tx, workspace.id, person.id, deps.wallNow(), requireActor().sessionId)
  })
}

/** Opens what a break-glass role may open, for an hour and for a reason others will read. */
export async function openEmergency(deps: AppDeps, reason: string): Promise<number> {
  const actor = requireActor()
  const { workspace } = deps
  if (!actor.roles.includes('break-glass')) throw new AppError('forbidden', 'Only people with the role break-glass can open an emergency.')
  if (actor.sessionId === null) throw new AppError('forbidden', 'An emergency is opened by a person who is signed in.')
  const { sessionId } = actor
  const until = deps.wallNow() + emergencyMs
  const act = {
    act: 'emergency.open',
    actor: actor.id,
    at: workspace.clock.now(),
    target: { kind: 'session' as const, id: sessionId },
    reason,
  }
  await sealing(workspace.database.db, (tx) => setEmergency(tx, workspace.id, sessionId, { until, reason }, act))
  return until
}

export async function closeEmergency({ workspace }: AppDeps): Promise<void> {
  const { id, sessionId, emergencyUntil } = requireActor()
  if (sessionId === null || emergencyUntil === null) throw new AppError('conflict', 'No emergency is open.')
  const act = { act: 'emergency.close', actor: id, at: workspace.clock.now(), target: { kind: 'session' as const, id: sessionId } }
  await sealing(workspace.database.db, (tx) => setEmergency(tx, workspace.id, sessionId, null, act))
}
