import { type ActContext, type ToolAction, ToolError } from '../connectors/connector.ts'
import type { RunStep } from '../domain/run.ts'
import type { Workspace } from '../open-workspace.ts'

/** What runs stand on. */
export interface RunDeps {
  readonly workspace: Pick<Workspace, 'id' | 'database' | 'clock' | 'connections' | 'timeZone'>
  readonly wallNow: () => number
  /** Asks for a connection to be read soon. */
  readonly pollSoon: (connection: string) => Promise<void>
  /** What Throughline itself can send: mail, tickets, webhooks. Their steps name no connection. */
  readonly neutral?: ReadonlyMap<string, ToolAction>
}

export interface Reached {
  readonly action: ToolAction
  readonly context: ActContext
}

/** The action of a step and the tool it is spoken through. @throws ToolError not_found, as a person should read it. */
export function reach({ workspace, neutral }: RunDeps, step: Pick<RunStep, 'connection' | 'action'>, signal: AbortSignal): Reached {
  const now = workspace.clock.now()
  if (step.connection === null) {
    const action = neutral?.get(step.action)
    if (action === undefined) throw new ToolError('not_found', `Throughline has no action ${step.action} as it is configured.`)
    const nowhere = { get: refuse, sameOrigin: refuse, close: async () => {} } as unknown as ActContext['http']
    return { action, context: { connection: 'throughline', config: null, http: nowhere, now, signal } }
  }
  const connection = workspace.connections.get(step.connection)
  if (connection === undefined)
    throw new ToolError('not_found', `Connection ${step.connection} is not there or lacks its secret: see its page, then run it again.`)
  const action = connection.connector.actions?.find(({ name }) => name === step.action)
  if (action === undefined) throw new ToolError('not_found', `${step.connection} has no action ${step.action}.`)
  return { action, context: { connection: connection.id, config: connection.config, http: connection.http, now, signal } }
}

function refuse(): never {
  throw new ToolError('refused_address', 'An action of Throughline itself reaches no tool.')
}
