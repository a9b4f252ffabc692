import type { z } from '@hono/zod-openapi'
import { readConnections } from '../db/records/connections.ts'
import { worstFreshness } from '../jobs/domain/freshness.ts'
import type { AppDeps } from './deps.ts'
import { readConnectionViews } from './read-connections.ts'
import { cellMs, cells, readStrips, stripText } from './read-strips.ts'
import { iso } from './shapes/common.ts'
import type { freshnessShape } from './shapes/overview.ts'

/** The last day of every connection that is read, as fresh as its worst stream. */
export async function readFreshness(deps: AppDeps): Promise<z.output<typeof freshnessShape>> {
  const { database, id: workspaceId, clock } = deps.workspace
  const [connections, views] = await Promise.all([
    readConnections(database.db, workspaceId),
    readConnectionViews(deps, { passes: 0, findings: false }),
  ])
  const read = connections
    .filter(({ connection }) => connection.enabled)
    .map(({ connection, streams }) => ({ connection, streams: streams.filter(({ state }) => state !== 'paused') }))
  const { from, byStream } = await readStrips(deps, read)
  return {
    asOf: iso(clock.now()),
    from: iso(from),
    cellMs,
    items: read.map(({ connection, streams }) => ({
      id: connection.id,
      title: connection.title,
      state: views.find(({ id }) => id === connection.id)?.state ?? 'new',
      cells: stripText(
        worstFreshness(
          streams.map(({ id }) => byStream.get(id) ?? []),
          cells,
        ),
      ),
    })),
  }
}
