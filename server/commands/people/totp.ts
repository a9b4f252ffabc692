import { randomBytes } from 'node:crypto'
import { sealing } from '../../../db/records/audit.ts'
import { changePerson, type PersonWithRoles, readPerson, takeTotpStep } from '../../../db/records/people.ts'
import { endSessionsOf } from '../../../db/records/sessions.ts'
import { AppError } from '../../../jobs/domain/errors.ts'
import { acceptedStep, toBase32, totpUri } from '../../../jobs/domain/people/totp.ts'
import type { Place, Vault } from '../../../jobs/vault.ts'
import { requireActor } from '../../acting.ts'
import type { AppDeps } from '../../deps.ts'

export function totpPlace(workspaceId: number, personId: string): Place {
  return { workspaceId, table: 'people', row: personId, column: 'totp_secret' }
}

/** The signed-in person. */
export async function readMyself({ workspace }: AppDeps): Promise<PersonWithRoles> {
  const person = await readPerson(workspace.database.db, workspace.id, requireActor().id)
  if (!person) throw new AppError('conflict', 'You act without an account here: there is nothing of yours to change.')
  return person
}

/** Begins to set up codes. They are asked for from the moment one was given right. */
export async function beginTotp(deps: AppDeps): Promise<{ readonly secret: string; readonly uri: string }> {
  const person = await readMyself(deps)
  const { workspace } = deps
  if (person.isDemo) throw new AppError('conflict', 'The people of the demo sign in with one click, so a code would protect nothing.')
  if (person.totpConfirmedAt !== null) throw new AppError('conflict', 'Codes are set up already. Remove them first to set them up anew.')
  const secret = randomBytes(20)
  const sealed = vaultOf(deps).seal(secret, totpPlace(workspace.id, person.id))
  await mustChange(deps, person, { totpSecret: sealed }, 'person.totp_begin')
  return { secret: toBase32(secret), uri: totpUri(secret, `Throughline ${workspace.title}`, person.email) }
}

export async function confirmTotp(deps: AppDeps, code: string): Promise<void> {
  const person = await readMyself(deps)
  const { workspace } = deps
  if (person.totpSecret === null || person.totpConfirmedAt !== null)
    throw new AppError('conflict', 'No codes are being set up. Begin again.')
  const secret = vaultOf(deps).open(person.totpSecret, totpPlace(workspace.id, person.id))
  const step = acceptedStep(secret, code, deps.wallNow(), person.totpLastStep)
  if (step === null || !(await takeTotpStep(workspace.database.db, workspace.id, person.id, step)))
    throw new AppError('invalid_input', 'The code does not fit. Is the clock of the phone right? Try the next one.')
  await mustChange(deps, person, { totpConfirmedAt: deps.wallNow() }, 'person.totp_confirm')
}

/** The caller has shown that it is still them. Other browsers are signed out. */
export async function removeTotp(deps: AppDeps): Promise<void> {
  const person = await readMyself(deps)
  if (person.totpSecret === null) throw new AppError('conflict', 'There are no codes to remove.')
  await mustChange(deps, person, { totpSecret: null, totpConfirmedAt: null, totpLastStep: null }, 'person.totp_remove')
}

async function mustChange(deps: AppDeps, person: PersonWithRoles, set: Parameters<typeof changePerson>[3], act: string): Promise<void> {
  const { workspace } = deps
  const told = { act, actor: person.id, at: workspace.clock.now(), target: { kind: 'person' as const, id: person.id } }
  await sealing(workspace.database.db, async (tx) => {
    if (!(await changePerson(tx, workspace.id, person, set, told)))
      throw new AppError('conflict', 'You were changed a moment ago, perhaps in another window. Try again.')
    if (act !== 'person.totp_begin') await endSessionsOf(tx, workspace.id, person.id, deps.wallNow(), requireActor().sessionId)
  })
}

function vaultOf({ signIn }: AppDeps): Vault {
  if (signIn === undefined) throw new AppError('conflict', 'Nobody signs in here, so codes protect nothing.')
  return signIn.vault
}
