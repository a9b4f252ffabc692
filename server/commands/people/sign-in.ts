import { sealing } from '../../../db/records/audit.ts'
import { countGuess, takeBackGuess } from '../../../db/records/guesses.ts'
import { noteAct, type PersonWithRoles, readPerson, readPersonByEmail, takeTotpStep } from '../../../db/records/people.ts'
import { AppError } from '../../../jobs/domain/errors.ts'
import { bucketsOf } from '../../../jobs/domain/people/guess-limits.ts'
import { acceptedStep } from '../../../jobs/domain/people/totp.ts'
import { isPassword } from '../../../jobs/passwords.ts'
import type { AppDeps, SignIn } from '../../deps.ts'
import { type BegunSession, beginSession } from './begin-session.ts'
import { totpPlace } from './totp.ts'

export interface SignInFrom {
  readonly address: string | null
  readonly device: string | null
}

export interface Proof {
  readonly password: string
  readonly code?: string | undefined
}

export type SignInAnswer =
  | { readonly isIn: true; readonly session: BegunSession; readonly personId: string }
  | { readonly isIn: false; readonly needs: 'code' }

/**
 * Signs a person in by password and, where one is set up, a code. Whether the address is unknown, disabled or the password wrong, the
 * answer and its time are the same.
 * @throws AppError unauthenticated; too_many when there were too many guesses.
 */
export async function signInByPassword(deps: AppDeps, asked: Proof & { readonly email: string }, from: SignInFrom): Promise<SignInAnswer> {
  const { database, id: workspaceId } = deps.workspace
  const found = await readPersonByEmail(database.db, workspaceId, asked.email)
  const proven = await prove(deps, found?.state === 'active' ? found : undefined, asked, { account: asked.email, ...from })
  if (proven === 'code') return { isIn: false, needs: 'code' }
  const session = await sealing(database.db, (tx) => beginSession(deps, tx, proven, 'password'))
  return { isIn: true, session, personId: proven.id }
}

/** Enters the demo as one of its people, without a password. */
export async function signInToDemo(deps: AppDeps, personId: string): Promise<BegunSession> {
  const { database, id: workspaceId } = deps.workspace
  if (deps.signIn?.isDemo !== true) throw new AppError('forbidden', 'This is not the demo: sign in with your e-mail and password.')
  const person = await readPerson(database.db, workspaceId, personId)
  if (!person?.isDemo) throw new AppError('not_found', 'There is no such person in the demo.')
  return sealing(database.db, (tx) => beginSession(deps, tx, person, 'demo'))
}

/**
 * Whether it is the person: the same for signing in and for confirming it is still them. `code`: the password is right and a code is needed.
 * @throws AppError unauthenticated; too_many.
 */
export async function prove(
  deps: AppDeps,
  person: PersonWithRoles | undefined,
  { password, code }: Proof,
  from: SignInFrom & { readonly account: string },
): Promise<PersonWithRoles | 'code'> {
  const { workspace } = deps
  const { sql, db } = workspace.database
  const now = deps.wallNow()
  const buckets = bucketsOf(from)
  const againAt = await countGuess(sql, workspace.id, buckets, now)
  if (againAt !== null)
    throw new AppError(
      'too_many',
      `Too many tries. Try again in ${Math.max(1, Math.ceil((againAt - now) / 60_000))} minutes, or in a browser you signed in with before.`,
    )
  const isRight = await isPassword(password, person?.password ?? null)
  if (!isRight || !person)
    throw await refuse(deps, person?.id ?? null, 'The e-mail or the password is wrong. After some wrong tries one has to wait.')
  if (person.totpConfirmedAt !== null) {
    if (!code) {
      await takeBackGuess(sql, workspace.id, buckets)
      return 'code'
    }
    const step = acceptedStep(openTotp(deps.signIn, workspace.id, person), code, now, person.totpLastStep)
    if (step === null || !(await takeTotpStep(db, workspace.id, person.id, step)))
      throw await refuse(
        deps,
        person.id,
        'The code is wrong, or was used already. Wait for the next one; the clock of your phone must be right.',
      )
  }
  await takeBackGuess(sql, workspace.id, buckets)
  return person
}

function openTotp(signIn: SignIn | undefined, workspaceId: number, person: PersonWithRoles): Buffer {
  if (signIn === undefined || person.totpSecret === null) throw new AppError('unavailable', 'Codes cannot be checked here.')
  return signIn.vault.open(person.totpSecret, totpPlace(workspaceId, person.id))
}

/** Written for an unknown address too: both take as long. */
async function refuse({ workspace }: AppDeps, personId: string | null, message: string): Promise<AppError> {
  const target = { kind: 'person' as const, id: personId ?? 'unknown' }
  await sealing(workspace.database.db, (tx) =>
    noteAct(tx, workspace.id, { act: 'session.refuse', actor: personId ?? 'nobody', at: workspace.clock.now(), target }),
  )
  return new AppError('unauthenticated', message)
}
