import { createRoute, OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi'
import { readJourneyFindings, readWorstSeverities } from '../../db/records/findings.ts'
import { readStageCounts } from '../../db/records/journey-counts.ts'
import { readStillness } from '../../db/records/journey-stillness.ts'
import {
  countedAtMost,
  countJourneys,
  listJourneys,
  noteJourneyExport,
  readJourney,
  readJourneyStreams,
} from '../../db/records/journeys.ts'
import { readVerdicts } from '../../db/records/judgement.ts'
import { readStreams } from '../../db/records/streams.ts'
import { verdictStates } from '../../db/schema/words.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { toByteStream } from '../finding-export.ts'
import { writeOcel } from '../journey-ocel.ts'
import { journeyQueryShape, toJourneyFilter } from '../journey-query.ts'
import { stagesShape, toStagesView } from '../journey-stages.ts'
import { foldJourney, toEventViews, toJourneyView } from '../journey-view.ts'
import { eventsAtOnce, foldEvents, pageOfEvents } from '../journey-window.ts'
import { judgeJourneyAnew } from '../judged-journey.ts'
import { readConnectionViews } from '../read-connections.ts'
import { idShape, iso, isoTime, json, orProblem, wordList } from '../shapes/common.ts'
import { journeyRowShape, journeyShape, journeyWindowShape } from '../shapes/journey.ts'
import { refuseInvalid } from '../validate.ts'
import { namesOf, viewContext } from '../view-context.ts'

const list = createRoute({
  method: 'get',
  path: '/journeys',
  tags: ['journeys'],
  summary: 'Journeys, the latest movement first',
  request: {
    query: journeyQueryShape,
  },
  responses: {
    200: json(
      z.object({
        items: z.array(journeyRowShape),
        next: z.string().nullable(),
        asOf: isoTime,
        /** At most 10,000; of a filter by tool, those found so far. */
        total: z.int(),
        /** There are more than `total`. */
        isMore: z.boolean().optional(),
        /** Not every journey was looked at: going on from `next` looks at more, also where this page is short. */
        isPartial: z.boolean().optional(),
      }),
      'A page of journeys',
    ),
    ...orProblem(400),
  },
})
const stages = createRoute({
  method: 'get',
  path: '/journeys/stages',
  tags: ['journeys'],
  summary: 'How many journeys stand at each stage of each program, and for how long nothing has happened in them',
  responses: { 200: json(stagesShape, 'Stages in the order of their program') },
})
const detail = createRoute({
  method: 'get',
  path: '/journeys/{id}',
  tags: ['journeys'],
  summary: 'One journey across its tools, judged from its facts as of now',
  request: { params: z.object({ id: idShape }) },
  responses: { 200: json(journeyShape, 'The journey'), ...orProblem(404) },
})
const window = createRoute({
  method: 'get',
  path: '/journeys/{id}/events',
  tags: ['journeys'],
  summary: 'Events of one journey in order of time: a window of them by pages, or folded into at most 500 events and clusters',
  request: {
    params: z.object({ id: idShape }),
    query: z.object({
      from: z.iso.datetime().optional(),
      /** Included, so that the window of a cluster holds its last event. */
      to: z.iso.datetime().optional(),
      connection: wordList,
      fold: z.enum(['true', 'false']).optional(),
      cursor: z.string().max(1000).optional(),
      limit: z.coerce.number().int().min(1).max(eventsAtOnce).default(200),
    }),
  },
  responses: { 200: json(journeyWindowShape, 'The events'), ...orProblem(400, 404) },
})
const ocel: RouteConfig = {
  method: 'get',
  path: '/journeys/{id}/export.ocel.json',
  tags: ['journeys'],
  summary: 'One journey as an object-centric event log (OCEL 2.0), a file; who took it is in the audit',
  request: { params: z.object({ id: idShape }) },
  responses: { 200: { description: 'The log', content: { 'application/json': { schema: z.unknown() } } }, ...orProblem(400, 404) },
}
/** A reader that stops reading is let go after this. */
const exportIdleMs = 60_000

async function* inSteps(pieces: Iterable<string>): AsyncGenerator<string> {
  yield* pieces
}

export function journeyRoutes(deps: AppDeps) {
  const { database, id: workspaceId, clock, judging } = deps.workspace
  const names = namesOf(deps.workspace)
  const app = new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid })
  app.openAPIRegistry.registerPath(ocel)
  return app
    .openapi(list, async (context) => {
      const query = context.req.valid('query')
      const now = clock.now()
      const streams = await readStreams(database.sql, workspaceId)
      const streamsOf = (connection: string) => streams.filter((stream) => stream.connection === connection).map((stream) => stream.id)
      const filter = toJourneyFilter(query, now, streamsOf)
      const { limit, sort } = query
      const page = await listJourneys(database.db, workspaceId, filter, { cursor: readCursor(sort, query.cursor), limit, sort })
      const isByTool = filter.inStreams !== undefined || filter.notInStreams !== undefined
      const counted = isByTool ? page.rows.length : await countJourneys(database.db, workspaceId, filter)
      const known = await readJourneyStreams(database.db, workspaceId, page.rows)
      const connectionsOf = (id: string) => [
        ...new Set(known.get(id)?.flatMap((stream) => streams.find((one) => one.id === stream)?.connection ?? [])),
      ]
      const worst = await readWorstSeverities(
        database.db,
        workspaceId,
        page.rows.map((row) => row.id),
      )
      const next = await readNextDue(page.rows.map((row) => row.componentId))
      return context.json(
        {
          items: page.rows.map((row) => ({
            id: row.id,
            program: row.program,
            programTitle: programTitle(row.program),
            subjectId: row.subjectId,
            object: row.objectType !== null && row.objectId !== null ? { type: row.objectType, id: row.objectId } : null,
            stage: row.stage,
            stageTitle: names(row.program).step(row.stage),
            startedAt: iso(row.startedAt),
            lastEventAt: iso(row.lastEventAt),
            endedAt: iso(row.endedAt),
            endReason: row.endReason,
            events: row.events,
            openFindings: row.openFindings,
            worstSeverity: worst.get(row.id) ?? null,
            nextDueAt: iso(next.get(row.id)?.dueAt ?? null),
            nextExpected: next.get(row.id)?.step ?? null,
            nextExpectedTitle: stepTitle(row.program, next.get(row.id)?.step),
            tools: connectionsOf(row.id),
          })),
          next: writeCursor(sort, page.next),
          asOf: iso(now),
          total: Math.min(counted, countedAtMost),
          isMore: isByTool ? page.next !== null : counted > countedAtMost,
          isPartial: page.isPartial,
        },
        200,
      )
    })
    .openapi(stages, async (context) => {
      const now = clock.now()
      const [still, standing] = await Promise.all([
        readStillness(database.sql, workspaceId, now),
        readStageCounts(database.sql, workspaceId, now),
      ])
      return context.json(toStagesView(judging.programs, still, standing, names), 200)
    })
    .openapi(detail, async (context) => {
      const { id } = context.req.valid('param')
      const { row, judged } = await judgedJourney(id)
      const [findings, connections] = await Promise.all([
        readJourneyFindings(database.db, workspaceId, id),
        readConnectionViews(deps, { passes: 0 }),
      ])
      const view = toJourneyView({ row, judged, findings, connections, now: clock.now(), context: viewContext(deps) })
      return context.json(foldJourney(view), 200)
    })
    .openapi(window, async (context) => {
      const { id } = context.req.valid('param')
      const query = context.req.valid('query')
      const { judged } = await judgedJourney(id)
      const findings = await readJourneyFindings(database.db, workspaceId, id)
      const asOf = iso(clock.now())
      const from = query.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(query.from)
      const to = query.to === undefined ? Number.POSITIVE_INFINITY : Date.parse(query.to)
      const events = toEventViews(judged, findings, viewContext(deps)).filter(({ occurredAt, connection }) => {
        const at = Date.parse(occurredAt)
        return at >= from && at <= to && (query.connection.length === 0 || query.connection.includes(connection))
      })
      if (query.fold === 'true') {
        const folded = foldEvents(events)
        return context.json({ asOf, items: folded.events, clusters: folded.clusters, next: null, total: events.length }, 200)
      }
      const page = pageOfEvents(events, readCursor('time', query.cursor), query.limit)
      return context.json({ asOf, items: page.items, clusters: [], next: writeCursor('time', page.next), total: events.length }, 200)
    })
    .get('/journeys/:id/export.ocel.json', async (context) => {
      const parsed = idShape.safeParse(context.req.param('id'))
      refuseInvalid(parsed.success ? parsed : { ...parsed, target: 'param' })
      const id = idShape.parse(context.req.param('id'))
      const { row, judged } = await judgedJourney(id)
      const findings = await readJourneyFindings(database.db, workspaceId, id)
      const now = clock.now()
      const view = toJourneyView({ row, judged, findings, connections: [], now, context: viewContext(deps) })
      await noteJourneyExport(database.db, workspaceId, {
        journeyId: id,
        actor: deps.me.id,
        at: now,
        format: 'ocel',
        events: view.events.length,
      })
      return context.body(
        toByteStream(inSteps(writeOcel(view)), exportIdleMs, () => {}),
        200,
        {
          'content-type': 'application/json',
          'content-disposition': `attachment; filename="journey-${id.slice(0, 8)}.ocel.json"`,
          'cache-control': 'no-store',
        },
      )
    })

  async function judgedJourney(id: string) {
    const row = await readJourney(database.db, workspaceId, id)
    if (!row) throw new AppError('not_found', `There is no journey ${id}.`)
    const judged = await judgeJourneyAnew(deps, row)
    if (!judged) throw new AppError('unavailable', `Journey ${id} is being judged anew. Ask again in a moment.`)
    return { row, judged }
  }

  function stepTitle(program: string, step: string | undefined): string | null {
    return step === undefined ? null : names(program).step(step)
  }

  function programTitle(key: string): string {
    return judging.programs.find((one) => one.program.key === key)?.program.title ?? key
  }

  /** The earliest running promise of each journey in these components, with the step it waits for. */
  async function readNextDue(components: readonly string[]): Promise<ReadonlyMap<string, { dueAt: number; step: string }>> {
    const next = new Map<string, { dueAt: number; step: string }>()
    const waiting = new Set([verdictStates.indexOf('pending'), verdictStates.indexOf('at_risk')])
    for (const verdict of await readVerdicts(database.sql, workspaceId, [...new Set(components)])) {
      if (verdict.journeyId === null || verdict.dueAt === null || !waiting.has(verdict.state)) continue
      const program = judging.programs.find((one) => one.program.key === verdict.program)?.program
      const expectation = program?.expectations.find((one) => one.name === verdict.expectation)
      const known = next.get(verdict.journeyId)
      if (expectation?.kind !== 'follows' || (known && known.dueAt <= verdict.dueAt)) continue
      next.set(verdict.journeyId, { dueAt: Math.round(verdict.dueAt), step: expectation.expect })
    }
    return next
  }
}
