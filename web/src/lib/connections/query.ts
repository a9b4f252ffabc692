import type { ConnectionRow, ConnectionState } from '../api-types.ts'
import { paths } from '../paths.ts'

export const sorts = [
  { id: 'worst', title: 'Worst first' },
  { id: 'read', title: 'Least far read' },
  { id: 'name', title: 'Name' },
] as const
export type Sort = (typeof sorts)[number]['id']

/** What the address of the list asks for. `state`: one of them, `attention` for all that are not well, or empty. */
export interface ConnectionQuery {
  readonly state: string
  readonly q: string
  readonly sort: Sort
}

export function parseConnectionQuery(search: Pick<URLSearchParams, 'get'>): ConnectionQuery {
  const sort = search.get('sort')
  return {
    state: search.get('state') ?? '',
    q: search.get('q') ?? '',
    sort: sorts.find(({ id }) => id === sort)?.id ?? 'worst',
  }
}

export const hrefOf = (query: ConnectionQuery, change: Partial<ConnectionQuery> = {}): string => {
  const { sort, ...filters } = { ...query, ...change }
  return paths.connections({ ...filters, sort: sort === 'worst' ? '' : sort })
}

export const isNarrowed = ({ state, q }: ConnectionQuery): boolean => state !== '' || q !== ''

/** Not up to date, whoever wanted it so; what the configuration dropped on purpose asks for nothing. */
export const asksAttention = ({ state }: Pick<ConnectionRow, 'state'>): boolean => state !== 'ok' && state !== 'removed'

export function select(rows: readonly ConnectionRow[], { state, q, sort }: ConnectionQuery): ConnectionRow[] {
  const words = q.trim().toLowerCase()
  return rows
    .filter(
      (row) =>
        (state === '' || (state === 'attention' ? asksAttention(row) : row.state === state)) &&
        (words === '' || wordsOf(row).some((text) => text.toLowerCase().includes(words))),
    )
    .sort((a, b) => compare(a, b, sort) || a.title.localeCompare(b.title, 'en'))
}

const wordsOf = ({ id, title, connector, owner, streams }: ConnectionRow): string[] => [
  id,
  title,
  connector,
  owner?.title ?? '',
  ...streams.map((stream) => stream.title),
]

const badness: Readonly<Record<ConnectionState, number>> = {
  auth_failed: 4,
  failed: 4,
  blind: 4,
  rate_limited: 3,
  schema_drift: 3,
  late: 3,
  paused: 3,
  new: 2,
  removed: 1,
  ok: 0,
}

function compare(a: ConnectionRow, b: ConnectionRow, sort: Sort): number {
  switch (sort) {
    case 'worst':
      return badness[b.state] - badness[a.state]
    case 'read':
      return readTo(a) - readTo(b)
    case 'name':
      return 0
  }
}

const readTo = (row: ConnectionRow): number => (row.readTo === null ? 0 : Date.parse(row.readTo))
