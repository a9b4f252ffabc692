import { sealing } from '../../../db/records/audit.ts'
import { addInvite, endInvite, findInvite, withdrawInvites } from '../../../db/records/invites.ts'
import { addPerson, changePerson, hasPeople, lockPeople, readPerson, readPersonByEmail } from '../../../db/records/people.ts'
import { endSessionsOf } from '../../../db/records/sessions.ts'
import type { InviteRow } from '../../../db/schema/people.ts'
import { AppError } from '../../../jobs/domain/errors.ts'
import { whyPasswordWillNotDo } from '../../../jobs/domain/people/password-rule.ts'
import type { Role } from '../../../jobs/domain/people/roles.ts'
import { hashPassword } from '../../../jobs/passwords.ts'
import { requireActor } from '../../acting.ts'
import type { AppDeps } from '../../deps.ts'
import { hashToken } from '../../who-acts.ts'
import { type BegunSession, beginSession } from './begin-session.ts'
import { newId, newSecretToken } from './secret-token.ts'

const day = 24 * 3_600_000
/** A link that makes an administrator is in a terminal's history: it opens for a day. */
const firstForMs = day
const invitedForMs = 7 * day
const resetForMs = day

export interface OneTimeLink {
  readonly id: string
  /** Given away once; only its hash is stored. */
  readonly token: string
  readonly expiresAt: number
}

/** The link for the first administrator; null where there are people. An older one no longer opens. */
export async function makeFirstLink({ workspace, wallNow }: Pick<AppDeps, 'workspace' | 'wallNow'>): Promise<OneTimeLink | null> {
  const now = wallNow()
  return sealing(workspace.database.db, async (tx) => {
    await lockPeople(tx, workspace.id)
    if (await hasPeople(tx, workspace.id)) return null
    await withdrawInvites(tx, workspace.id, { kind: 'first' }, now)
    const { token, tokenHash } = newSecretToken()
    const link = { id: newId(), token, expiresAt: now + firstForMs }
    await addInvite(
      tx,
      workspace.id,
      {
        ...{ id: link.id, tokenHash, kind: 'first', email: null, name: null, roles: ['admin'], personId: null },
        ...{ createdAt: now, createdBy: 'throughline', expiresAt: link.expiresAt },
      },
      { act: 'person.first_link', actor: 'throughline', at: workspace.clock.now(), target: { kind: 'invite', id: link.id } },
    )
    return link
  })
}

export async function invitePerson(
  { workspace, wallNow }: AppDeps,
  asked: { readonly email: string; readonly name: string | null; readonly roles: readonly Role[] },
): Promise<OneTimeLink> {
  const actor = requireActor()
  const now = wallNow()
  return sealing(workspace.database.db, async (tx) => {
    if (await readPersonByEmail(tx, workspace.id, asked.email))
      throw new AppError('conflict', 'Someone with this e-mail is in this workspace already. Give them roles instead.')
    const { token, tokenHash } = newSecretToken()
    const link = { id: newId(), token, expiresAt: now + invitedForMs }
    await addInvite(
      tx,
      workspace.id,
      {
        ...{ id: link.id, tokenHash, kind: 'invite', email: asked.email, name: asked.name, roles: [...asked.roles], personId: null },
        ...{ createdAt: now, createdBy: actor.id, expiresAt: link.expiresAt },
      },
      {
        ...{ act: 'person.invite', actor: actor.id, at: workspace.clock.now(), target: { kind: 'invite', id: link.id } },
        after: { roles: [...asked.roles] },
      },
    )
    return link
  })
}

/** A link by which a person sets a new password, and, if they had codes, sets those up anew. Earlier ones no longer open. */
export async function makeResetLink({ workspace, wallNow }: AppDeps, personId: string): Promise<OneTimeLink> {
  const actor = requireActor()
  const now = wallNow()
  return sealing(workspace.database.db, async (tx) => {
    const person = await readPerson(tx, workspace.id, personId)
    if (!person) throw new AppError('not_found', 'There is no such person in this workspace.')
    if (person.isDemo) throw new AppError('conflict', 'The people of the demo have no password.')
    await withdrawInvites(tx, workspace.id, { personId }, now)
    const { token, tokenHash } = newSecretToken()
    const link = { id: newId(), token, expiresAt: now + resetForMs }
    await addInvite(
      tx,
      workspace.id,
      {
        ...{ id: link.id, tokenHash, kind: 'reset', email: person.email, name: person.name, roles: [], personId },
        ...{ createdAt: now, createdBy: actor.id, expiresAt: link.expiresAt },
      },
      { act: 'person.reset_link', actor: actor.id, at: workspace.clock.now(), target: { kind: 'person', id: personId } },
    )
    return link
  })
}

