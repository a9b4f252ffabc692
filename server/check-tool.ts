import type { CheckResult } from '../jobs/connectors/connector.ts'
import type { Workspace } from '../jobs/open-workspace.ts'

const checkWithinMs = 30_000

/** Asks one tool whether it answers; nothing is read or stored. */
export async function checkTool(workspace: Workspace, id: string): Promise<CheckResult> {
  const live = workspace.connections.get(id)
  if (!live) {
    const configured = workspace.configuration.connections.find((connection) => connection.id === id)
    return { ok: false, reason: 'auth', message: configured?.disabled ?? `There is no connection ${id} in connections.yaml.` }
  }
  return live.connector.check({
    connection: id,
    config: live.config,
    http: live.http,
    now: workspace.clock.now(),
    signal: AbortSignal.timeout(checkWithinMs),
  })
}
