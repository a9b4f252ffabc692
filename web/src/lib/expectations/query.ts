import type { ExpectationDetail, ExpectationRow, VerdictState } from '../api-types.ts'
import { paths } from '../paths.ts'

/** The order of a strip: what was kept, what was not, what nobody knows yet, what does not count. */
export const stripOrder: readonly VerdictState[] = ['satisfied', 'satisfied_late', 'violated', 'unknown', 'at_risk', 'pending', 'void']

export const sorts = [
  { id: 'open', title: 'Most open findings' },
  { id: 'kept', title: 'Least kept' },
  { id: 'noise', title: 'Most noise' },
  { id: 'read', title: 'Least far read' },
  { id: 'name', title: 'Name' },
] as const
export type Sort = (typeof sorts)[number]['id']

/** What the address of the list asks for. */
export interface ExpectationQuery {
  readonly program: string
  readonly owner: string
  readonly state: string
  readonly q: string
  readonly sort: Sort
}

export function parseExpectationQuery(search: Pick<URLSearchParams, 'get'>): ExpectationQuery {
  const sort = search.get('sort')
  return {
    program: search.get('program') ?? '',
    owner: search.get('owner') ?? '',
    state: search.get('state') ?? '',
    q: search.get('q') ?? '',
    sort: sorts.find(({ id }) => id === sort)?.id ?? 'open',
  }
}

export const hrefOf = (query: ExpectationQuery, change: Partial<ExpectationQuery> = {}): string => {
  const { sort, ...filters } = { ...query, ...change }
  return paths.expectations({ ...filters, sort: sort === 'open' ? '' : sort })
}

export const isNarrowed = ({ program, owner, state, q }: ExpectationQuery): boolean => [program, owner, state, q].some(Boolean)

export function select(rows: readonly ExpectationRow[], query: ExpectationQuery): ExpectationRow[] {
  const words = query.q.trim().toLowerCase()
  return rows
    .filter(
      (row) =>
        (!query.program || row.program === query.program) &&
        (!query.owner || row.owner.key === query.owner) &&
        (!query.state || (row.states[query.state as VerdictState] ?? 0) > 0) &&
        (!words || [row.title, row.promise, ...row.called].some((text) => text.toLowerCase().includes(words))),
    )
    .sort((a, b) => compare(a, b, query.sort) || a.title.localeCompare(b.title, 'en'))
}

function compare(a: ExpectationRow, b: ExpectationRow, sort: Sort): number {
  switch (sort) {
    case 'open':
      return b.findings.open - a.findings.open || b.violations - a.violations
    case 'kept':
      return (keptShare(a) ?? 2) - (keptShare(b) ?? 2)
    case 'noise':
      return (noiseShare(b) ?? -1) - (noiseShare(a) ?? -1)
    case 'read':
      return (a.readTo ?? '').localeCompare(b.readTo ?? '')
    case 'name':
      return 0
  }
}

/** Of the activations that are decided: kept in time. Null: none is. */
export function keptShare({ states, activations }: Pick<ExpectationRow, 'states' | 'activations'>): number | null {
  const open = (states.unknown ?? 0) + (states.at_risk ?? 0) + (states.pending ?? 0)
  const decided = activations - open
  return decided > 0 ? (states.satisfied ?? 0) / decided : null
}

/** Of the ended findings: those that gave nobody anything to do. Null: none has ended. */
export const noiseShare = ({ findings }: Pick<ExpectationRow, 'findings'>): number | null =>
  findings.ended > 0 ? findings.noise / findings.ended : null

const percents = new Intl.NumberFormat('en-GB', { style: 'percent', maximumFractionDigits: 1 })
/** `97 %`; what is nearly all is never called all, nor what is nearly nothing nothing. */
export function percent(share: number): string {
  const text = percents.format(share)
  if (text === '100%' && share < 1) return '> 99.9 %'
  if (text === '0%' && share > 0) return '< 0.1 %'
  return text.replace('%', ' %')
}

const weeksAtLeast = 8

/** Without the empty weeks before the first activation, as long as enough are left to compare. */
export function weeksShown(weeks: ExpectationDetail['weeks']['items']): ExpectationDetail['weeks']['items'] {
  const first = weeks.findIndex((week) => Object.keys(week.states).length > 0)
  return first === -1 ? weeks : weeks.slice(Math.max(0, Math.min(first, weeks.length - weeksAtLeast)))
}
