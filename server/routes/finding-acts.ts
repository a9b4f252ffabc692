import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { acknowledgeFinding } from '../commands/acknowledge-finding.ts'
import { assignFinding } from '../commands/assign-finding.ts'
import { claimFinding, leaseMinutes } from '../commands/claim-finding.ts'
import { commentOnFinding } from '../commands/comment-on-finding.ts'
import { dismissFinding } from '../commands/dismiss-finding.ts'
import { releaseFinding } from '../commands/release-finding.ts'
import { snoozeFinding } from '../commands/snooze-finding.ts'
import { unsnoozeFinding } from '../commands/unsnooze-finding.ts'
import { waiveFinding } from '../commands/waive-finding.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { idShape, json, orProblem } from '../shapes/common.ts'
import { findingShape, toFindingView } from '../shapes/finding.ts'
import { refuseInvalid } from '../validate.ts'
import { viewContext } from '../view-context.ts'

const revision = z.int().min(1)
const reason = z.string().trim().min(1, 'a reason is needed: others will read it later').max(1000)
const optionalReason = z.string().trim().max(1000).nullish()
const until = z.iso.datetime({ offset: true, error: 'expected a time such as 2026-03-02T09:15:00Z' })

/** Generic in the name, so that the client knows each address. */
function act<const N extends string, B extends z.ZodObject>(name: N, summary: string, body: B) {
  return createRoute({
    method: 'post',
    path: `/findings/{id}/${name}` as const,
    tags: ['findings'],
    summary,
    request: { params: z.object({ id: idShape }), body: { required: true, content: { 'application/json': { schema: body } } } },
    responses: { 200: json(findingShape, 'The finding as it is now'), ...orProblem(400, 404, 409) },
  })
}

const plain = z.strictObject({ revision })
const acknowledge = act('acknowledge', 'Say that it was seen', plain)
const release = act('release', 'Give a claim back', plain)
const claim = act('claim', 'Take it on for a while', z.strictObject({ revision, minutes: z.int().min(1).max(480).default(leaseMinutes) }))
const assign = act(
  'assign',
  'Give it to another owner',
  z.strictObject({ revision, owner: z.string().min(1).max(200), reason: optionalReason }),
)
const snooze = act('snooze', 'Put it away until a time', z.strictObject({ revision, until, reason: optionalReason }))
const unsnooze = act('unsnooze', 'Take a snooze back', plain)
const waive = act('waive', 'Accept it, for a reason and until a time', z.strictObject({ revision, until, reason }))
const falseAlarm = act('false-alarm', 'Say that it never was one', z.strictObject({ revision, reason }))
const comment = act(
  'comment',
  'Write something beside it',
  z.strictObject({ revision: revision.optional(), body: z.string().trim().min(1).max(5000) }),
)

/** One address per thing a person can do; the rules are in the commands. */
export function findingActRoutes(deps: AppDeps) {
  const shown = (finding: Parameters<typeof toFindingView>[0]) => toFindingView(finding, viewContext(deps))
  return new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid })
    .openapi(acknowledge, async (context) =>
      context.json(shown(await acknowledgeFinding(deps, { ...context.req.valid('param'), ...context.req.valid('json') })), 200),
    )
    .openapi(release, async (context) =>
      context.json(shown(await releaseFinding(deps, { ...context.req.valid('param'), ...context.req.valid('json') })), 200),
    )
    .openapi(claim, async (context) =>
      context.json(shown(await claimFinding(deps, { ...context.req.valid('param'), ...context.req.valid('json') })), 200),
    )
    .openapi(assign, async (context) => {
      const body = context.req.valid('json')
      return context.json(shown(await assignFinding(deps, { ...context.req.valid('param'), ...body, reason: body.reason || null })), 200)
    })
    .openapi(snooze, async (context) => {
      const body = context.req.valid('json')
      const asked = { ...context.req.valid('param'), ...body, until: Date.parse(body.until), reason: body.reason || null }
      return context.json(shown(await snoozeFinding(deps, asked)), 200)
    })
    .openapi(unsnooze, async (context) =>
      context.json(shown(await unsnoozeFinding(deps, { ...context.req.valid('param'), ...context.req.valid('json') })), 200),
    )
    .openapi(waive, async (context) => {
      const body = context.req.valid('json')
      return context.json(shown(await waiveFinding(deps, { ...context.req.valid('param'), ...body, until: Date.parse(body.until) })), 200)
    })
    .openapi(falseAlarm, async (context) =>
      context.json(shown(await dismissFinding(deps, { ...context.req.valid('param'), ...context.req.valid('json') })), 200),
    )
    .openapi(comment, async (context) => {
      const { body } = context.req.valid('json')
      return context.json(shown(await commentOnFinding(deps, { ...context.req.valid('param'), revision: null, body })), 200)
    })
}
