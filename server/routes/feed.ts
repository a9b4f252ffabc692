import { OpenAPIHono, z } from '@hono/zod-openapi'
import type { RouteConfig } from '@hono/zod-openapi'
import type { SSEStreamingApi } from 'hono/streaming'
import { streamSSE } from 'hono/streaming'
import type { FeedPosition } from '../../db/records/feed.ts'
import { readFeed, readFeedEnd, readFeedStart } from '../../db/records/feed.ts'
import type { AppDeps, AppEnv } from '../deps.ts'

const lookEveryMs = 1_000
const beatEveryMs = 3_000
const rowsAtMost = 500
const readersAtMost = 100

const description: RouteConfig = {
  method: 'get',
  path: '/feed',
  tags: ['feed'],
  summary: 'What changed, as server-sent events; Last-Event-ID replays what was missed',
  responses: {
    200: {
      description: 'Events finding, journey and connection name what to read again; beat is a sign of life; reset: read everything again',
      content: { 'text/event-stream': { schema: z.string() } },
    },
  },
}

/**
 * What changed, as server-sent events: `id` is a position, `event` the topic, `data` names the thing to read again. `Last-Event-ID` replays
 * what was missed; `reset` says that this is no longer possible, or too much, and everything is to be read again. `beat` is a sign of life.
 */
export function feedRoutes(deps: AppDeps) {
  const { database, id: workspaceId, clock } = deps.workspace
  let readers = 0
  const app = new OpenAPIHono<AppEnv>()
  app.openAPIRegistry.registerPath(description)
  return app.get('/feed', async (context) => {
    if (readers >= readersAtMost) return context.text('', 429, { 'retry-after': '30' })
    const lastId = context.req.header('last-event-id') ?? ''
    const response = streamSSE(
      context,
      async (stream) => {
        readers++
        try {
          await tell(stream, lastId)
        } finally {
          readers--
        }
      },
      // The reader connects again and replays; the database may be away for a while.
      async (error) => deps.log.warn({ error: error.name }, 'A reader of the feed was cut off.'),
    )
    response.headers.set('cache-control', 'no-store')
    response.headers.set('x-accel-buffering', 'no')
    return response
  })

  async function tell(stream: SSEStreamingApi, lastId: string): Promise<void> {
    const asked = readPosition(lastId)
    let position = asked ?? (await readFeedEnd(database.sql, workspaceId))
    if (asked && (await isForgotten(asked))) {
      position = await readFeedEnd(database.sql, workspaceId)
      await stream.writeSSE({ event: 'reset', id: writePosition(position), data: '{}' })
    }
    await stream.writeSSE({ event: 'beat', id: writePosition(position), data: beat(), retry: 3_000 })
    let beatAt = deps.wallNow()
    while (!stream.aborted && !stream.closed) {
      const rows = await readFeed(database.sql, workspaceId, position, rowsAtMost)
      const told = new Set<string>()
      for (const row of rows) {
        const key = `${row.topic} ${row.ref}`
        if (!told.has(key)) {
          await stream.writeSSE({ event: row.topic, id: writePosition(row), data: JSON.stringify({ ref: row.ref, at: row.at }) })
        }
        told.add(key)
        position = row
      }
      if (rows.length === rowsAtMost) continue
      if (deps.wallNow() - beatAt >= beatEveryMs) {
        beatAt = deps.wallNow()
        await stream.writeSSE({ event: 'beat', id: writePosition(position), data: beat() })
      }
      await stream.sleep(lookEveryMs)
    }
  }

  function beat(): string {
    return JSON.stringify({ asOf: new Date(clock.now()).toISOString() })
  }

  /** Rows after it are gone, or it was given by another database (a data folder made anew): nothing would ever come after it. */
  async function isForgotten(position: FeedPosition): Promise<boolean> {
    const start = await readFeedStart(database.sql, workspaceId)
    if (start !== undefined && BigInt(position.txid) !== 0n && BigInt(position.txid) < BigInt(start.txid) - 1n) return true
    return BigInt(position.txid) > BigInt((await readFeedEnd(database.sql, workspaceId)).txid)
  }
}

export function writePosition({ txid, n }: FeedPosition): string {
  return `${txid}-${n}`
}

export function readPosition(text: string): FeedPosition | null {
  const [, txid, n] = /^(\d{1,19})-(\d{1,18})$/.exec(text) ?? []
  return txid === undefined || n === undefined ? null : { txid, n }
}
