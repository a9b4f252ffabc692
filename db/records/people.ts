import { and, asc, eq, sql } from 'drizzle-orm'
import type { Db, DbTransaction } from '../client.ts'
import type { PersonRow } from '../schema/people.ts'
import { memberships, people } from '../schema/people.ts'
import { type ActTx, writeActs } from './audit.ts'

/** One act about people, for the audit: its time is domain time. */
export interface PeopleAct {
  readonly act: string
  readonly actor: string
  readonly at: number
  readonly target: { readonly kind: 'person' | 'session' | 'invite' | 'token' | 'route'; readonly id: string }
  readonly reason?: string | null
  readonly before?: Readonly<Record<string, unknown>> | null
  readonly after?: Readonly<Record<string, unknown>> | null
}

export interface PersonWithRoles extends PersonRow {
  readonly roles: readonly string[]
}

type Reader = Db | DbTransaction

const withRoles = {
  roles: sql<
    string[]
  >`array(select role from memberships m where m.workspace_id = ${people.workspaceId} and m.person_id = ${people.id} order by role)`,
}

async function read(db: Reader, where: ReturnType<typeof and>, limit: number): Promise<PersonWithRoles[]> {
  const rows = await db
    .select({ person: people, ...withRoles })
    .from(people)
    .where(where)
    .orderBy(asc(people.createdAt), asc(people.id))
    .limit(limit)
  return rows.map(({ person, roles }) => ({ ...person, roles }))
}

export function listPeople(db: Reader, workspaceId: number): Promise<PersonWithRoles[]> {
  return read(db, eq(people.workspaceId, workspaceId), 1000)
}

export async function readPerson(db: Reader, workspaceId: number, id: string): Promise<PersonWithRoles | undefined> {
  return (await read(db, and(eq(people.workspaceId, workspaceId), eq(people.id, id)), 1))[0]
}

/** By the address they sign in with, whatever its capitals. */
export async function readPersonByEmail(db: Reader, workspaceId: number, email: string): Promise<PersonWithRoles | undefined> {
  return (await read(db, and(eq(people.workspaceId, workspaceId), sql`lower(${people.email}) = lower(${email})`), 1))[0]
}

export async function hasPeople(db: Reader, workspaceId: number): Promise<boolean> {
  const found = await db.select({ id: people.id }).from(people).where(eq(people.workspaceId, workspaceId)).limit(1)
  return found.length > 0
}

/** Makes changes of who may what wait for one another: the last administrator is looked for before. */
export async function lockPeople(tx: DbTransaction, workspaceId: number): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext('throughline.people'), ${workspaceId})`)
}

type NewPerson = Pick<PersonRow, 'id' | 'email' | 'name' | 'password' | 'isDemo' | 'createdAt' | 'createdBy'> & {
  readonly roles: readonly string[]
}

/** Undefined: someone has this address already. */
export async function addPerson(
  tx: DbTransaction,
  workspaceId: number,
  { roles, ...person }: NewPerson,
  act: PeopleAct,
): Promise<PersonRow | undefined> {
  const [row] = await tx
    .insert(people)
    .values({ workspaceId, state: 'active', ...person })
    .onConflictDoNothing()
    .returning()
  if (!row) return undefined
  await grant(tx, workspaceId, row.id, roles, { grantedAt: person.createdAt, grantedBy: person.createdBy })
  await noteAct(tx, workspaceId, act)
  return row
}

/** Undefined: someone was first. */
export async function changePerson(
  tx: DbTransaction,
  workspaceId: number,
  found: Pick<PersonRow, 'id' | 'revision'>,
  set: Partial<Pick<PersonRow, 'state' | 'name' | 'password' | 'totpSecret' | 'totpConfirmedAt' | 'totpLastStep'>>,
  act: PeopleAct,
): Promise<PersonRow | undefined> {
  const [row] = await tx
    .update(people)
    .set({ ...set, revision: found.revision + 1 })
    .where(and(eq(people.workspaceId, workspaceId), eq(people.id, found.id), eq(people.revision, found.revision)))
    .returning()
  if (row) await noteAct(tx, workspaceId, act)
  return row
}

/** False: someone was first. */
export async function replaceRoles(
  tx: DbTransaction,
  workspaceId: number,
  found: Pick<PersonRow, 'id' | 'revision'>,
  roles: readonly string[],
  by: { readonly grantedAt: number; readonly grantedBy: string },
  act: PeopleAct,
): Promise<boolean> {
  if (!(await changePerson(tx, workspaceId, found, {}, act))) return false
  await tx.delete(memberships).where(and(eq(memberships.workspaceId, workspaceId), eq(memberships.personId, found.id)))
  await grant(tx, workspaceId, found.id, roles, by)
  return true
}

/** Whether the step was not used before: of two at once, one holds. */
export async function takeTotpStep(db: Reader, workspaceId: number, id: string, step: number): Promise<boolean> {
  const taken = await db
    .update(people)
    .set({ totpLastStep: step })
    .where(and(eq(people.workspaceId, workspaceId), eq(people.id, id), sql`coalesce(${people.totpLastStep}, -1) < ${step}`))
    .returning({ id: people.id })
  return taken.length > 0
}

async function grant(
  tx: DbTransaction,
  workspaceId: number,
  personId: string,
  roles: readonly string[],
  by: { readonly grantedAt: number; readonly grantedBy: string },
): Promise<void> {
  if (roles.length > 0) await tx.insert(memberships).values(roles.map((role) => ({ workspaceId, personId, role, ...by })))
}

export async function noteAct(
  tx: ActTx,
  workspaceId: number,
  { target, reason = null, before = null, after = null, ...row }: PeopleAct,
): Promise<void> {
  await writeActs(tx, workspaceId, [{ targetKind: target.kind, targetId: target.id, reason, before, after, ...row }])
}
