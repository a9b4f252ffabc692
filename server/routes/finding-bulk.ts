import { setTimeout as wait } from 'node:timers/promises'
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { readBulkAct } from '../../db/records/bulk-acts.ts'
import type { BulkActRow } from '../../db/schema/bulk-acts.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import { beginInBulk, runInBulk, stopInBulk } from '../commands/act-in-bulk.ts'
import { leaseMinutes } from '../commands/claim-finding.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { parseFindingAddress, toFindingFilter } from '../finding-query.ts'
import { idShape, iso, isoTime, json, orProblem } from '../shapes/common.ts'
import { refuseInvalid } from '../validate.ts'

/** An answer waits this long for the end; what takes longer is asked for by its id. */
const answerWithinMs = 1_000
/** A running one without a batch for so long has nobody who works on it: its server stopped. */
const stalledAfterMs = 15_000
const namedAtMost = 500

const bulkShape = z
  .object({
    id: z.string(),
    act: z.string(),
    state: z.enum(['running', 'finished', 'stopped']),
    /** Running by its state, but nobody works on it: continue or stop it. */
    isStalled: z.boolean(),
    /** done + the skipped ones + those not handled = total, at every instant. */
    total: z.int(),
    handled: z.int(),
    done: z.int(),
    skipped: z.array(z.object({ why: z.string(), count: z.int() })),
    startedAt: isoTime,
    asOf: isoTime,
  })
  .openapi('BulkAct')

const reason = z.string().trim().min(1, 'a reason is needed: others will read it later').max(1000)
const until = z.iso
  .datetime({ offset: true, error: 'expected a time such as 2026-03-02T09:15:00Z' })
  .transform((text) => Date.parse(text))
  .openapi({ type: 'string', format: 'date-time' })
const askedShape = z.discriminatedUnion('act', [
  z.strictObject({ act: z.literal('acknowledge') }),
  z.strictObject({ act: z.literal('claim'), minutes: z.int().min(1).max(480).default(leaseMinutes) }),
  z.strictObject({ act: z.literal('release') }),
  z.strictObject({ act: z.literal('snooze'), until, reason: reason.nullable().default(null) }),
  z.strictObject({ act: z.literal('unsnooze') }),
  z.strictObject({ act: z.literal('assign'), owner: z.string().min(1).max(200), reason }),
  z.strictObject({ act: z.literal('waive'), until, reason }),
  z.strictObject({ act: z.literal('false_alarm'), reason }),
])
const bodyShape = z.strictObject({
  asked: askedShape,
  /** All that match: the filters as in the address of the list, how many the person confirmed, and as of when they were counted. */
  matching: z.strictObject({ query: z.string().max(2000), expected: z.int().min(0), asOf: z.iso.datetime({ offset: true }) }).optional(),
  /** Or these, as the person saw them. */
  findings: z
    .array(z.strictObject({ id: idShape, revision: z.int().min(1) }))
    .min(1)
    .max(namedAtMost)
    .optional(),
})

const path = z.object({ id: idShape })
const begin = createRoute({
  method: 'post',
  path: '/findings/bulk',
  tags: ['findings'],
  summary: 'Do one thing to many findings: in batches, each finding by a conditional update with an audit row',
  request: { body: { required: true, content: { 'application/json': { schema: bodyShape } } } },
  responses: { 200: json(bulkShape, 'How far it is; ask again by its id while it runs'), ...orProblem(400, 409) },
})
const read = createRoute({
  method: 'get',
  path: '/findings/bulk/{id}',
  tags: ['findings'],
  summary: 'How far an act on many findings is',
  request: { params: path },
  responses: { 200: json(bulkShape, 'Totals that add up'), ...orProblem(404) },
})
const stop = createRoute({
  method: 'post',
  path: '/findings/bulk/{id}/stop',
  tags: ['findings'],
  summary: 'Stop an act on many findings after the batch it is in; what is done stays done',
  request: { params: path },
  responses: { 200: json(bulkShape, 'Where it stopped'), ...orProblem(404) },
})
const resume = createRoute({
  method: 'post',
  path: '/findings/bulk/{id}/continue',
  tags: ['findings'],
  summary: 'Go on with one that nobody works on since its server stopped',
  request: { params: path },
  responses: { 200: json(bulkShape, 'How far it is'), ...orProblem(404) },
})

export function findingBulkRoutes(deps: AppDeps) {
  const { database, id: workspaceId } = deps.workspace
  return new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid })
    .openapi(begin, async (context) => {
      const { asked, matching, findings } = context.req.valid('json')
      if ((matching === undefined) === (findings === undefined))
        throw new AppError('invalid_input', 'Say which findings: either `matching` or `findings`.')
      const scope = matching ? await toScope(matching) : { named: distinct(findings ?? []) }
      const { id } = await beginInBulk(deps, asked, scope)
      return context.json(await work(id), 200)
    })
    .openapi(read, async (context) => context.json(toView(await found(context.req.valid('param').id)), 200))
    .openapi(stop, async (context) => context.json(toView(await stopInBulk(deps, context.req.valid('param').id)), 200))
    .openapi(resume, async (context) => {
      const { id } = await found(context.req.valid('param').id)
      return context.json(await work(id), 200)
    })

  async function toScope({ query, expected, asOf }: { query: string; expected: number; asOf: string }) {
    const parsed = parseFindingAddress(query)
    if (parsed === null) throw new AppError('invalid_input', 'These filters are not understood. Take them from the address of the list.')
    const at = Date.parse(asOf)
    if (at > deps.workspace.clock.now()) throw new AppError('invalid_input', 'The list was counted at a time that has not come yet.')
    const filter = await toFindingFilter(deps, parsed, at)
    return { address: query, filter: { ...filter, foundBy: at }, asOf: at, expected }
  }

  /** Starts it and answers when it is done, or with how far it is. */
  async function work(id: string) {
    const running = runInBulk(deps, id).catch((error: unknown) =>
      deps.log.error(
        { error: error instanceof Error ? error.name : 'unknown', bulk: id },
        'An act on many findings halted. It can be continued.',
      ),
    )
    const timer = new AbortController()
    await Promise.race([running, wait(answerWithinMs, undefined, { signal: timer.signal, ref: false })])
    timer.abort()
    return toView(await found(id))
  }

  async function found(id: string): Promise<BulkActRow> {
    const bulk = await readBulkAct(database.db, workspaceId, id)
    if (!bulk) throw new AppError('not_found', 'There is no such act on many findings.')
    return bulk
  }
}

function toView(bulk: BulkActRow) {
  return {
    id: bulk.id,
    act: bulk.act,
    state: bulk.state,
    isStalled: bulk.state === 'running' && Date.now() - bulk.beatAt > stalledAfterMs,
    total: bulk.total,
    handled: bulk.handled,
    done: bulk.done,
    skipped: Object.entries(bulk.skipped)
      .map(([why, count]) => ({ why, count }))
      .sort((a, b) => b.count - a.count),
    startedAt: iso(bulk.startedAt),
    asOf: iso(bulk.asOf),
  }
}

function distinct<T extends { readonly id: string }>(findings: readonly T[]): T[] {
  return [...new Map(findings.map((finding) => [finding.id, finding])).values()]
}
