import type { FindingStatus, Severity } from '../schema/words.ts'
import { writeActs } from './audit.ts'
import type { Cell, Columns, Sql, Tx } from './bulk.ts'
import { arrayOf, hexOf, instant, partOf, runOverRows } from './bulk.ts'
import { toTransition, writeTransitions } from './transitions.ts'

/** A finding as stored: times epoch ms, 128-bit hashes 32 hex digits, JSON columns as they are. */
export interface StoredFinding {
  readonly id: string
  readonly fingerprint: string
  readonly aliases: readonly string[]
  readonly program: string | null
  readonly programVersion: number | null
  readonly expectation: string
  readonly kind: string
  readonly severity: Severity
  readonly status: FindingStatus
  readonly owner: string
  readonly ownerReason: string
  readonly subjectId: string | null
  readonly journeyId: string | null
  readonly objectType: string | null
  readonly objectId: string | null
  readonly site: string | null
  readonly streams: readonly string[]
  readonly openedAt: number
  readonly occurredAt: number | null
  readonly deadlineAt: number | null
  readonly dueAt: number
  readonly changedAt: number
  readonly closedAt: number | null
  readonly closedReason: string | null
  readonly closingEvidenceAt: number | null
  readonly closingEvidence: unknown
  readonly waivedUntil: number | null
  readonly snoozedUntil: number | null
  readonly claimedBy: string | null
  readonly claimedUntil: number | null
  readonly violations: number
  readonly occurrences: number
  readonly regressions: number
  readonly detail: unknown
  readonly evidence: unknown
  readonly revision: number
}

export interface StoredFindingChange {
  readonly act: string
  readonly before: StoredFinding | null
  readonly after: StoredFinding
  readonly reason: string
  readonly audit: { readonly before: unknown; readonly after: unknown }
}

type Kind = 'hex' | 'hexes' | 'text' | 'texts' | 'number' | 'instant' | 'json'
/** Column, SQL type, field, how it is carried. The one list that reading and writing share. */
const fields: readonly (readonly [column: string, type: string, field: keyof StoredFinding, kind: Kind])[] = [
  ['id', 'uuid', 'id', 'hex'],
  ['fingerprint', 'uuid', 'fingerprint', 'hex'],
  ['aliases', 'uuid[]', 'aliases', 'hexes'],
  ['program', 'text', 'program', 'text'],
  ['program_version', 'integer', 'programVersion', 'number'],
  ['expectation', 'text', 'expectation', 'text'],
  ['kind', 'text', 'kind', 'text'],
  ['severity', 'text', 'severity', 'text'],
  ['status', 'text', 'status', 'text'],
  ['owner', 'text', 'owner', 'text'],
  ['owner_reason', 'text', 'ownerReason', 'text'],
  ['subject_id', 'uuid', 'subjectId', 'hex'],
  ['journey_id', 'uuid', 'journeyId', 'hex'],
  ['object_type', 'text', 'objectType', 'text'],
  ['object_id', 'text', 'objectId', 'text'],
  ['site', 'text', 'site', 'text'],
  ['streams', 'text[]', 'streams', 'texts'],
  ['opened_at', 'timestamptz', 'openedAt', 'instant'],
  ['occurred_at', 'timestamptz', 'occurredAt', 'instant'],
  ['deadline_at', 'timestamptz', 'deadlineAt', 'instant'],
  ['due_at', 'timestamptz', 'dueAt', 'instant'],
  ['changed_at', 'timestamptz', 'changedAt', 'instant'],
  ['closed_at', 'timestamptz', 'closedAt', 'instant'],
  ['closed_reason', 'text', 'closedReason', 'text'],
  ['closing_evidence_at', 'timestamptz', 'closingEvidenceAt', 'instant'],
  ['closing_evidence', 'jsonb', 'closingEvidence', 'json'],
  ['waived_until', 'timestamptz', 'waivedUntil', 'instant'],
  ['snoozed_until', 'timestamptz', 'snoozedUntil', 'instant'],
  ['claimed_by', 'text', 'claimedBy', 'text'],
  ['claimed_until', 'timestamptz', 'claimedUntil', 'instant'],
  ['violations', 'integer', 'violations', 'number'],
  ['occurrences', 'integer', 'occurrences', 'number'],
  ['regressions', 'integer', 'regressions', 'number'],
  ['detail', 'jsonb', 'detail', 'json'],
  ['evidence', 'jsonb', 'evidence', 'json'],
  ['revision', 'integer', 'revision', 'number'],
]

const selected = fields
  .map(([column, , , kind]) => (kind === 'instant' ? `date_part('epoch', f.${column}) * 1000` : `f.${column}`))
  .join(', ')

function readField(kind: Kind, value: unknown): unknown {
  if (value === null) return null
  if (kind === 'hex') return hexOf(value as string)
  if (kind === 'hexes') return (value as string[]).map(hexOf)
  if (kind === 'instant') return Math.round(value as number)
  return value
}

