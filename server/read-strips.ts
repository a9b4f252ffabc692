import type { ConnectionStatus } from '../db/records/connections.ts'
import { readPassCells } from '../db/records/overview.ts'
import type { Freshness } from '../jobs/domain/freshness.ts'
import { freshnessOf } from '../jobs/domain/freshness.ts'
import type { AppDeps } from './deps.ts'

export const cellMs = 300_000
export const cells = 288

export interface Strips {
  /** When the first cell begins, epoch ms. */
  readonly from: number
  readonly byStream: ReadonlyMap<number, readonly Freshness[]>
}

/** The last day of every stream of these connections, as a strip of cells; the last cell is the running one. */
export async function readStrips({ workspace }: Pick<AppDeps, 'workspace'>, connections: readonly ConnectionStatus[]): Promise<Strips> {
  const from = (Math.floor(workspace.clock.now() / cellMs) - cells + 1) * cellMs
  const lateAfterMs = (pollSeconds: number) => Math.max(cellMs, pollSeconds * 3000)
  const rows = await readPassCells(
    workspace.database.sql,
    workspace.id,
    connections.flatMap(({ streams }) => streams.map(({ id }) => id)),
    { from, cellMs, before: Math.max(cellMs, ...connections.map(({ connection }) => lateAfterMs(connection.pollSeconds))) },
  )
  const byStream = Map.groupBy(rows, ({ streamId }) => streamId)
  return {
    from,
    byStream: new Map(
      connections.flatMap(({ connection, streams }) =>
        streams.map(({ id, final }) => {
          // A file that is final is read once; nothing about it grows old.
          const onTime = final ? Number.MAX_SAFE_INTEGER : lateAfterMs(connection.pollSeconds)
          return [id, freshnessOf(byStream.get(id) ?? [], { cells, cellMs, lateAfterMs: onTime })] as const
        }),
      ),
    ),
  }
}

/** One letter per cell. */
export const stripText = (strip: readonly Freshness[]): string => strip.map((state) => state[0]).join('')
