import { z } from 'zod'
import type { Connector, PollPage, ReadRecord } from '../../jobs/connectors/connector.ts'
import type { Random } from '../../jobs/simulator/random.ts'
import { pagedConnector } from './paged-tool.ts'

/** A tool in memory: what it shows is a pure function of the cursor, so that pages may be asked for twice. */
export interface ScriptedTool {
  /** Every version in order of change; those up to `now` can be read. */
  readonly versions: readonly ReadRecord[]
  /** The tool's clock. */
  now: number
  /** Null: served in order, once. Otherwise shuffled, with redeliveries of anything older. */
  readonly disorder: Random | null
}

interface Cursor {
  readonly mode: 'incremental' | 'full'
  readonly startedAt: number
  /** Positions in `versions` that this pass still has to show. */
  readonly rest: readonly number[]
  /** Makes every cursor another one: showing a page again is not going round in circles. */
  readonly page: number
}

const overlapMs = 60_000

/** Reads scripted tools by the URL of their connection. */
export function scriptedConnector(tools: Readonly<Record<string, ScriptedTool>>): Connector<{ url: string }> {
  return {
    describe: () => ({ ...pagedConnector.describe(), configSchema: z.object({ url: z.string() }) }),
    check: async () => ({ ok: true, streams: [], clockSkewMs: 0 }),
    poll: async (ctx, _stream, cursor, budget): Promise<PollPage> => {
      const tool = tools[ctx.config.url]
      if (tool === undefined) throw new Error(`No scripted tool ${ctx.config.url}.`)
      const known = cursor as Cursor | null
      const isCarriedOn = known !== null && known.mode === budget.mode && known.rest.length > 0
      const startedAt = isCarriedOn ? known.startedAt : tool.now
      const since = budget.mode === 'full' || known === null ? 0 : known.startedAt - overlapMs
      const due = isCarriedOn ? known.rest : dueOf(tool, since)
      const size = tool.disorder === null ? budget.pageSize : tool.disorder.int(1, 12)
      const shown = due.slice(0, size)
      // The same page again, or part of it.
      const again = tool.disorder?.chance(0.2) ? tool.disorder.shuffle(shown).slice(0, tool.disorder.int(0, shown.length)) : []
      const rest = [...again, ...due.slice(size)]
      return {
        records: shown.flatMap((position) => tool.versions[position] ?? []),
        quarantined: [],
        drift: [],
        cursor: { mode: budget.mode, startedAt, rest, page: isCarriedOn ? known.page + 1 : 0 } satisfies Cursor,
        coverage: { from: since, to: startedAt, complete: rest.length === 0 },
        ...(budget.mode === 'full' ? { sweep: { id: String(startedAt), lastPage: rest.length === 0 } } : {}),
      }
    },
  }
}

function dueOf(tool: ScriptedTool, since: number): number[] {
  const all = tool.versions.map((_, position) => position).filter((position) => (tool.versions[position]?.updatedAt ?? 0) <= tool.now)
  const due = all.filter((position) => (tool.versions[position]?.updatedAt ?? 0) >= since)
  if (tool.disorder === null) return due
  const older = all.filter(() => tool.disorder?.chance(0.1) ?? false)
  return tool.disorder.shuffle([...due, ...older])
}
