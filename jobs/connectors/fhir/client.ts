import { z } from 'zod'
import type { PollContext } from '../connector.ts'
import type { ToolResponse } from '../http.ts'
import { ascending, readEnvelope } from '../pass.ts'

const bundleSchema = z.object({
  resourceType: z.literal('Bundle'),
  type: z.literal('searchset'),
  link: z.array(z.object({ relation: z.string(), url: z.string() })).default([]),
  entry: z.array(z.object({ resource: z.unknown(), search: z.object({ mode: z.string().optional() }).nullish() })).default([]),
})
const placedSchema = z.object({ id: z.string().min(1), meta: z.object({ lastUpdated: z.string(), versionId: z.string().nullish() }) })

export interface SearchPage {
  readonly response: ToolResponse
  readonly data: readonly unknown[]
  readonly ids: readonly string[]
  readonly first: number | null
  readonly last: number | null
  /** Path and query of the server's own next page, checked to be of the same origin. */
  readonly next: string | null
}

/** A search by change time, oldest first, or the server's next page of one. https://hl7.org/fhir/R4/search.html */
export async function searchResources(
  ctx: PollContext,
  type: string,
  changedFrom: number | null,
  next: string | null,
  count: number,
): Promise<SearchPage> {
  const common = { what: type, signal: ctx.signal, headers: { accept: 'application/fhir+json' } }
  const response = next
    ? await ctx.http.get(next, common)
    : await ctx.http.get(type, {
        ...common,
        query: {
          _sort: '_lastUpdated',
          _count: count,
          _lastUpdated: changedFrom === null ? undefined : `ge${new Date(changedFrom).toISOString()}`,
        },
      })
  const bundle = readEnvelope(ctx, bundleSchema, response.json, type)
  const data = bundle.entry
    .filter((entry) => entry.search?.mode === undefined || entry.search.mode === 'match')
    .map((entry) => entry.resource)
  const placed = data.map((row) => placedSchema.safeParse(row).data)
  const times = ascending(placed.flatMap((row) => (row ? [Date.parse(row.meta.lastUpdated)] : [])))
  const link = bundle.link.find((one) => one.relation === 'next')?.url
  const after = link === undefined ? null : new URL(ctx.http.sameOrigin(link))
  return {
    response,
    data,
    ids: placed.map((row) => (row ? `${row.id}@${row.meta.versionId ?? row.meta.lastUpdated}` : '')),
    first: times[0] ?? null,
    last: times.at(-1) ?? null,
    next: after ? after.pathname + after.search : null,
  }
}
