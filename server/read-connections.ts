import type { ConnectionStatus } from '../db/records/connections.ts'
import { countQuarantined, readConnections, readPasses } from '../db/records/connections.ts'
import { countOpenByConnection } from '../db/records/findings.ts'
import { readSights } from '../db/records/sights.ts'
import type { AppDeps } from './deps.ts'
import type { ConnectionView } from './shapes/connection.ts'
import { toConnectionView } from './shapes/connection.ts'
import { ownerTitles } from './view-context.ts'

const passesPerStream = 60
const stripMs = 24 * 3_600_000

/** Every connection as its page shows it. `passes` false leaves the freshness strip out, `findings` false says 0 open findings. */
export async function readConnectionViews(
  deps: AppDeps,
  options: { readonly passes: boolean; readonly findings?: boolean },
): Promise<ConnectionView[]> {
  const { database, id: workspaceId, clock } = deps.workspace
  const now = clock.now()
  const [connections, passes, quarantined, open, sights] = await Promise.all([
    readConnections(database.db, workspaceId),
    options.passes ? readPasses(database.db, workspaceId, null, { since: now - stripMs, perStream: passesPerStream }) : [],
    countQuarantined(database.db, workspaceId),
    options.findings === false ? [] : countOpenByConnection(database.db, workspaceId),
    readSights(database.sql, workspaceId),
  ])
  const openBy = new Map(open.map(({ connection, count }) => [connection, count]))
  const drifting = new Set(sights.filter((sight) => sight.drifts.length > 0).map((sight) => sight.stream))
  return connections.map((status: ConnectionStatus) =>
    toConnectionView(status, {
      now,
      ownerTitles: ownerTitles(deps),
      passes,
      quarantined: new Map(quarantined.map((row) => [row.streamId, row.count])),
      drifting,
      openFindings: openBy.get(status.connection.id) ?? 0,
    }),
  )
}
