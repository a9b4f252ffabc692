import { OpenAPIHono } from '@hono/zod-openapi'
import { bodyLimit } from 'hono/body-limit'
import { AppError } from '../jobs/domain/errors.ts'
import { withActor } from './acting.ts'
import { authorise } from './authorise.ts'
import type { AppDeps, AppEnv } from './deps.ts'
import { problemResponse } from './errors.ts'
import { refuseCrossSite, requireKnownHost, requireProxy } from './guard.ts'
import { setHeaders } from './headers.ts'
import { auditRoutes } from './routes/audit.ts'
import { catalogueRoutes } from './routes/catalogue.ts'
import { connectionRoutes } from './routes/connections.ts'
import { expectationRoutes } from './routes/expectations.ts'
import { feedRoutes } from './routes/feed.ts'
import { findingActRoutes } from './routes/finding-acts.ts'
import { findingBulkRoutes } from './routes/finding-bulk.ts'
import { findingExportRoutes } from './routes/finding-export.ts'
import { findingGroupRoutes } from './routes/finding-groups.ts'
import { findingViewRoutes } from './routes/finding-views.ts'
import { findingRoutes } from './routes/findings.ts'
import { healthRoutes } from './routes/health.ts'
import { journeyRoutes } from './routes/journeys.ts'
import { mapRoutes } from './routes/map.ts'
import { overviewRoutes } from './routes/overview.ts'
import { meRoutes } from './routes/me.ts'
import { peopleRoutes } from './routes/people.ts'
import { settingsRoutes } from './routes/settings.ts'
import { signInRoutes } from './routes/sign-in.ts'
import { programRoutes } from './routes/programs.ts'
import { runbookRoutes } from './routes/runbooks.ts'
import { runRoutes } from './routes/runs.ts'
import { reportRoutes } from './routes/reports.ts'
import { statusRoutes } from './routes/status.ts'
import { staticFiles } from './static-files.ts'

const bodyAtMost = 64 * 1024

/** One process, one origin: the API under /api/v1, health beside it, and the built console for everything else. */
export function createApp(given: AppDeps) {
  const deps = withActor(given)
  const app = new OpenAPIHono<AppEnv>()
  app.use(setHeaders())
  app.use(requireKnownHost(given.signIn))
  app.use(requireProxy(given.signIn))
  app.use(refuseCrossSite(given.signIn))
  app.use(
    bodyLimit({
      maxSize: bodyAtMost,
      onError: () => {
        throw new AppError('invalid_input', `The body is larger than ${bodyAtMost / 1024} kB.`)
      },
    }),
  )
  app.use(authorise(given))
  app.onError((error, context) => {
    const response = problemResponse(context, error)
    if (response.status >= 500)
      deps.log.error({ requestId: context.get('requestId'), path: context.req.routePath, ...nameOf(error) }, 'A request failed.')
    return response
  })
  app.notFound((context) => problemResponse(context, new AppError('not_found', 'There is no such address.')))
  app.doc31('/api/v1/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'Throughline',
      version: '1',
      description: 'From tools to findings. Lists are pages by cursor; times are ISO 8601 in UTC; errors are problem details (RFC 9457).',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/' }],
  })

  const routes = app
    .route('/', healthRoutes(deps))
    .route('/api/v1', signInRoutes(deps))
    .route('/api/v1', meRoutes(deps))
    .route('/api/v1', peopleRoutes(deps))
    .route('/api/v1', statusRoutes(deps))
    .route('/api/v1', catalogueRoutes(deps))
    .route('/api/v1', findingViewRoutes(deps))
    .route('/api/v1', findingGroupRoutes(deps))
    .route('/api/v1', findingExportRoutes(deps))
    .route('/api/v1', findingBulkRoutes(deps))
    .route('/api/v1', findingRoutes(deps))
    .route('/api/v1', findingActRoutes(deps))
    .route('/api/v1', runRoutes(deps))
    .route('/api/v1', journeyRoutes(deps))
    .route('/api/v1', connectionRoutes(deps))
    .route('/api/v1', expectationRoutes(deps))
    .route('/api/v1', mapRoutes(deps))
    .route('/api/v1', overviewRoutes(deps))
    .route('/api/v1', settingsRoutes(deps))
    .route('/api/v1', auditRoutes(deps))
    .route('/api/v1', feedRoutes(deps))
    .route('/api/v1', reportRoutes(deps))
    .route('/api/v1', programRoutes(deps))
    .route('/api/v1', runbookRoutes(deps))
  app.all('/api/*', () => {
    throw new AppError('not_found', 'There is no such address. /api/v1/openapi.json lists all of them.')
  })
  if (deps.consoleRoot !== null) app.route('/', staticFiles(deps.consoleRoot))
  return routes
}

export type App = ReturnType<typeof createApp>

/** What the log may know of an error: its name and place, never a message that may quote a value. */
function nameOf(error: unknown): { error: string; at: string | null } {
  if (error instanceof AppError) return { error: error.message, at: null }
  const { name, stack } = error instanceof Error ? (error.cause instanceof Error ? error.cause : error) : { name: 'unknown', stack: '' }
  return { error: name, at: /((?:server|jobs|db)\/[\w./-]+:\d+)/.exec(stack ?? '')?.[1] ?? null }
}
