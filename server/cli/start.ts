import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { readPlan } from '../../jobs/apply-programs.ts'
import { readRunbooksPlan } from '../../jobs/apply-runbooks.ts'
import type { Workspace } from '../../jobs/open-workspace.ts'
import { readSharedClock } from '../../jobs/simulator/clock.ts'
import { openVault } from '../../jobs/vault.ts'
import { loadWorkspaceKey } from '../../jobs/workspace-key.ts'
import type { ServerConfig } from '../config.ts'
import { portTaken, startServer } from '../main.ts'
import { type DemoProcess, startDemo } from './demo-process.ts'
import { writeLastConfiguration } from './last-configuration.ts'
import { openConfigured } from './open-configured.ts'

export interface StartOptions {
  readonly config?: string
  readonly speed?: number
  readonly seed?: number
  /** Bring the programs of the folder into force, whatever is there. */
  readonly apply?: boolean
}

/** Everything until a signal: the demo's tools (without --config), the engine, the API and the console. */
export async function start(config: ServerConfig, options: StartOptions, say: (line: string) => void): Promise<number> {
  const directory = options.config === undefined ? null : resolve(options.config)
  await requireFreePort(config)
  const undo: (() => Promise<void>)[] = []
  const ended = firstSignal()
  try {
    let demo: DemoProcess | null = null
    if (directory === null) {
      say('Starting the demo clinic …')
      demo = await startDemo(config.dataDir, options)
      undo.push(demo.stop)
    }
    await writeLastConfiguration(config.dataDir, { directory, now: null })
    say('Opening the database …')
    const programs = options.apply ? 'apply' : directory === null ? 'unknown' : 'first'
    const opened = await openConfigured(config, { config: directory ?? undefined, programs, notice: say })
    undo.push(opened.close)
    for (const line of await tellDifferences(opened.workspace, directory)) say(line)
    const demoClock = demo === null ? null : readSharedClock(config.dataDir)
    const server = await startServer({
      config,
      workspace: opened.workspace,
      ownerUrl: opened.ownerUrl,
      signIn: { vault: openVault(await loadWorkspaceKey({ dataDir: config.dataDir, env: process.env })) },
      demoSpeed: demoClock === null ? null : () => demoClock.speed(),
    })
    undo.push(server.stop)
    say(`Throughline shows ${opened.workspace.title} at ${config.publicUrl?.origin ?? server.url}`)
    if (server.firstLink !== null) {
      const until = new Date(server.firstLink.expiresAt).toISOString().slice(0, 16)
      say(`Nobody can sign in yet. Whoever opens this link becomes the first administrator; it works once, until ${until}Z:`)
      say(`  ${server.firstLink.link}`)
    }
    say(await ended)
    return 0
  } finally {
    for (const step of undo.reverse()) await step()
  }
}

/** A start never changes what is promised: it says where the folder's programs and runbooks are others than those in force. */
async function tellDifferences({ id, database, configuration }: Workspace, directory: string | null): Promise<string[]> {
  const sources = configuration.programs.map((one) => ({ ...one, key: one.program.key }))
  const runbooks = (configuration.runbooks ?? []).map((one) => ({ ...one, key: one.runbook.key }))
  const changes = [
    ...(await readPlan(database.sql, id, sources)).changes.map((one) => ({ ...one, what: 'program' })),
    ...(await readRunbooksPlan(database.sql, id, runbooks)).changes.map((one) => ({ ...one, what: 'runbook' })),
  ]
  // The demo's programs are tried out in the console.
  if (directory === null || changes.length === 0) return []
  return [
    ...changes.map(({ what, key, kind, inForce }) =>
      kind === 'added'
        ? `The ${what} "${key}" of the folder is not in force yet.`
        : kind === 'removed'
          ? `The ${what} "${key}" is in force (version ${inForce?.version}) and no longer in the folder.`
          : `The ${what} "${key}" of the folder differs from version ${inForce?.version}, which is in force.`,
    ),
    'throughline plan shows what the folder would change, throughline apply makes it so; start --apply does it at once.',
  ]
}

/** Said before anything is started: the usual cause is that Throughline runs already. */
function requireFreePort({ host, port }: ServerConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'EADDRINUSE' ? portTaken({ host, port }, error) : error))
    probe.listen(port, host, () => probe.close(() => resolve()))
  })
}

/** The first signal stops in order; the second one at once. */
function firstSignal(): Promise<string> {
  return new Promise((resolve) => {
    let stopping = false
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (stopping) process.exit(1)
        stopping = true
        resolve('Stopping …')
      })
    }
  })
}
