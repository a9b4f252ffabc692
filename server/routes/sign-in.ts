import type { Context } from 'hono'
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { hasPeople, listPeople } from '../../db/records/people.ts'
import { type Role, roleWords } from '../../jobs/domain/people/roles.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import { actAs } from '../acting.ts'
import { clientAddress } from '../client-address.ts'
import type { BegunSession } from '../commands/people/begin-session.ts'
import { endSession } from '../commands/people/end-session.ts'
import { join, lookAtInvite } from '../commands/people/invites.ts'
import { newId } from '../commands/people/secret-token.ts'
import { type SignInFrom, signInByPassword, signInToDemo } from '../commands/people/sign-in.ts'
import type { AppDeps, AppEnv, SignIn } from '../deps.ts'
import { dropSessionCookie, readDeviceCookie, writeDeviceCookie, writeSessionCookie } from '../session-cookie.ts'
import { idShape, iso, json, orProblem } from '../shapes/common.ts'
import { invitationShape, signedInShape, signInShape } from '../shapes/people.ts'
import { refuseInvalid } from '../validate.ts'
import { credentialOf, whoActs } from '../who-acts.ts'

const emailShape = z.email({ error: 'expected an e-mail address' }).max(254)
const password = z.string().min(1).max(1000)
const oneTimeToken = z.string().min(20).max(200)
const bodyOf = <S extends z.ZodType>(schema: S) => ({ body: { required: true, content: { 'application/json': { schema } } } })

const look = createRoute({
  method: 'get',
  path: '/sign-in',
  tags: ['people'],
  summary: 'How one signs in here',
  responses: { 200: json(signInShape, 'As of now') },
})
const signIn = createRoute({
  method: 'post',
  path: '/sign-in',
  tags: ['people'],
  summary: 'Sign in by password, and code where one is set up',
  request: bodyOf(z.strictObject({ email: z.string().max(254), password, code: z.string().max(20).optional() })),
  responses: { 200: json(signedInShape, 'Signed in, or what is still needed'), ...orProblem(400) },
})
const enterDemo = createRoute({
  method: 'post',
  path: '/sign-in/demo',
  tags: ['people'],
  summary: 'Enter the demo as one of its people',
  request: bodyOf(z.strictObject({ person: idShape })),
  responses: { 200: json(signedInShape, 'Signed in'), ...orProblem(400, 404) },
})
const signOut = createRoute({
  method: 'post',
  path: '/sign-out',
  tags: ['people'],
  summary: 'Sign out in this browser',
  responses: { 200: json(z.object({ isOut: z.literal(true) }), 'Signed out') },
})
const lookAtLink = createRoute({
  method: 'post',
  path: '/join/look',
  tags: ['people'],
  summary: 'What a one-time link opens',
  request: bodyOf(z.strictObject({ token: oneTimeToken })),
  responses: { 200: json(invitationShape, 'It still opens'), ...orProblem(400, 404) },
})
const useLink = createRoute({
  method: 'post',
  path: '/join',
  tags: ['people'],
  summary: 'Use a one-time link: join, or set a new password',
  request: bodyOf(
    z.strictObject({ token: oneTimeToken, email: emailShape.optional(), name: z.string().trim().min(1).max(100).optional(), password }),
  ),
  responses: { 200: json(signedInShape, 'Signed in'), ...orProblem(400, 404, 409) },
})

export function signInRoutes(deps: AppDeps) {
  const { workspace } = deps
  const { db } = workspace.database

  function from(context: Context, account: string): SignInFrom {
    const { signIn: how } = deps
    if (how === undefined) return { address: null, device: null }
    return { address: clientAddress(context, how.trustedProxies), device: readDeviceCookie(context, how, account) }
  }

  /** The session that was there before ends: two people never share a browser unseen. */
  async function enter(context: Context, how: SignIn, begin: () => Promise<BegunSession>): Promise<void> {
    const before = await whoActs(deps, credentialOf(context, { signIn: how }))
    const session = await begin()
    if (before?.by === 'session') await actAs(before, () => endSession(deps, null))
    writeSessionCookie(context, how, session.token, session.maxAgeMs)
  }

  return new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid })
    .openapi(look, async (context) => {
      const isDemo = deps.signIn?.isDemo === true
      const demoPeople = isDemo ? (await listPeople(db, workspace.id)).filter((person) => person.isDemo && person.state === 'active') : []
      return context.json(
        {
          workspace: { title: workspace.title },
          by: deps.signIn === undefined ? ('machine' as const) : isDemo ? ('demo' as const) : ('password' as const),
          isUnused: deps.signIn !== undefined && !(await hasPeople(db, workspace.id)),
          demoPeople: demoPeople.map(({ id, name, roles }) => ({ id, name, roles: inWords(roles) })),
        },
        200,
      )
    })
    .openapi(signIn, async (context) => {
      const how = required(deps)
      const body = context.req.valid('json')
      const answer = await signInByPassword(deps, body, from(context, body.email))
      if (!answer.isIn) return context.json({ isIn: false, needs: answer.needs }, 200)
      await enter(context, how, async () => answer.session)
      writeDeviceCookie(context, how, body.email, newId())
      return context.json({ isIn: true, needs: null }, 200)
    })
    .openapi(enterDemo, async (context) => {
      const { person } = context.req.valid('json')
      await enter(context, required(deps), () => signInToDemo(deps, person))
      return context.json({ isIn: true, needs: null }, 200)
    })
    .openapi(signOut, async (context) => {
      await endSession(deps, null)
      dropSessionCookie(context, required(deps))
      return context.json({ isOut: true as const }, 200)
    })
    .openapi(lookAtLink, async (context) => {
      const { kind, email, name, roles, expiresAt } = await lookAtInvite(deps, context.req.valid('json').token)
      return context.json(
        { kind, workspace: { title: workspace.title }, email, name, roles: inWords(roles), expiresAt: iso(expiresAt) },
        200,
      )
    })
    .openapi(useLink, async (context) => {
      const how = required(deps)
      const body = context.req.valid('json')
      const joined = await join(deps, { ...body, email: body.email ?? null, name: body.name ?? null })
      await enter(context, how, async () => joined.session)
      writeDeviceCookie(context, how, joined.email, newId())
      return context.json({ isIn: true, needs: null }, 200)
    })
}

export function inWords(roles: readonly string[]) {
  return roles.filter((role): role is Role => Object.hasOwn(roleWords, role)).map((role) => ({ role, ...roleWords[role] }))
}

function required({ signIn }: AppDeps): SignIn {
  if (signIn === undefined) throw new AppError('conflict', 'Nobody signs in here.')
  return signIn
}
