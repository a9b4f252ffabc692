import type { ConnectionStatus } from '../db/records/connections.ts'
import { countQuarantined, readConnection, readConnections, readPasses } from '../db/records/connections.ts'
import { countOpenByConnection } from '../db/records/findings.ts'
import { readSights } from '../db/records/sights.ts'
import type { AppDeps } from './deps.ts'
import { readStrips, stripText } from './read-strips.ts'
import type { ConnectionView } from './shapes/connection.ts'
import { toConnectionView } from './shapes/connection.ts'
import { ownerTitles } from './view-context.ts'

const dayMs = 24 * 3_600_000

export interface ConnectionsAsked {
  /** How many of each stream's latest passes; 0 leaves the strip of the day out too. */
  readonly passes: number
  /** False says 0 open findings. */
  readonly findings?: boolean
  /** This one alone; of one that does not exist there is none. */
  readonly only?: string
}

/** Every connection as the console shows it. */
export async function readConnectionViews(deps: AppDeps, asked: ConnectionsAsked): Promise<ConnectionView[]> {
  const { database, id: workspaceId, clock } = deps.workspace
  const now = clock.now()
  const connections = await readStatuses(deps, asked.only)
  const [passes, strips, quarantined, open, sights] = await Promise.all([
    asked.passes > 0 ? readPasses(database.db, workspaceId, asked.only ?? null, { since: now - dayMs, perStream: asked.passes }) : [],
    asked.passes > 0 ? readStrips(deps, connections) : null,
    countQuarantined(database.db, workspaceId),
    asked.findings === false ? [] : countOpenByConnection(database.db, workspaceId),
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
      ...(strips ? { strips: new Map([...strips.byStream].map(([stream, strip]) => [stream, stripText(strip)])) } : {}),
    }),
  )
}

async function readStatuses({ workspace }: AppDeps, only: string | undefined): Promise<ConnectionStatus[]> {
  const { db } = workspace.database
  if (only === undefined) return readConnections(db, workspace.id)
  const found = await readConnection(db, workspace.id, only)
  return found ? [found] : []
}
