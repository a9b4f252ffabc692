import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { AppError } from '../../jobs/domain/errors.ts'
import { knownToPrograms } from '../../jobs/known-to-programs.ts'
import { applyProgram } from '../commands/apply-program.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { viewPlan } from '../program-plan-view.ts'
import { writeDraft } from '../read-expectation-draft.ts'
import { findMistakes, planOne, readDraft } from '../read-program-draft.ts'
import { compareVersions, readProgram, readPrograms } from '../read-programs.ts'
import { iso, json, orProblem } from '../shapes/common.ts'
import {
  expectationDraftShape,
  mistakeShape,
  programDetailShape,
  programListShape,
  programPlanShape,
  programTextShape,
  programVersionDiffShape,
  programWordsShape,
} from '../shapes/program.ts'
import { refuseInvalid } from '../validate.ts'
import { connectionTitles } from '../view-context.ts'

const key = z.object({ key: z.string().min(1).max(63) })
const source = z.string().max(50_000, 'a program of more than 50,000 characters is applied with the command line')
const version = z.coerce.number().int().min(1)
const body = <S extends z.ZodType>(schema: S) => ({ body: { required: true as const, content: { 'application/json': { schema } } } })

const list = createRoute({
  method: 'get',
  path: '/programs',
  tags: ['programs'],
  summary: 'Every program there is or was',
  responses: { 200: json(programListShape, 'The programs, those in force first') },
})
const words = createRoute({
  method: 'get',
  path: '/program-words',
  tags: ['programs'],
  summary: 'What a program may refer to: streams with their states, owners, types of objects',
  responses: { 200: json(programWordsShape, 'The words') },
})
const draft = createRoute({
  method: 'post',
  path: '/program-drafts',
  tags: ['programs'],
  summary: 'The text of a program with one more promise, from a guided form. Nothing is kept',
  request: body(expectationDraftShape),
  responses: { 200: json(programTextShape, 'The text, and what is wrong with it'), ...orProblem(400) },
})
const detail = createRoute({
  method: 'get',
  path: '/programs/{key}',
  tags: ['programs'],
  summary: 'A program: its text, its promises, its versions with who applied them and what each changed',
  request: { params: key },
  responses: { 200: json(programDetailShape, 'The program'), ...orProblem(404) },
})
const diff = createRoute({
  method: 'get',
  path: '/programs/{key}/diff',
  tags: ['programs'],
  summary: 'What differs between two versions, in words and line by line',
  request: { params: key, query: z.object({ from: version, to: version }) },
  responses: { 200: json(programVersionDiffShape, 'The differences'), ...orProblem(400, 404) },
})
const check = createRoute({
  method: 'post',
  path: '/programs/{key}/check',
  tags: ['programs'],
  summary: 'Every mistake of a draft, with its line and what was expected. Nothing is kept',
  request: { params: key, ...body(z.strictObject({ source })) },
  responses: { 200: json(z.object({ mistakes: z.array(mistakeShape) }), 'The mistakes; none: it can be planned'), ...orProblem(400) },
})
const plan = createRoute({
  method: 'post',
  path: '/programs/{key}/plan',
  tags: ['programs'],
  summary: 'What a draft would change, and which findings of the last days would appear and vanish. Nothing is kept',
  request: { params: key, ...body(z.strictObject({ source, days: z.number().int().min(1).max(3_650).default(30) })) },
  responses: { 200: json(programPlanShape, 'The plan; within ten seconds, of a fair sample where that is not enough'), ...orProblem(400) },
})
const apply = createRoute({
  method: 'post',
  path: '/programs/{key}/apply',
  tags: ['programs'],
  summary: 'Bring a planned draft into force',
  request: { params: key, ...body(z.strictObject({ source, plan: z.string().max(100) })) },
  responses: {
    200: json(z.object({ program: z.string(), version: z.int(), changed: z.boolean() }), 'In force; not changed when it was already'),
    ...orProblem(400, 409),
  },
})

const backTestWithinMs = 10_000
const listAtMost = 100
/** Each takes a processor: more at once would make every page wait. */
const backTestsAtOnce = 2

export function programRoutes(deps: AppDeps) {
  const { workspace } = deps
  let running = 0
  return new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid })
    .openapi(list, async (context) => {
      const items = await readPrograms(deps)
      return context.json({ items, next: null, total: items.length, asOf: iso(workspace.clock.now()) }, 200)
    })
    .openapi(words, (context) => context.json(wordsOf(deps), 200))
    .openapi(draft, async (context) => context.json(await writeDraft(deps, context.req.valid('json')), 200))
    .openapi(detail, async (context) => context.json(await readProgram(deps, context.req.valid('param').key), 200))
    .openapi(diff, async (context) => {
      const { from, to } = context.req.valid('query')
      return context.json(await compareVersions(deps, context.req.valid('param').key, from, to), 200)
    })
    .openapi(check, (context) => {
      const { mistakes } = findMistakes(deps, context.req.valid('param').key, context.req.valid('json').source)
      return context.json({ mistakes }, 200)
    })
    .openapi(plan, async (context) => {
      const asked = context.req.valid('json')
      const read = readDraft(deps, context.req.valid('param').key, asked.source)
      if (running >= backTestsAtOnce)
        throw new AppError('unavailable', 'Other changes are being tried on history just now. Try again in a few seconds.')
      running++
      try {
        const made = await planOne(deps, read)
        const test = { days: asked.days, timeLimitMs: backTestWithinMs, listAtMost, signal: context.req.raw.signal }
        return context.json(await viewPlan(workspace, made, test), 200)
      } finally {
        running--
      }
    })
    .openapi(apply, async (context) => {
      const { key: program } = context.req.valid('param')
      return context.json({ program, ...(await applyProgram(deps, { key: program, ...context.req.valid('json') })) }, 200)
    })
}

function wordsOf({ workspace }: AppDeps): z.output<typeof programWordsShape> {
  const { configuration, judging } = workspace
  const tools = connectionTitles(workspace)
  const titles = new Map(configuration.connections.flatMap(({ id, streams }) => streams.map(({ name, title }) => [`${id}.${name}`, title])))
  return {
    streams: [...knownToPrograms(configuration).streams].map(([stream, { statuses }]) => ({
      stream,
      title: titles.get(stream) ?? stream,
      tool: tools.get(stream.split('.')[0] ?? '') ?? stream,
      statuses: statuses === null ? null : [...statuses],
    })),
    owners: configuration.owners.map(({ key: owner, title }) => ({ key: owner, title })),
    objects: [
      ...new Set(judging.programs.flatMap(({ program }) => [program.journey.per, ...program.expectations.map(({ per }) => per)])),
    ].filter((type) => type !== 'subject' && type !== 'journey'),
  }
}
