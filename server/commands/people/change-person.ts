import { sealing } from '../../../db/records/audit.ts'
import type { DbTransaction } from '../../../db/client.ts'
import { changePerson, listPeople, lockPeople, type PersonWithRoles, replaceRoles } from '../../../db/records/people.ts'
import { endSessionsOf } from '../../../db/records/sessions.ts'
import { AppError } from '../../../jobs/domain/errors.ts'
import { leavesNoAdministrator, type Role } from '../../../jobs/domain/people/roles.ts'
import { requireActor } from '../../acting.ts'
import type { AppDeps } from '../../deps.ts'

interface About {
  readonly id: string
  /** The revision the administrator was looking at. */
  readonly revision: number
}

/** Holds from the person's next request. */
export async function changeRoles(deps: AppDeps, about: About, roles: readonly Role[]): Promise<void> {
  const actor = requireActor()
  const { workspace } = deps
  await change(deps, about, { roles }, async (tx, found) => {
    const act = {
      ...{ act: 'person.roles', actor: actor.id, at: workspace.clock.now(), target: { kind: 'person' as const, id: found.id } },
      ...{ before: { roles: found.roles }, after: { roles } },
    }
    return replaceRoles(tx, workspace.id, found, roles, { grantedAt: deps.wallNow(), grantedBy: actor.id }, act)
  })
}

/** A disabled person is signed out everywhere. What they did keeps their name. */
export async function setPersonState(deps: AppDeps, about: About, state: 'active' | 'disabled'): Promise<void> {
  const actor = requireActor()
  const { workspace } = deps
  if (about.id === actor.id && state === 'disabled')
    throw new AppError('conflict', 'You cannot disable yourself. Another administrator can.')
  await change(deps, about, { isActive: state === 'active' }, async (tx, found) => {
    if (found.state === state) throw new AppError('conflict', `${found.name} is ${state} already.`)
    const act = {
      ...{ act: state === 'active' ? 'person.enable' : 'person.disable', actor: actor.id, at: workspace.clock.now() },
      ...{ target: { kind: 'person' as const, id: found.id }, before: { state: found.state }, after: { state } },
    }
    const changed = await changePerson(tx, workspace.id, found, { state }, act)
    if (changed && state === 'disabled') await endSessionsOf(tx, workspace.id, found.id, deps.wallNow())
    return changed !== undefined
  })
}

async function change(
  { workspace }: AppDeps,
  about: About,
  becomes: { readonly roles?: readonly Role[]; readonly isActive?: boolean },
  apply: (tx: DbTransaction, found: PersonWithRoles) => Promise<boolean>,
): Promise<void> {
  await sealing(workspace.database.db, async (tx) => {
    await lockPeople(tx, workspace.id)
    const everyone = await listPeople(tx, workspace.id)
    const found = everyone.find(({ id }) => id === about.id)
    if (!found) throw new AppError('not_found', 'There is no such person in this workspace.')
    if (found.revision !== about.revision)
      throw new AppError('conflict', `${found.name} changed while you looked. Read it again, then decide.`)
    const standing = everyone.map(({ id, state, roles }) => ({ id, isActive: state === 'active', roles: roles as readonly Role[] }))
    const mine = { id: found.id, isActive: found.state === 'active', roles: found.roles as readonly Role[], ...becomes }
    if (leavesNoAdministrator(standing, mine))
      throw new AppError('conflict', `${found.name} is the last administrator. Make someone else one first.`)
    if (!(await apply(tx, found))) throw new AppError('conflict', `${found.name} changed while you looked. Read it again, then decide.`)
  })
}
