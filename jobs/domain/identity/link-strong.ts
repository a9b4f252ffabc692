import type { IdentityKind } from '../facts.ts'
import type { Cluster, Clusters } from './clusters.ts'
import { overlap } from './clusters.ts'
import type { SharedKey, SharedKeys } from './shared-keys.ts'
import type { Contender } from './split-compatible.ts'
import { splitCompatible } from './split-compatible.ts'

export interface LinkOptions {
  /** Which records may link here. */
  readonly holders: (shared: SharedKey) => readonly number[]
  /** Which clusters may. */
  readonly admits: (cluster: Cluster, shared: SharedKey) => boolean
  readonly vetoes: boolean
  readonly inferred: boolean
}

const needsName = new Set<IdentityKind>(['email', 'phone'])

/** The clusters that claim a key, by their smallest record. */
export function contendersFor(clusters: Clusters, shared: SharedKey, options: Omit<LinkOptions, 'inferred'>): Contender[] {
  const contenders = new Map<Cluster, Contender>()
  for (const holder of options.holders(shared)) {
    const cluster = clusters.of(holder)
    if (contenders.has(cluster) || !options.admits(cluster, shared)) continue
    const names = options.vetoes && needsName.has(shared.kind) ? (cluster.names?.get(shared.token) ?? null) : null
    contenders.set(cluster, { cluster, holder, names, births: cluster.births?.get(shared.token) ?? null })
  }
  return [...contenders.values()].sort((a, b) => a.cluster.smallest - b.cluster.smallest)
}

export function areTogether(clusters: Clusters, holders: readonly number[]): boolean {
  const home = clusters.of(holders[0] as number)
  return holders.every((index) => clusters.of(index) === home)
}

export function namesAgree(a: Contender, b: Contender): boolean {
  return a.names === null || b.names === null || overlap(a.names, b.names)
}

/** One pass over the keys of some kinds: each key's claimants are split into compatible groups, each group becomes one cluster. */
export function linkPass(clusters: Clusters, keys: readonly SharedKey[], options: LinkOptions): void {
  for (const shared of keys) {
    const holders = options.holders(shared)
    if (holders.length < 2 || areTogether(clusters, holders)) continue
    const contenders = contendersFor(clusters, shared, options)
    if (contenders.length < 2) continue
    const fits = (a: Contender, b: Contender) => !options.vetoes || (namesAgree(a, b) && clusters.conflict(a.cluster, b.cluster) === null)
    for (const group of splitCompatible(contenders, fits).groups) {
      const [head, ...others] = group
      if (!head) continue
      for (const other of others) {
        const vetoed = options.vetoes && clusters.conflict(clusters.of(head.holder), clusters.of(other.holder)) !== null
        if (!vetoed) clusters.merge(head.holder, other.holder, shared.kind, options.inferred)
      }
    }
  }
}

/** References, name with birth date, e-mail with the first name, phone with the full name; e-mail and phone once more, for what has met since. */
export function linkStrong(clusters: Clusters, shared: SharedKeys, vetoes: boolean): void {
  const options: LinkOptions = {
    holders: (key) => key.strong,
    admits: (cluster, key) => !vetoes || !needsName.has(key.kind) || cluster.names?.has(key.token) === true,
    vetoes,
    inferred: false,
  }
  const emails = shared.ofKind('email')
  const phones = shared.ofKind('phone')
  linkPass(clusters, shared.ofKind('reference'), options)
  linkPass(clusters, shared.ofKind('external'), options)
  linkPass(clusters, shared.ofKind('name_birth_date'), options)
  linkPass(clusters, emails, options)
  linkPass(clusters, phones, options)
  linkPass(clusters, emails, options)
  linkPass(clusters, phones, options)
}
