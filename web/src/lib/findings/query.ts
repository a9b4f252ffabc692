import { type Query, paths } from '../paths.ts'

export const filterKeys = [
  'status',
  'kind',
  'severity',
  'owner',
  'connection',
  'expectation',
  'program',
  'subject',
  'journey',
  'opened',
  'closed',
  'due',
  'endedby',
] as const
export type FilterKey = (typeof filterKeys)[number]
/** Of these only one value makes sense: the last one given. */
const singleKeys: ReadonlySet<FilterKey> = new Set(['subject', 'journey', 'opened', 'closed', 'due', 'endedby'])
/** What the address of the list says: filters with the values any of which may match, words, and the order. */
export interface FindingQuery {
  filters: Partial<Record<FilterKey, string[]>>
  q: string
  sort: string
}

export const defaultSort = 'due'

export function parseQuery(search: URLSearchParams): FindingQuery {
  const filters: FindingQuery['filters'] = {}
  for (const key of filterKeys) {
    const values = (search.get(key) ?? '').split(',').filter(Boolean)
    if (values.length) filters[key] = values
  }
  return { filters, q: search.get('q') ?? '', sort: search.get('sort') ?? defaultSort }
}

export const toApi = (query: FindingQuery): Query => ({ ...query.filters, q: query.q, sort: query.sort })

export const hrefOf = (query: FindingQuery): string =>
  paths.findings({ ...query.filters, q: query.q, sort: query.sort === defaultSort ? '' : query.sort })

export function withFilter(query: FindingQuery, key: FilterKey, values: string[]): FindingQuery {
  const filters = { ...query.filters }
  if (values.length) filters[key] = singleKeys.has(key) ? values.slice(-1) : [...new Set(values)]
  else delete filters[key]
  return { ...query, filters }
}

export const toggleValue = (values: readonly string[], value: string): string[] =>
  values.includes(value) ? values.filter((each) => each !== value) : [...values, value]

/** `kind:gap,drift owner:messaging 3f9a` adds filters; what is no `key:value` becomes the words searched for. */
export function withTyped(query: FindingQuery, typed: string): FindingQuery {
  let next = { ...query, q: '' }
  const words: string[] = []
  for (const word of typed.trim().split(/\s+/)) {
    const [, name = '', value = ''] = /^([a-z]+):(.+)$/.exec(word) ?? []
    const key = filterKeys.find((each) => each === (name === 'tool' ? 'connection' : name))
    if (key) next = withFilter(next, key, [...(next.filters[key] ?? []), ...value.split(',').filter(Boolean)])
    else if (word) words.push(word)
  }
  return { ...next, q: words.join(' ') }
}

export const isFiltered = (query: FindingQuery): boolean => query.q !== '' || Object.keys(query.filters).length > 0
