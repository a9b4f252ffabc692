import { checkTool } from '../check-tool.ts'
import type { ServerConfig } from '../config.ts'
import { openConfigured, type OpenOptions } from './open-configured.ts'
import { requireConnection } from './require-connection.ts'

/** Asks tools whether they answer: one connection, or all. */
export async function check(
  config: ServerConfig,
  connection: string | undefined,
  options: OpenOptions,
  say: (line: string) => void,
): Promise<number> {
  const opened = await openConfigured(config, options)
  try {
    const all = opened.workspace.configuration.connections.map(({ id }) => id)
    if (connection !== undefined) requireConnection(connection, all)
    let isWell = true
    for (const id of connection === undefined ? all : [connection]) {
      const result = await checkTool(opened.workspace, id)
      if (!result.ok) {
        isWell = false
        say(`${id}: ${result.message}`)
        continue
      }
      for (const stream of result.streams) {
        isWell &&= stream.ok
        say(`${id}.${stream.name}: ${stream.message || 'answers'}`)
      }
    }
    return isWell ? 0 : 1
  } finally {
    await opened.close()
  }
}
