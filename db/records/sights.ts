import type { Sql, Tx } from './bulk.ts'

export interface SightRow {
  readonly connection: string
  readonly connectionTitle: string
  readonly connectionOwner: string | null
  readonly connectionSite: string | null
  /** `<connection>.<stream>` */
  readonly stream: string
  readonly blindAfterMs: number
  readonly lastCompleteAt: number | null
  readonly knownSince: number
  readonly lastSweepAt: number | null
  readonly exempt: boolean
  readonly stateReason: string | null
  readonly setAsideReason: string | null
  readonly setAsideSince: number | null
  readonly drifts: readonly { readonly path: string; readonly what: string; readonly firstSeenAt: number; readonly lastSeenAt: number }[]
}

/** How far each stream of the workspace was read and what looked odd in it. Times are epoch ms of the domain clock. */
export async function readSights(tx: Sql | Tx, workspaceId: number): Promise<SightRow[]> {
  const rows = await tx<SightRow[]>`
    select c.id as connection, c.title as "connectionTitle", c.owner as "connectionOwner", c.site as "connectionSite", s.connection || '.' || s.name as stream,
      c.blind_after_seconds * 1000 as "blindAfterMs", round(date_part('epoch', s.last_complete_at) * 1000) as "lastCompleteAt",
      round(date_part('epoch', s.known_since) * 1000) as "knownSince", round(date_part('epoch', s.last_sweep_at) * 1000) as "lastSweepAt",
      s.final or not c.enabled or s.state = 'paused' as exempt, s.state_reason as "stateReason",
      case when c.enabled then s.set_aside_reason end as "setAsideReason",
      round(date_part('epoch', s.set_aside_since) * 1000) as "setAsideSince",
      coalesce((select json_agg(json_build_object('path', d.path, 'what', d.what,
          'firstSeenAt', round(date_part('epoch', d.first_seen_at) * 1000), 'lastSeenAt', round(date_part('epoch', d.last_seen_at) * 1000)) order by d.path, d.what)
        from drifts d where d.workspace_id = s.workspace_id and d.stream_id = s.id), '[]') as drifts
    from streams s join connections c on c.workspace_id = s.workspace_id and c.id = s.connection
    where s.workspace_id = ${workspaceId} order by s.connection, s.name`
  return [...rows]
}
