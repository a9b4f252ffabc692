import { type NewAct, sealing, writeActs } from './audit.ts'
import type { Sql, Tx } from './bulk.ts'
import { instant } from './bulk.ts'

export interface StoredRunbookVersion {
  readonly runbook: string
  readonly version: number
  readonly source: string
  /** SHA-256 of the source, hex. */
  readonly sourceHash: string
  /** Domain clock, epoch ms. */
  readonly appliedAt: number
  readonly appliedBy: string
  readonly isInForce: boolean
}

/** Every version there ever was of every runbook, those of runbooks that were removed too; by runbook, newest first. */
export async function readAllRunbookVersions(sql: Sql | Tx, workspaceId: number): Promise<StoredRunbookVersion[]> {
  return [
    ...(await sql<StoredRunbookVersion[]>`
      select v.runbook, v.version, v.source, v.source_hash as "sourceHash", round(date_part('epoch', v.applied_at) * 1000) as "appliedAt",
        v.applied_by as "appliedBy", coalesce(r.current_version = v.version, false) as "isInForce"
      from runbook_versions v left join runbooks r on r.workspace_id = v.workspace_id and r.key = v.runbook
      where v.workspace_id = ${workspaceId} order by v.runbook, v.version desc`),
  ]
}

/** The version in force of each runbook, by key. */
export async function readRunbooksInForce(sql: Sql | Tx, workspaceId: number): Promise<StoredRunbookVersion[]> {
  return [
    ...(await sql<StoredRunbookVersion[]>`
      select v.runbook, v.version, v.source, v.source_hash as "sourceHash", round(date_part('epoch', v.applied_at) * 1000) as "appliedAt",
        v.applied_by as "appliedBy", true as "isInForce"
      from runbooks r join runbook_versions v on v.workspace_id = r.workspace_id and v.runbook = r.key and v.version = r.current_version
      where r.workspace_id = ${workspaceId} order by v.runbook`),
  ]
}

/** When and by whom runbooks that are no longer in force were removed; the last time of each. Epoch ms of the domain clock. */
export async function readRunbookRemovals(sql: Sql | Tx, workspaceId: number): Promise<{ runbook: string; at: number; by: string }[]> {
  return [
    ...(await sql<{ runbook: string; at: number; by: string }[]>`
      select distinct on (target_id) target_id as runbook, round(date_part('epoch', at) * 1000) as at, actor as by from audit
      where workspace_id = ${workspaceId} and target_kind = 'runbook' and act = 'runbook.withdraw' order by target_id, recorded_at desc`),
  ]
}

export interface RunbookWrites {
  /** The versions the writer has seen in force, by key; nothing is written when others are. */
  readonly seen: ReadonlyMap<string, number>
  readonly put: readonly { readonly key: string; readonly source: string; readonly sourceHash: string }[]
  readonly remove: readonly string[]
  readonly by: string
  /** Domain clock, epoch ms. */
  readonly now: number
}

/**
 * Makes new versions and takes runbooks out of force, in one transaction with their audit rows. One writer at a time; undefined when the
 * runbooks in force are not those the writer has seen. Answers the new versions by key.
 */
export async function writeRunbooks(
  sql: Sql,
  workspaceId: number,
  writes: RunbookWrites,
): Promise<ReadonlyMap<string, number> | undefined> {
  return sealing(sql, async (tx): Promise<ReadonlyMap<string, number> | undefined> => {
    await tx`select pg_advisory_xact_lock(hashtextextended('throughline.runbooks', ${workspaceId}::bigint))`
    const inForce = new Map((await readRunbooksInForce(tx, workspaceId)).map((row) => [row.runbook, row.version]))
    if (inForce.size !== writes.seen.size || [...inForce].some(([key, version]) => writes.seen.get(key) !== version)) return undefined
    const at = instant(writes.now)
    const versions = new Map<string, number>()
    const act = { at: writes.now, actor: writes.by, targetKind: 'runbook' }
    const acts: NewAct[] = []
    for (const { key, source, sourceHash } of writes.put) {
      // One that was taken away and came back goes on counting: its versions are kept.
      const [last] = await tx<{ version: number | null }[]>`
        select max(version) as version from runbook_versions where workspace_id = ${workspaceId} and runbook = ${key}`
      const version = (last?.version ?? 0) + 1
      versions.set(key, version)
      await tx`insert into runbook_versions (workspace_id, runbook, version, source, source_hash, applied_at, applied_by)
        values (${workspaceId}, ${key}, ${version}, ${source}, ${sourceHash}, ${at}::timestamptz, ${writes.by})`
      await tx`insert into runbooks (workspace_id, key, current_version) values (${workspaceId}, ${key}, ${version})
        on conflict (workspace_id, key) do update set current_version = excluded.current_version`
      const before = inForce.get(key)
      acts.push({
        ...act,
        act: 'runbook.apply',
        targetId: key,
        before: before === undefined ? null : { version: before },
        after: { version, sourceHash },
      })
    }
    for (const key of writes.remove) {
      await tx`delete from runbooks where workspace_id = ${workspaceId} and key = ${key}`
      acts.push({ ...act, act: 'runbook.withdraw', targetId: key, before: { version: inForce.get(key) ?? null } })
    }
    await writeActs(tx, workspaceId, acts)
    return versions
  })
}
