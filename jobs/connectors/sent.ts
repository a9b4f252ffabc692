import type { ToolErrorReason } from './connector.ts'
import type { RequestSeen, ToolResponse } from './http.ts'

export interface SendOptions {
  readonly method: 'POST' | 'PUT' | 'PATCH'
  /** `type` where the tool wants another than `application/json`. Absent: nothing is sent but the request. */
  readonly body?:
    | { readonly form: Readonly<Record<string, string | number | undefined>> }
    | { readonly json: unknown; readonly type?: string }
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>
  readonly headers?: Readonly<Record<string, string>>
  /** What is asked, in our words, for messages: `the refund`. */
  readonly what: string
  readonly signal?: AbortSignal
  readonly observe?: (seen: RequestSeen) => void
}

/** What came of something that was sent once. The messages are ours: no body, no header, no person. */
export type Sent =
  /** A 2xx whose body is JSON. Whether it says that it was done is the caller's to read. */
  | { readonly kind: 'answered'; readonly response: ToolResponse }
  /** Surely not done: the tool was never reached, or it said no. */
  | {
      readonly kind: 'not_done'
      readonly reason: ToolErrorReason
      /** Null: it was never reached. */
      readonly status: number | null
      /** What it said with its no, for the caller to find a known code in: it may hold anything, so nothing else of it is kept. Undefined: no JSON. */
      readonly json: unknown
      readonly message: string
      readonly retryAfterMs: number | null
    }
  /** It may have been done: it was sent, and no answer came that says. */
  | {
      readonly kind: 'unclear'
      readonly reason: ToolErrorReason
      readonly status: number | null
      readonly isReplay: boolean
      readonly message: string
    }

/**
 * Whether a tool that answered so did nothing. A 408 or 409 may come of another request with the same key or record that is still at
 * work, a redirect may follow a deed, and after a 5xx nobody knows.
 */
export function isSurelyNotDone(status: number): boolean {
  return status === 501 || (status >= 400 && status < 500 && status !== 408 && status !== 409)
}

/** The reason of an answer that is no 2xx. */
export function reasonOf(status: number): ToolErrorReason {
  if (status === 401 || status === 403) return 'auth'
  if (status === 404 || status === 410) return 'not_found'
  if (status === 429) return 'rate_limited'
  return status >= 500 ? 'network' : 'bad_response'
}

/** The sentence for an answer that is no 2xx: what happened, to what, what to do. */
export function answerSentence(status: number, what: string): string {
  if (status === 401 || status === 403)
    return `the tool refused the credentials for ${what} (${status}). Give the connection a secret that may do this, then run it again.`
  if (status === 404 || status === 410) return `the tool does not know what ${what} is about (${status}). Nothing was done.`
  if (status === 429) return `the tool asked to slow down before ${what} (429). Nothing was done; run it again later.`
  if (status === 501) return `the tool cannot do ${what} (501). Nothing was done.`
  if (status >= 500) return `the tool failed at ${what} (${status}). It may have been done: look before it is repeated.`
  if (isSurelyNotDone(status)) return `the tool refused ${what} (${status}). Nothing was done.`
  return `the tool answered ${what} with ${status}, which does not say whether it was done: look before it is repeated.`
}
