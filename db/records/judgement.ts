import type { Cell, Columns, Sql, Tx } from './bulk.ts'
import { arrayOf, hexOf, instant, msOf, partOf, runOverRows } from './bulk.ts'

export interface SubjectRow {
  readonly id: string
  readonly componentId: string
  /** [record id, rule, via record id or null, inferred 0 | 1] */
  readonly links: readonly (readonly [string, string, string | null, 0 | 1])[]
  readonly fingerprint: string
}

export async function readSubjects(sql: Sql | Tx, workspaceId: number, components: readonly string[]): Promise<SubjectRow[]> {
  const rows = await sql<{ id: string; component_id: string; links: string; fingerprint: string }[]>`
    select s.id, s.component_id, s.links, s.fingerprint
    from unnest(${arrayOf(components.map(partOf))}::smallint[], ${arrayOf(components)}::uuid[]) as k (part, id)
    cross join lateral (select * from subjects where workspace_id = ${workspaceId} and part = k.part and component_id = k.id offset 0) s`
  return rows.map((row) => ({
    id: hexOf(row.id),
    componentId: hexOf(row.component_id),
    links: JSON.parse(row.links) as SubjectRow['links'],
    fingerprint: hexOf(row.fingerprint),
  }))
}

export interface JourneyRow {
  readonly id: string
  readonly componentId: string
  readonly program: string
  readonly programVersion: number
  readonly subjectId: string | null
  readonly objectType: string | null
  readonly objectId: string | null
  readonly startedAt: number
  readonly lastEventAt: number
  readonly endedAt: number | null
  readonly endReason: string | null
  readonly stage: string
  readonly events: number
}

const hexOrNull = (uuid: string | null): string | null => (uuid === null ? null : hexOf(uuid))

export async function readJourneys(sql: Sql | Tx, workspaceId: number, components: readonly string[]): Promise<JourneyRow[]> {
  const rows = await sql<JourneyRow[]>`
    select j.id, j.component_id as "componentId", j.program, j.program_version as "programVersion", j.subject_id as "subjectId",
      j.object_type as "objectType", j.object_id as "objectId", date_part('epoch', j.started_at) * 1000 as "startedAt",
      date_part('epoch', j.last_event_at) * 1000 as "lastEventAt", date_part('epoch', j.ended_at) * 1000 as "endedAt",
      j.end_reason as "endReason", j.stage, j.events
    from unnest(${arrayOf(components.map(partOf))}::smallint[], ${arrayOf(components)}::uuid[]) as k (part, id)
    cross join lateral (select * from journeys where workspace_id = ${workspaceId} and part = k.part and component_id = k.id offset 0) j`
  return rows.map((row) => ({
    ...row,
    id: hexOf(row.id),
    componentId: hexOf(row.componentId),
    subjectId: hexOrNull(row.subjectId),
    startedAt: Math.round(row.startedAt),
    lastEventAt: Math.round(row.lastEventAt),
    endedAt: row.endedAt === null ? null : Math.round(row.endedAt),
  }))
}

export interface VerdictRow {
  readonly componentId: string
  readonly journeyId: string | null
  readonly program: string
  readonly expectation: string
  readonly activation: string
  readonly state: number
  readonly kind: string | null
  /** 1; `at_most` counts each occurrence of its cluster. */
  readonly activations: number
  readonly violations: number
  readonly dueAt: number | null
  readonly occurredAt: number | null
  readonly evidenceAt: number | null
  readonly unreadStream: string | null
  readonly readTo: number | null
}

export async function readVerdicts(sql: Sql | Tx, workspaceId: number, components: readonly string[]): Promise<VerdictRow[]> {
  const rows = await sql
    .unsafe(
      `select v.component_id, v.journey_id, v.program, v.expectation, v.activation, v.state, v.kind, v.activations, v.violations, ${msOf('v.due_at')},
        ${msOf('v.occurred_at')}, ${msOf('v.evidence_at')}, v.unread_stream, ${msOf('v.read_to')}
       from unnest($2::smallint[], $3::uuid[]) as k (part, id)
       cross join lateral (select * from verdicts where workspace_id = $1 and part = k.part and component_id = k.id offset 0) v`,
      [workspaceId, arrayOf(components.map(partOf)), arrayOf(components)],
    )
    .values()
  return (rows as unknown as [string, string | null, string, string, string, number, string | null, number, ...(number | null)[]][]).map(
    (row) => ({
      componentId: hexOf(row[0]),
      journeyId: hexOrNull(row[1]),
      program: row[2],
      expectation: row[3],
      activation: hexOf(row[4]),
      state: row[5],
      kind: row[6],
      activations: row[7],
      violations: row[8] as number,
      dueAt: row[9] ?? null,
      occurredAt: row[10] ?? null,
      evidenceAt: row[11] ?? null,
      unreadStream: (row[12] as unknown as string | null) ?? null,
      readTo: row[13] ?? null,
    }),
  )
}

