import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { readFinding } from '../../db/records/findings.ts'
import { countRuns, listRuns, readApproval, readAttempts, readRun, readSteps } from '../../db/records/runs.ts'
import { runStates } from '../../db/schema/runs.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import { movesMoney, type RunPlan } from '../../jobs/domain/run.ts'
import { offerRunbooks, planRecovery, rolesOfRunbook } from '../../jobs/runs/plan-recovery.ts'
import { type Prepared, prepareRun } from '../../jobs/runs/prepare-run.ts'
import { answerRun, cancelRun, decideRun, digestOf, startRun } from '../../jobs/runs/start-run.ts'
import { currentActor } from '../acting.ts'
import { requireConfirmed } from '../commands/people/confirm.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { idShape, iso, isoTime, json, listOf, orProblem } from '../shapes/common.ts'
import { runDetailShape, runPreviewShape, runShape, toPlannedView, toRunDetail, toRunView } from '../shapes/run.ts'
import { refuseInvalid } from '../validate.ts'

const params = z.object({ id: idShape })
const reason = z.string().trim().min(1, 'a reason is needed: others will read it later').max(1000)
const answers = z.record(z.string().max(63), z.union([z.string().max(200), z.number(), z.boolean()])).default({})
const runbook = z.string().min(1).max(63)
const body = <S extends z.ZodType>(schema: S) => ({ body: { required: true as const, content: { 'application/json': { schema } } } })
const lookWithinMs = 20_000

