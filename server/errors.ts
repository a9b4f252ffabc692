import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { StorageError } from '../db/storage-error.ts'
import type { AppErrorCode } from '../jobs/domain/errors.ts'
import { AppError } from '../jobs/domain/errors.ts'

const httpStatus: Readonly<Record<AppErrorCode, ContentfulStatusCode>> = {
  invalid_input: 400,
  invalid_configuration: 422,
  not_found: 404,
  conflict: 409,
  unauthenticated: 401,
  forbidden: 403,
  too_many: 429,
  unavailable: 503,
  internal: 500,
}

const titles: Readonly<Record<AppErrorCode, string>> = {
  invalid_input: 'The request cannot be understood',
  invalid_configuration: 'The configuration has a mistake',
  not_found: 'There is no such thing',
  conflict: 'Someone was first',
  unauthenticated: 'Nobody is signed in',
  forbidden: 'This is refused',
  too_many: 'Too much at once',
  unavailable: 'Not available now',
  internal: 'Something went wrong on our side',
}

export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly instance: string
  readonly requestId: string
}

/** An error as RFC 9457 problem details. What is not ours tells nothing but the request id: no stack, no SQL, no value. */
export function toProblem(error: unknown, path: string, requestId: string): Problem {
  const { code, message } = ourOwn(error) ?? {
    code: 'internal' as const,
    message: `Nothing was changed. The log names the cause under request ${requestId}.`,
  }
  return {
    type: `https://throughline.dev/problems/${code.replaceAll('_', '-')}`,
    title: titles[code],
    status: httpStatus[code],
    code,
    detail: message,
    instance: path,
    requestId,
  }
}

export function problemResponse(context: Context, error: unknown): Response {
  const requestId = context.get('requestId') ?? '-'
  const problem = toProblem(error, context.req.path, requestId)
  return context.body(JSON.stringify(problem), problem.status as ContentfulStatusCode, {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...(problem.status === 503 ? { 'retry-after': '5' } : {}),
  })
}

function ourOwn(error: unknown): { code: AppErrorCode; message: string } | undefined {
  if (error instanceof AppError) return { code: error.code, message: error.message }
  if (error instanceof StorageError) return { code: 'unavailable', message: error.message }
  if (error instanceof HTTPException) {
    if (error.status === 400) return { code: 'invalid_input', message: 'The body is not JSON that can be read.' }
    if (error.status === 413) return { code: 'invalid_input', message: 'The body is too large.' }
    if (error.status === 404) return { code: 'not_found', message: 'There is no such address.' }
  }
  if (isUnreachableDatabase(error))
    return { code: 'unavailable', message: 'The database does not answer. Nothing was changed; try again in a moment.' }
  return undefined
}

function isUnreachableDatabase(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const code = 'code' in cause ? String(cause.code) : ''
    if (/^(ECONN|CONNECT|CONNECTION_|57P0|08)/.test(code)) return true
  }
  return false
}
