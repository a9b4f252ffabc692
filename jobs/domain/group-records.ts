import type { IdentityKey, ObjectRef } from './facts.ts'
import { hash128 } from './hash.ts'

/** A key with more distinct first-name classes than this links nothing (identity.md 1). Counted over every version ever read, so it only grows. */
export const hotKeyLimit = 4

export interface Groupable {
  readonly id: string
  readonly keys: readonly IdentityKey[]
  /** Those of `linkingTokens`. */
  readonly tokens: readonly string[]
  /** The component this record is in already; null for a new record. */
  readonly componentId: string | null
}

export interface KnownIdentifier {
  readonly componentId: string
  readonly firstNames: readonly string[]
  readonly hot: boolean
}

export interface GroupPlan {
  readonly componentOf: ReadonlyMap<string, string>
  readonly createdComponents: readonly string[]
  readonly merges: readonly { readonly survivor: string; readonly absorbed: readonly string[] }[]
  readonly newIdentifiers: readonly ({ readonly token: string } & KnownIdentifier)[]
  readonly changedIdentifiers: readonly ({ readonly token: string } & KnownIdentifier)[]
  readonly dirty: readonly string[]
}

export function objectToken(type: string, id: string): string {
  return hash128('object', type, id)
}

/** Every token through which a record may meet another: its identity keys and its objects, roots included. */
export function linkingTokens(record: { readonly keys: readonly IdentityKey[]; readonly objects: readonly ObjectRef[] }): string[] {
  const tokens = record.keys.map((key) => key.token)
  for (const object of record.objects) {
    tokens.push(objectToken(object.type, object.id))
    if (object.root !== undefined && object.root !== object.id) tokens.push(objectToken(object.type, object.root))
  }
  return tokens
}

/**
 * Decides which component each record of a page belongs to. A component is a superset of what identity will link, so that resolving
 * one component never needs a record outside it; which of its records are one subject is decided later, from all of them.
 */
export function groupRecords(records: readonly Groupable[], known: ReadonlyMap<string, KnownIdentifier>): GroupPlan {
  const ordered = [...records].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
  const firstNames = gatherFirstNames(ordered, known)
  const isHot = (token: string): boolean => known.get(token)?.hot === true || (firstNames.get(token)?.size ?? 0) > hotKeyLimit

  // 1. Union the page's records with the components their tokens already have, and with each other.
  const parent = new Map<string, string>()
  const existing = new Set<string>()
  const find = (node: string): string => {
    let root = node
    for (let next = parent.get(root); next !== undefined && next !== root; next = parent.get(root)) root = next
    for (let step = node; step !== root; ) {
      const next = parent.get(step) ?? root
      parent.set(step, root)
      step = next
    }
    return root
  }
  const union = (a: string, b: string): void => {
    const left = find(a)
    const right = find(b)
    if (left === right) return
    const keepLeft = existing.has(left) === existing.has(right) ? left < right : existing.has(left)
    if (keepLeft) parent.set(right, left)
    else parent.set(left, right)
  }
  const holder = new Map<string, string>()
  for (const record of ordered) {
    const node = record.componentId ?? record.id
    if (record.componentId !== null) existing.add(node)
    if (!parent.has(node)) parent.set(node, node)
    for (const token of record.tokens) {
      if (isHot(token)) continue
      const stored = known.get(token)?.componentId
      if (stored !== undefined && !parent.has(stored)) {
        existing.add(stored)
        parent.set(stored, stored)
      } else if (stored !== undefined) existing.add(stored)
      const other = stored ?? holder.get(token)
      if (other === undefined) holder.set(token, node)
      else union(node, other)
    }
  }

  // 2. Read the result off the forest.
  const componentOf = new Map<string, string>()
  const dirty = new Set<string>()
  for (const record of ordered) {
    const component = find(record.componentId ?? record.id)
    componentOf.set(record.id, component)
    dirty.add(component)
  }
  const absorbed = new Map<string, string[]>()
  for (const component of existing) {
    const survivor = find(component)
    if (survivor !== component) (absorbed.get(survivor) ?? absorbed.set(survivor, []).get(survivor))?.push(component)
  }

  // 3. What becomes known of each token.
  const newIdentifiers: ({ token: string } & KnownIdentifier)[] = []
  const changedIdentifiers: ({ token: string } & KnownIdentifier)[] = []
  const seen = new Set<string>()
  for (const record of ordered) {
    for (const token of record.tokens) {
      if (seen.has(token)) continue
      seen.add(token)
      const stored = known.get(token)
      const names = firstNames.get(token)
      const hot = isHot(token)
      if (stored === undefined) {
        newIdentifiers.push({
          token,
          componentId: componentOf.get(record.id) ?? record.id,
          firstNames: names ? [...names].sort() : [],
          hot,
        })
      } else if ((names !== undefined && names.size > stored.firstNames.length) || hot !== stored.hot) {
        changedIdentifiers.push({ token, componentId: find(stored.componentId), firstNames: [...(names ?? stored.firstNames)].sort(), hot })
        if (hot && !stored.hot) dirty.add(parent.has(stored.componentId) ? find(stored.componentId) : stored.componentId)
      }
    }
  }
  return {
    componentOf,
    createdComponents: [...new Set(componentOf.values())].filter((component) => !existing.has(component)),
    merges: [...absorbed].map(([survivor, list]) => ({ survivor, absorbed: list.sort() })),
    newIdentifiers,
    changedIdentifiers,
    dirty: [...dirty].sort(),
  }
}

function gatherFirstNames(records: readonly Groupable[], known: ReadonlyMap<string, KnownIdentifier>): Map<string, Set<string>> {
  const names = new Map<string, Set<string>>()
  for (const record of records) {
    for (const key of record.keys) {
      if (key.firstName === undefined) continue
      let set = names.get(key.token)
      if (set === undefined) names.set(key.token, (set = new Set(known.get(key.token)?.firstNames)))
      if (set.size <= hotKeyLimit) set.add(key.firstName)
    }
  }
  return names
}
