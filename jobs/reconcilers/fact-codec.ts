import type { ActorKind, IdentityKey, IdentityKind, IdentityRole, ObjectRef } from '../domain/facts.ts'

/** Stored numbers of small word lists. Append only: rows hold the positions. */
const actorKinds: readonly ActorKind[] = ['unknown', 'person', 'automation', 'agent', 'throughline']
const roles: readonly IdentityRole[] = ['self', 'payer', 'contact']
const identityKinds: readonly IdentityKind[] = ['reference', 'external', 'name_birth_date', 'email', 'phone']

export const actorKindNumber = (kind: ActorKind): number => Math.max(0, actorKinds.indexOf(kind))
export const actorKindOf = (stored: number): ActorKind => actorKinds[stored] ?? 'unknown'
export const roleNumber = (role: IdentityRole): number => roles.indexOf(role)
export const roleOf = (stored: number): IdentityRole => roles[stored] ?? 'contact'

type StoredObject = readonly [string, string, string?]

/**
 * Keys as stored, or null when there are none: kind:token:system:first name:full name:birth date, trailing gaps cut, parted by blanks.
 * All but the system are numbers and tokens.
 */
export function encodeKeys(keys: readonly IdentityKey[]): string | null {
  if (keys.length === 0) return null
  return keys
    .map(({ kind, token, system = '', firstName = '', fullName = '', birthDate = '' }) =>
      `${identityKinds.indexOf(kind)}:${token}:${escapeSystem(system)}:${firstName}:${fullName}:${birthDate}`.replace(/:+$/, ''),
    )
    .join(' ')
}

const escapeSystem = (system: string): string =>
  /[%: ]/.test(system) ? system.replaceAll('%', '%25').replaceAll(':', '%3A').replaceAll(' ', '%20') : system
const unescapeSystem = (stored: string): string =>
  stored.includes('%') ? stored.replaceAll('%20', ' ').replaceAll('%3A', ':').replaceAll('%25', '%') : stored

export function decodeKeys(stored: string | null): readonly IdentityKey[] {
  if (stored === null) return []
  return stored.split(' ').map((key) => {
    const [kind, token, system, firstName, fullName, birthDate] = key.split(':')
    return {
      kind: identityKinds[Number(kind)] ?? 'external',
      token: token ?? '',
      ...(system ? { system: unescapeSystem(system) } : {}),
      ...(firstName ? { firstName } : {}),
      ...(fullName ? { fullName } : {}),
      ...(birthDate ? { birthDate } : {}),
    }
  })
}

export function encodeObjects(objects: readonly ObjectRef[]): string | null {
  if (objects.length === 0) return null
  return JSON.stringify(objects.map(({ type, id, root }) => (root === undefined ? [type, id] : [type, id, root])))
}

export function decodeObjects(stored: string | null): readonly ObjectRef[] {
  if (stored === null) return []
  return (JSON.parse(stored) as readonly StoredObject[]).map(([type, id, root]) => (root === undefined ? { type, id } : { type, id, root }))
}
