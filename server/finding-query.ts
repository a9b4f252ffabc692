import { z } from '@hono/zod-openapi'
import { recordsComponents } from '../db/records/findings.ts'
import type { FindingFilter, FindingOrder, FindingSort, FindingText } from '../db/records/findings.ts'
import { findingSorts } from '../db/records/findings.ts'
import type { FindingStatus } from '../db/schema/words.ts'
import { findingStatuses, severities } from '../db/schema/words.ts'
import { findingKinds } from '../jobs/domain/finding-kinds/index.ts'
import { isOpen } from '../jobs/domain/finding-lifecycle.ts'
import { withoutSite } from '../jobs/domain/site.ts'
import { recordId } from '../jobs/reconcilers/observed.ts'
import type { AppDeps } from './deps.ts'
import { shortSpanShape, readSpan } from './finding-span.ts'
import { titleOf } from './journey-view.ts'
import { idShape, listOf, wordList } from './shapes/common.ts'
import { namesOf } from './view-context.ts'

const sorts = findingSorts.flatMap((sort) => [sort, `-${sort}`] as const)
const statusWords = [...findingStatuses, 'ended', 'snoozed', 'all'] as const

/** Every filter of the findings list, by the names of the address. Several values of one name: any of them. */
export const findingFilterShape = z.object({
  /** Without one: what needs someone now, so what is snoozed is left out. */
  status: listOf(statusWords),
  kind: wordList,
  severity: listOf(severities),
  owner: wordList,
  connection: wordList,
  /** `none`: those that concern no site we know of. */
  site: wordList,
  expectation: wordList,
  program: wordList,
  claimed: z.enum(['me', 'anyone', 'nobody']).optional(),
  regressed: z.enum(['yes', 'no']).optional(),
  opened: shortSpanShape,
  closed: shortSpanShape,
  due: shortSpanShape,
  occurred: shortSpanShape,
  endedby: z.enum(['person', 'itself']).optional(),
  subject: idShape.optional(),
  journey: idShape.optional(),
  q: z.string().trim().max(200).optional(),
})
export type FindingFilterQuery = z.output<typeof findingFilterShape>

/** `-due` is `due` turned around. */
export const findingSortShape = z.enum(sorts).default('due')

export function toOrder(sort: (typeof sorts)[number]): FindingOrder {
  return { sort: sort.replace('-', '') as FindingSort, isReversed: sort.startsWith('-') }
}

/** The filters of a stored or posted address, such as `kind=gap&due=<now`. Null: one of them is not understood (any more). */
export function parseFindingAddress(address: string): FindingFilterQuery | null {
  const parsed = findingFilterShape.safeParse(Object.fromEntries(new URLSearchParams(address)))
  return parsed.success ? parsed.data : null
}

/** What the words of a query are looked up in, and who `me` is. */
export type QueryDeps = Pick<AppDeps, 'workspace' | 'wallNow' | 'me'>

/** What a query asks at `now`, domain time. Words are looked up in the catalogue, an id among the records. */
export async function toFindingFilter(
  deps: QueryDeps,
  query: FindingFilterQuery,
  now = deps.workspace.clock.now(),
): Promise<FindingFilter> {
  const span = (name: 'opened' | 'closed' | 'due' | 'occurred') => {
    const asked = query[name] === undefined ? null : readSpan(query[name], { now, timeZone: deps.workspace.timeZone })
    return asked === null ? {} : { [name]: asked }
  }
  return {
    kinds: query.kind,
    owners: query.owner,
    severities: query.severity,
    programs: query.program,
    expectations: query.expectation,
    connections: query.connection,
    sites: query.site.map((site) => (site === withoutSite ? null : site)),
    ...span('opened'),
    ...span('closed'),
    ...span('due'),
    ...span('occurred'),
    ...(query.claimed === undefined
      ? {}
      : { claim: { wallNow: deps.wallNow(), by: query.claimed === 'me' ? { actor: deps.me.id } : query.claimed } }),
    ...(query.regressed === undefined ? {} : { regressed: query.regressed === 'yes' }),
    ...(query.endedby === undefined ? {} : { endedBy: query.endedby }),
    ...(query.subject === undefined ? {} : { subject: query.subject }),
    ...(query.journey === undefined ? {} : { journey: query.journey }),
    ...(query.q ? { text: await toText(deps, query.q) } : {}),
    ...toStatuses(query.status, now),
  }
}

function toStatuses(asked: FindingFilterQuery['status'], now: number): Pick<FindingFilter, 'statuses' | 'snooze'> {
  const open = findingStatuses.filter(isOpen)
  if (asked.length === 0) return { statuses: open, snooze: { now, show: 'hide' } }
  if (asked.includes('all')) return { snooze: null }
  const ended = asked.includes('ended') ? findingStatuses.filter((status) => !isOpen(status)) : []
  const named = asked.filter((status): status is FindingStatus => (findingStatuses as readonly string[]).includes(status))
  if (named.length + ended.length === 0) return { statuses: open, snooze: { now, show: 'only' } }
  return { statuses: [...new Set([...named, ...ended])], snooze: null }
}

async function toText({ workspace }: QueryDeps, words: string): Promise<FindingText> {
  const said = words.toLowerCase()
  const fits = (...texts: readonly string[]) => texts.some((text) => text.toLowerCase().includes(said))
  const names = namesOf(workspace)
  const streams = workspace.configuration.connections.flatMap(({ id, streams: list }) => list.map(({ name }) => `${id}.${name}`))
  const { database, id: workspaceId, judging } = workspace
  return {
    id: words,
    components: await recordsComponents(
      database.sql,
      workspaceId,
      streams.map((stream) => recordId(stream, words)),
    ),
    expectations: judging.programs.flatMap(({ program }) =>
      program.expectations.filter(({ name }) => fits(name, titleOf(program, name, names(program.key)))).map(({ name }) => name),
    ),
    kinds: findingKinds.filter(({ kind, title }) => fits(kind, title)).map(({ kind }) => kind),
  }
}
