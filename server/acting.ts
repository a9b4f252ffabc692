import { AsyncLocalStorage } from 'node:async_hooks'
import type { Permission, Role } from '../jobs/domain/people/roles.ts'
import { permissionsOf } from '../jobs/domain/people/roles.ts'
import { AppError } from '../jobs/domain/errors.ts'
import type { AppDeps, Person } from './deps.ts'

/** Who a request acts as, read anew for each one: a change of role holds from the next. */
export interface Actor extends Person {
  readonly roles: readonly Role[]
  /** By a session of the browser, by a token of a machine, or as whoever may use this machine. */
  readonly by: 'session' | 'token' | 'machine'
  readonly sessionId: string | null
  /** Until when break-glass is open; null: it is not. Wall time. */
  readonly emergencyUntil: number | null
  /** When a password was last given; null: by no password. Wall time. */
  readonly confirmedAt: number | null
}

const requests = new AsyncLocalStorage<{ readonly actor: Actor | null }>()

/** Runs `work`, and whatever it starts, as `actor`; null: as nobody. */
export function actAs<T>(actor: Actor | null, work: () => T): T {
  return requests.run({ actor }, work)
}

/** Who acts in this request; undefined outside of one, null for nobody. */
export function currentActor(): Actor | null | undefined {
  return requests.getStore()?.actor
}

/** @throws AppError unauthenticated where nobody is signed in. */
export function requireActor(): Actor {
  const actor = currentActor()
  if (!actor) throw signedOut()
  return actor
}

export function mayActorDo(actor: Actor, permission: Permission): boolean {
  return permissionsOf({ roles: actor.roles, isEmergency: actor.emergencyUntil !== null }).has(permission)
}

/** Whoever may use this machine: the command line, and a server nobody signs in to. */
export function machineActor(me: Person): Actor {
  return { ...me, roles: ['admin'], by: 'machine', sessionId: null, emergencyUntil: null, confirmedAt: null }
}

/** The same deps with `me` as who acts in the request that asks; outside of a request, as it was. */
export function withActor(deps: AppDeps): AppDeps {
  const { me: machine } = deps
  return {
    ...deps,
    get me(): Person {
      const actor = currentActor()
      if (actor === null) throw signedOut()
      return actor ?? machine
    },
  }
}

export function signedOut(): AppError {
  return new AppError('unauthenticated', 'You are not signed in. Sign in, then try again.')
}
