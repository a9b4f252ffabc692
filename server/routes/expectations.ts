import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { listActivations, totalActivations } from '../../db/records/activations.ts'
import { verdictStates } from '../../db/schema/words.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import { findingKindByName } from '../../jobs/domain/finding-kinds/index.ts'
import { promisesOf } from '../../jobs/domain/program-versions.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { type PromiseHistory, readExpectationDetail } from '../expectation-detail.ts'
import { type PromiseView, readPromises } from '../promises.ts'
import { remember } from '../remembered.ts'
import { iso, isoTime, json, limitShape, listOf, orProblem } from '../shapes/common.ts'
import { activationShape, expectationDetailShape, expectationListShape } from '../shapes/expectation.ts'
import { spanOf, spanShape } from '../shapes/time-span.ts'
import { refuseInvalid } from '../validate.ts'
import { namesOf } from '../view-context.ts'

const list = createRoute({
  method: 'get',
  path: '/expectations',
  tags: ['expectations'],
  summary: 'Each promise with its activations, states, violations, findings and coverage',
  responses: { 200: json(expectationListShape, 'The promises') },
})
const params = z.object({ program: z.string().max(100), key: z.string().max(100) })
const detail = createRoute({
  method: 'get',
  path: '/expectations/{program}/{key}',
  tags: ['expectations'],
  summary: 'One promise: its words and lines, who gets its findings, its weeks, and how long its step takes',
  request: { params },
  responses: { 200: json(expectationDetailShape, 'The promise'), ...orProblem(404) },
})
const activations = createRoute({
  method: 'get',
  path: '/expectations/{program}/{key}/activations',
  tags: ['expectations'],
  summary: 'The activations of a promise, the latest first: what its numbers count',
  request: {
    params,
    query: z.object({
      state: listOf(verdictStates),
      /** When they fell or fall due; those without a deadline, when they were broken or kept. */
      at: spanShape,
      cursor: z.string().max(1000).optional(),
      limit: limitShape,
    }),
  },
  responses: {
    200: json(
      z.object({
        items: z.array(activationShape),
        next: z.string().nullable(),
        asOf: isoTime,
        /** Rows; `at_most` has one row for several activations. */
        total: z.int(),
        activations: z.int(),
        violations: z.int(),
      }),
      'A page of activations',
    ),
    ...orProblem(400, 404),
  },
})

export function expectationRoutes(deps: AppDeps) {
  const { workspace } = deps
  const remembered = remember<PromiseHistory>({ now: () => workspace.clock.now(), wallNow: deps.wallNow })
  const names = namesOf(workspace)

  async function find(program: string, key: string): Promise<{ found: PromiseView; read: Awaited<ReturnType<typeof readPromises>> }> {
    const read = await readPromises(deps)
    const found =
      read.items.find(({ view }) => view.program === program && view.expectation === key) ??
      read.items.find(({ view }) => view.program === program && view.called.includes(key))
    if (!found) throw new AppError('not_found', `Program ${program} makes no promise ${key}.`)
    return { found, read }
  }

  return new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid })
    .openapi(list, async (context) => {
      const { items, asOf, judgedAt } = await readPromises(deps)
      return context.json(
        { items: items.map(({ view }) => view), next: null, asOf: iso(asOf), total: items.length, judgedAt: iso(judgedAt) },
        200,
      )
    })
    .openapi(detail, async (context) => {
      const { program, key } = context.req.valid('param')
      const { found, read } = await find(program, key)
      return context.json(await readExpectationDetail(deps, found, read, remembered), 200)
    })
    .openapi(activations, async (context) => {
      const { program, key } = context.req.valid('param')
      const query = context.req.valid('query')
      const promise = workspace.judging.programs
        .flatMap((inForce) => (inForce.program.key === program ? promisesOf(inForce) : []))
        .find(({ expectation, called }) => expectation.name === key || called.has(key))
      if (!promise) throw new AppError('not_found', `Program ${program} makes no promise ${key}.`)
      const now = workspace.clock.now()
      const filter = {
        program,
        expectations: [...promise.called],
        states: query.state.map((state) => verdictStates.indexOf(state)),
        ...spanOf('at', query.at, now),
      }
      const { db } = workspace.database
      const [page, total] = await Promise.all([
        listActivations(db, workspace.id, filter, { cursor: readCursor('activations', query.cursor), limit: query.limit }),
        totalActivations(db, workspace.id, filter),
      ])
      return context.json(
        {
          items: page.rows.map(({ objectType, objectId, stage, ...row }) => ({
            ...row,
            state: verdictStates[row.state] ?? 'unknown',
            kindTitle: row.kind === null ? null : (findingKindByName.get(row.kind)?.title ?? row.kind),
            dueAt: iso(row.dueAt),
            occurredAt: iso(row.occurredAt),
            evidenceAt: iso(row.evidenceAt),
            readTo: iso(row.readTo),
            object: objectType !== null && objectId !== null ? { type: objectType, id: objectId } : null,
            stageTitle: stage === null ? null : names(program).step(stage),
          })),
          next: writeCursor('activations', page.next),
          asOf: iso(now),
          total: total.verdicts,
          activations: total.activations,
          violations: total.violations,
        },
        200,
      )
    })
}
