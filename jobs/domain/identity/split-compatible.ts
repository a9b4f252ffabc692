import type { Cluster } from './clusters.ts'

/** A cluster that claims a key. */
export interface Contender {
  readonly cluster: Cluster
  /** Its smallest record with that key. */
  readonly holder: number
  /** Null: shows none with this key, so it agrees with any. */
  readonly names: ReadonlySet<string> | null
  readonly births: ReadonlySet<string> | null
}

export interface Split {
  readonly groups: readonly (readonly Contender[])[]
  /** Those who fit contenders that do not fit each other. */
  readonly ambiguous: readonly { readonly contender: Contender; readonly fits: readonly Contender[] }[]
}

const comparedOneByOne = 16
const mostKinds = 64

/**
 * Splits the claimants of one key into groups that agree. Whoever agrees with two that disagree is ambiguous and left out; what remains falls
 * into groups in which all agree, whatever the order. Claimants with the same names, references and birth dates are compared as one, and a key
 * with more than 64 different kinds of claimants tells nobody apart: it links nothing. So the cost is linear in the claimants.
 */
export function splitCompatible(contenders: readonly Contender[], fits: (a: Contender, b: Contender) => boolean): Split {
  const kinds = contenders.length <= comparedOneByOne ? contenders.map((contender) => [contender]) : groupAlike(contenders)
  if (kinds.length > mostKinds) return { groups: [], ambiguous: [] }
  const heads = kinds.map((kind) => kind[0] as Contender)

  const neighbours = heads.map((): number[] => [])
  const agree = new Set<number>()
  for (let i = 0; i < heads.length; i++) {
    for (let j = i + 1; j < heads.length; j++) {
      if (!fits(heads[i] as Contender, heads[j] as Contender)) continue
      agree.add(i * mostKinds + j)
      neighbours[i]?.push(j)
      neighbours[j]?.push(i)
    }
  }
  if (agree.size === (heads.length * (heads.length - 1)) / 2) return { groups: [contenders], ambiguous: [] }

  const torn = heads.map((_, i) =>
    (neighbours[i] ?? []).some((a, n) => (neighbours[i] ?? []).slice(n + 1).some((b) => !agree.has(a * mostKinds + b))),
  )
  const groups: Contender[][] = []
  const ambiguous: { contender: Contender; fits: Contender[] }[] = []
  const grouped = new Set<number>()
  for (let i = 0; i < heads.length; i++) {
    const near = neighbours[i] ?? []
    if (torn[i]) {
      const sure = near.filter((j) => !torn[j])
      const candidates = (sure.length > 0 ? sure : near).map((j) => heads[j] as Contender)
      for (const contender of kinds[i] ?? []) ambiguous.push({ contender, fits: candidates })
    } else if (!grouped.has(i)) {
      const together = [i, ...near.filter((j) => !torn[j])]
      for (const j of together) grouped.add(j)
      groups.push(together.flatMap((j) => kinds[j] ?? []))
    }
  }
  return { groups, ambiguous }
}

function groupAlike(contenders: readonly Contender[]): Contender[][] {
  const kinds = new Map<string, Contender[]>()
  for (const contender of contenders) {
    const { cluster } = contender
    const refs = [...(cluster.refs ?? [])].map(([system, tokens]) => `${system}=${[...tokens].sort().join()}`).sort()
    const own = cluster.apart ? contender.holder : ''
    const key = [[...(contender.names ?? [])].sort().join(), [...(contender.births ?? [])].sort().join(), refs.join(';'), own].join('|')
    const kind = kinds.get(key)
    if (kind) kind.push(contender)
    else kinds.set(key, [contender])
  }
  return [...kinds.values()]
}
