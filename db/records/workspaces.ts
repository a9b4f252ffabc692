import { sealing, writeActs } from './audit.ts'
import type { Sql, Tx } from './bulk.ts'
import { instant } from './bulk.ts'
import { markAllDirty } from './marks.ts'
import type { StreamState } from './streams.ts'

export interface WorkspaceRow {
  readonly id: number
  readonly key: string
  readonly title: string
  readonly timeZone: string
}

/** Finds or makes the workspace. Runs as the owner: the application may not create workspaces. */
export async function ensureWorkspace(owner: Sql, workspace: Omit<WorkspaceRow, 'id'>): Promise<WorkspaceRow> {
  const [row] = await owner<WorkspaceRow[]>`
    insert into workspaces (key, title, time_zone) values (${workspace.key}, ${workspace.title}, ${workspace.timeZone})
    on conflict (key) do update set title = excluded.title, time_zone = excluded.time_zone
    returning id, key, title, time_zone as "timeZone"`
  if (row === undefined) throw new Error(`Workspace ${workspace.key} could not be written.`)
  return row
}

/** Finds the workspace without making it. Runs as the owner: before it is found, no policy can name it. */
export async function findWorkspace(owner: Sql, key: string): Promise<WorkspaceRow | undefined> {
  const [row] = await owner<WorkspaceRow[]>`select id, key, title, time_zone as "timeZone" from workspaces where key = ${key}`
  return row
}

export interface DeclaredStream {
  readonly name: string
  readonly title: string
  readonly lagSeconds: number
  readonly fullSweepSeconds: number | null
  readonly final: boolean
}

export interface DeclaredConnection {
  readonly id: string
  readonly connector: string
  readonly title: string
  readonly config: unknown
  readonly pollSeconds: number
  readonly blindAfterSeconds: number
  readonly owner: string | null
  /** Why it cannot be read at all, else null: a secret that is not there. */
  readonly problem: { readonly state: StreamState; readonly reason: string } | null
  readonly streams: readonly DeclaredStream[]
}

/** Brings connections and their streams to what the configuration declares; what it no longer names is disabled or paused, and kept. */
export async function declareConnections(
  sql: Sql,
  workspaceId: number,
  connections: readonly DeclaredConnection[],
  now: number,
): Promise<void> {
  await sql.begin(async (tx) => {
    for (const connection of connections) {
      await tx`
        insert into connections (workspace_id, id, connector, title, config, poll_seconds, blind_after_seconds, owner)
        values (${workspaceId}, ${connection.id}, ${connection.connector}, ${connection.title}, ${tx.json(connection.config as never)},
          ${connection.pollSeconds}, ${connection.blindAfterSeconds}, ${connection.owner})
        on conflict (workspace_id, id) do update set connector = excluded.connector, title = excluded.title, config = excluded.config,
          poll_seconds = excluded.poll_seconds, blind_after_seconds = excluded.blind_after_seconds, owner = excluded.owner, enabled = true`
      for (const stream of connection.streams) {
        const state = connection.problem?.state ?? 'new'
        await tx`
          insert into streams as s (workspace_id, connection, name, title, lag_seconds, full_sweep_seconds, final, known_since, state, state_reason, state_since)
          values (${workspaceId}, ${connection.id}, ${stream.name}, ${stream.title}, ${stream.lagSeconds}, ${stream.fullSweepSeconds},
            ${stream.final}, ${instant(now)}::timestamptz, ${state}, ${connection.problem?.reason ?? null}, ${instant(now)}::timestamptz)
          on conflict (workspace_id, connection, name) do update set title = excluded.title, lag_seconds = excluded.lag_seconds,
            full_sweep_seconds = excluded.full_sweep_seconds, final = excluded.final,
            state = case when ${connection.problem !== null} then excluded.state when s.state in ('missing_secret', 'paused') then 'new' else s.state end,
            state_reason = case when ${connection.problem !== null} then excluded.state_reason when s.state in ('missing_secret', 'paused') then null else s.state_reason end`
      }
      await tx`update streams set state = 'paused', state_reason = 'The configuration no longer names this stream.', state_since = ${instant(now)}::timestamptz
        where workspace_id = ${workspaceId} and connection = ${connection.id} and state <> 'paused'
          and not (name = any(${connection.streams.map((stream) => stream.name)}))`
    }
    await tx`update connections set enabled = false where workspace_id = ${workspaceId} and enabled
      and not (id = any(${connections.map((connection) => connection.id)}))`
  })
}

export async function declareOwners(
  sql: Sql,
  workspaceId: number,
  owners: readonly { readonly key: string; readonly title: string }[],
): Promise<void> {
  for (const owner of owners) {
    await sql`insert into owners (workspace_id, key, title) values (${workspaceId}, ${owner.key}, ${owner.title})
      on conflict (workspace_id, key) do update set title = excluded.title`
  }
}

