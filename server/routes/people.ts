import type { Context } from 'hono'
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { listApiTokens } from '../../db/records/api-tokens.ts'
import { listInvites } from '../../db/records/invites.ts'
import { listPeople, readPerson } from '../../db/records/people.ts'
import { readLastSeen } from '../../db/records/sessions.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import { type Role, roles as allRoles } from '../../jobs/domain/people/roles.ts'
import { requireActor } from '../acting.ts'
import { makeApiToken, revokeToken } from '../commands/people/api-tokens.ts'
import { changeRoles, setPersonState } from '../commands/people/change-person.ts'
import { invitePerson, makeResetLink, type OneTimeLink, withdrawInvite } from '../commands/people/invites.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { idShape, iso, isoTime, json, orProblem } from '../shapes/common.ts'
import { apiTokensShape, linkShape, peopleShape, personShape, roleShape } from '../shapes/people.ts'
import { refuseInvalid } from '../validate.ts'
import { inWords } from './sign-in.ts'

const bodyOf = <S extends z.ZodType>(schema: S) => ({ body: { required: true, content: { 'application/json': { schema } } } })
const params = z.object({ id: idShape })
const rolesShape = z
  .array(roleShape)
  .min(1, 'give at least one role')
  .max(allRoles.length)
  .transform((given) => allRoles.filter((role) => given.includes(role)))
  .openapi({ type: 'array', items: { type: 'string' } })
const done = json(z.object({ isDone: z.literal(true) }), 'Done')
const about = { revision: z.int().min(1) }

const names = createRoute({
  method: 'get',
  path: '/people/names',
  tags: ['people'],
  summary: 'What the ids of people and tokens in findings and acts are called',
  responses: { 200: json(z.object({ items: z.array(z.object({ id: z.string(), title: z.string() })) }), 'All there ever were') },
})
const list = createRoute({
  method: 'get',
  path: '/people',
  tags: ['people'],
  summary: 'Who may use this workspace, and who is invited',
  responses: { 200: json(peopleShape, 'As of now') },
})
const invite = createRoute({
  method: 'post',
  path: '/people/invites',
  tags: ['people'],
  summary: 'Make a one-time link for someone to join by; pass it on yourself',
  request: bodyOf(
    z.strictObject({
      email: z.email({ error: 'expected an e-mail address' }).max(254),
      name: z.string().trim().max(100).nullish(),
      roles: rolesShape,
    }),
  ),
  responses: { 200: json(linkShape, 'Told once'), ...orProblem(400, 409) },
})
const withdraw = createRoute({
  method: 'post',
  path: '/people/invites/{id}/withdraw',
  tags: ['people'],
  summary: 'Make an invitation open nothing',
  request: { params },
  responses: { 200: done, ...orProblem(409) },
})
const setRoles = createRoute({
  method: 'put',
  path: '/people/{id}/roles',
  tags: ['people'],
  summary: 'Give a person other roles, from their next request',
  request: { params, ...bodyOf(z.strictObject({ ...about, roles: rolesShape })) },
  responses: { 200: json(personShape, 'As they are now'), ...orProblem(400, 404, 409) },
})
const setState = <const P extends 'disable' | 'enable'>(name: P, summary: string) =>
  createRoute({
    method: 'post',
    path: `/people/{id}/${name}` as const,
    tags: ['people'],
    summary,
    request: { params, ...bodyOf(z.strictObject(about)) },
    responses: { 200: json(personShape, 'As they are now'), ...orProblem(400, 404, 409) },
  })
const disable = setState('disable', 'Let a person in no more, and sign them out everywhere')
const enable = setState('enable', 'Let a person in again')
const reset = createRoute({
  method: 'post',
  path: '/people/{id}/reset',
  tags: ['people'],
  summary: 'Make a one-time link to set a new password; codes are set up anew too',
  request: { params },
  responses: { 200: json(linkShape, 'Told once'), ...orProblem(404, 409) },
})
const tokens = createRoute({
  method: 'get',
  path: '/tokens',
  tags: ['people'],
  summary: 'Tokens of machines; never their text',
  responses: { 200: json(apiTokensShape, 'As of now') },
})
const makeToken = createRoute({
  method: 'post',
  path: '/tokens',
  tags: ['people'],
  summary: 'Make a token for a machine',
  request: bodyOf(
    z.strictObject({
      name: z.string().trim().min(1).max(100),
      role: roleShape.exclude(['break-glass']),
      days: z.int().min(1).max(366).default(90),
    }),
  ),
  responses: { 200: json(z.object({ token: z.string(), expiresAt: isoTime }), 'Told once'), ...orProblem(400) },
})
const revoke = createRoute({
  method: 'post',
  path: '/tokens/{id}/revoke',
  tags: ['people'],
  summary: 'Make a token open nothing, from its next request',
  request: { params },
  responses: { 200: done, ...orProblem(409) },
})

