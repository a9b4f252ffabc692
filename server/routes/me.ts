import type { Context } from 'hono'
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { readPerson } from '../../db/records/people.ts'
import { findSession, listSessions, touchSession } from '../../db/records/sessions.ts'
import { permissionsOf } from '../../jobs/domain/people/roles.ts'
import { requireActor } from '../acting.ts'
import { clientAddress } from '../client-address.ts'
import { changePassword, closeEmergency, confirmMyself, openEmergency, requireConfirmed } from '../commands/people/confirm.ts'
import { endSession } from '../commands/people/end-session.ts'
import { beginTotp, confirmTotp, readMyself, removeTotp } from '../commands/people/totp.ts'
import type { SignInFrom } from '../commands/people/sign-in.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { readDeviceCookie } from '../session-cookie.ts'
import { idShape, iso, isoTime, json, orProblem } from '../shapes/common.ts'
import { meShape, sessionShape } from '../shapes/people.ts'
import { refuseInvalid } from '../validate.ts'
import { credentialOf } from '../who-acts.ts'
import { inWords } from './sign-in.ts'

const bodyOf = <S extends z.ZodType>(schema: S) => ({ body: { required: true, content: { 'application/json': { schema } } } })
const done = json(z.object({ isDone: z.literal(true) }), 'Done')
const password = z.string().min(1).max(1000)
const code = z.string().max(20)
const proof = { password: z.string().max(1000), code: code.optional() }

const me = createRoute({
  method: 'get',
  path: '/me',
  tags: ['people'],
  summary: 'Who is signed in, and what they may do',
  responses: { 200: json(meShape, 'As of now') },
})
const post = <const P extends string, S extends z.ZodType>(path: P, summary: string, schema: S) =>
  createRoute({
    method: 'post',
    path,
    tags: ['people'],
    summary,
    request: bodyOf(schema),
    responses: { 200: done, ...orProblem(400, 409) },
  })
const plain = <const P extends string>(path: P, summary: string) =>
  createRoute({ method: 'post', path, tags: ['people'], summary, responses: { 200: done, ...orProblem(409) } })

const seen = plain('/me/seen', 'Say that a person is here: a session ends after half an hour without it')
const confirm = post('/me/confirm', 'Show again that it is you', z.strictObject(proof))
const newPassword = post('/me/password', 'Change the password; other browsers are signed out', z.strictObject({ ...proof, next: password }))
const totpConfirm = post('/me/totp/confirm', 'Give the first code, which turns codes on', z.strictObject({ code }))
const totpRemove = plain('/me/totp/remove', 'Turn codes off, within five minutes of a confirmation')
const closeIt = plain('/me/emergency/close', 'End an emergency before its hour is over')
const totp = createRoute({
  method: 'post',
  path: '/me/totp',
  tags: ['people'],
  summary: 'Begin to set up codes of an authenticator, within five minutes of a confirmation',
  responses: { 200: json(z.object({ secret: z.string(), uri: z.string() }), 'Told once'), ...orProblem(409) },
})
const sessions = createRoute({
  method: 'get',
  path: '/me/sessions',
  tags: ['people'],
  summary: 'Where you are signed in',
  responses: { 200: json(z.object({ items: z.array(sessionShape) }), 'As of now') },
})
const endOne = createRoute({
  method: 'post',
  path: '/me/sessions/{id}/end',
  tags: ['people'],
  summary: 'Sign out in another browser',
  request: { params: z.object({ id: idShape }) },
  responses: { 200: done, ...orProblem(404) },
})
const openIt = createRoute({
  method: 'post',
  path: '/me/emergency',
  tags: ['people'],
  summary: 'Break the glass: for an hour, for a reason that others will read',
  request: bodyOf(z.strictObject({ reason: z.string().trim().min(10, 'say in a sentence why').max(1000) })),
  responses: { 200: json(z.object({ until: isoTime }), 'Open until then'), ...orProblem(400) },
})

export function meRoutes(deps: AppDeps) {
  const { workspace } = deps
  const { db, sql } = workspace.database
  const ok = { isDone: true as const }

  async function from(context: Context): Promise<SignInFrom> {
    const { signIn } = deps
    if (signIn === undefined) return { address: null, device: null }
    const { email } = await readMyself(deps)
    return { address: clientAddress(context, signIn.trustedProxies), device: readDeviceCookie(context, signIn, email) }
  }

  return new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid })
    .openapi(me, async (context) => {
      const actor = requireActor()
      const person = actor.by === 'session' ? await readPerson(db, workspace.id, actor.id) : undefined
      const credential = credentialOf(context, deps)
      const session = credential?.kind === 'session' ? await findSession(sql, workspace.id, credential.hash) : undefined
      return context.json(
        {
          id: actor.id,
          name: actor.title,
          email: person?.email ?? null,
          by: actor.by,
          isDemo: person?.isDemo ?? false,
          roles: inWords(actor.roles),
          can: [...permissionsOf({ roles: actor.roles, isEmergency: actor.emergencyUntil !== null })],
          hasCodes: (person?.totpConfirmedAt ?? null) !== null,
          emergencyUntil: iso(actor.emergencyUntil),
          mayOpenEmergency: actor.by === 'session' && actor.roles.includes('break-glass'),
          endsAt: iso(session?.endsAt ?? null),
        },
        200,
      )
    })
    .openapi(seen, async (context) => {
      const { sessionId } = requireActor()
      if (sessionId !== null) await touchSession(db, workspace.id, sessionId, deps.wallNow())
      return context.json(ok, 200)
    })
    .openapi(confirm, async (context) => {
      await confirmMyself(deps, context.req.valid('json'), await from(context))
      return context.json(ok, 200)
    })
    .openapi(newPassword, async (context) => {
      await changePassword(deps, context.req.valid('json'), await from(context))
      return context.json(ok, 200)
    })
    .openapi(totp, async (context) => {
      requireConfirmed(deps)
      return context.json(await beginTotp(deps), 200)
    })
    .openapi(totpConfirm, async (context) => {
      await confirmTotp(deps, context.req.valid('json').code)
      return context.json(ok, 200)
    })
    .openapi(totpRemove, async (context) => {
      requireConfirmed(deps)
      await removeTotp(deps)
      return context.json(ok, 200)
    })
    .openapi(sessions, async (context) => {
      const actor = requireActor()
      const found = actor.by === 'session' ? await listSessions(db, workspace.id, actor.id, deps.wallNow()) : []
      const items = found.map(({ id, createdAt, seenAt, endsAt }) => ({
        id,
        isThis: id === actor.sessionId,
        begunAt: iso(createdAt),
        seenAt: iso(seenAt),
        endsAt: iso(endsAt),
      }))
      return context.json({ items }, 200)
    })
    .openapi(endOne, async (context) => {
      await endSession(deps, context.req.valid('param').id)
      return context.json(ok, 200)
    })
    .openapi(openIt, async (context) => context.json({ until: iso(await openEmergency(deps, context.req.valid('json').reason)) }, 200))
    .openapi(closeIt, async (context) => {
      await closeEmergency(deps)
      return context.json(ok, 200)
    })
}