/** Keeps a version per source, and has everything judged again where one changed. Answers the current version of each program. */
export async function declarePrograms(
  sql: Sql,
  workspaceId: number,
  programs: readonly { readonly key: string; readonly source: string; readonly sourceHash: string }[],
  by: string,
  now: number,
): Promise<{ versions: Map<string, number>; changed: boolean }> {
  return sealing(sql, async (tx) => {
    await tx`select pg_advisory_xact_lock(hashtextextended('throughline.programs', ${workspaceId}::bigint))`
    const versions = new Map<string, number>()
    let changed = false
    for (const program of programs) {
      const [current] = await tx<{ version: number; source_hash: string }[]>`
        select v.version, v.source_hash from programs p
        join program_versions v on v.workspace_id = p.workspace_id and v.program = p.key and v.version = p.current_version
        where p.workspace_id = ${workspaceId} and p.key = ${program.key}`
      if (current?.source_hash === program.sourceHash) {
        versions.set(program.key, current.version)
        continue
      }
      changed = true
      // One that was taken away and came back goes on counting: its versions are kept.
      const [last] = await tx<{ version: number | null }[]>`
        select max(version) as version from program_versions where workspace_id = ${workspaceId} and program = ${program.key}`
      const version = (last?.version ?? 0) + 1
      versions.set(program.key, version)
      await tx`insert into program_versions (workspace_id, program, version, source, source_hash, applied_at, applied_by)
        values (${workspaceId}, ${program.key}, ${version}, ${program.source}, ${program.sourceHash}, ${instant(now)}::timestamptz, ${by})`
      await tx`insert into programs (workspace_id, key, current_version) values (${workspaceId}, ${program.key}, ${version})
        on conflict (workspace_id, key) do update set current_version = excluded.current_version`
      const after = { version, sourceHash: program.sourceHash }
      await writeActs(tx, workspaceId, [{ at: now, actor: by, act: 'program.apply', targetKind: 'program', targetId: program.key, after }])
    }
    // Its findings are withdrawn when its journeys are judged again.
    const gone = await tx<{ key: string }[]>`
      delete from programs where workspace_id = ${workspaceId} and not (key = any(${programs.map((program) => program.key)})) returning key`
    await writeActs(
      tx,
      workspaceId,
      gone.map(({ key }) => ({ at: now, actor: by, act: 'program.withdraw', targetKind: 'program', targetId: key })),
    )
    // In this transaction: a version that was noted is never again found changed, so a mark lost with a crash would be lost for good.
    if (changed || gone.length > 0) await markAllDirty(tx, workspaceId)
    return { versions, changed: changed || gone.length > 0 }
  })
}

/** The addresses inside that tools may be reached at stand in the file alone; the record keeps every change of them (S9). */
export async function noteEgress(sql: Sql, workspaceId: number, allow: readonly string[], by: string, now: number): Promise<void> {
  await sealing(sql, async (tx) => {
    await tx`select pg_advisory_xact_lock(hashtextextended('throughline.egress', ${workspaceId}::bigint))`
    const [last] = await tx<{ after: { allow: string[] } }[]>`select after from audit
      where workspace_id = ${workspaceId} and target_kind = 'workspace' and target_id = 'egress' order by recorded_at desc limit 1`
    const before = last?.after.allow ?? []
    const after = [...new Set(allow)].sort()
    if (before.join() === after.join()) return
    await writeActs(tx, workspaceId, [
      {
        at: now,
        actor: by,
        act: 'egress.allow',
        targetKind: 'workspace',
        targetId: 'egress',
        before: { allow: before },
        after: { allow: after },
      },
    ])
  })
}

export interface ProgramVersionRow {
  readonly program: string
  readonly version: number
  readonly source: string
  /** Domain clock, epoch ms. */
  readonly appliedAt: number
}

/** Every version there ever was of the programs in force, oldest first; of programs with a single one, none. */
export async function readProgramVersions(sql: Sql | Tx, workspaceId: number): Promise<ProgramVersionRow[]> {
  return [
    ...(await sql<ProgramVersionRow[]>`
      select v.program, v.version, v.source, round(date_part('epoch', v.applied_at) * 1000) as "appliedAt"
      from programs p join program_versions v on v.workspace_id = p.workspace_id and v.program = p.key
      where p.workspace_id = ${workspaceId} and p.current_version > 1 and v.version <= p.current_version order by v.program, v.version`),
  ]
}

export interface DecisionRow {
  readonly decision: 'must_link' | 'cannot_link'
  readonly recordA: string
  readonly recordB: string
}

export async function readDecisions(sql: Sql | Tx, workspaceId: number): Promise<DecisionRow[]> {
  return [
    ...(await sql<DecisionRow[]>`
      select decision, replace(record_a::text, '-', '') as "recordA", replace(record_b::text, '-', '') as "recordB"
      from identity_decisions where workspace_id = ${workspaceId} and withdrawn_at is null order by id`),
  ]
}
