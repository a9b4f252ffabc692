import type { z } from '@hono/zod-openapi'
import { readConnections } from '../db/records/connections.ts'
import { readPassCells } from '../db/records/overview.ts'
import { freshnessOf, worstFreshness } from '../jobs/domain/freshness.ts'
import type { AppDeps } from './deps.ts'
import { readConnectionViews } from './read-connections.ts'
import { iso } from './shapes/common.ts'
import type { freshnessShape } from './shapes/overview.ts'

const cellMs = 300_000
const cells = 288

/** The last day of every connection that is read, as a strip of cells; the last cell is the running one. */
export async function readFreshness(deps: AppDeps): Promise<z.output<typeof freshnessShape>> {
  const { database, id: workspaceId, clock } = deps.workspace
  const now = clock.now()
  const from = (Math.floor(now / cellMs) - cells + 1) * cellMs
  const [connections, views] = await Promise.all([
    readConnections(database.db, workspaceId),
    readConnectionViews(deps, { passes: false, findings: false }),
  ])
  const read = connections
    .filter(({ connection }) => connection.enabled)
    .map(({ connection, streams }) => ({ connection, streams: streams.filter(({ state }) => state !== 'paused') }))
  const lateAfterMs = (pollSeconds: number) => Math.max(cellMs, pollSeconds * 3000)
  const rows = await readPassCells(
    database.sql,
    workspaceId,
    read.flatMap(({ streams }) => streams.map(({ id }) => id)),
    { from, cellMs, before: Math.max(cellMs, ...read.map(({ connection }) => lateAfterMs(connection.pollSeconds))) },
  )
  return {
    asOf: iso(now),
    from: iso(from),
    cellMs,
    items: read.map(({ connection, streams }) => {
      const strips = streams.map((stream) => {
        const passes = rows.filter(({ streamId }) => streamId === stream.id)
        // A file that is final is read once; nothing about it grows old.
        const onTime = stream.final ? Number.MAX_SAFE_INTEGER : lateAfterMs(connection.pollSeconds)
        return freshnessOf(passes, { cells, cellMs, lateAfterMs: onTime })
      })
      return {
        id: connection.id,
        title: connection.title,
        state: views.find(({ id }) => id === connection.id)?.state ?? 'new',
        cells: worstFreshness(strips, cells)
          .map((state) => state[0])
          .join(''),
      }
    }),
  }
}
