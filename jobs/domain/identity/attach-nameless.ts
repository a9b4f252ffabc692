import type { Cluster, Clusters } from './clusters.ts'
import { linkPass } from './link-strong.ts'
import type { OpenQuestion } from './questions.ts'
import type { SharedKey, SharedKeys } from './shared-keys.ts'
import { chooseSole } from './sole-candidate.ts'
import { splitCompatible } from './split-compatible.ts'

const mostCandidates = 64

interface Taker {
  readonly cluster: Cluster
  /** Its record with the key, and the target's. */
  readonly own: number
  readonly via: number
  readonly key: SharedKey
}

/**
 * Records about a person that show no name (a form with an e-mail alone) cannot agree on one. They never link two named clusters: each goes to
 * the only cluster its e-mail and phone allow, marked inferred, or stays apart as a question. Where nobody is named, they link among themselves.
 */
export function attachNameless(clusters: Clusters, shared: SharedKeys): OpenQuestion[] {
  const questions: OpenQuestion[] = []
  const waiting = new Set(clusters.all().filter((cluster) => !cluster.named && contactKeys(cluster, shared).length > 0))

  for (let look = [...waiting]; look.length > 0; ) {
    const named = findNamed(clusters)
    const takers = new Map<Cluster, Taker[]>()
    for (const cluster of look) {
      const evidence = contactKeys(cluster, shared).map((key) => ({
        by: key,
        clusters: new Map([...named(key)].filter(([candidate]) => clusters.conflict(cluster, candidate) === null)),
      }))
      const choice = chooseSole(evidence)
      if (choice.kind === 'several') {
        waiting.delete(cluster)
        questions.push({
          record: cluster.smallest,
          kind: 'fits_several',
          by: choice.by.kind,
          candidates: choice.clusters.map((each) => each.smallest),
        })
      } else if (choice.kind === 'sole') {
        const own = Math.min(...cluster.members.filter((index) => shared.of(index).includes(choice.by)))
        const taker = { cluster, own, via: choice.via, key: choice.by }
        const others = takers.get(choice.cluster)
        if (others) others.push(taker)
        else takers.set(choice.cluster, [taker])
      }
    }

    const brought = new Set<SharedKey>()
    for (const all of takers.values()) {
      const fitTogether = allFit(clusters, all)
      for (const { cluster, own, via, key } of all) {
        waiting.delete(cluster)
        if (fitTogether && clusters.conflict(cluster, clusters.of(via)) === null) {
          for (const each of contactKeys(cluster, shared)) brought.add(each)
          clusters.merge(via, own, key.kind, true)
        } else if (all.length <= mostCandidates) {
          questions.push({ record: cluster.smallest, kind: 'key_shared', by: key.kind, candidates: [cluster.smallest, via] })
        }
      }
    }
    const touched = new Set([...brought].flatMap((key) => key.strong.map((index) => clusters.of(index))))
    look = [...touched].filter((cluster) => waiting.has(cluster)).sort((a, b) => a.smallest - b.smallest)
  }

  const options = {
    holders: (key: SharedKey) => key.strong,
    admits: (cluster: Cluster) => waiting.has(cluster),
    vetoes: true,
    inferred: true,
  }
  linkPass(clusters, shared.ofKind('email'), options)
  linkPass(clusters, shared.ofKind('phone'), options)
  return questions
}

function contactKeys(cluster: Cluster, shared: SharedKeys): SharedKey[] {
  const keys = new Set<SharedKey>()
  for (const index of cluster.members) {
    for (const key of shared.of(index)) if ((key.kind === 'email' || key.kind === 'phone') && shared.isStrong(index)) keys.add(key)
  }
  return [...keys]
}

function findNamed(clusters: Clusters): (key: SharedKey) => ReadonlyMap<Cluster, number> {
  const known = new Map<SharedKey, Map<Cluster, number>>()
  return (key) => {
    const before = known.get(key)
    if (before) return before
    const found = new Map<Cluster, number>()
    for (const index of key.strong) {
      const cluster = clusters.of(index)
      if (cluster.named && !found.has(cluster)) found.set(cluster, index)
    }
    if (found.size > mostCandidates) found.clear()
    known.set(key, found)
    return found
  }
}

function allFit(clusters: Clusters, takers: readonly Taker[]): boolean {
  const contenders = takers.map(({ cluster, own }) => ({ cluster, holder: own, names: null, births: null }))
  const split = splitCompatible(contenders, (a, b) => clusters.conflict(a.cluster, b.cluster) === null)
  return split.groups[0]?.length === takers.length
}