/** Rows of derived tables to remove and to write, by component. Writing replaces. */
export async function replaceSubjects(
  tx: Tx,
  workspaceId: number,
  gone: readonly SubjectRow[],
  kept: readonly SubjectRow[],
): Promise<void> {
  if (gone.length > 0) {
    await tx`delete from subjects s using unnest(${arrayOf(gone.map((row) => partOf(row.componentId)))}::smallint[], ${arrayOf(gone.map((row) => row.id))}::uuid[]) as k (part, id)
      where s.workspace_id = ${workspaceId} and s.part = k.part and s.id = k.id`
  }
  await runOverRows(
    tx,
    workspaceId,
    { part: 'smallint', id: 'uuid', component_id: 'uuid', links: 'text', fingerprint: 'uuid' },
    kept.map((row) => [partOf(row.componentId), row.id, row.componentId, JSON.stringify(row.links), row.fingerprint]),
    (from) => `insert into subjects (workspace_id, part, id, component_id, links, fingerprint)
      select $1::int, part, id, component_id, links, fingerprint from ${from}
      on conflict (workspace_id, part, id) do update set component_id = excluded.component_id, links = excluded.links, fingerprint = excluded.fingerprint`,
  )
}

/** Remembers which subject a lost one went into, following earlier aliases. */
export async function aliasSubjects(
  tx: Tx,
  workspaceId: number,
  pairs: readonly { readonly alias: string; readonly subject: string; readonly cause: string }[],
  at: number,
): Promise<void> {
  for (const pair of pairs) {
    await tx`insert into subject_aliases (workspace_id, alias_id, subject_id, since, cause)
      values (${workspaceId}, ${pair.alias}, ${pair.subject}, ${instant(at)}::timestamptz, ${pair.cause})
      on conflict (workspace_id, alias_id) do update set subject_id = excluded.subject_id, since = excluded.since, cause = excluded.cause`
    await tx`update subject_aliases set subject_id = ${pair.subject} where workspace_id = ${workspaceId} and subject_id = ${pair.alias}`
    await tx`delete from subject_aliases where workspace_id = ${workspaceId} and alias_id = subject_id`
  }
}

export async function replaceJourneys(
  tx: Tx,
  workspaceId: number,
  gone: readonly JourneyRow[],
  kept: readonly JourneyRow[],
): Promise<void> {
  if (gone.length > 0) {
    await tx`delete from journeys j using unnest(${arrayOf(gone.map((row) => partOf(row.componentId)))}::smallint[], ${arrayOf(gone.map((row) => row.id))}::uuid[]) as k (part, id)
      where j.workspace_id = ${workspaceId} and j.part = k.part and j.id = k.id`
  }
  const columns: Columns = {
    part: 'smallint',
    id: 'uuid',
    component_id: 'uuid',
    program: 'text',
    program_version: 'integer',
    subject_id: 'uuid',
    object_type: 'text',
    object_id: 'text',
    started_at: 'ms',
    last_event_at: 'ms',
    ended_at: 'ms',
    end_reason: 'text',
    stage: 'text',
    events: 'integer',
  }
  const names = Object.keys(columns)
  await runOverRows(
    tx,
    workspaceId,
    columns,
    kept.map((row): Cell[] => [
      partOf(row.componentId),
      row.id,
      row.componentId,
      row.program,
      row.programVersion,
      row.subjectId,
      row.objectType,
      row.objectId,
      row.startedAt,
      row.lastEventAt,
      row.endedAt,
      row.endReason,
      row.stage,
      row.events,
    ]),
    (from) => `insert into journeys (workspace_id, ${names.join(', ')}) select $1::int, ${names.join(', ')} from ${from}
      on conflict (workspace_id, part, id) do update set ${names
        .slice(2)
        .map((name) => `${name} = excluded.${name}`)
        .join(', ')}`,
  )
}

const verdictColumns: Columns = {
  part: 'smallint',
  component_id: 'uuid',
  journey_id: 'uuid',
  program: 'text',
  expectation: 'text',
  activation: 'uuid',
  state: 'smallint',
  kind: 'text',
  activations: 'integer',
  violations: 'integer',
  due_at: 'ms',
  occurred_at: 'ms',
  evidence_at: 'ms',
  unread_stream: 'text',
  read_to: 'ms',
}

export async function replaceVerdicts(
  tx: Tx,
  workspaceId: number,
  gone: readonly VerdictRow[],
  kept: readonly VerdictRow[],
): Promise<void> {
  const toCells = (row: VerdictRow): Cell[] => [
    partOf(row.componentId),
    row.componentId,
    row.journeyId,
    row.program,
    row.expectation,
    row.activation,
    row.state,
    row.kind,
    row.activations,
    row.violations,
    row.dueAt,
    row.occurredAt,
    row.evidenceAt,
    row.unreadStream,
    row.readTo,
  ]
  await runOverRows(
    tx,
    workspaceId,
    verdictColumns,
    gone.map(toCells),
    (from) => `delete from verdicts v using ${from} where v.workspace_id = $1::int and v.part = s.part and v.component_id = s.component_id
      and v.program = s.program and v.expectation = s.expectation and v.activation = s.activation`,
  )
  const names = Object.keys(verdictColumns)
  await runOverRows(
    tx,
    workspaceId,
    verdictColumns,
    kept.map(toCells),
    (from) => `insert into verdicts (workspace_id, ${names.join(', ')}) select $1::int, ${names.join(', ')} from ${from}
      on conflict (workspace_id, part, component_id, program, expectation, activation) do update set ${names
        .filter((name) => !['part', 'component_id', 'program', 'expectation', 'activation'].includes(name))
        .map((name) => `${name} = excluded.${name}`)
        .join(', ')}`,
  )
}
