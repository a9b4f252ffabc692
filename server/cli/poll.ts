import { acceptShrink } from '../../db/records/streams.ts'
import { poll as pollOne } from '../../jobs/reconcilers/reconcile.ts'
import type { ServerConfig } from '../config.ts'
import { localOwner } from '../main.ts'
import { openConfigured, type OpenOptions } from './open-configured.ts'
import { describeOutcome } from './outcome.ts'
import { reportProgress } from './progress.ts'
import { requireConnection } from './require-connection.ts'

/** Reads one connection to the end of a pass. What changed is judged by the next reconcile or the running engine. */
export async function poll(
  config: ServerConfig,
  connection: string,
  options: OpenOptions & { readonly acceptShrink: boolean },
  say: (line: string) => void,
): Promise<number> {
  const opened = await openConfigured(config, options)
  try {
    requireConnection(
      connection,
      opened.workspace.configuration.connections.map(({ id }) => id),
    )
    const disabled = opened.workspace.configuration.connections.find(({ id }) => id === connection)?.disabled
    if (disabled) {
      say(disabled)
      return 1
    }
    if (options.acceptShrink) {
      const { database, id, clock } = opened.workspace
      const accepted = await acceptShrink(database.sql, id, connection, localOwner.id, clock.now())
      if (accepted.length === 0) say(`No sweep of ${connection} waits for an answer: nothing was accepted.`)
    }
    const progress = reportProgress()
    const outcomes = await pollOne(opened.workspace, connection, { onProgress: progress.report }).finally(progress.end)
    for (const outcome of outcomes) say(describeOutcome(outcome))
    return outcomes.some((outcome) => outcome.kind === 'failed') ? 1 : 0
  } finally {
    await opened.close()
  }
}
