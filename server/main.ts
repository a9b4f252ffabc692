import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type ServerType, serve } from '@hono/node-server'
import pino from 'pino'
import { defaultCheckpointFile } from '../jobs/audit/checkpoint-file.ts'
import { AppError } from '../jobs/domain/errors.ts'
import { type Jobs, startJobs } from '../jobs/main.ts'
import type { Workspace } from '../jobs/open-workspace.ts'
import type { Vault } from '../jobs/vault.ts'
import { currentActor } from './acting.ts'
import { createApp } from './app.ts'
import { checkTool } from './check-tool.ts'
import { bringDemoPeople } from './commands/people/demo-people.ts'
import { makeFirstLink } from './commands/people/invites.ts'
import type { ServerConfig } from './config.ts'
import type { SignIn } from './deps.ts'
import { joinLink } from './routes/people.ts'

export const localOwner = { id: 'local-owner', title: 'Local owner' }
const consoleRoot = join(import.meta.dirname, '../web/build')

export interface RunningServer {
  readonly url: string
  /** Told once, where nobody can sign in yet: opens the account of the first administrator. */
  readonly firstLink: { readonly link: string; readonly expiresAt: number } | null
  readonly jobs: Jobs
  stop(): Promise<void>
}

export interface ServeOptions {
  readonly config: ServerConfig
  readonly workspace: Workspace
  readonly ownerUrl: string
  /** How people sign in; `nobody`: whoever reaches it acts as the owner of this machine, for tests. */
  readonly signIn: { readonly vault: Vault } | 'nobody'
  /** Null outside the demo. */
  readonly demoSpeed: (() => number) | null
  /** A job is not taken to stand still before this long; default a minute. */
  readonly quietMs?: number
}

/** One process, one origin: the engine, the API and the built console. */
export async function startServer({
  config,
  workspace,
  ownerUrl,
  signIn: asked,
  demoSpeed,
  quietMs,
}: ServeOptions): Promise<RunningServer> {
  const { publicUrl, trustedProxies } = config
  const signIn: SignIn | undefined = asked === 'nobody' ? undefined : { ...asked, publicUrl, trustedProxies, isDemo: demoSpeed !== null }
  if (signIn?.isDemo && publicUrl !== null)
    throw new AppError(
      'invalid_configuration',
      'The demo lets anyone in with one click, so it has no public address. Unset THROUGHLINE_PUBLIC_URL, or start with --config DIR.',
    )
  if (signIn?.isDemo) await bringDemoPeople({ workspace, wallNow: Date.now })
  const log = pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: true }))
  const jobs = await startJobs(workspace, {
    ownerUrl,
    checkpointFile: defaultCheckpointFile(config.dataDir, ownerUrl),
    log: { info: (message) => log.info(message), warn: (message) => log.warn(message), error: (message) => log.error(message) },
    ...(demoSpeed === null ? {} : { speed: demoSpeed }),
    ...(quietMs === undefined ? {} : { quietMs }),
  })
  const app = createApp({
    workspace,
    me: localOwner,
    ...(signIn === undefined ? {} : { signIn }),
    wallNow: Date.now,
    demo: () => (demoSpeed === null ? null : { speed: demoSpeed() }),
    check: (connection) => checkTool(workspace, connection),
    poll: (connection, tx) => jobs.pollNow(connection, currentActor()?.id ?? localOwner.id, tx),
    recovery: { runs: jobs.runs, advance: (run, tx) => jobs.advanceRun(run, tx) },
    queueDepths: () => jobs.engine.depths(),
    ...(quietMs === undefined ? {} : { quietMs }),
    log,
    consoleRoot: (await stat(consoleRoot).catch(() => null)) === null ? null : consoleRoot,
  })
  const server = await listen(app.fetch, config).catch(async (error) => {
    await jobs.stop()
    throw error
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : config.port
  const url = `http://${config.host === '::1' ? '[::1]' : config.host}:${port}`
  const first = signIn === undefined ? null : await makeFirstLink({ workspace, wallNow: Date.now })
  return {
    jobs,
    url,
    firstLink: first && { link: joinLink(publicUrl?.origin ?? url, first.token), expiresAt: first.expiresAt },
    stop: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
      // Readers of the feed would hold the server open for ever.
      if ('closeAllConnections' in server) server.closeAllConnections()
      await closed
      await jobs.stop()
    },
  }
}

function listen(fetch: Parameters<typeof serve>[0]['fetch'], config: ServerConfig): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: config.host, port: config.port }, () => resolve(server))
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? portTaken(config, error) : error)
    })
  })
}

export function portTaken({ host, port }: Pick<ServerConfig, 'host' | 'port'>, cause: Error): AppError {
  return new AppError('unavailable', `Port ${port} of ${host} is taken. Stop what listens there, or set THROUGHLINE_PORT to another one.`, {
    cause,
  })
}
