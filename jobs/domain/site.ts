import type { Evidence } from './expectations/expectation.ts'
import type { RecordFact } from './facts.ts'

/** Where a site is stated: parsed from the configuration. */
export interface Sites {
  /** What the tools call a site, its key included, in lower case → its key. */
  readonly keyOf: ReadonlyMap<string, string>
  /** Connection → the site of all its records that state none themselves. */
  readonly byConnection: ReadonlyMap<string, string>
  /** `<connection>.<stream>` → the operational field in which its records state their site. */
  readonly fieldOf: ReadonlyMap<string, string>
}

/** A site with how it is known, in words that fit into brackets. */
export interface FoundSite {
  readonly key: string
  readonly why: string
}

export const noSites: Sites = { keyOf: new Map(), byConnection: new Map(), fieldOf: new Map() }

/** How a configuration writes a site in a filter that wants those without one. */
export const withoutSite = 'none'

/** What a record itself says, else its connection, else null. */
export function siteOfRecord(record: Pick<RecordFact, 'stream' | 'ops'>, sites: Sites): FoundSite | 'undeclared' | null {
  const field = sites.fieldOf.get(record.stream)
  const stated = field === undefined ? null : (record.ops[field] ?? null)
  if (stated !== null && stated !== '') {
    const key = sites.keyOf.get(String(stated).trim().toLowerCase())
    return key === undefined ? 'undeclared' : { key, why: `as its record in ${record.stream} states` }
  }
  const connection = connectionOf(record.stream)
  return siteOfConnection(connection, sites.byConnection.get(connection))
}

export function siteOfConnection(connection: string, site: string | null | undefined): FoundSite | null {
  return site ? { key: site, why: `the site of the connection ${connection}` } : null
}

/**
 * The site of a finding, from facts alone: what its anchor states (or, of culprits and sides, what all of them that state one agree on),
 * else the only site stated in its journey, else none. The order of records never matters.
 */
export function siteOfActivation(
  evidence: readonly Evidence[],
  recordOf: (id: string) => Pick<RecordFact, 'stream' | 'ops'> | undefined,
  journeyRecords: readonly Pick<RecordFact, 'stream' | 'ops'>[],
  sites: Sites,
): FoundSite | null {
  const anchors = evidence.filter((item) => item.role === 'anchor')
  const chosen = anchors.length > 0 ? anchors : evidence.filter((item) => item.role !== 'expected' && item.role !== 'read')
  const own = soleSite(
    chosen.flatMap((item) => recordOf(item.recordId) ?? []),
    sites,
  )
  if (own !== null) return own === 'uncertain' ? null : own
  const inJourney = soleSite(journeyRecords, sites)
  return inJourney === null || inJourney === 'uncertain' ? null : { key: inJourney.key, why: 'the only site stated in its journey' }
}

/** The same for all activations of a component: its records are looked up when the first one asks. */
export function siteFinder(
  sites: Sites,
  records: readonly RecordFact[],
): (evidence: readonly Evidence[], journey: { readonly recordIds: readonly string[] } | null) => FoundSite | null {
  if (sites.byConnection.size === 0 && sites.fieldOf.size === 0) return () => null
  let byId: ReadonlyMap<string, RecordFact> | null = null
  return (evidence, journey) => {
    byId ??= new Map(records.map((record) => [record.id, record]))
    const recordOf = (id: string) => byId?.get(id)
    return siteOfActivation(
      evidence,
      recordOf,
      (journey?.recordIds ?? []).flatMap((id) => recordOf(id) ?? []),
      sites,
    )
  }
}

/** Uncertain: several are stated, or one that nobody declared. */
function soleSite(records: readonly Pick<RecordFact, 'stream' | 'ops'>[], sites: Sites): FoundSite | 'uncertain' | null {
  let sole: FoundSite | null = null
  for (const record of records) {
    const site = siteOfRecord(record, sites)
    if (site === null) continue
    if (site === 'undeclared' || (sole !== null && sole.key !== site.key)) return 'uncertain'
    if (sole === null || site.why < sole.why) sole = site
  }
  return sole
}

function connectionOf(stream: string): string {
  return stream.split('.')[0] ?? stream
}