const offers = createRoute({
  method: 'get',
  path: '/findings/{id}/runbooks',
  tags: ['runs'],
  summary: 'The runbooks that may run on a finding, the suggested one first, and its runs so far',
  request: { params },
  responses: {
    200: json(
      z
        .object({
          items: z.array(
            z.object({
              key: z.string(),
              title: z.string(),
              purpose: z.string(),
              version: z.int(),
              isSuggested: z.boolean(),
              asksApproval: z.boolean(),
              asks: z.array(
                z.object({
                  name: z.string(),
                  title: z.string().nullable(),
                  kind: z.enum(['choice', 'number', 'time']),
                  choices: z.array(z.object({ value: z.string(), title: z.string() })),
                  min: z.number().nullable(),
                  max: z.number().nullable(),
                }),
              ),
            }),
          ),
          runs: z.array(runShape),
          asOf: isoTime,
        })
        .openapi('RunbookOffers'),
      'The runbooks',
    ),
    ...orProblem(404),
  },
})
const preview = createRoute({
  method: 'post',
  path: '/findings/{id}/runs/preview',
  tags: ['runs'],
  summary: 'Exactly what a runbook would do on a finding now: every tool is looked at, nothing is sent',
  request: { params, ...body(z.strictObject({ runbook, answers })) },
  responses: { 200: json(runPreviewShape, 'What would be done, and the hash that binds it'), ...orProblem(400, 404, 409) },
})
const start = createRoute({
  method: 'post',
  path: '/findings/{id}/runs',
  tags: ['runs'],
  summary: 'Run a runbook on a finding, exactly as previewed; with an Idempotency-Key the same request is one run',
  request: {
    params,
    headers: z.object({ 'idempotency-key': z.string().min(1).max(200).optional() }),
    ...body(z.strictObject({ runbook, answers, hash: z.string().length(64), reason: reason.nullish() })),
  },
  responses: {
    200: json(runShape, 'The run of an earlier request with this key'),
    201: json(runShape, 'The run'),
    ...orProblem(400, 404, 409),
  },
})
const list = createRoute({
  method: 'get',
  path: '/runs',
  tags: ['runs'],
  summary: 'Runs of runbooks, newest first',
  request: {
    query: z.object({
      state: listOf(runStates),
      runbook: runbook.optional(),
      active: z.stringbool().optional(),
      cursor: z.string().max(100).optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
  },
  responses: {
    200: json(
      z
        .object({
          items: z.array(runShape),
          next: z.string().nullable(),
          total: z.int(),
          byState: z.partialRecord(z.enum(runStates), z.int()),
          asOf: isoTime,
        })
        .openapi('RunList'),
      'A page of runs',
    ),
    ...orProblem(400),
  },
})
const detail = createRoute({
  method: 'get',
  path: '/runs/{id}',
  tags: ['runs'],
  summary: 'A run: its steps, every attempt, what was sent in words, its approval and the record that shows each effect',
  request: { params },
  responses: { 200: json(runDetailShape, 'The run'), ...orProblem(404) },
})
const approve = createRoute({
  method: 'post',
  path: '/runs/{id}/approve',
  tags: ['runs'],
  summary: 'Approve a run exactly as it was read; never one’s own',
  request: { params, ...body(z.strictObject({ hash: z.string().length(64), reason: reason.nullish() })) },
  responses: { 200: json(runShape, 'The run'), ...orProblem(400, 404, 409) },
})
const reject = createRoute({
  method: 'post',
  path: '/runs/{id}/reject',
  tags: ['runs'],
  summary: 'Reject a run that waits for approval',
  request: { params, ...body(z.strictObject({ hash: z.string().length(64), reason })) },
  responses: { 200: json(runShape, 'The run'), ...orProblem(400, 404, 409) },
})
const cancel = createRoute({
  method: 'post',
  path: '/runs/{id}/cancel',
  tags: ['runs'],
  summary: 'End a run; what was sent stays sent',
  request: { params, ...body(z.strictObject({ reason })) },
  responses: { 200: json(runShape, 'The run'), ...orProblem(400, 404, 409) },
})
const answer = createRoute({
  method: 'post',
  path: '/runs/{id}/answer',
  tags: ['runs'],
  summary: 'Record what was found in the tool after a lost answer, or confirm a step that asks a person',
  request: {
    params,
    ...body(
      z.discriminatedUnion('found', [
        z.strictObject({ found: z.literal('happened'), externalId: z.string().trim().min(1).max(200), reason }),
        z.strictObject({ found: z.literal('did-not-happen'), reason }),
        z.strictObject({ found: z.literal('confirmed'), reason }),
      ]),
    ),
  },
  responses: { 200: json(runShape, 'The run'), ...orProblem(400, 404, 409) },
})

/** Recovery: a preview that sends nothing, a run of exactly that, and everything a person does to it. */
export function runRoutes(deps: AppDeps) {
  const { workspace } = deps
  const { db } = workspace.database
  const recovery = () => {
    if (deps.recovery === undefined) throw new AppError('unavailable', 'No engine runs here, so nothing can be recovered.')
    return deps.recovery
  }
  const findingOf = async (id: string) => {
    const finding = await readFinding(db, workspace.id, id)
    if (!finding) throw new AppError('not_found', `There is no finding ${id}.`)
    return finding
  }
  const prepare = async (
    id: string,
    asked: { readonly runbook: string; readonly answers: z.output<typeof answers> },
  ): Promise<Prepared> => {
    const planning = await planRecovery(workspace, await findingOf(id), asked.runbook, asked.answers)
    if (!planning.ok) throw new AppError('conflict', planning.why.map(({ message }) => message).join(' '))
    const { limits, ...plan } = planning.plan
    const draft = { ...plan, limits, approval: plan.approval && { role: plan.approval.by, withinMs: plan.approval.withinMs } }
    return prepareRun(recovery().runs, draft, AbortSignal.timeout(lookWithinMs))
  }
  const decided = async (id: string, isGranted: boolean, asked: { readonly hash: string; readonly reason?: string | null | undefined }) =>
    toRunView(
      await decideRun(recovery().runs, id, { actor: deps.me.id, isGranted, hash: asked.hash, reason: asked.reason ?? null }, (tx, run) =>
        recovery().advance(run, tx),
      ),
    )

  return new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid })
    .openapi(offers, async (context) => {
      const finding = await findingOf(context.req.valid('param').id)
      const [items, runs] = await Promise.all([
        offerRunbooks(workspace, finding),
        listRuns(db, workspace.id, { findingId: finding.id }, { after: null, limit: 20 }),
      ])
      const view = items.map(({ asks, ...offer }) => ({
        ...offer,
        asks: asks.map((each) => ({
          name: each.name,
          title: each.title,
          kind: each.kind,
          choices: each.kind === 'choice' ? each.choices.map(({ value, title }) => ({ value, title })) : [],
          min: each.kind === 'number' ? each.min : null,
          max: each.kind === 'number' ? each.max : null,
        })),
      }))
      return context.json({ items: view, runs: runs.map(toRunView), asOf: iso(workspace.clock.now()) }, 200)
    })
    .openapi(preview, async (context) => {
      const { plan, hash, looks, mayStart } = await prepare(context.req.valid('param').id, context.req.valid('json'))
      const steps = plan.steps.map((step, n) => ({
        ...toPlannedView(step),
        look: looks[n]?.kind ?? ('ready' as const),
        message: looks[n]?.message ?? null,
      }))
      const { runbook: key, version, approval, verifyMs } = plan
      return context.json({ runbook: key, version, hash, steps, approval, verifyMs, mayStart, asOf: iso(workspace.clock.now()) }, 200)
    })
    .openapi(start, async (context) => {
      const asked = context.req.valid('json')
      const { id } = context.req.valid('param')
      const key = context.req.valid('header')['idempotency-key']
      requireRole(await rolesOfRunbook(workspace, asked.runbook), 'run')
      const prepared = await prepare(id, asked)
      if (prepared.hash !== asked.hash)
        throw new AppError('conflict', 'What would be done is no longer what you saw. Look at it again, then run it.')
      if (!prepared.mayStart)
        throw new AppError('conflict', prepared.looks.find(({ message }) => message !== null)?.message ?? 'A tool refuses.')
      const request = key === undefined ? null : { key, digest: digestOf({ id, ...asked }) }
      const { run, isNew } = await startRun(
        recovery().runs,
        prepared,
        { actor: deps.me.id, reason: asked.reason ?? null, request },
        (tx, runId) => recovery().advance(runId, tx),
      )
      return isNew ? context.json(toRunView(run), 201) : context.json(toRunView(run), 200)
    })
    .openapi(list, async (context) => {
      const query = context.req.valid('query')
      const after = readCursor(query.cursor)
      const filter = {
        states: query.state,
        ...(query.runbook === undefined ? {} : { runbook: query.runbook }),
        ...(query.active === undefined ? {} : { isActive: query.active }),
      }
      const [rows, counts] = await Promise.all([
        listRuns(db, workspace.id, filter, { after, limit: query.limit + 1 }),
        countRuns(db, workspace.id),
      ])
      const items = rows.slice(0, query.limit)
      const last = items.at(-1)
      return context.json(
        {
          items: items.map(toRunView),
          next: rows.length > query.limit && last ? `${last.requestedAt}.${last.id}` : null,
          total: counts.reduce((sum, { runs }) => sum + runs, 0),
          byState: Object.fromEntries(counts.map(({ state, runs }) => [state, runs])),
          asOf: iso(workspace.clock.now()),
        },
        200,
      )
    })
    .openapi(detail, async (context) => {
      const { id } = context.req.valid('param')
      const run = await readRun(db, workspace.id, id)
      if (!run) throw new AppError('not_found', `There is no run ${id}.`)
      const [steps, attempts, approval] = await Promise.all([
        readSteps(db, workspace.id, id),
        readAttempts(db, workspace.id, id),
        readApproval(db, workspace.id, id),
      ])
      return context.json(toRunDetail(run, { steps, attempts, approval, now: workspace.clock.now() }), 200)
    })
    .openapi(approve, async (context) => {
      const { id } = context.req.valid('param')
      const run = await readRun(db, workspace.id, id)
      const plan = run?.plan as RunPlan | undefined
      if (plan?.approval) requireRole([plan.approval.role], 'approve')
      if (plan && movesMoney(plan)) requireConfirmed(deps)
      return context.json(await decided(id, true, context.req.valid('json')), 200)
    })
    .openapi(reject, async (context) => context.json(await decided(context.req.valid('param').id, false, context.req.valid('json')), 200))
    .openapi(cancel, async (context) =>
      context.json(
        toRunView(await cancelRun(recovery().runs, context.req.valid('param').id, deps.me.id, context.req.valid('json').reason)),
        200,
      ),
    )
    .openapi(answer, async (context) => {
      const asked = context.req.valid('json')
      const given = asked.found === 'happened' ? { kind: asked.found, externalId: asked.externalId } : { kind: asked.found }
      const run = await answerRun(
        recovery().runs,
        context.req.valid('param').id,
        { ...given, actor: deps.me.id, reason: asked.reason },
        (tx, id) => recovery().advance(id, tx),
      )
      return context.json(toRunView(run), 200)
    })
}

function readCursor(cursor: string | undefined): { at: number; id: string } | null {
  if (cursor === undefined) return null
  const found = /^(\d{1,15})\.([0-9a-f]{32})$/.exec(cursor)
  if (!found) throw new AppError('invalid_input', 'This cursor is not one of ours. Read the list from its beginning.')
  return { at: Number(found[1]), id: found[2] ?? '' }
}

/** What the runbook itself says of who may: an administrator may all. @throws AppError forbidden */
function requireRole(roles: readonly string[], what: string): void {
  const actor = currentActor()
  if (!actor || actor.by === 'machine' || actor.emergencyUntil !== null || actor.roles.includes('admin')) return
  if (!actor.roles.some((role) => roles.includes(role)))
    throw new AppError(
      'forbidden',
      `This runbook lets ${roles.join(', ')} ${what} it, and you are ${actor.roles.join(', ')}. Ask a colleague who is.`,
    )
}
