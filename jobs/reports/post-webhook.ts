import { createHmac } from 'node:crypto'
import { Agent, request } from 'undici'
import { ToolError } from '../connectors/connector.ts'
import { checkToolUrl } from '../connectors/guard.ts'
import { guardedConnect, type Resolve } from '../connectors/guarded-connect.ts'

export interface Webhook {
  readonly name: string
  readonly url: string
  readonly secret: string
}

export interface PostDeps {
  readonly allow: ReadonlySet<string>
  /** Wall time, epoch ms. */
  readonly wallNow: () => number
  readonly resolve?: Resolve
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

/** `v1=` and the HMAC-SHA-256, in hex, of `<timestamp>.<body>` under the webhook's secret (docs/reports.md). */
export function signatureOf(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`
}

/**
 * Posts a signed JSON text through the egress guard. `delivery` is the same however often it is posted, so the other side can tell a
 * repetition. @throws ToolError: every answer but a 2xx is one; redirects are not followed.
 */
export async function postWebhook(webhook: Webhook, delivery: string, body: string, deps: PostDeps): Promise<void> {
  const fail = (reason: ToolError['reason'], what: string) => new ToolError(reason, `Webhook ${webhook.name}: ${what}`)
  const verdict = checkToolUrl(webhook.url, deps.allow)
  if (!verdict.ok) throw fail('refused_address', `its address ${verdict.why}. Nothing was sent.`)
  const timeoutMs = deps.timeoutMs ?? 20_000
  const guarded = { allow: deps.allow, fail, ...(deps.resolve === undefined ? {} : { resolve: deps.resolve }) }
  const dispatcher = new Agent({ connect: guardedConnect(guarded, Math.min(10_000, timeoutMs)), pipelining: 1 })
  const timestamp = String(Math.floor(deps.wallNow() / 1000))
  const deadline = AbortSignal.timeout(timeoutMs)
  try {
    const response = await request(webhook.url, {
      method: 'POST',
      dispatcher,
      signal: deps.signal ? AbortSignal.any([deps.signal, deadline]) : deadline,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'user-agent': 'throughline/0.1',
        'throughline-delivery': delivery,
        'throughline-timestamp': timestamp,
        'throughline-signature': signatureOf(webhook.secret, timestamp, body),
      },
      body,
    })
    response.body.on('error', () => {})
    await response.body.dump({ limit: 65_536 }).catch(() => {})
    const { statusCode } = response
    if (statusCode >= 300 && statusCode < 400)
      throw fail('bad_response', `it answered with a redirect (${statusCode}), which is not followed.`)
    if (statusCode < 200 || statusCode >= 300) throw fail('bad_response', `it answered ${statusCode}.`)
  } catch (error) {
    if (error instanceof ToolError) throw error
    if (error instanceof Error && error.cause instanceof ToolError) throw error.cause
    if (deadline.aborted) throw fail('timeout', `it took longer than ${timeoutMs / 1000} s.`)
    const code = (error as { code?: unknown }).code
    throw fail(
      'network',
      `it could not be reached (${typeof code === 'string' && /^[A-Z0-9_]{3,40}$/.test(code) ? code : 'no connection'}).`,
    )
  } finally {
    await dispatcher.destroy()
  }
}
