import { readJourneyFindings } from '../../db/records/findings.ts'
import { listJourneys } from '../../db/records/journeys.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import type { AppDeps } from '../deps.ts'
import type { ServerConfig } from '../config.ts'
import { toJourneyView } from '../journey-view.ts'
import { judgeJourneyAnew } from '../judged-journey.ts'
import { localOwner } from '../main.ts'
import { readConnectionViews } from '../read-connections.ts'
import type { JourneyView } from '../shapes/journey.ts'
import { viewContext } from '../view-context.ts'
import { openConfigured, type OpenOptions } from './open-configured.ts'
import { table } from './table.ts'

export interface JourneyOptions extends OpenOptions {
  readonly format: 'json' | 'table'
}

/** One journey by its id, its subject's or its object's, or the beginning of one. */
export async function journey(
  config: ServerConfig,
  id: string,
  options: JourneyOptions,
  write: (text: string) => Promise<void>,
): Promise<number> {
  const opened = await openConfigured(config, options)
  const { workspace } = opened
  try {
    const found = await listJourneys(workspace.database.db, workspace.id, { text: id }, { cursor: null, limit: 20 })
    const [row] = found.rows
    if (!row) throw new AppError('not_found', `There is no journey, subject or object "${id}".`)
    if (found.rows.length > 1) {
      await write(
        `${table(
          ['journey', 'program', 'stage', 'started'],
          found.rows.map((one) => [one.id, one.program, one.stage, new Date(one.startedAt).toISOString()]),
        )}\n`,
      )
      throw new AppError('conflict', `"${id}" fits ${found.next === null ? found.rows.length : 'more than 20'} journeys. Name one of them.`)
    }
    const deps = readingDeps(workspace)
    const judged = await judgeJourneyAnew(deps, row)
    if (!judged) throw new AppError('unavailable', `Journey ${row.id} is to be judged anew. Run throughline reconcile first.`)
    const view = toJourneyView({
      row,
      judged,
      findings: await readJourneyFindings(workspace.database.db, workspace.id, row.id),
      connections: await readConnectionViews(deps, { passes: 0 }),
      now: workspace.clock.now(),
      context: viewContext(deps),
    })
    await write(options.format === 'json' ? `${JSON.stringify(view, null, 2)}\n` : toText(view))
    return 0
  } finally {
    await opened.close()
  }
}

/** The API's readers ask for no more than this where nothing is served. */
function readingDeps(workspace: AppDeps['workspace']): AppDeps {
  const silent = { info: () => {}, warn: () => {}, error: () => {} }
  const refuse = async (): Promise<never> => {
    throw new AppError('unavailable', 'No engine runs here.')
  }
  return {
    workspace,
    me: localOwner,
    wallNow: Date.now,
    demo: () => null,
    check: refuse,
    poll: refuse,
    queueDepths: async () => [],
    log: silent,
    consoleRoot: null,
  }
}

function toText(view: JourneyView): string {
  const tool = (connection: string) => view.lanes.find((lane) => lane.connection === connection)?.title ?? connection
  const questions = view.questions.map(
    ({ asks, answers }) => `${asks}?\n${answers.map(({ text, at }) => `  ${text}${at === null ? '' : ` (${at})`}`).join('\n')}`,
  )
  const events = table(
    ['occurred', 'tool', 'event', 'step', 'status', 'by'],
    view.events.map((event) => [
      event.occurredAt,
      tool(event.connection),
      event.type,
      event.step === null ? '' : event.title,
      event.status ?? '',
      event.actor.id ?? event.actor.kind,
    ]),
  )
  return `${view.programTitle}, ${view.stageTitle}, as of ${view.asOf}\n\n${questions.join('\n')}\n\n${events}\n`
}
