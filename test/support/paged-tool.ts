import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import type { Connector, PollPage } from '../../jobs/connectors/connector.ts'
import { ToolError } from '../../jobs/connectors/connector.ts'
import { seal } from '../../jobs/domain/plain.ts'

/** One row of the paged tool: enough for a person, a step and an object. */
export interface ToolRow {
  readonly id: string
  readonly updatedAt: number
  readonly status: string
  readonly at: number
  readonly email?: string
  readonly phone?: string
  readonly given?: string
  readonly family?: string
  readonly appointment?: string
  readonly ops?: Readonly<Record<string, string>>
  /** The automation that did it. */
  readonly actor?: string
}

export interface PagedTool {
  readonly url: string
  /** What the tool holds; tests change it freely. */
  rows: ToolRow[]
  /** The tool's clock. */
  now: number
  /** Called before each answer with the request's number; may answer itself by returning a status. */
  onRequest: (request: number) => number | undefined
  requests: number
  close(): Promise<void>
}

/** A small stateful tool over HTTP: `GET /rows?offset&limit&since`, rows in order of change. */
export async function startPagedTool(now: number): Promise<PagedTool> {
  const server = createServer((request, response) => {
    tool.requests++
    const status = tool.onRequest(tool.requests)
    if (status !== undefined) {
      response.writeHead(status).end('<html>busy</html>')
      return
    }
    const url = new URL(request.url ?? '/', 'http://tool')
    const since = Number(url.searchParams.get('since') ?? 0)
    const offset = Number(url.searchParams.get('offset') ?? 0)
    const limit = Number(url.searchParams.get('limit') ?? 100)
    const rows = tool.rows.filter((row) => row.updatedAt >= since).sort((a, b) => a.updatedAt - b.updatedAt || (a.id < b.id ? -1 : 1))
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ now: tool.now, rows: rows.slice(offset, offset + limit), more: offset + limit < rows.length }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const tool: PagedTool = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    rows: [],
    now,
    onRequest: () => undefined,
    requests: 0,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
  return tool
}

interface Cursor {
  readonly mode: 'incremental' | 'full'
  readonly since: number
  readonly offset: number
  readonly startedAt: number
}

/** Reads the paged tool; its statuses are the steps. */
export const pagedConnector: Connector<{ url: string; lagSeconds?: number }> = {
  describe: () => ({
    id: 'paged',
    name: 'Paged tool',
    version: '1',
    apiVersion: '1',
    verified: 'spec-only',
    verifiedOn: '2026-11-21',
    configSchema: z.object({ url: z.string() }),
    secrets: [],
    streams: [
      {
        name: 'rows',
        title: 'Rows',
        cursor: 'updated-since',
        deletions: 'invisible',
        lagSeconds: 0,
        overlapSeconds: 60,
        fullSweepSeconds: 86_400,
        fields: { keys: ['email', 'phone'], ops: ['kind', 'startsAt'], dropped: [] },
        statuses: null,
      },
    ],
    actions: [],
  }),
  check: async () => ({ ok: true, streams: [], clockSkewMs: 0 }),
  poll: async (ctx, _stream, cursor, budget): Promise<PollPage> => {
    const known = cursor as Cursor | null
    const started = known?.mode === budget.mode && known.offset > 0 ? known : null
    const since = started?.since ?? (budget.mode === 'full' || known === null ? 0 : known.startedAt - 60_000)
    const offset = started?.offset ?? 0
    const response = await fetch(`${ctx.config.url}/rows?since=${since}&offset=${offset}&limit=${budget.pageSize}`).catch(() => {
      throw new ToolError('network', 'The paged tool did not answer.')
    })
    if (!response.ok) throw new ToolError('bad_response', `The paged tool answered ${response.status}.`)
    const body = (await response.json()) as { now: number; rows: ToolRow[]; more: boolean }
    const startedAt = started?.startedAt ?? body.now
    return {
      records: body.rows.map((row) => ({
        externalId: row.id,
        updatedAt: row.updatedAt,
        version: null,
        status: row.status,
        ops: row.ops ?? {},
        objects: row.appointment === undefined ? [] : [{ type: 'appointment', id: row.appointment }],
        person: seal({
          role: 'self',
          emails: [row.email],
          phones: [row.phone],
          name: row.given === undefined ? null : { given: row.given, family: row.family ?? 'Doe' },
        }),
        events: [
          {
            type: row.status,
            occurredAt: row.at,
            status: row.status,
            actor: row.actor ? { kind: 'automation', id: row.actor } : { kind: 'unknown', id: null },
          },
        ],
      })),
      quarantined: [],
      drift: [],
      cursor: { mode: budget.mode, since, offset: body.more ? offset + body.rows.length : 0, startedAt } satisfies Cursor,
      coverage: { from: since, to: startedAt, complete: !body.more },
      ...(budget.mode === 'full' ? { sweep: { id: String(startedAt), lastPage: !body.more } } : {}),
    }
  },
}
