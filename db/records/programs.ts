import { type NewAct, sealing, writeActs } from './audit.ts'
import type { Sql, Tx } from './bulk.ts'
import { instant } from './bulk.ts'
import { markAllDirty } from './marks.ts'

export interface StoredProgramVersion {
  readonly program: string
  readonly version: number
  readonly source: string
  /** SHA-256 of the source, hex. */
  readonly sourceHash: string
  /** Domain clock, epoch ms. */
  readonly appliedAt: number
  readonly appliedBy: string
  readonly isInForce: boolean
}

/** Every version there ever was of every program, those of programs that were removed too; by program, newest first. */
export async function readAllProgramVersions(sql: Sql | Tx, workspaceId: number): Promise<StoredProgramVersion[]> {
  return [
    ...(await sql<StoredProgramVersion[]>`
      select v.program, v.version, v.source, v.source_hash as "sourceHash", round(date_part('epoch', v.applied_at) * 1000) as "appliedAt",
        v.applied_by as "appliedBy", coalesce(p.current_version = v.version, false) as "isInForce"
      from program_versions v left join programs p on p.workspace_id = v.workspace_id and p.key = v.program
      where v.workspace_id = ${workspaceId} order by v.program, v.version desc`),
  ]
}

/** The version in force of each program, by key. */
export async function readProgramsInForce(sql: Sql | Tx, workspaceId: number): Promise<StoredProgramVersion[]> {
  return [
    ...(await sql<StoredProgramVersion[]>`
      select v.program, v.version, v.source, v.source_hash as "sourceHash", round(date_part('epoch', v.applied_at) * 1000) as "appliedAt",
        v.applied_by as "appliedBy", true as "isInForce"
      from programs p join program_versions v on v.workspace_id = p.workspace_id and v.program = p.key and v.version = p.current_version
      where p.workspace_id = ${workspaceId} order by v.program`),
  ]
}

/** When and by whom programs that are no longer in force were removed; the last time of each. Epoch ms of the domain clock. */
export async function readProgramRemovals(sql: Sql | Tx, workspaceId: number): Promise<{ program: string; at: number; by: string }[]> {
  return [
    ...(await sql<{ program: string; at: number; by: string }[]>`
      select distinct on (target_id) target_id as program, round(date_part('epoch', at) * 1000) as at, actor as by from audit
      where workspace_id = ${workspaceId} and target_kind = 'program' and act = 'program.withdraw' order by target_id, recorded_at desc`),
  ]
}

/** Findings that are open, per program. */
export async function countOpenByProgram(sql: Sql, workspaceId: number): Promise<Map<string, number>> {
  const rows = await sql<{ program: string; open: number }[]>`
    select program, count(*)::int as open from findings
    where workspace_id = ${workspaceId} and program is not null
      and status in ('open', 'acknowledged', 'acting', 'verifying', 'verification_failed') group by program`
  return new Map(rows.map(({ program, open }) => [program, open]))
}

/** What names the versions in force: two processes that read the same text judge by the same programs. */
export async function readProgramsMark(sql: Sql | Tx, workspaceId: number): Promise<string> {
  const [row] = await sql<{ mark: string | null }[]>`
    select string_agg(key || ':' || current_version, ' ' order by key collate "C") as mark from programs where workspace_id = ${workspaceId}`
  return row?.mark ?? ''
}

export interface ProgramWrites {
  /** The versions the writer has seen in force, by key; nothing is written when others are. */
  readonly seen: ReadonlyMap<string, number>
  readonly put: readonly { readonly key: string; readonly source: string; readonly sourceHash: string }[]
  readonly remove: readonly string[]
  readonly by: string
  /** Domain clock, epoch ms. */
  readonly now: number
}

/**
 * Makes new versions and takes programs out of force, in one transaction that marks every component to be judged again. One writer at a
 * time; undefined when the programs in force are not those the writer has seen. Answers the new versions by key.
 */
export async function writePrograms(
  sql: Sql,
  workspaceId: number,
  writes: ProgramWrites,
): Promise<ReadonlyMap<string, number> | undefined> {
  return sealing(sql, async (tx): Promise<ReadonlyMap<string, number> | undefined> => {
    await tx`select pg_advisory_xact_lock(hashtextextended('throughline.programs', ${workspaceId}::bigint))`
    const inForce = new Map((await readProgramsInForce(tx, workspaceId)).map((row) => [row.program, row.version]))
    if (inForce.size !== writes.seen.size || [...inForce].some(([key, version]) => writes.seen.get(key) !== version)) return undefined
    const at = instant(writes.now)
    const versions = new Map<string, number>()
    const act = { at: writes.now, actor: writes.by, targetKind: 'program' }
    const acts: NewAct[] = []
    for (const { key, source, sourceHash } of writes.put) {
      // One that was taken away and came back goes on counting: its versions are kept.
      const [last] = await tx<{ version: number | null }[]>`
        select max(version) as version from program_versions where workspace_id = ${workspaceId} and program = ${key}`
      const version = (last?.version ?? 0) + 1
      versions.set(key, version)
      await tx`insert into program_versions (workspace_id, program, version, source, source_hash, applied_at, applied_by)
        values (${workspaceId}, ${key}, ${version}, ${source}, ${sourceHash}, ${at}::timestamptz, ${writes.by})`
      await tx`insert into programs (workspace_id, key, current_version) values (${workspaceId}, ${key}, ${version})
        on conflict (workspace_id, key) do update set current_version = excluded.current_version`
      const before = inForce.get(key)
      acts.push({
        ...act,
        act: 'program.apply',
        targetId: key,
        before: before === undefined ? null : { version: before },
        after: { version, sourceHash },
      })
    }
    for (const key of writes.remove) {
      await tx`delete from programs where workspace_id = ${workspaceId} and key = ${key}`
      acts.push({ ...act, act: 'program.withdraw', targetId: key, before: { version: inForce.get(key) ?? null } })
    }
    if (writes.put.length + writes.remove.length > 0) await markAllDirty(tx, workspaceId)
    await writeActs(tx, workspaceId, acts)
    return versions
  })
}

/**
 * Live components in the order of their ids from `after` on, with whether any of their records changed since `since` (epoch ms).
 * Ids are hashes: a beginning of this order is a fair sample of all.
 */
export async function readComponentPage(
  sql: Sql | Tx,
  workspaceId: number,
  after: { readonly part: number; readonly id: string } | null,
  since: number,
  limit: number,
): Promise<{ part: number; id: string; isRecent: boolean }[]> {
  const [part, id] = [after?.part ?? -1, after?.id ?? '00000000-0000-0000-0000-000000000000']
  return [
    ...(await sql<{ part: number; id: string; isRecent: boolean }[]>`
      select c.part, c.id, r.found is not null as "isRecent"
      from (select part, id from components where workspace_id = ${workspaceId} and (part, id) > (${part}::smallint, ${id}::uuid)
        and merged_into is null order by part, id limit ${limit}) c
      left join lateral (select true as found from records where workspace_id = ${workspaceId} and component_id = c.id
        and updated_at >= ${instant(since)}::timestamptz limit 1) r on true
      order by c.part, c.id`),
  ]
}
