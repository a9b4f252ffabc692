import type { Cell, Columns, Sql, Tx } from './bulk.ts'
import { arrayOf, hexOf, instant, partOf, runOverRows } from './bulk.ts'

const ms = (column: string) => `round(date_part('epoch', ${column}) * 1000)`

/** Takes marks of up to `limit` changes in a range of parts. A mark made after this statement survives and is judged again. */
export async function takeDirty(tx: Tx, workspaceId: number, parts: readonly [number, number], limit: number): Promise<string[]> {
  const rows = await tx<{ component_id: string }[]>`
    with picked as (
      select ctid as place from dirty_components
      where workspace_id = ${workspaceId} and part between ${parts[0]} and ${parts[1]}
      order by part, component_id, seq limit ${limit} for update skip locked)
    delete from dirty_components d using picked p where d.ctid = p.place
    returning d.component_id`
  return [...new Set(rows.map((row) => hexOf(row.component_id)))].sort()
}

export async function countDirty(sql: Sql | Tx, workspaceId: number): Promise<number> {
  const [row] = await sql<{ n: number }[]>`select count(*)::int as n from dirty_components where workspace_id = ${workspaceId}`
  return row?.n ?? 0
}

/** Marks components of a range of parts whose deadline the clock has passed, or whose stream was read past it. Gate 0 is the clock. */
export async function wakeDue(
  sql: Sql | Tx,
  workspaceId: number,
  parts: readonly [number, number],
  passed: readonly { readonly gate: number; readonly until: number }[],
  limit: number,
): Promise<number> {
  const result = await sql`
    with woken as (
      select d.part, d.component_id, d.gate
      from unnest(${arrayOf(passed.map((one) => one.gate))}::int[], ${arrayOf(passed.map((one) => one.until))}::float8[]) as g (gate, until)
      cross join lateral (
        select part, component_id, gate from due
        where workspace_id = ${workspaceId} and gate = g.gate and due_at < to_timestamp(g.until / 1000)
          and part between ${parts[0]} and ${parts[1]}
        order by due_at limit ${limit} for update skip locked) d),
    gone as (
      delete from due d using woken w where d.workspace_id = ${workspaceId} and d.part = w.part and d.component_id = w.component_id and d.gate = w.gate
      returning d.part, d.component_id)
    insert into dirty_components (workspace_id, part, component_id) select distinct ${workspaceId}::int, part, component_id from gone`
  return result.count
}

/**
 * Locks the live ones of these components in the order given, which is the order of their ids everywhere. An absorbed one is not locked
 * (whoever holds its survivor may delete it) but answered with its survivor.
 */
export async function lockComponents(
  tx: Tx,
  workspaceId: number,
  ids: readonly string[],
): Promise<{ live: string[]; survivors: string[] }> {
  const keys = [arrayOf(ids.map(partOf)), arrayOf(ids)] as const
  const locked = await tx<{ id: string }[]>`
    select c.id from unnest(${keys[0]}::smallint[], ${keys[1]}::uuid[]) as k (part, id)
    cross join lateral (
      select id from components where workspace_id = ${workspaceId} and part = k.part and id = k.id and merged_into is null offset 0 for update) c`
  const absorbed = await tx<{ merged_into: string }[]>`
    select c.merged_into from unnest(${keys[0]}::smallint[], ${keys[1]}::uuid[]) as k (part, id)
    cross join lateral (
      select merged_into from components where workspace_id = ${workspaceId} and part = k.part and id = k.id and merged_into is not null offset 0) c`
  return { live: locked.map((row) => hexOf(row.id)), survivors: [...new Set(absorbed.map((row) => hexOf(row.merged_into)))].sort() }
}

/** Components absorbed by any of these since they were last judged: their derived rows are replaced together. */
export async function readAbsorbed(tx: Tx, workspaceId: number, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await tx<{ id: string; merged_into: string }[]>`
    select c.id, c.merged_into from unnest(${arrayOf(ids)}::uuid[]) as k (id)
    cross join lateral (select id, merged_into from components where workspace_id = ${workspaceId} and merged_into = k.id offset 0) c`
  return new Map(rows.map((row) => [hexOf(row.id), hexOf(row.merged_into)]))
}

/**
 * Leaves a row that another judge holds: one that waited for it while it was absorbed keeps its lock, and may be waiting for the survivor.
 * That judge passes its mark on to the survivor, whose next judgement forgets the row.
 */
