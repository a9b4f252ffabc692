import { readPlan, type ReadPlan } from '../../jobs/apply-programs.ts'
import type { Workspace } from '../../jobs/open-workspace.ts'
import type { ServerConfig } from '../config.ts'
import { viewPlan } from '../program-plan-view.ts'
import type { ProgramPlanView } from '../shapes/program.ts'
import { openConfigured, type OpenOptions } from './open-configured.ts'
import { planText } from './plan-text.ts'

export interface PlanOptions extends OpenOptions {
  readonly days: number
  readonly format: 'table' | 'json'
}

const listAtMost = 1_000
const terminalEveryMs = 200

/** What `apply` would change, writing nothing. 0: nothing; 2: something. */
export async function plan(
  config: ServerConfig,
  options: PlanOptions,
  write: (text: string) => Promise<void>,
  warn: (line: string) => void,
): Promise<number> {
  const opened = await openConfigured(config, { ...options, programs: 'none', isReadOnly: true, notice: warn })
  try {
    const made = await planOf(opened.workspace)
    const view = await viewPlan(opened.workspace, made, testOptions(options.days))
    await write(options.format === 'json' ? `${JSON.stringify(view, null, 2)}\n` : describePlan(view))
    return view.changes.length === 0 ? 0 : 2
  } finally {
    await opened.close()
  }
}

export function describePlan(view: ProgramPlanView): string {
  if (view.changes.length === 0) return 'Nothing to do: the programs of the folder are those in force.\n'
  return planText(view)
}

export async function planOf({ id, database, configuration }: Workspace): Promise<ReadPlan> {
  const sources = configuration.programs.map((one) => ({ ...one, key: one.program.key }))
  return readPlan(database.sql, id, sources)
}

export function testOptions(days: number) {
  return { days, listAtMost, timeLimitMs: null, onProgress: progress() }
}

function progress(): (progress: { readonly share: number }) => void {
  const { stderr } = process
  let saidAt = 0
  return ({ share }) => {
    if (!stderr.isTTY || Date.now() - saidAt < terminalEveryMs) return
    saidAt = Date.now()
    stderr.write(`\r\u001b[KJudging history by both versions … ${(share * 100).toFixed(0)} %${share >= 1 ? '\r\u001b[K' : ''}`)
  }
}