function toStored(values: readonly unknown[]): StoredFinding {
  return Object.fromEntries(fields.map(([, , field, kind], i) => [field, readField(kind, values[i] ?? null)])) as unknown as StoredFinding
}

const quoted = (text: string): string => `"${text.replace(/["\\]/g, (found) => `\\${found}`)}"`

function toCell(kind: Kind, value: unknown): Cell {
  if (value === null) return null
  if (kind === 'instant') return instant(value as number)
  if (kind === 'json') return JSON.stringify(value)
  if (kind === 'hexes') return `{${(value as string[]).join(',')}}`
  if (kind === 'texts') return `{${(value as string[]).map(quoted).join(',')}}`
  return value as Cell
}

/** The findings of these components, locked in id order against people acting on them meanwhile. */
export async function readComponentFindings(
  tx: Tx,
  workspaceId: number,
  components: readonly string[],
): Promise<{ componentId: string; finding: StoredFinding }[]> {
  const rows = (await tx
    .unsafe(
      `select f.component_id, ${selected} from unnest($2::smallint[], $3::uuid[]) as k (part, id)
       cross join lateral (select * from findings where workspace_id = $1 and part = k.part and component_id = k.id order by id offset 0 for update) f`,
      [workspaceId, arrayOf(components.map(partOf)), arrayOf(components)],
    )
    .values()) as unknown as [string, ...unknown[]][]
  return rows.map(([component, ...values]) => ({ componentId: hexOf(component), finding: toStored(values) }))
}

/**
 * Writes changes decided over the locked rows, each with its audit row and a word to the console; the transaction it is given seals them.
 * `moved` are findings whose component was absorbed: their rows follow it.
 */
export async function writeFindingChanges(
  tx: Tx,
  workspaceId: number,
  moved: readonly { readonly componentId: string; readonly findingId: string; readonly from: string }[],
  changes: readonly { readonly componentId: string; readonly change: StoredFindingChange }[],
  now: number,
): Promise<void> {
  for (const move of moved) {
    await tx`update findings set component_id = ${move.componentId}, part = ${partOf(move.componentId)}
      where workspace_id = ${workspaceId} and part = ${partOf(move.from)} and id = ${move.findingId}`
  }
  if (changes.length === 0) return
  const columns: Columns = { part: 'smallint', component_id: 'uuid', ...Object.fromEntries(fields.map(([column, type]) => [column, type])) }
  const toCells = ({ componentId, change }: (typeof changes)[number]): Cell[] => [
    partOf(componentId),
    componentId,
    ...fields.map(([, , field, kind]) => toCell(kind, change.after[field])),
  ]
  const names = Object.keys(columns).join(', ')
  const opened = changes.filter(({ change }) => change.before === null)
  await runOverRows(
    tx,
    workspaceId,
    columns,
    opened.map(toCells),
    (from) => `insert into findings (workspace_id, ${names}) select $1::int, ${names} from ${from}`,
  )
  const changed = changes.filter(({ change }) => change.before !== null)
  const updated = await runOverRows(
    tx,
    workspaceId,
    columns,
    changed.map(toCells),
    (from) => `update findings f set ${fields
      .filter(([column]) => column !== 'id')
      .map(([column]) => `${column} = s.${column}`)
      .join(', ')}
      from ${from} where f.workspace_id = $1::int and f.part = s.part and f.id = s.id and f.revision = s.revision - 1`,
  )
  if (updated !== changed.length) throw new Error(`Findings changed under a judging transaction: ${updated} of ${changed.length} updated.`)
  await writeTransitions(
    tx,
    workspaceId,
    changes.map(({ change }) => toTransition(change.before, change.after, now)),
  )
  await writeActs(
    tx,
    workspaceId,
    changes.map(({ change: { act, after, reason, audit } }) => ({
      at: now,
      actor: 'throughline',
      act,
      targetKind: 'finding',
      targetId: after.id,
      reason,
      before: audit.before,
      after: audit.after,
    })),
  )
  await runOverRows(
    tx,
    workspaceId,
    { ref: 'text' },
    changes.map(({ change }) => [change.after.id]),
    (from) => `insert into feed (workspace_id, topic, ref, at) select $1::int, 'finding', ref, $2::timestamptz from ${from}`,
    [instant(now)],
  )
}

/** Marks the components of findings whose waiver or snooze has run out. */
export async function wakeFindings(sql: Sql | Tx, workspaceId: number, now: number): Promise<number> {
  const result = await sql`insert into dirty_components (workspace_id, part, component_id)
    select distinct workspace_id, part, component_id from findings
    where workspace_id = ${workspaceId} and (waived_until is not null or snoozed_until is not null)
      and least(waived_until, snoozed_until) <= ${instant(now)}::timestamptz`
  return result.count
}
