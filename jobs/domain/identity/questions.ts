import type { Cluster, Clusters } from './clusters.ts'
import { areTogether, contendersFor, namesAgree } from './link-strong.ts'
import type { Ambiguity, IdentityFact } from './resolution.ts'
import type { SharedKey, SharedKeys } from './shared-keys.ts'
import type { Contender } from './split-compatible.ts'
import { splitCompatible } from './split-compatible.ts'

/** An ambiguity while clusters may still grow: records stand for their clusters. */
export interface OpenQuestion {
  readonly record: number
  readonly kind: Ambiguity['kind']
  readonly by: Ambiguity['by']
  readonly candidates: readonly number[]
}

const mostClaimants = 64

/**
 * What remains doubtful between clusters of people once all linking is done, key by key, the strongest evidence first. Namesakes at one address
 * whom a veto tells apart are two people, and no question; the same reference, or the same name and birth date, on two ids of one system is one.
 */
export function askAboutStrong(clusters: Clusters, shared: SharedKeys): OpenQuestion[] {
  const questions: OpenQuestion[] = []
  for (const kind of ['reference', 'external', 'name_birth_date', 'email', 'phone'] as const) {
    for (const key of shared.ofKind(kind)) if (key.strong.length > 1) questions.push(...askAboutKey(clusters, key))
  }
  return questions
}

function askAboutKey(clusters: Clusters, key: SharedKey): OpenQuestion[] {
  if (areTogether(clusters, key.strong)) return []
  const byName = key.kind === 'email' || key.kind === 'phone'
  const claimants = contendersFor(clusters, key, { holders: () => key.strong, admits: () => true, vetoes: true })
  if (claimants.length < 2 || claimants.length > mostClaimants) return []

  const shown = claimants.filter((claimant) => !byName || claimant.names !== null || !claimant.cluster.named)
  const fits = (a: Contender, b: Contender) =>
    (!byName || bothOrNeither(a, b)) && namesAgree(a, b) && clusters.conflict(a.cluster, b.cluster) === null
  const torn = splitCompatible(shown, fits).ambiguous
  if (torn.length > 0) {
    return torn.map(({ contender, fits: candidates }) => ({
      record: contender.cluster.smallest,
      kind: 'fits_several' as const,
      by: key.kind,
      candidates: candidates.map((each) => each.cluster.smallest),
    }))
  }

  const doubtful = new Set<Cluster>()
  for (const [index, a] of claimants.entries()) {
    for (const b of claimants.slice(index + 1)) {
      const why = clusters.conflict(a.cluster, b.cluster)
      const incomparable = a.cluster.named && b.cluster.named && (a.names === null || b.names === null)
      if (byName ? incomparable && why === null : why === 'evidence') doubtful.add(a.cluster).add(b.cluster)
    }
  }
  if (doubtful.size === 0) return []
  const candidates = [...doubtful].map((cluster) => cluster.smallest).sort((a, b) => a - b)
  return [{ record: candidates[0] as number, kind: 'key_shared', by: key.kind, candidates }]
}

function bothOrNeither(a: Contender, b: Contender): boolean {
  return (a.names === null) === (b.names === null)
}

/** One per record, the first asked; candidates by the smallest record of the cluster they are in now. */
export function toAmbiguities(questions: readonly OpenQuestion[], clusters: Clusters, records: readonly IdentityFact[]): Ambiguity[] {
  const byRecord = new Map<number, Ambiguity>()
  for (const { record, kind, by, candidates } of questions) {
    const asker = clusters.of(record).smallest
    const distinct = [...new Set(candidates.map((index) => clusters.of(index).smallest))].sort((a, b) => a - b)
    if (byRecord.has(asker) || !distinct.some((candidate) => candidate !== asker)) continue
    byRecord.set(asker, { recordId: idOf(records, asker), kind, by, candidates: distinct.map((index) => idOf(records, index)) })
  }
  return [...byRecord].sort(([a], [b]) => a - b).map(([, ambiguity]) => ambiguity)
}

function idOf(records: readonly IdentityFact[], index: number): string {
  return (records[index] as IdentityFact).id
}
