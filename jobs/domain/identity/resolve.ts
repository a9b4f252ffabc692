import { attachNameless } from './attach-nameless.ts'
import { attachWeak } from './attach-weak.ts'
import type { LinkEdge } from './clusters.ts'
import { Clusters } from './clusters.ts'
import { linkStrong } from './link-strong.ts'
import type { OpenQuestion } from './questions.ts'
import { askAboutStrong, toAmbiguities } from './questions.ts'
import type { Decision, IdentityFact, Link, Resolution, ResolvedCluster } from './resolution.ts'
import { learn, SharedKeys } from './shared-keys.ts'

export type { Decision } from './resolution.ts'

/**
 * Which records are about one subject (identity.md, Resolution). A pure function of its arguments and blind to their order: everything is done
 * in the order of record ids, never of tokens, so a rotated key gives the same partition. `hotTokens` are e-mails and phones known elsewhere to
 * be shared by too many people; those that are hot among these records alone are found here. Near-linear in the records and their keys.
 * `without` switches the vetoes off, names and hot keys included, for `demo:score` only.
 */
export function resolveIdentity(
  unordered: readonly IdentityFact[],
  hotTokens: ReadonlySet<string>,
  decisions: readonly Decision[],
  without?: ReadonlySet<string>,
): Resolution {
  const vetoes = without?.has('identity-vetoes') !== true
  const records = unordered.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
  const clusters = new Clusters(records.length)
  const shared = new SharedKeys(records, hotTokens, vetoes)
  for (const [index, record] of records.entries()) if (shared.isStrong(index)) learn(clusters.of(index), record.keys)

  applyDecisions(clusters, records, decisions)
  linkStrong(clusters, shared, vetoes)
  const questions: OpenQuestion[] = vetoes ? attachNameless(clusters, shared) : []
  if (vetoes) questions.push(...askAboutStrong(clusters, shared))
  const alone = clusters.all().filter((cluster) => !cluster.members.some((index) => shared.isStrong(index) && shared.of(index).length > 0))
  questions.push(...attachWeak(clusters, shared, records, alone))

  return { clusters: toClusters(clusters, records), ambiguities: toAmbiguities(questions, clusters, records) }
}

/** Cannot-link first, so that it also holds against a must-link; a must-link holds against everything else. */
function applyDecisions(clusters: Clusters, records: readonly IdentityFact[], decisions: readonly Decision[]): void {
  if (decisions.length === 0) return
  const indexOf = new Map(records.map((record, index) => [record.id, index]))
  const pairs = decisions.flatMap(({ decision, recordA, recordB }) => {
    const a = indexOf.get(recordA)
    const b = indexOf.get(recordB)
    return a === undefined || b === undefined || a === b ? [] : [{ decision, a: Math.min(a, b), b: Math.max(a, b) }]
  })
  pairs.sort((one, two) => one.a - two.a || one.b - two.b)
  for (const { decision, a, b } of pairs) {
    if (decision === 'must_link') continue
    const one = clusters.of(a)
    const two = clusters.of(b)
    one.apart = (one.apart ?? new Set()).add(b)
    two.apart = (two.apart ?? new Set()).add(a)
  }
  for (const { decision, a, b } of pairs) {
    if (decision === 'must_link' && !clusters.keptApart(clusters.of(a), clusters.of(b))) clusters.merge(a, b, 'must_link', false)
  }
}

function toClusters(clusters: Clusters, records: readonly IdentityFact[]): ResolvedCluster[] {
  const edges: (LinkEdge[] | undefined)[] = new Array(records.length)
  for (const edge of clusters.edges) {
    ;(edges[edge.a] ??= []).push(edge)
    ;(edges[edge.b] ??= []).push(edge)
  }
  const id = (index: number) => (records[index] as IdentityFact).id
  const links: Link[] = new Array(records.length)
  return clusters.all().map(({ smallest }) => {
    links[smallest] = { recordId: id(smallest), rule: 'first', via: null, inferred: false }
    const queue = [smallest]
    for (const from of queue) {
      for (const { a, b, rule, inferred } of edges[from] ?? []) {
        const to = a === from ? b : a
        if (links[to] !== undefined) continue
        links[to] = { recordId: id(to), rule, via: id(from), inferred }
        queue.push(to)
      }
    }
    queue.sort((a, b) => a - b)
    return { recordIds: queue.map(id), links: queue.map((index) => links[index] as Link) }
  })
}
