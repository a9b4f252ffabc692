import { and, asc, desc, eq, inArray, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { journeys } from '../schema/journeys.ts'
import { verdicts } from '../schema/verdicts.ts'
import type { Sql } from './bulk.ts'
import { instant } from './bulk.ts'
import type { TimeSpan } from './findings.ts'
import type { Cursor, Page, SortKey } from './page.ts'
import { keysetAfter, sortValue, toPage } from './page.ts'

/** One promise, by all names its verdicts go by. */
export interface PromiseNames {
  readonly program: string
  readonly expectations: readonly string[]
}

/** An activation belongs to the time at which it fell or falls due; one without a deadline to when it was broken or kept. */
const activationAt = 'coalesce(v.due_at, v.occurred_at, v.evidence_at)'

export interface ActivationCount {
  /** Number of the stretch, from 0. */
  readonly bucket: number
  /** Index in `verdictStates`. */
  readonly state: number
  /** Verdicts; `at_most` has one for several activations. */
  readonly verdicts: number
  readonly activations: number
  readonly violations: number
}

/** Activations of a promise in each stretch between two bounds (epoch ms, rising), by state. Reads all its verdicts: remember the answer. */
export async function countActivations(
  sql: Sql,
  workspaceId: number,
  { program, expectations }: PromiseNames,
  bounds: readonly number[],
): Promise<ActivationCount[]> {
  const at = sql.unsafe(activationAt)
  return [
    ...(await sql<ActivationCount[]>`
      select width_bucket(${at}, ${`{${bounds.map((one) => instant(one)).join(',')}}`}::timestamptz[]) - 1 as bucket, v.state,
        count(*)::int as verdicts, sum(v.activations)::int as activations, sum(v.violations)::int as violations
      from verdicts v where v.workspace_id = ${workspaceId} and v.program = ${program} and v.expectation = any(${[...expectations]})
        and ${at} >= ${instant(bounds[0] ?? 0)}::timestamptz and ${at} < ${instant(bounds.at(-1) ?? 0)}::timestamptz
      group by 1, 2 order by 1, 2`),
  ]
}

export interface ElapsedQuestion extends PromiseNames {
  /** Elapsed time is counted from this long before the deadline, ms: where the promise says `within 15m`, that is when it began. */
  readonly offsetMs: number
  /** Times are rounded to steps of it: up for what came, down for how long an unfinished one was seen. */
  readonly stepMs: number
  readonly leastMs: number
  readonly mostMs: number
  /** How far the stream was read that would show it, epoch ms: an unfinished one was seen no longer. */
  readonly seenTo: number
  /** Only activations due from then on, epoch ms. */
  readonly from: number
}

/**
 * How long the awaited step took, in groups. Void activations and those that were broken by something else than absence are left out.
 * Reads all verdicts of the promise: remember the answer.
 */
export async function countElapsed(
  sql: Sql,
  workspaceId: number,
  { program, expectations, offsetMs, stepMs, leastMs, mostMs, seenTo, from }: ElapsedQuestion,
): Promise<{ elapsedMs: number; came: number; unfinished: number }[]> {
  return [
    ...(await sql<{ elapsedMs: number; came: number; unfinished: number }[]>`
      select greatest(${leastMs}::float8, least(${mostMs}::float8,
          case when came then ceil(elapsed / ${stepMs}::float8) else floor(elapsed / ${stepMs}::float8) end * ${stepMs}::float8)) as "elapsedMs",
        count(*) filter (where came)::int as came, count(*) filter (where not came)::int as unfinished
      from (
        select v.state in (2, 3) as came, round(date_part('epoch', case when v.state in (2, 3) then v.evidence_at
          else ${instant(seenTo)}::timestamptz end - v.due_at) * 1000) + ${offsetMs}::float8 as elapsed
        from verdicts v where v.workspace_id = ${workspaceId} and v.program = ${program} and v.expectation = any(${[...expectations]})
          and (v.state in (0, 1, 2, 3, 4) or v.state = 5 and v.kind = 'gap') and v.due_at >= ${instant(from)}::timestamptz) as each
      where elapsed is not null and (came or elapsed > ${leastMs}::float8)
      group by 1 order by 1`),
  ]
}

export interface ActivationRow {
  readonly expectation: string
  readonly activation: string
  /** Index in `verdictStates`. */
  readonly state: number
  readonly kind: string | null
  readonly activations: number
  readonly violations: number
  readonly dueAt: number | null
  readonly occurredAt: number | null
  readonly evidenceAt: number | null
  readonly unreadStream: string | null
  readonly readTo: number | null
  readonly journeyId: string | null
  readonly subjectId: string | null
  readonly objectType: string | null
  readonly objectId: string | null
  readonly stage: string | null
}

export interface ActivationFilter extends PromiseNames {
  /** Indices in `verdictStates`; empty: any. */
  readonly states: readonly number[]
  readonly at?: TimeSpan
}

const shownAt = sql`coalesce(${verdicts.dueAt}, ${verdicts.occurredAt}, ${verdicts.evidenceAt}, 'epoch')`
const keys: readonly SortKey[] = [
  { by: shownAt, order: 'desc', cast: 'instant' },
  { by: sql`${verdicts.activation}`, order: 'asc', cast: 'uuid' },
]

/** Activations of a promise, the latest first. */
export async function listActivations(
  db: Db,
  workspaceId: number,
  filter: ActivationFilter,
  page: { readonly cursor: Cursor | null; readonly limit: number },
): Promise<Page<ActivationRow>> {
  const rows = await db
    .select({
      expectation: verdicts.expectation,
      activation: verdicts.activation,
      state: verdicts.state,
      kind: verdicts.kind,
      activations: verdicts.activations,
      violations: verdicts.violations,
      dueAt: verdicts.dueAt,
      occurredAt: verdicts.occurredAt,
      evidenceAt: verdicts.evidenceAt,
      unreadStream: verdicts.unreadStream,
      readTo: verdicts.readTo,
      journeyId: verdicts.journeyId,
      subjectId: journeys.subjectId,
      objectType: journeys.objectType,
      objectId: journeys.objectId,
      stage: journeys.stage,
      sortValues: sql<unknown[]>`json_build_array(${sql.join(keys.map(sortValue), sql`, `)})`,
    })
    .from(verdicts)
    .leftJoin(
      journeys,
      and(eq(journeys.workspaceId, verdicts.workspaceId), eq(journeys.part, verdicts.part), eq(journeys.id, verdicts.journeyId)),
    )
    .where(and(whereActivations(workspaceId, filter), page.cursor ? keysetAfter(keys, page.cursor) : undefined))
    .orderBy(desc(shownAt), asc(verdicts.activation))
    .limit(page.limit + 1)
  return toPage(
    rows.map(({ sortValues, ...row }) => ({ row, sortValues })),
    page.limit,
  )
}

export async function totalActivations(
  db: Db,
  workspaceId: number,
  filter: ActivationFilter,
): Promise<{ verdicts: number; activations: number; violations: number }> {
  const [row] = await db
    .select({
      verdicts: sql<number>`count(*)::int`,
      activations: sql<number>`coalesce(sum(${verdicts.activations}), 0)::int`,
      violations: sql<number>`coalesce(sum(${verdicts.violations}), 0)::int`,
    })
    .from(verdicts)
    .where(whereActivations(workspaceId, filter))
  return row ?? { verdicts: 0, activations: 0, violations: 0 }
}

function whereActivations(workspaceId: number, { program, expectations, states, at }: ActivationFilter) {
  const moment = (ms: number) => sql`${new Date(ms).toISOString()}::timestamptz`
  return and(
    eq(verdicts.workspaceId, workspaceId),
    eq(verdicts.program, program),
    inArray(verdicts.expectation, [...expectations]),
    states.length > 0 ? inArray(verdicts.state, [...states]) : undefined,
    at?.from == null ? undefined : sql`${shownAt} >= ${moment(at.from)}`,
    at?.to == null ? undefined : sql`${shownAt} < ${moment(at.to)}`,
  )
}

/** How the findings of each promise ended, or that they have not. */
export interface PromiseFindings {
  readonly program: string
  readonly expectation: string
  readonly status: string
  readonly findings: number
}

export async function countPromiseFindings(sql: Sql, workspaceId: number): Promise<PromiseFindings[]> {
  return [
    ...(await sql<PromiseFindings[]>`
      select program, expectation, status, count(*)::int as findings from findings
      where workspace_id = ${workspaceId} and program is not null group by 1, 2, 3 order by 1, 2, 3`),
  ]
}
