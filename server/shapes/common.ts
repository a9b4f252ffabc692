import { z } from '@hono/zod-openapi'
import { findingStatuses, severities } from '../../db/schema/words.ts'

export const isoTime = z.iso.datetime().openapi({ example: '2026-03-02T09:15:00.000Z' })
export const severityShape = z.enum(severities)
export const statusShape = z.enum(findingStatuses)
export const allowedShape = z
  .union([z.object({ ok: z.literal(true) }), z.object({ ok: z.literal(false), why: z.string() })])
  .openapi('Allowed')
export const objectShape = z.object({ type: z.string(), id: z.string() })
export const ownerShape = z.object({ key: z.string(), title: z.string() })
export const siteShape = z.object({ key: z.string(), title: z.string() })
export const actorShape = z.object({ kind: z.string(), id: z.string().nullable() })

export const problemShape = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
    instance: z.string(),
    requestId: z.string(),
  })
  .openapi('Problem')

const problem = (description: string) => ({ description, content: { 'application/problem+json': { schema: problemShape } } })

const problemWords = {
  400: 'The request does not fit',
  404: 'There is no such thing',
  409: 'Someone was first, or the thing does not allow it now',
} as const

/** What a route may answer instead. Documented only, and kept out of the client's types: problems are thrown, no handler returns them. */
export function orProblem(...statuses: readonly (keyof typeof problemWords)[]): Record<never, never> {
  return Object.fromEntries(statuses.map((status) => [status, problem(problemWords[status])]))
}

export function json<S extends z.ZodType>(schema: S, description: string) {
  return { description, content: { 'application/json': { schema } } }
}

/** Hashes are accepted with or without dashes. */
export const idShape = z
  .string()
  .regex(/^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$/, 'expected an id of 32 hexadecimal digits')
  .transform((id) => id.replaceAll('-', '').toLowerCase())
  .openapi({ type: 'string', example: '5f2b8c0e9a7d4e13b6c1d2e3f4a5b6c7' })

/** `a,b,c`, as the console writes its filters. */
export function listOf<T extends string>(values: readonly [T, ...T[]]) {
  return z
    .string()
    .max(500)
    .optional()
    .transform((text) => (text ?? '').split(',').filter(Boolean))
    .pipe(z.array(z.enum(values)))
    .openapi({ type: 'string', example: values[0] })
}
export const wordList = z
  .string()
  .max(1000)
  .optional()
  .transform((text) => (text ?? '').split(',').filter(Boolean).slice(0, 50))
  .openapi({ type: 'string' })

export const limitShape = z.coerce.number().int().min(1).max(200).default(50)

export function iso(ms: number): string
export function iso(ms: number | null): string | null
export function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
