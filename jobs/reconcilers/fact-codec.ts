import type { ActorKind, IdentityKey, IdentityKind, IdentityRole, ObjectRef } from '../domain/facts.ts'

/** Stored numbers of small word lists. Append only: rows hold the positions. */
const actorKinds: readonly ActorKind[] = ['unknown', 'person', 'automation', 'agent', 'throughline']
const roles: readonly IdentityRole[] = ['self', 'payer', 'contact']
const identityKinds: readonly IdentityKind[] = ['reference', 'external', 'name_birth_date', 'email', 'phone']

export const actorKindNumber = (kind: ActorKind): number => Math.max(0, actorKinds.indexOf(kind))
export const actorKindOf = (stored: number): ActorKind => actorKinds[stored] ?? 'unknown'
export const roleNumber = (role: IdentityRole): number => roles.indexOf(role)
export const roleOf = (stored: number): IdentityRole => roles[stored] ?? 'contact'

/** One key as stored: [kind, token, system, first name, full name, birth date], trailing gaps cut. */
type StoredKey = readonly [number, string, ...(string | 0)[]]
type StoredObject = readonly [string, string, string?]

export function encodeKeys(keys: readonly IdentityKey[]): string | null {
  if (keys.length === 0) return null
  return JSON.stringify(
    keys.map((key) => {
      const cells: (string | number)[] = [
        identityKinds.indexOf(key.kind),
        key.token,
        key.system ?? 0,
        key.firstName ?? 0,
        key.fullName ?? 0,
        key.birthDate ?? 0,
      ]
      while (cells.at(-1) === 0 && cells.length > 2) cells.pop()
      return cells
    }),
  )
}

export function decodeKeys(stored: unknown): readonly IdentityKey[] {
  if (stored === null) return []
  return (stored as readonly StoredKey[]).map(([kind, token, system, firstName, fullName, birthDate]) => ({
    kind: identityKinds[kind] ?? 'external',
    token,
    ...(system ? { system } : {}),
    ...(firstName ? { firstName } : {}),
    ...(fullName ? { fullName } : {}),
    ...(birthDate ? { birthDate } : {}),
  }))
}

export function encodeObjects(objects: readonly ObjectRef[]): string | null {
  if (objects.length === 0) return null
  return JSON.stringify(objects.map(({ type, id, root }) => (root === undefined ? [type, id] : [type, id, root])))
}

export function decodeObjects(stored: unknown): readonly ObjectRef[] {
  if (stored === null) return []
  return (stored as readonly StoredObject[]).map(([type, id, root]) => (root === undefined ? { type, id } : { type, id, root }))
}
