import type { DbTransaction } from '../client.ts'
import type { Entered } from '../schema/reports.ts'
import { findingTransitions } from '../schema/reports.ts'
import type { FindingStatus } from '../schema/words.ts'
import type { Cell, Columns, Sql, Tx } from './bulk.ts'
import { instant, runOverRows } from './bulk.ts'

/** What the report needs of a finding before or after a change. */
export interface ReportedFinding {
  readonly id: string
  readonly status: FindingStatus
  readonly program: string | null
  readonly owner: string
  readonly site: string | null
  readonly kind: string
  readonly regressions: number
  readonly occurredAt: number | null
  readonly changedAt: number
  readonly closingEvidenceAt: number | null
  readonly waivedUntil: number | null
}

export interface TransitionRow {
  readonly findingId: string
  /** Epoch ms of the domain clock. */
  readonly at: number
  readonly wasOpen: boolean
  readonly isOpen: boolean
  readonly entered: Entered | null
  readonly ended: FindingStatus | null
  readonly to: Place
  /** Null: there was no finding. */
  readonly from: Place | null
  readonly about: number | null
}

export interface Place {
  readonly program: string | null
  readonly owner: string
  readonly site: string | null
  readonly kind: string
}

const endings: ReadonlySet<FindingStatus> = new Set(['verified', 'waived', 'false_alarm', 'void', 'withdrawn'])

/**
 * How the report counts one change of one finding; undefined when it counts it as nothing. Whoever writes a finding writes this beside it
 * (`writeTransitions`), in the same transaction and after the finding's row.
 */
export function toTransition(before: ReportedFinding | null, after: ReportedFinding, now: number): TransitionRow | undefined {
  const wasOpen = before !== null && !endings.has(before.status)
  const isOpen = !endings.has(after.status)
  const entered = before === null ? 'opened' : wasOpen ? null : enteredBy(before, after, isOpen)
  const ended = isOpen || (before?.status === after.status && entered === null) ? null : after.status
  const [from, to] = [before && placeOf(before), placeOf(after)]
  if (entered === null && ended === null && !(wasOpen && from !== null && !isSamePlace(from, to))) return undefined
  return {
    findingId: after.id,
    // Clocks of several processes differ a little: a finding's changes stay in their order.
    at: Math.max(now, before?.changedAt ?? now),
    wasOpen,
    isOpen,
    entered,
    ended,
    to,
    from,
    about: aboutOf(before, after, entered, ended),
  }
}

function enteredBy(before: ReportedFinding, after: ReportedFinding, isOpen: boolean): Entered | null {
  if (after.regressions > before.regressions) return 'regressed'
  if (!isOpen) return null
  return before.status === 'waived' ? 'waiver_expired' : 'reopened'
}

/** When the violation came to be, the waiver ran out, or what closed it happened. A mere transfer is about no time. */
function aboutOf(
  before: ReportedFinding | null,
  after: ReportedFinding,
  entered: Entered | null,
  ended: FindingStatus | null,
): number | null {
  if (entered === 'waiver_expired') return before?.waivedUntil ?? null
  if (entered !== null) return after.occurredAt
  return ended === null ? null : after.closingEvidenceAt
}

function placeOf({ program, owner, site, kind }: ReportedFinding): Place {
  return { program, owner, site, kind }
}

function isSamePlace(a: Place, b: Place): boolean {
  return a.program === b.program && a.owner === b.owner && a.site === b.site && a.kind === b.kind
}

const columns: Columns = {
  finding_id: 'uuid',
  at: 'timestamptz',
  was_open: 'boolean',
  is_open: 'boolean',
  entered: 'text',
  ended: 'text',
  program: 'text',
  owner: 'text',
  site: 'text',
  kind: 'text',
  from_program: 'text',
  from_owner: 'text',
  from_site: 'text',
  from_kind: 'text',
  about: 'timestamptz',
}

/** One insert for all of them. */
export async function writeTransitions(tx: Sql | Tx, workspaceId: number, rows: readonly (TransitionRow | undefined)[]): Promise<void> {
  const names = Object.keys(columns).join(', ')
  await runOverRows(
    tx,
    workspaceId,
    columns,
    rows.flatMap((row) => (row === undefined ? [] : [toCells(row)])),
    (from) => `insert into finding_transitions (workspace_id, ${names}) select $1::int, ${names} from ${from}`,
  )
}

/** The same beside drizzle's writes. */
export async function writeTransition(
  tx: DbTransaction,
  workspaceId: number,
  ...rows: readonly (TransitionRow | undefined)[]
): Promise<void> {
  const values = rows.flatMap((row) => {
    if (row === undefined) return []
    const { to, from, ...rest } = row
    const before = {
      fromProgram: from?.program ?? null,
      fromOwner: from?.owner ?? null,
      fromSite: from?.site ?? null,
      fromKind: from?.kind ?? null,
    }
    return [{ workspaceId, ...rest, ...to, ...before }]
  })
  if (values.length > 0) await tx.insert(findingTransitions).values(values)
}

function toCells({ findingId, at, wasOpen, isOpen, entered, ended, to, from, about }: TransitionRow): Cell[] {
  return [
    findingId,
    instant(at),
    wasOpen,
    isOpen,
    entered,
    ended,
    to.program,
    to.owner,
    to.site,
    to.kind,
    from?.program ?? null,
    from?.owner ?? null,
    from?.site ?? null,
    from?.kind ?? null,
    instant(about),
  ]
}
