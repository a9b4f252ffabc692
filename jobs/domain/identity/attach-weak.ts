import type { Cluster, Clusters } from './clusters.ts'
import { emptyCluster, overlap } from './clusters.ts'
import { linkPass } from './link-strong.ts'
import type { OpenQuestion } from './questions.ts'
import type { IdentityFact, LinkRule } from './resolution.ts'
import type { SharedKey, SharedKeys } from './shared-keys.ts'
import { learn } from './shared-keys.ts'
import type { Candidates } from './sole-candidate.ts'
import { chooseSole } from './sole-candidate.ts'

const mostCandidates = 64
/** An object that more people have is a place or a product: it says nothing about whose a record is. */
const mostOwnersOfObject = 4

/** A cluster without any record that could link by itself: a payer's, a bare contact's, or one without keys. */
interface Unit {
  readonly cluster: Cluster
  /** What its own keys say; not passed on to the cluster it joins. */
  readonly own: Cluster
  readonly keys: readonly SharedKey[]
  readonly objects: readonly string[]
  readonly isPayer: boolean
}

/**
 * A payer is evidence about the payment, never about the subject: each unit goes where its reference says, else where its object is, else to
 * the only cluster its keys allow (inferred), else it stays apart as a question. Units never join two clusters. Where nobody else claims their
 * keys, they link among themselves by the rules of people, names that are not shown agreeing with any.
 */
export function attachWeak(
  clusters: Clusters,
  shared: SharedKeys,
  records: readonly IdentityFact[],
  alone: readonly Cluster[],
): OpenQuestion[] {
  if (alone.length === 0) return []
  const questions: OpenQuestion[] = []
  const units = alone.map((cluster) => toUnit(cluster, shared, records))
  const byObject = units.some((unit) => unit.objects.length > 0) ? indexObjects(records) : new Map<string, number[]>()
  const pending = new Set(units)
  const unitOf = new Map(units.flatMap((unit) => unit.cluster.members.map((index) => [index, unit] as const)))
  const isHome = (index: number) => {
    const unit = unitOf.get(index)
    return unit === undefined || !pending.has(unit)
  }

  const homesByKey = (holds: (key: SharedKey) => readonly number[]) => {
    const known = new Map<SharedKey, Map<Cluster, number>>()
    return (key: SharedKey) => {
      let found = known.get(key)
      if (!found) {
        found = new Map()
        for (const index of holds(key)) if (isHome(index) && !found.has(clusters.of(index))) found.set(clusters.of(index), index)
        if (found.size > mostCandidates) found.clear()
        known.set(key, found)
      }
      return found
    }
  }
  const attach = (unit: Unit, via: number, rule: LinkRule, inferred: boolean) => {
    if (!clusters.keptApart(unit.cluster, clusters.of(via))) clusters.merge(via, unit.cluster.smallest, rule, inferred)
    pending.delete(unit)
  }
  const ask = (unit: Unit, by: OpenQuestion['by'], candidates: readonly Cluster[]) => {
    pending.delete(unit)
    questions.push({ record: unit.cluster.smallest, kind: 'fits_several', by, candidates: candidates.map((each) => each.smallest) })
  }
  let owned = homesByKey((key) => key.strong)
  const byKeys = (unit: Unit): Candidates<SharedKey>[] =>
    unit.keys
      .filter(({ kind }) => kind === 'email' || kind === 'phone' || (kind === 'name_birth_date' && !unit.isPayer))
      .map((key) => ({ by: key, clusters: new Map([...owned(key)].filter(([cluster]) => allows(clusters, unit, cluster, key))) }))

  const attachByReference = () => {
    for (const unit of [...pending]) {
      const evidence = unit.keys
        .filter((key) => key.kind === 'reference' || key.kind === 'external')
        .map((key) => ({ by: key, clusters: new Map([...owned(key)].filter(([cluster]) => !clusters.keptApart(unit.cluster, cluster))) }))
      const choice = chooseSole(evidence)
      if (choice.kind === 'sole') attach(unit, choice.via, choice.by.kind, false)
      else if (choice.kind === 'several') ask(unit, choice.by.kind, choice.clusters)
    }
  }

  const attachByObject = () => {
    const doubtful = new Map<Unit, readonly Cluster[]>()
    let look: Iterable<Unit> = [...pending]
    for (;;) {
      const homes = findOwners(clusters, byObject, isHome)
      owned = homesByKey((key) => key.strong)
      const found: { unit: Unit; via: number; inferred: boolean }[] = []
      for (const unit of look) {
        if (unit.objects.length === 0 || !pending.has(unit)) continue
        const evidence = unit.objects.map((by) => ({
          by,
          clusters: new Map([...homes(by)].filter(([cluster]) => !clusters.keptApart(unit.cluster, cluster))),
        }))
        const choice = chooseSole(evidence)
        doubtful.delete(unit)
        if (choice.kind === 'sole') found.push({ unit, via: choice.via, inferred: false })
        if (choice.kind !== 'several') continue
        const narrowed = chooseSole([
          { by: null, clusters: new Map(choice.clusters.map((each) => [each, each.smallest])) },
          ...byKeys(unit),
        ])
        if (narrowed.kind === 'sole') {
          const via = evidence.map(({ clusters: owners }) => owners.get(narrowed.cluster)).find((index) => index !== undefined)
          found.push({ unit, via: via ?? narrowed.via, inferred: true })
        } else if (choice.clusters.length <= mostOwnersOfObject) doubtful.set(unit, choice.clusters)
      }
      if (found.length === 0) break
      const touched = new Set<Unit>()
      for (const { unit, via, inferred } of found) {
        attach(unit, via, 'object', inferred)
        for (const object of unit.objects) for (const index of byObject.get(object) ?? []) touched.add(unitOf.get(index) ?? unit)
      }
      look = [...touched].filter((unit) => pending.has(unit)).sort((a, b) => a.cluster.smallest - b.cluster.smallest)
    }
    return doubtful
  }

  attachByReference()
  for (const [unit, owners] of attachByObject()) ask(unit, 'object', owners)
  const known = [...pending].map((unit) => ({ unit, choice: chooseSole(byKeys(unit)) }))
  for (const { unit, choice } of known) {
    if (choice.kind === 'sole') attach(unit, choice.via, choice.by.kind, true)
    else if (choice.kind === 'several') ask(unit, choice.by.kind, choice.clusters)
  }
  for (const [unit, owners] of attachByObject()) ask(unit, 'object', owners)

  linkAmongThemselves(
    clusters,
    shared,
    [...pending].filter((unit) => unit.keys.length > 0),
  )
  for (const unit of [...pending]) if (unit.keys.length > 0) pending.delete(unit)
  for (const [unit, owners] of attachByObject()) ask(unit, 'object', owners)
  return questions
}

