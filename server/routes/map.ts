import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { listPaths, type PathFilter } from '../../db/records/journey-paths.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { programShown, readMap, wholeDays } from '../read-map.ts'
import { iso, isoTime, json, limitShape, orProblem } from '../shapes/common.ts'
import { mapShape, passedJourneyShape } from '../shapes/map.ts'
import { refuseInvalid } from '../validate.ts'
import { namesOf } from '../view-context.ts'

const usualMs = 30 * 86_400_000
const longestMs = 20 * 366 * 86_400_000

const params = z.object({ program: z.string().max(100) })
const rangeShape = z.object({
  /** When the journeys began: whole days (UTC) that hold this range are counted. Without: the last 30 days. */
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional(),
  version: z.coerce.number().int().min(1).max(1_000_000).optional(),
})
const map = createRoute({
  method: 'get',
  path: '/map/{program}',
  tags: ['map'],
  summary: 'A program as a graph: steps, moves with volume and median time, and where its promises stand',
  request: { params, query: rangeShape },
  responses: { 200: json(mapShape, 'The map'), ...orProblem(400, 404) },
})
const journeys = createRoute({
  method: 'get',
  path: '/map/{program}/journeys',
  tags: ['map'],
  summary: 'The journeys behind a number of the map, the latest first',
  request: {
    params,
    query: rangeShape.extend({
      step: z.string().max(100).optional(),
      /** `booked..confirmed`; `..booked`: which began with it; `booked..@abandoned`, `@open`, `@ends`, `@final`: for which it is the last step. */
      move: z
        .string()
        .max(210)
        .regex(/^[^.]*\.\.[^.]+$/, 'expected <step>..<step>')
        .optional(),
      cursor: z.string().max(1000).optional(),
      limit: limitShape,
    }),
  },
  responses: {
    200: json(z.object({ items: z.array(passedJourneyShape), next: z.string().nullable(), countedAt: isoTime }), 'A page of journeys'),
    ...orProblem(400, 404),
  },
})

export function mapRoutes(deps: AppDeps) {
  const { workspace } = deps
  const names = namesOf(workspace)

  function questionOf(program: string, query: z.output<typeof rangeShape>) {
    const now = workspace.clock.now()
    const to = query.to === undefined ? now + 1 : Date.parse(query.to)
    const from = query.from === undefined ? to - usualMs : Date.parse(query.from)
    if (from >= to || to - from > longestMs) throw new AppError('invalid_input', 'This range ends before it begins, or is too long.')
    return { program, version: query.version ?? null, from, to }
  }

  return new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid })
    .openapi(map, async (context) => {
      const question = questionOf(context.req.valid('param').program, context.req.valid('query'))
      return context.json(await readMap(deps, question), 200)
    })
    .openapi(journeys, async (context) => {
      const query = context.req.valid('query')
      const question = questionOf(context.req.valid('param').program, query)
      programShown(deps, question)
      const cursor = readCursor('passed', query.cursor)
      const rows = await listPaths(
        workspace.database.sql,
        workspace.id,
        { ...question, ...wholeDays(question), passed: passedOf(query) },
        { after: cursor === null ? null : { startedAt: Number(cursor[0]), journeyId: String(cursor[1]) }, limit: query.limit + 1 },
      )
      const shown = rows.slice(0, query.limit)
      const last = rows.length > query.limit ? shown.at(-1) : undefined
      const { step } = names(question.program)
      return context.json(
        {
          items: shown.map((row) => ({
            id: row.journeyId,
            subjectId: row.subjectId,
            object: row.objectType !== null && row.objectId !== null ? { type: row.objectType, id: row.objectId } : null,
            startedAt: iso(row.startedAt),
            path: row.steps.map(step),
            ending: row.ending,
            stageTitle: row.stage === null ? null : step(row.stage),
          })),
          next: writeCursor('passed', last ? [last.startedAt, last.journeyId] : null),
          countedAt: iso(workspace.clock.now()),
        },
        200,
      )
    })
}

function passedOf({ step, move }: { readonly step?: string | undefined; readonly move?: string | undefined }): PathFilter['passed'] {
  if (move !== undefined) {
    const [from = '', to = ''] = move.split('..')
    return { from, to }
  }
  return step === undefined ? null : { step }
}
