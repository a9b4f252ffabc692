import { type Query, paths } from '../paths.ts'
import { endedStatuses, severities, statuses } from '../words.ts'

export const filterKeys = [
  'status',
  'kind',
  'severity',
  'owner',
  'claimed',
  'connection',
  'expectation',
  'program',
  'site',
  'subject',
  'journey',
  'due',
  'occurred',
  'opened',
  'closed',
  'endedby',
  'regressed',
] as const
export type FilterKey = (typeof filterKeys)[number]
/** Of these only one value makes sense: the last one given. */
const singleKeys: ReadonlySet<FilterKey> = new Set([
  'claimed',
  'subject',
  'journey',
  'due',
  'occurred',
  'opened',
  'closed',
  'endedby',
  'regressed',
])

export const sorts = {
  due: 'Due, soonest first',
  severity: 'Severity, worst first',
  opened: 'Found, newest first',
  '-opened': 'Found, oldest first',
  occurred: 'Since, newest first',
  '-occurred': 'Since, oldest first',
  changed: 'Changed, latest first',
  closed: 'Ended, latest first',
  '-due': 'Due, latest first',
  '-severity': 'Severity, mildest first',
} as const
export type Sort = keyof typeof sorts
export const defaultSort: Sort = 'due'

export const groupings = {
  expectation: 'Promise',
  owner: 'Owner',
  connection: 'Tool',
  kind: 'Kind',
  severity: 'Severity',
  status: 'Status',
  site: 'Site',
  subject: 'Person',
} as const
export type Grouping = keyof typeof groupings

export const columnTitles = {
  severity: 'Severity',
  owner: 'Owner',
  due: 'Due',
  age: 'Age',
  status: 'Status',
  evidence: 'Last evidence',
  since: 'Since',
  found: 'Found',
  ended: 'Ended',
  promise: 'Promise',
  tool: 'Tool',
  site: 'Site',
} as const
export type Column = keyof typeof columnTitles
const isColumn = (text: string): text is Column => Object.hasOwn(columnTitles, text)

/** What the address of the list says: filters with the values any of which may match, words, the order and how it is shown. */
export interface FindingQuery {
  filters: Partial<Record<FilterKey, string[]>>
  q: string
  sort: Sort
  /** Null: one list. */
  group: Grouping | null
  /** Null: those that fit. */
  columns: Column[] | null
}

const place = String.raw`(?:now(?:[+-]\d{1,5}[mhdw])?|\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?)`
const spanPattern = new RegExp(`^(?:today|yesterday|\\d{4}-\\d{2}-\\d{2}|[<>]=?${place}|${place}\\.\\.(?:${place})?|\\.\\.${place})$`)
const isSpan = (text: string) => spanPattern.test(text)
const isId = (text: string) => /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(text)
const oneOf =
  (...words: string[]) =>
  (text: string) =>
    words.includes(text)
/** Garbage in an address is left out, never an error. Keys without an entry take any word. */
const fits: Partial<Record<FilterKey, (text: string) => boolean>> = {
  status: oneOf(...Object.keys(statuses), 'ended', 'all'),
  severity: oneOf(...Object.keys(severities)),
  claimed: oneOf('me', 'anyone', 'nobody'),
  endedby: oneOf('person', 'itself'),
  regressed: oneOf('yes', 'no'),
  subject: isId,
  journey: isId,
  due: isSpan,
  occurred: isSpan,
  opened: isSpan,
  closed: isSpan,
}
const longestWord = 200
/** What a person types for a key or a value that has another name in the address. */
const aliases: Readonly<Record<string, FilterKey>> = { tool: 'connection', promise: 'expectation', rule: 'expectation', person: 'subject' }

const valuesOf = (key: FilterKey, text: string): string[] =>
  text
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '' && value.length <= longestWord && (fits[key]?.(value) ?? true))
    .slice(0, 50)

export function parseQuery(search: URLSearchParams): FindingQuery {
  const filters: FindingQuery['filters'] = {}
  for (const key of filterKeys) {
    const values = valuesOf(key, search.get(key) ?? '')
    if (values.length) filters[key] = singleKeys.has(key) ? values.slice(-1) : [...new Set(values)]
  }
  // An address of before `ended` had a word lists all endings.
  const { status } = filters
  if (status && endedStatuses.every((each) => status.includes(each))) filters.status = ['ended']
  const sort = search.get('sort') ?? ''
  const group = search.get('group') ?? ''
  const columns = (search.get('columns') ?? '').split(',').filter(isColumn)
  return {
    filters,
    q: (search.get('q') ?? '').trim().slice(0, longestWord),
    sort: Object.hasOwn(sorts, sort) ? (sort as Sort) : defaultSort,
    group: Object.hasOwn(groupings, group) ? (group as Grouping) : null,
    columns: columns.length ? [...new Set(columns)] : null,
  }
}

/** In one order, so that equal filters are equal addresses. */
export const filtersOf = (query: Pick<FindingQuery, 'filters' | 'q'>): Query => ({
  ...Object.fromEntries(filterKeys.map((key) => [key, query.filters[key]])),
  q: query.q,
})
export const toApi = (query: FindingQuery): Query => ({ ...filtersOf(query), sort: query.sort })

export const hrefOf = (query: FindingQuery): string =>
  paths.findings({
    ...filtersOf(query),
    sort: query.sort === defaultSort ? '' : query.sort,
    group: query.group,
    columns: query.columns,
  })

/** The part of the address after the question mark: what a view keeps. */
export const addressOf = (query: FindingQuery): string => hrefOf(query).split('?')[1] ?? ''

/** Filters alone, as an act on all that match is given them. */
export const filterAddressOf = (query: FindingQuery): string => addressOf({ ...query, sort: defaultSort, group: null, columns: null })

/** The query of an address such as a view keeps. */
export const queryOf = (address: string): FindingQuery => parseQuery(new URLSearchParams(address))

export function withFilter(query: FindingQuery, key: FilterKey, values: readonly string[]): FindingQuery {
  const filters = { ...query.filters }
  if (values.length) filters[key] = singleKeys.has(key) ? values.slice(-1) : [...new Set(values)]
  else delete filters[key]
  return { ...query, filters }
}

export const toggleValue = (values: readonly string[], value: string): string[] =>
  values.includes(value) ? values.filter((each) => each !== value) : [...values, value]

/** `kind:gap,drift owner:me due:<now 3f9a` adds filters; what is no `key:value` we know becomes the words searched for. */
export function withTyped(query: FindingQuery, typed: string): FindingQuery {
  let next = { ...query, q: '' }
  const words: string[] = []
  for (const word of typed.trim().split(/\s+/)) {
    const [, name = '', value = ''] = /^([a-z]+):(.+)$/.exec(word) ?? []
    const named = aliases[name] ?? filterKeys.find((each) => each === name)
    const key = named === 'owner' && value === 'me' ? 'claimed' : named
    const values = key ? valuesOf(key, value) : []
    if (key && values.length) next = withFilter(next, key, [...(next.filters[key] ?? []), ...values])
    else if (word) words.push(word)
  }
  return { ...next, q: words.join(' ') }
}

export const isFiltered = (query: FindingQuery): boolean => query.q !== '' || Object.keys(query.filters).length > 0
