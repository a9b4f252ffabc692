import type { Sql } from './bulk.ts'
import { markAllDirty } from './marks.ts'

export interface DeclaredSites {
  readonly sites: readonly { readonly key: string; readonly title: string; readonly knownAs: readonly string[] }[]
  /** Connection → the site of its records. */
  readonly byConnection: ReadonlyMap<string, string>
  /** `<connection>.<stream>` → the field in which its records state their site. */
  readonly fieldOf: ReadonlyMap<string, string>
}

/**
 * Brings the sites to what the configuration declares. Where that moves a record from one site to another, everything is judged again: the
 * site of a finding is part of it. Answers whether it did.
 */
export async function declareSites(sql: Sql, workspaceId: number, declared: DeclaredSites): Promise<boolean> {
  return sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(hashtextextended('throughline.sites', ${workspaceId}::bigint))`
    const keys = declared.sites.map((site) => site.key)
    let moved = (await tx`delete from sites where workspace_id = ${workspaceId} and not (key = any(${keys}))`).count
    for (const { key, title, knownAs } of declared.sites) {
      const before = await tx<{ known_as: string[] }[]>`select known_as from sites where workspace_id = ${workspaceId} and key = ${key}`
      if (before[0]?.known_as.join('\0') !== knownAs.join('\0')) moved++
      await tx`insert into sites (workspace_id, key, title, known_as) values (${workspaceId}, ${key}, ${title}, ${knownAs as string[]})
        on conflict (workspace_id, key) do update set title = excluded.title, known_as = excluded.known_as`
    }
    const connections = [...declared.byConnection]
    moved += (
      await tx`update connections c set site = d.site
        from (select c.id, s.site from connections c left join unnest(${connections.map(([id]) => id)}::text[], ${connections.map(([, site]) => site)}::text[]) s (id, site)
          on s.id = c.id where c.workspace_id = ${workspaceId}) d
        where c.workspace_id = ${workspaceId} and c.id = d.id and c.site is distinct from d.site`
    ).count
    const fields = [...declared.fieldOf]
    moved += (
      await tx`update streams s set site_from = d.field
        from (select s.id, f.field from streams s left join unnest(${fields.map(([stream]) => stream)}::text[], ${fields.map(([, field]) => field)}::text[]) f (stream, field)
          on f.stream = s.connection || '.' || s.name where s.workspace_id = ${workspaceId}) d
        where s.workspace_id = ${workspaceId} and s.id = d.id and s.site_from is distinct from d.field`
    ).count
    // In this transaction: a change that was noted is never again found, so a mark lost with a crash would be lost for good.
    if (moved > 0) await markAllDirty(tx, workspaceId)
    return moved > 0
  }) as Promise<boolean>
}
