import { readPlan, type ReadPlan } from '../../jobs/apply-programs.ts'
import { readRunbooksPlan, type RunbooksPlan } from '../../jobs/apply-runbooks.ts'
import { diffText } from '../../jobs/domain/diff-lines.ts'
import { joinPlanIds } from '../../jobs/domain/program-plan.ts'
import type { Workspace } from '../../jobs/open-workspace.ts'
import type { ServerConfig } from '../config.ts'
import { viewPlan } from '../program-plan-view.ts'
import type { ProgramPlanView } from '../shapes/program.ts'
import { openConfigured, type OpenOptions } from './open-configured.ts'
import { planText, type RunbookChangeText } from './plan-text.ts'

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
    const runbooks = runbookChanges(made.runbooks)
    await write(options.format === 'json' ? `${JSON.stringify({ ...view, runbooks }, null, 2)}\n` : describePlan(view, runbooks))
    return view.changes.length + runbooks.length === 0 ? 0 : 2
  } finally {
    await opened.close()
  }
}

export const nothingToDo = 'Nothing to do: the programs and runbooks of the folder are those in force.\n'

export function describePlan(view: ProgramPlanView, runbooks: readonly RunbookChangeText[]): string {
  return view.changes.length + runbooks.length === 0 ? nothingToDo : planText(view, runbooks)
}

/** The plan of the programs, with that of the runbooks beside it; its id names both. */
export interface FolderPlan extends ReadPlan {
  readonly runbooks: RunbooksPlan
}

export async function planOf({ id, database, configuration }: Workspace): Promise<FolderPlan> {
  const sources = configuration.programs.map((one) => ({ ...one, key: one.program.key }))
  const runbookSources = (configuration.runbooks ?? []).map((one) => ({ ...one, key: one.runbook.key }))
  const programs = await readPlan(database.sql, id, sources)
  const runbooks = await readRunbooksPlan(database.sql, id, runbookSources)
  return { ...programs, id: joinPlanIds([programs.id, runbooks.id]), runbooks }
}

export function runbookChanges({ changes, inForce }: RunbooksPlan): RunbookChangeText[] {
  return changes.map(({ key, kind, inForce: current, next, goesBackTo }) => ({
    runbook: key,
    kind,
    version: current?.version ?? null,
    appliedBy: inForce.find(({ runbook }) => runbook === key)?.appliedBy ?? null,
    goesBackTo,
    diff: kind === 'changed' ? [...diffText(current?.source ?? '', next?.source ?? '')] : [],
  }))
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
