import { paths, type Query } from '../paths.ts'

export const filterKeys = ['actor', 'act', 'kind', 'target', 'recorded', 'row'] as const
export type FilterKey = (typeof filterKeys)[number]
/** Of these only one value makes sense: the last one given. */
const singleKeys: ReadonlySet<FilterKey> = new Set(['target', 'recorded', 'row'])
/** What people type for a key. */
const otherNames: Readonly<Record<string, FilterKey>> = { who: 'actor', by: 'actor', what: 'act', on: 'target', when: 'recorded' }

/** What the address of the audit says: filters with the values any of which may match. */
export type AuditQuery = Partial<Record<FilterKey, readonly string[]>>

export const spans: Readonly<Record<string, string>> = {
  'now-1h..': 'in the last hour',
  'now-24h..': 'in the last 24 hours',
  'now-7d..': 'in the last 7 days',
  'now-30d..': 'in the last 30 days',
}

export function parseQuery(search: URLSearchParams): AuditQuery {
  const query: AuditQuery = {}
  for (const key of filterKeys) {
    const values = (search.get(key) ?? '').split(',').filter(Boolean)
    if (values.length) query[key] = singleKeys.has(key) ? values.slice(-1) : values
  }
  return query
}

export const toApi = (query: AuditQuery): Query => ({ ...query })
export const hrefOf = (query: AuditQuery): string => paths.audit({ ...query })
export const isFiltered = (query: AuditQuery): boolean => Object.keys(query).length > 0

export function withFilter(query: AuditQuery, key: FilterKey, values: readonly string[]): AuditQuery {
  const { [key]: _, ...rest } = query
  const kept = singleKeys.has(key) ? values.slice(-1) : [...new Set(values)]
  return kept.length ? { ...rest, [key]: kept } : rest
}

export const toggleValue = (values: readonly string[], value: string): string[] =>
  values.includes(value) ? values.filter((each) => each !== value) : [...values, value]

/** `act:finding.waive actor:throughline 3f9a…` adds filters; what is no `key:value` is the id of a target. */
export function withTyped(query: AuditQuery, typed: string): AuditQuery {
  let next = query
  for (const word of typed.trim().split(/\s+/).filter(Boolean)) {
    const [, name = '', value = ''] = /^([a-z]+):(.+)$/.exec(word) ?? []
    const key = filterKeys.find((each) => each === (otherNames[name] ?? name))
    next = key ? withFilter(next, key, [...(next[key] ?? []), ...value.split(',').filter(Boolean)]) : withFilter(next, 'target', [word])
  }
  return next
}
