import { resolve } from 'node:path'
import { countKeptJourneys } from '../../db/records/expectations.ts'
import { countFindingsByStatus } from '../../db/records/findings.ts'
import { isOpen } from '../../jobs/domain/finding-lifecycle.ts'
import { reconcile as reconcileAll } from '../../jobs/reconcilers/reconcile.ts'
import type { ServerConfig } from '../config.ts'
import { readExpectations } from '../read-expectations.ts'
import { readLastConfiguration, writeLastConfiguration } from './last-configuration.ts'
import { openConfigured, type OpenOptions } from './open-configured.ts'
import { describeOutcome } from './outcome.ts'
import { reportProgress } from './progress.ts'
import { table } from './table.ts'

/** Reads every stream of a configuration once to its end and judges at one clock. 0: nothing open; 2: findings; 1: something was not read. */
export async function reconcile(
  config: ServerConfig,
  options: OpenOptions,
  say: (line: string) => void,
  warn: (line: string) => void,
): Promise<number> {
  const began = performance.now()
  // A folder that is named is judged by its own programs; otherwise by those in force.
  const opened = await openConfigured(config, { ...options, programs: options.config === undefined ? 'first' : 'apply', notice: warn })
  const { workspace } = opened
  try {
    const progress = reportProgress()
    const { outcomes, judged } = await reconcileAll(workspace, { onProgress: progress.report }).finally(progress.end)
    const last =
      options.config === undefined ? await readLastConfiguration(config.dataDir) : { directory: resolve(options.config), now: null }
    await writeLastConfiguration(config.dataDir, { ...last, now: options.now ?? last.now })
    for (const outcome of outcomes) say(describeOutcome(outcome))
    const expectations = await readExpectations(workspace)
    if (expectations.length > 0) {
      say('')
      say(
        table(
          ['promise', 'activations', 'violations', 'journeys', 'unknown', 'pending'],
          expectations.map((one) => [
            `${one.program}/${one.expectation}`,
            one.activations,
            one.violations,
            one.journeys,
            one.states.unknown ?? 0,
            (one.states.pending ?? 0) + (one.states.at_risk ?? 0),
          ]),
        ),
      )
      say('')
    }
    const hasEarlier = workspace.judging.programs.some(({ earlier }) => earlier !== undefined)
    const kept = hasEarlier ? await countKeptJourneys(workspace.database.sql, workspace.id) : 0
    if (kept > 0) {
      say(
        `${kept} ${kept === 1 ? 'journey' : 'journeys'} that had ended before the program was changed ${kept === 1 ? 'keeps' : 'keep'} the version before.`,
      )
    }
    const byStatus = await countFindingsByStatus(workspace.database.db, workspace.id)
    const open = byStatus.filter(({ status }) => isOpen(status)).reduce((sum, { count }) => sum + count, 0)
    const all = byStatus.reduce((sum, { count }) => sum + count, 0)
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    say(
      `Judged ${judged.components} groups of records at ${new Date(workspace.clock.now()).toISOString()} in ${seconds} s: ${open} open findings, ${all - open} ended.`,
    )
    const isIncomplete =
      outcomes.some((outcome) => outcome.kind === 'failed') || workspace.configuration.connections.some(({ disabled }) => disabled !== null)
    if (isIncomplete) warn('Not everything was read: what depends on it is unknown, not well.')
    return isIncomplete ? 1 : open > 0 ? 2 : 0
  } finally {
    await opened.close()
  }
}