export async function withdrawInvite({ workspace, wallNow }: AppDeps, id: string): Promise<void> {
  const actor = requireActor()
  const act = { act: 'invite.withdraw', actor: actor.id, at: workspace.clock.now(), target: { kind: 'invite' as const, id } }
  const isEnded = await sealing(workspace.database.db, (tx) => endInvite(tx, workspace.id, id, 'withdrawn', wallNow(), act))
  if (!isEnded) throw new AppError('conflict', 'This invitation was used or withdrawn already.')
}

/** What a link opens. @throws AppError not_found when it opens nothing, or no longer. */
export async function lookAtInvite({ workspace, wallNow }: AppDeps, token: string): Promise<InviteRow> {
  const invite = await findInvite(workspace.database.db, workspace.id, hashToken(token), wallNow())
  if (!invite) throw new AppError('not_found', 'This link opens nothing: it was used, withdrawn, or its time ran out. Ask for a new one.')
  return invite
}

/** Uses a link, once: makes the person it is for, or sets the password anew, and signs them in. */
export async function join(
  deps: AppDeps,
  asked: { readonly token: string; readonly email: string | null; readonly name: string | null; readonly password: string },
): Promise<{ readonly session: BegunSession; readonly email: string }> {
  const { workspace } = deps
  const invite = await lookAtInvite(deps, asked.token)
  const email = invite.email ?? asked.email
  const name = asked.name ?? invite.name
  if (email === null) throw new AppError('invalid_input', 'The e-mail you sign in with is missing.')
  if (name === null) throw new AppError('invalid_input', 'Your name is missing.')
  const why = whyPasswordWillNotDo(asked.password, { email, name })
  if (why !== null) throw new AppError('invalid_input', why)
  const password = await hashPassword(asked.password)
  const now = deps.wallNow()
  return sealing(workspace.database.db, async (tx) => {
    await lockPeople(tx, workspace.id)
    if (!(await endInvite(tx, workspace.id, invite.id, 'used', now)))
      throw new AppError('conflict', 'This link was used a moment ago. Sign in, or ask for a new one.')
    const person = invite.personId === null ? await addJoined() : await setAnew(invite.personId)
    return { session: await beginSession(deps, tx, person, 'link'), email: person.email }

    async function addJoined() {
      if (invite.kind === 'first' && (await hasPeople(tx, workspace.id)))
        throw new AppError('conflict', 'There is an administrator already. Ask them to invite you.')
      const id = newId()
      const made = {
        id,
        email: email ?? '',
        name: name ?? '',
        password,
        isDemo: false,
        roles: invite.roles,
        createdAt: now,
        createdBy: invite.createdBy,
      }
      const act = {
        act: 'person.join',
        actor: id,
        at: workspace.clock.now(),
        target: { kind: 'person' as const, id },
        after: { roles: invite.roles },
      }
      const added = await addPerson(tx, workspace.id, made, act)
      if (!added) throw new AppError('conflict', 'Someone with this e-mail is in this workspace already. Sign in instead.')
      return added
    }

    async function setAnew(personId: string) {
      const found = await readPerson(tx, workspace.id, personId)
      if (found?.state !== 'active') throw new AppError('conflict', 'This person may not sign in. Ask an administrator.')
      await endSessionsOf(tx, workspace.id, personId, now)
      const act = { act: 'person.reset', actor: personId, at: workspace.clock.now(), target: { kind: 'person' as const, id: personId } }
      const changed = await changePerson(
        tx,
        workspace.id,
        found,
        { password, totpSecret: null, totpConfirmedAt: null, totpLastStep: null },
        act,
      )
      if (!changed) throw new AppError('conflict', 'This person was changed a moment ago. Try again.')
      return changed
    }
  })
}
