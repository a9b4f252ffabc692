import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import type { ActResult, Connector, ToolAction } from '../../jobs/connectors/connector.ts'
import { type PagedTool, pagedConnector, startPagedTool } from './paged-tool.ts'

/** What the tool does with a request to act: as asked, or in one of the ways tools disobey. */
export type Manner =
  | 'obey'
  /** Says yes and does nothing. */
  | 'nothing'
  | 'refuse'
  /** Does it, and the answer is lost. */
  | 'lose-answer'
  /** The request is lost before anything is done. */
  | 'lose-request'
  /** Says no with an error nobody can read: it may have happened. */
  | 'error-after'
  /** Says yes; the effect is there once `settle` is called. */
  | 'late'

export interface ActingTool extends PagedTool {
  readonly actUrl: string
  /** Every effect there was, in order, by the key it was asked with. */
  readonly effects: { readonly key: string; readonly target: string }[]
  /** Requests to act that arrived. */
  calls: number
  manner: (call: number) => Manner
  /** What an effect changes in the rows. */
  onEffect: (target: string, n: number) => void
  /** Whether the tool answers the same key with the same effect. */
  keepsKeys: boolean
  /** Whether it tells of effects when asked. */
  tells: boolean
  settle(): void
}

/** A paged tool that can be told to do something: `POST /act {target}` with an Idempotency-Key, `GET /effects?key=`. */
export async function startActingTool(now: number): Promise<ActingTool> {
  const paged = await startPagedTool(now)
  const closePaged = paged.close
  const late: (() => void)[] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://tool')
    const json = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (request.method === 'GET') {
      if (!tool.tells) return void json(404, {})
      const found = tool.effects.find(({ key }) => key === url.searchParams.get('key'))
      return void json(200, { target: found?.target ?? null })
    }
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      const { target } = JSON.parse(body) as { target: string }
      const key = String(request.headers['idempotency-key'] ?? '')
      tool.calls++
      const manner = tool.manner(tool.calls)
      const effect = () => {
        if (tool.keepsKeys && tool.effects.some((each) => each.key === key)) return
        tool.effects.push({ key, target })
        tool.onEffect(target, tool.effects.length)
      }
      if (manner === 'refuse') return void json(422, { error: 'no' })
      if (manner === 'lose-request') return void request.socket.destroy()
      if (manner === 'late') late.push(effect)
      else if (manner !== 'nothing') effect()
      if (manner === 'lose-answer') return void request.socket.destroy()
      if (manner === 'error-after') return void json(500, {})
      json(200, { target })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const tool: ActingTool = Object.assign(paged, {
    actUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    effects: [],
    calls: 0,
    manner: (): Manner => 'obey',
    onEffect: () => {},
    keepsKeys: true,
    tells: true,
    settle: () => {
      for (const effect of late.splice(0)) effect()
    },
    close: async () => {
      server.closeAllConnections()
      await Promise.all([closePaged(), new Promise((resolve) => server.close(resolve))])
    },
  })
  return tool
}

/** The paged connector with one action, `send`: the tool makes a row `sent-<target>` of its stream. */
export function actingConnector(urlOf: () => string, repeat: ToolAction['repeat'] = { keyHours: 24, lookUp: true }): Connector {
  const send: ToolAction<unknown, { target: string }> = {
    name: 'send',
    title: 'Send it again',
    does: 'Sends what was sent before once more.',
    reach: 'message',
    repeat,
    input: z.strictObject({ target: z.string().min(1) }),
    verifyBy: { stream: 'rows', withinSeconds: 600 },
    preflight: async (_, { target }) => ({
      kind: 'ready',
      sends: [{ label: 'Target', value: target }],
      sees: [],
      amount: null,
    }),
    perform: async (_, { target }, { idempotencyKey }): Promise<ActResult> => {
      const response = await fetch(`${urlOf()}/act`, {
        method: 'POST',
        headers: { 'idempotency-key': idempotencyKey },
        body: JSON.stringify({ target }),
      }).catch(() => null)
      if (response === null || response.status >= 500) return { outcome: 'unknown', message: 'No answer came.', evidence: null }
      await response.body?.cancel()
      return response.ok
        ? { outcome: 'done', message: 'The tool took it.', evidence: { stream: 'rows', externalId: `sent-${target}` } }
        : { outcome: 'refused', message: 'The tool said no.', evidence: null }
    },
    ...(repeat.lookUp
      ? {
          lookUp: async (_: unknown, { target }: { target: string }, { idempotencyKey }: { idempotencyKey: string }) => {
            const response = await fetch(`${urlOf()}/effects?key=${encodeURIComponent(idempotencyKey)}`)
            if (!response.ok) return null
            const found = (await response.json()) as { target: string | null }
            return found.target === null
              ? { isDone: false as const }
              : { isDone: true as const, evidence: { stream: 'rows', externalId: `sent-${target}` } }
          },
        }
      : {}),
    shows: (record) => record.status === 'delivered' && !record.isDeleted,
  }
  return { ...(pagedConnector as Connector), actions: [send as ToolAction] }
}
