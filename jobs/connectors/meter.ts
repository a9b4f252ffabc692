import type { Connector } from './connector.ts'
import type { RequestSeen } from './http.ts'

export interface RequestCounts {
  readonly requests: number
  readonly retries: number
  /** Answers that asked to slow down. */
  readonly rateLimited: number
  /** Between tries, because a tool asked for it or failed. */
  readonly waitedMs: number
  readonly p50Ms: number
  readonly p95Ms: number
}

const samplesAtMost = 5_000

/** Counts what a pass asks of its tool. */
export class RequestMeter {
  #requests = 0
  #retries = 0
  #rateLimited = 0
  #waitedMs = 0
  readonly #tookMs: number[] = []

  see({ tookMs, reason, isRetry, waitMs }: RequestSeen): void {
    this.#requests++
    if (isRetry) this.#retries++
    if (reason === 'rate_limited') this.#rateLimited++
    this.#waitedMs += waitMs
    if (this.#tookMs.length < samplesAtMost) this.#tookMs.push(tookMs)
  }

  /** Null: nothing was asked. */
  counts(): RequestCounts | null {
    if (this.#requests === 0) return null
    const sorted = [...this.#tookMs].sort((a, b) => a - b)
    const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0)
    return {
      requests: this.#requests,
      retries: this.#retries,
      rateLimited: this.#rateLimited,
      waitedMs: Math.round(this.#waitedMs),
      p50Ms: at(0.5),
      p95Ms: at(0.95),
    }
  }
}

/** The connector with its requests counted by stream. */
export function metered(connector: Connector, meterOf: (stream: string) => RequestMeter): Connector {
  return {
    ...connector,
    poll: (ctx, stream, cursor, budget) => {
      const meter = meterOf(stream)
      const { http } = ctx
      const counted = {
        ...http,
        get: (path: string, options: Parameters<typeof http.get>[1]) => http.get(path, { ...options, observe: (seen) => meter.see(seen) }),
      }
      return connector.poll({ ...ctx, http: counted }, stream, cursor, budget)
    },
  }
}
