import type { LinkRule } from './resolution.ts'

export type Evidence = Map<string, Set<string>>

/** What is known of one cluster of records; records are indices in canonical order. */
export interface Cluster {
  readonly members: number[]
  smallest: number
  /** Numbering system → reference tokens. */
  refs: Evidence | null
  /** Shared token → name vetoes that go with it: first names for an e-mail, full names for a phone. */
  names: Evidence | null
  /** Shared token → birth-date vetoes. */
  births: Evidence | null
  /** Records a person said are somebody else. */
  apart: Set<number> | null
  /** Has a record about that person that shows a name. */
  named: boolean
}

export interface LinkEdge {
  readonly a: number
  readonly b: number
  readonly rule: LinkRule
  readonly inferred: boolean
}

export function emptyCluster(index: number): Cluster {
  return { members: [index], smallest: index, refs: null, names: null, births: null, apart: null, named: false }
}

/** Union-find over records, with the evidence of each cluster and the edges that made it. */
export class Clusters {
  readonly edges: LinkEdge[] = []
  readonly #parent: Int32Array
  readonly #clusters: (Cluster | null)[]

  constructor(count: number) {
    this.#parent = new Int32Array(count)
    for (let index = 0; index < count; index++) this.#parent[index] = index
    this.#clusters = Array.from({ length: count }, (_, index) => emptyCluster(index))
  }

  of(index: number): Cluster {
    const parent = this.#parent
    let root = index
    for (let up = parent[root] as number; up !== root; up = parent[root] as number) {
      parent[root] = parent[up] as number
      root = up
    }
    return this.#clusters[root] as Cluster
  }

  all(): Cluster[] {
    return this.#clusters.filter((cluster) => cluster !== null).sort((a, b) => a.smallest - b.smallest)
  }

  /** Joins the clusters of two records. The vetoes have been asked before. */
  merge(a: number, b: number, rule: LinkRule, inferred: boolean): void {
    const one = this.of(a)
    const two = this.of(b)
    if (one === two) return
    const [into, from] = one.members.length >= two.members.length ? [one, two] : [two, one]
    const root = into.members[0] as number
    const gone = from.members[0] as number
    this.#parent[gone] = root
    this.#clusters[gone] = null
    for (const member of from.members) into.members.push(member)
    into.smallest = Math.min(into.smallest, from.smallest)
    into.refs = mergeEvidence(into.refs, from.refs)
    into.names = mergeEvidence(into.names, from.names)
    into.births = mergeEvidence(into.births, from.births)
    if (into.apart && from.apart) for (const index of from.apart) into.apart.add(index)
    else into.apart ??= from.apart
    into.named ||= from.named
    this.edges.push({ a, b, rule, inferred })
  }

  /** Why two clusters may not be one: a person's word, or references or birth dates that are known on both sides and have nothing in common. */
  conflict(a: Cluster, b: Cluster): 'human' | 'evidence' | null {
    if (this.keptApart(a, b)) return 'human'
    return areDisjoint(a.refs, b.refs) || areDisjoint(a.births, b.births) ? 'evidence' : null
  }

  keptApart(a: Cluster, b: Cluster): boolean {
    if (a.apart === null || b.apart === null) return false
    const [few, other] = a.apart.size <= b.apart.size ? [a.apart, b] : [b.apart, a]
    for (const index of few) if (this.of(index) === other) return true
    return false
  }
}

export function addEvidence(evidence: Evidence | null, key: string, value: string): Evidence {
  const known = evidence ?? new Map<string, Set<string>>()
  const values = known.get(key)
  if (values) values.add(value)
  else known.set(key, new Set([value]))
  return known
}

function mergeEvidence(a: Evidence | null, b: Evidence | null): Evidence | null {
  if (a === null || b === null) return a ?? b
  const [into, from] = a.size >= b.size ? [a, b] : [b, a]
  for (const [key, values] of from) {
    const known = into.get(key)
    if (known) for (const value of values) known.add(value)
    else into.set(key, values)
  }
  return into
}

function areDisjoint(a: Evidence | null, b: Evidence | null): boolean {
  if (a === null || b === null) return false
  const [few, many] = a.size <= b.size ? [a, b] : [b, a]
  for (const [key, values] of few) {
    const others = many.get(key)
    if (others && !overlap(values, others)) return true
  }
  return false
}

export function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  const [few, many] = a.size <= b.size ? [a, b] : [b, a]
  for (const value of few) if (many.has(value)) return true
  return false
}