export function peopleRoutes(deps: AppDeps) {
  const { workspace } = deps
  const { db } = workspace.database

  const linkOf = (context: Context, { token, expiresAt }: OneTimeLink) => {
    const origin = deps.signIn?.publicUrl?.origin ?? new URL(context.req.url).origin
    return { link: joinLink(origin, token), expiresAt: iso(expiresAt) }
  }
  const titles = async () =>
    new Map([...(await listPeople(db, workspace.id)).map(({ id, name }): [string, string] => [id, name]), ['throughline', 'Throughline']])

  async function shown(id: string) {
    const person = await readPerson(db, workspace.id, id)
    if (!person) throw new AppError('not_found', 'There is no such person in this workspace.')
    return toPersonView(person, (await readLastSeen(db, workspace.id)).get(id) ?? null)
  }

  return new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid })
    .openapi(names, async (context) => {
      const people = (await listPeople(db, workspace.id)).map(({ id, name }) => ({ id, title: name }))
      const machines = (await listApiTokens(db, workspace.id)).map(({ id, name }) => ({ id: `token:${id}`, title: `${name} (token)` }))
      return context.json({ items: [...people, ...machines] }, 200)
    })
    .openapi(list, async (context) => {
      const now = deps.wallNow()
      const [people, invites, seen, by] = await Promise.all([
        listPeople(db, workspace.id),
        listInvites(db, workspace.id, now),
        readLastSeen(db, workspace.id),
        titles(),
      ])
      return context.json(
        {
          asOf: iso(now),
          items: people.map((person) => toPersonView(person, seen.get(person.id) ?? null)),
          invites: invites.map(({ id, kind, email, name, roles, createdAt, createdBy, expiresAt }) => ({
            ...{ id, kind, email, name, roles: roles as Role[] },
            ...{ invitedAt: iso(createdAt), invitedBy: by.get(createdBy) ?? createdBy, expiresAt: iso(expiresAt) },
          })),
          roles: inWords(allRoles),
        },
        200,
      )
    })
    .openapi(invite, async (context) => {
      const body = context.req.valid('json')
      return context.json(linkOf(context, await invitePerson(deps, { ...body, name: body.name || null })), 200)
    })
    .openapi(withdraw, async (context) => {
      await withdrawInvite(deps, context.req.valid('param').id)
      return context.json({ isDone: true as const }, 200)
    })
    .openapi(setRoles, async (context) => {
      const { id } = context.req.valid('param')
      const { revision, roles } = context.req.valid('json')
      await changeRoles(deps, { id, revision }, roles)
      return context.json(await shown(id), 200)
    })
    .openapi(disable, async (context) => {
      const { id } = context.req.valid('param')
      await setPersonState(deps, { id, ...context.req.valid('json') }, 'disabled')
      return context.json(await shown(id), 200)
    })
    .openapi(enable, async (context) => {
      const { id } = context.req.valid('param')
      await setPersonState(deps, { id, ...context.req.valid('json') }, 'active')
      return context.json(await shown(id), 200)
    })
    .openapi(reset, async (context) => context.json(linkOf(context, await makeResetLink(deps, context.req.valid('param').id)), 200))
    .openapi(tokens, async (context) => {
      const now = deps.wallNow()
      const by = await titles()
      const items = (await listApiTokens(db, workspace.id)).map((token) => ({
        ...{ id: token.id, name: token.name, role: token.role as Role, madeAt: iso(token.createdAt) },
        ...{ madeBy: by.get(token.createdBy) ?? token.createdBy, expiresAt: iso(token.expiresAt) },
        ...{ lastUsedAt: iso(token.lastUsedAt), revokedAt: iso(token.revokedAt) },
        state: token.revokedAt !== null ? ('revoked' as const) : token.expiresAt <= now ? ('expired' as const) : ('active' as const),
      }))
      return context.json({ asOf: iso(now), items, roles: inWords(allRoles.filter((role) => role !== 'break-glass')) }, 200)
    })
    .openapi(makeToken, async (context) => {
      const { token, expiresAt } = await makeApiToken(deps, context.req.valid('json'))
      return context.json({ token, expiresAt: iso(expiresAt) }, 200)
    })
    .openapi(revoke, async (context) => {
      await revokeToken(deps, context.req.valid('param').id)
      return context.json({ isDone: true as const }, 200)
    })
}

/** What follows # is never sent to a server, so it stands in no log. */
export function joinLink(origin: string, token: string): string {
  return `${origin}/join#${token}`
}

function toPersonView(person: Awaited<ReturnType<typeof listPeople>>[number], lastSeenAt: number | null): z.output<typeof personShape> {
  return {
    ...{ id: person.id, name: person.name, email: person.email, state: person.state, isDemo: person.isDemo },
    ...{ isMe: person.id === requireActor().id, roles: person.roles as Role[], hasCodes: person.totpConfirmedAt !== null },
    ...{ joinedAt: iso(person.createdAt), lastSeenAt: iso(lastSeenAt), revision: person.revision },
  }
}
