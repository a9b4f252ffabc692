import type { Cluster } from './clusters.ts'

/** What one piece of evidence says: the clusters it could mean, each with the record that shows it. */
export interface Candidates<By> {
  readonly by: By
  readonly clusters: ReadonlyMap<Cluster, number>
}

export type Choice<By> =
  | { readonly kind: 'none' }
  | { readonly kind: 'sole'; readonly cluster: Cluster; readonly via: number; readonly by: By }
  | { readonly kind: 'several'; readonly clusters: readonly Cluster[]; readonly by: By }

/** The one cluster that all evidence allows, if there is exactly one. Evidence that allows none says nothing. */
export function chooseSole<By>(evidence: readonly Candidates<By>[]): Choice<By> {
  const telling = evidence.filter((candidates) => candidates.clusters.size > 0)
  const [first, ...rest] = telling
  if (!first) return { kind: 'none' }
  const common = [...first.clusters].filter(([cluster]) => rest.every((candidates) => candidates.clusters.has(cluster)))
  if (common.length === 1) {
    const [cluster, via] = common[0] as [Cluster, number]
    return { kind: 'sole', cluster, via, by: first.by }
  }
  const open = common.length > 1 ? common.map(([cluster]) => cluster) : telling.flatMap((candidates) => [...candidates.clusters.keys()])
  return { kind: 'several', clusters: [...new Set(open)].sort((a, b) => a.smallest - b.smallest), by: first.by }
}
