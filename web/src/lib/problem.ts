/** What the API says when it cannot (RFC 9457), or what we say when it cannot be reached. */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly requestId: string | null

  constructor(status: number, code: string, message: string, requestId: string | null) {
    super(message)
    this.status = status
    this.code = code
    this.requestId = requestId
  }

  get isConflict(): boolean {
    return this.status === 409
  }
  get isForbidden(): boolean {
    return this.status === 403
  }
  get isMissing(): boolean {
    return this.status === 404
  }
}

export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null)
  const field = (name: string): string | null => {
    const value = body && typeof body === 'object' ? Reflect.get(body, name) : null
    return typeof value === 'string' ? value : null
  }
  return new Problem(
    response.status,
    field('code') ?? `http_${response.status}`,
    field('detail') ?? field('title') ?? `The server answered ${response.status}.`,
    field('requestId') ?? response.headers.get('x-request-id'),
  )
}

export function unreachable(cause: unknown): Problem {
  const reason = cause instanceof Error && cause.name === 'TimeoutError' ? 'did not answer within 20 seconds' : 'could not be reached'
  return new Problem(0, 'unreachable', `Throughline ${reason}. What you see may be old; it is asked again by itself.`, null)
}
