import { paths, type Query } from '../paths.ts'

export const filterKeys = ['program', 'stage', 'stuck', 'tool', 'without', 'open', 'ended', 'subject'] as const
export type FilterKey = (typeof filterKeys)[number]
/** Of these only one value makes sense: the last one given. */
const singleKeys: ReadonlySet<FilterKey> = new Set(['stuck', 'open', 'ended', 'subject'])
/** What people type for a key. */
const otherNames: Readonly<Record<string, FilterKey>> = { still: 'stuck', person: 'subject', findings: 'open' }

/** What the address of the list says: filters with the values any of which may match, an id, and the order. */
export interface JourneyQuery {
  filters: Partial<Record<FilterKey, string[]>>
  q: string
  sort: JourneySort
}

export const sorts = { activity: 'Latest movement first', '-activity': 'Longest still first' } as const
export type JourneySort = keyof typeof sorts
const defaultSort: JourneySort = 'activity'

export function parseQuery(search: URLSearchParams): JourneyQuery {
  const filters: JourneyQuery['filters'] = {}
  for (const key of filterKeys) {
    const values = (search.get(key) ?? '').split(',').filter(Boolean)
    if (values.length) filters[key] = singleKeys.has(key) ? values.slice(-1) : values
  }
  return { filters, q: search.get('q') ?? '', sort: search.get('sort') === '-activity' ? '-activity' : defaultSort }
}

export const toApi = (query: JourneyQuery): Query => ({ ...query.filters, q: query.q, sort: query.sort })

export const hrefOf = (query: JourneyQuery): string =>
  paths.journeys({ ...query.filters, q: query.q, sort: query.sort === defaultSort ? '' : query.sort })

export function withFilter(query: JourneyQuery, key: FilterKey, values: readonly string[]): JourneyQuery {
  const filters = { ...query.filters }
  const kept = singleKeys.has(key) ? values.slice(-1) : [...new Set(values)]
  if (kept.length) filters[key] = kept
  else delete filters[key]
  return { ...query, filters }
}

export const toggleValue = (values: readonly string[], value: string): string[] =>
  values.includes(value) ? values.filter((each) => each !== value) : [...values, value]

/** `stage:booked stuck:3d 3f9a` adds filters; what is no `key:value` becomes the id searched for. */
export function withTyped(query: JourneyQuery, typed: string): JourneyQuery {
  let next: JourneyQuery = { ...query, q: '' }
  const words: string[] = []
  for (const word of typed.trim().split(/\s+/)) {
    const [, name = '', value = ''] = /^([a-z]+):(.+)$/.exec(word) ?? []
    const key = filterKeys.find((each) => each === (otherNames[name] ?? name))
    if (key) next = withFilter(next, key, [...(next.filters[key] ?? []), ...value.split(',').filter(Boolean)])
    else if (word) words.push(word)
  }
  return { ...next, q: words.join(' ') }
}

export const isFiltered = (query: JourneyQuery): boolean => query.q !== '' || Object.keys(query.filters).length > 0

const units: Readonly<Record<string, string>> = { m: 'min', h: 'h', d: 'd' }
const lengthTitle = (text: string) => `${text.slice(0, -1)} ${units[text.slice(-1)] ?? text.slice(-1)}`

/** `1d..3d` → `1 d to 3 d`; what cannot be read is shown as it is. */
export function spanTitle(span: string): string {
  const [, from = '', to = '', alone = ''] = /^(?:(\d+[mhd])?\.\.(\d+[mhd])?|(\d+[mhd]))$/.exec(span) ?? []
  const least = from || alone
  if (least && to) return `${lengthTitle(least)} to ${lengthTitle(to)}`
  if (least) return `at least ${lengthTitle(least)}`
  return to ? `less than ${lengthTitle(to)}` : span
}

/** A step between two edges in seconds, as the filter writes it; undefined edges are open. */
export function spanOf(fromSeconds: number | undefined, toSeconds: number | undefined): string {
  const word = (seconds: number) =>
    seconds % 86_400 === 0 ? `${seconds / 86_400}d` : seconds % 3_600 === 0 ? `${seconds / 3_600}h` : `${Math.round(seconds / 60)}m`
  return `${fromSeconds === undefined ? '' : word(fromSeconds)}..${toSeconds === undefined ? '' : word(toSeconds)}`
}