function toUnit(cluster: Cluster, shared: SharedKeys, records: readonly IdentityFact[]): Unit {
  const own = emptyCluster(cluster.smallest)
  const keys = new Set<SharedKey>()
  const objects = new Set<string>()
  for (const index of cluster.members) {
    const record = records[index] as IdentityFact
    learn(own, record.keys)
    for (const key of shared.of(index)) keys.add(key)
    for (const name of objectNames(record)) objects.add(name)
  }
  const isPayer = cluster.members.some((index) => records[index]?.role === 'payer')
  return { cluster, own, keys: [...keys], objects: [...objects], isPayer }
}

/** A payer's name and birth date are the payer's: only a contact's are compared. */
function allows(clusters: Clusters, unit: Unit, cluster: Cluster, key: SharedKey): boolean {
  if (clusters.keptApart(unit.cluster, cluster)) return false
  const own = unit.isPayer ? { ...unit.own, births: null } : unit.own
  if (clusters.conflict({ ...own, apart: null }, cluster) !== null) return false
  const names = unit.own.names?.get(key.token)
  const others = cluster.names?.get(key.token)
  return unit.isPayer || names === undefined || others === undefined || overlap(names, others)
}

function linkAmongThemselves(clusters: Clusters, shared: SharedKeys, units: readonly Unit[]): void {
  const ours = new Set<Cluster>()
  for (const { cluster, own } of units) {
    cluster.refs = own.refs
    cluster.names = own.names
    cluster.births = own.births
    ours.add(cluster)
  }
  const options = {
    holders: (key: SharedKey) => (key.strong.length === 0 ? key.weak : [...key.strong, ...key.weak].sort((a, b) => a - b)),
    admits: (cluster: Cluster) => ours.has(cluster),
    vetoes: true,
  }
  for (const kind of ['reference', 'external'] as const) linkPass(clusters, shared.ofKind(kind), { ...options, inferred: false })
  for (const kind of ['name_birth_date', 'email', 'phone'] as const) linkPass(clusters, shared.ofKind(kind), { ...options, inferred: true })
}

/** An object goes by its own id and by the one it continues, so both ends of a reschedule meet. */
function objectNames(record: IdentityFact): string[] {
  return record.objects.flatMap(({ type, id, root }) =>
    root === undefined || root === id ? [`${type}\0${id}`] : [`${type}\0${id}`, `${type}\0${root}`],
  )
}

function indexObjects(records: readonly IdentityFact[]): Map<string, number[]> {
  const byObject = new Map<string, number[]>()
  for (const [index, record] of records.entries()) {
    for (const name of objectNames(record)) {
      const holders = byObject.get(name)
      if (holders) holders.push(index)
      else byObject.set(name, [index])
    }
  }
  return byObject
}

function findOwners(clusters: Clusters, byObject: ReadonlyMap<string, readonly number[]>, isHome: (index: number) => boolean) {
  const known = new Map<string, Map<Cluster, number>>()
  return (object: string): ReadonlyMap<Cluster, number> => {
    const before = known.get(object)
    if (before) return before
    const owners = new Map<Cluster, number>()
    for (const index of byObject.get(object) ?? []) {
      if (!isHome(index)) continue
      const cluster = clusters.of(index)
      if (!owners.has(cluster)) owners.set(cluster, index)
      if (owners.size > mostCandidates) break
    }
    if (owners.size > mostCandidates) owners.clear()
    known.set(object, owners)
    return owners
  }
}