export async function forgetAbsorbed(tx: Tx, workspaceId: number, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await tx`
    with free as (
      select c.part, c.id from unnest(${arrayOf(ids.map(partOf))}::smallint[], ${arrayOf(ids)}::uuid[]) as k (part, id)
      cross join lateral (
        select part, id from components where workspace_id = ${workspaceId} and part = k.part and id = k.id offset 0 for update skip locked) c)
    delete from components c using free f where c.workspace_id = ${workspaceId} and c.part = f.part and c.id = f.id`
}

/** Keys that link nothing, all of the workspace: a short list by nature. */
export async function readHotTokens(sql: Sql | Tx, workspaceId: number): Promise<Set<string>> {
  const rows = await sql<{ token: string }[]>`select token from identifiers where workspace_id = ${workspaceId} and hot`
  return new Set(rows.map((row) => hexOf(row.token)))
}

/** [id, component, stream, external id, updated, observed, status, ops, objects, role, keys, deleted] */
export type RecordValues = readonly [
  string,
  string,
  number,
  string,
  number,
  number,
  string | null,
  Record<string, never> | null,
  string | null,
  number,
  string | null,
  number | null,
]
/** [record, type, occurred, occurred after, observed, status, ops, actor kind, actor, seq] */
export type EventValues = readonly [
  string,
  string,
  number,
  number | null,
  number,
  string | null,
  Record<string, never> | null,
  number,
  string | null,
  number,
]

export async function readFacts(
  sql: Sql | Tx,
  workspaceId: number,
  components: readonly string[],
): Promise<{ records: RecordValues[]; events: EventValues[] }> {
  const ids = arrayOf(components)
  const records = await sql
    .unsafe(
      `select r.id, r.component_id, r.stream_id, r.external_id, ${ms('r.updated_at')}, ${ms('r.observed_at')}, r.status, r.ops, r.objects,
        r.role, r.keys, ${ms('r.deleted_at')}
       from unnest($2::uuid[]) as c (id) cross join lateral (select * from records where workspace_id = $1 and component_id = c.id offset 0) r`,
      [workspaceId, ids],
    )
    .values()
  const found = (records as unknown as RecordValues[]).map((row) => hexOf(row[0])).sort()
  const events = await sql
    .unsafe(
      `select e.record_id, e.type, ${ms('e.occurred_at')}, ${ms('e.occurred_after')}, ${ms('e.observed_at')}, e.status, e.ops, e.actor_kind,
        e.actor_id, e.seq
       from unnest($2::smallint[], $3::uuid[]) as r (part, id)
       cross join lateral (select * from events where workspace_id = $1 and part = r.part and record_id = r.id offset 0) e`,
      [workspaceId, arrayOf(found.map(partOf)), arrayOf(found)],
    )
    .values()
  return { records: records as unknown as RecordValues[], events: events as unknown as EventValues[] }
}

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
      `select v.component_id, v.journey_id, v.program, v.expectation, v.activation, v.state, v.kind, v.activations, v.violations, ${ms('v.due_at')},
        ${ms('v.occurred_at')}, ${ms('v.evidence_at')}, v.unread_stream, ${ms('v.read_to')}
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

/** Sets when these components are judged again without new facts; replaces what was set before. */
export async function replaceDue(
  tx: Tx,
  workspaceId: number,
  components: readonly string[],
  rows: readonly { readonly componentId: string; readonly gate: number; readonly at: number }[],
): Promise<void> {
  await tx`delete from due d using unnest(${arrayOf(components.map(partOf))}::smallint[], ${arrayOf(components)}::uuid[]) as k (part, id)
    where d.workspace_id = ${workspaceId} and d.part = k.part and d.component_id = k.id`
  if (rows.length === 0) return
  await tx`insert into due (workspace_id, part, component_id, gate, due_at)
    select ${workspaceId}, k.part, k.id, k.gate, to_timestamp(k.at / 1000)
    from unnest(${arrayOf(rows.map((row) => partOf(row.componentId)))}::smallint[], ${arrayOf(rows.map((row) => row.componentId))}::uuid[],
      ${arrayOf(rows.map((row) => row.gate))}::int[], ${arrayOf(rows.map((row) => row.at))}::float8[]) as k (part, id, gate, at)`
}
