import type { Context, MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import { sealing } from '../db/records/audit.ts'
import { noteAct } from '../db/records/people.ts'
import { AppError } from '../jobs/domain/errors.ts'
import { whyNotAllowed } from '../jobs/domain/people/roles.ts'
import { type Actor, actAs, mayActorDo, signedOut } from './acting.ts'
import type { AppDeps, AppEnv } from './deps.ts'
import { type Needs, needsOf, routeName } from './permissions.ts'
import { credentialOf, whoActs } from './who-acts.ts'

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD'])
const lookAgainMs = 2_000

/**
 * Every request is somebody's: whose, and whether that one may, is read from the database each time and compared with the matrix in
 * `permissions.ts`. What is not allowed there is refused, and a person's refused change is in the audit.
 */
export function authorise(deps: AppDeps): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    const route = matchedRoute(context)
    const needs = route === null ? undefined : needsOf(route)
    if (needs === 'anyone') return actAs(null, next)
    const credential = credentialOf(context, deps)
    if (credential?.kind === 'session') requireOwnPage(context)
    const actor = await whoActs(deps, credential)
    if (actor === null) throw signedOut()
    // No such address: what comes after says so.
    if (route === null) return actAs(actor, next)
    if (needs === undefined) throw new AppError('forbidden', `Nobody may ask ${route}: it is not in the matrix of server/permissions.ts.`)
    if (!isAllowed(actor, needs)) {
      if (!safeMethods.has(context.req.method)) await noteRefusal(deps, actor, route, needs)
      throw new AppError('forbidden', whyNotAllowed(actor, needs as Exclude<Needs, 'anyone' | 'person'>))
    }
    await actAs(actor, next)
    if (context.res.headers.get('content-type')?.startsWith('text/event-stream')) {
      context.res = whileAllowed(
        context.res,
        async () => {
          const now = await whoActs(deps, credential)
          return now !== null && now.id === actor.id && isAllowed(now, needs)
        },
        deps.signIn?.lookAgainMs ?? lookAgainMs,
      )
    }
    return
  }
}

function isAllowed(actor: Actor, needs: Needs): boolean {
  if (needs === 'anyone') return true
  return needs === 'person' ? actor.by !== 'token' : mayActorDo(actor, needs)
}

/** The route that will answer, as the router has it; null: none will. */
function matchedRoute(context: Context): string | null {
  const method = context.req.method === 'HEAD' ? 'GET' : context.req.method
  const found = matchedRoutes(context).find((route) => route.method === method)
  return found === undefined ? null : routeName(found.method, found.path)
}

/** A browser says where a request that changes something comes from; a cookie that comes without that does not come from our page. */
function requireOwnPage(context: Context): void {
  if (safeMethods.has(context.req.method)) return
  if (context.req.header('sec-fetch-site') === undefined && context.req.header('origin') === undefined)
    throw new AppError('forbidden', 'A change by a session must say which page it comes from. Programs use a token: Settings, Tokens.')
}

async function noteRefusal(deps: AppDeps, actor: Actor, route: string, needs: Needs): Promise<void> {
  const { database, id: workspaceId, clock } = deps.workspace
  await sealing(database.db, (tx) =>
    noteAct(tx, workspaceId, {
      act: 'access.refuse',
      actor: actor.id,
      at: clock.now(),
      target: { kind: 'route', id: route },
      after: { needs, roles: [...actor.roles] },
    }),
  )
}

/** A stream that ends as soon as its reader may no longer read it: signed out, disabled, role taken. */
export function whileAllowed(response: Response, isStillAllowed: () => Promise<boolean>, everyMs: number): Response {
  if (response.body === null) return response
  const reader = response.body.getReader()
  let looking: NodeJS.Timeout | undefined
  let isOver = false
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      looking = setInterval(() => {
        void isStillAllowed()
          // A database that is away says nothing about the reader.
          .catch(() => true)
          .then(async (isAllowedNow) => {
            if (isAllowedNow || isOver) return
            isOver = true
            clearInterval(looking)
            controller.close()
            await reader.cancel()
          })
      }, everyMs)
    },
    pull: async (controller) => {
      const { done, value } = await reader.read()
      if (isOver) return
      if (!done) return controller.enqueue(value)
      isOver = true
      clearInterval(looking)
      controller.close()
    },
    cancel: async (reason) => {
      isOver = true
      clearInterval(looking)
      await reader.cancel(reason)
    },
  })
  return new Response(body, response)
}
