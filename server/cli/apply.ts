import { createInterface } from 'node:readline/promises'
import { applyPlan } from '../../jobs/apply-programs.ts'
import { applyRunbooksPlan } from '../../jobs/apply-runbooks.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import { whatMoved } from '../../jobs/domain/program-plan.ts'
import type { ServerConfig } from '../config.ts'
import { viewPlan } from '../program-plan-view.ts'
import { openConfigured, type OpenOptions } from './open-configured.ts'
import { describePlan, type FolderPlan, nothingToDo, planOf, runbookChanges, testOptions } from './plan.ts'
import { counted } from './plan-text.ts'

export interface ApplyOptions extends OpenOptions {
  /** The id `plan` printed: exactly that is carried out, or nothing. */
  readonly plan?: string
  readonly allowDelete: boolean
  /** Do not ask. */
  readonly yes: boolean
  readonly days: number
}

/** Brings the programs of a folder into force. 0: done, or nothing to do; 1: refused. */
export async function apply(
  config: ServerConfig,
  options: ApplyOptions,
  write: (text: string) => Promise<void>,
  warn: (line: string) => void,
): Promise<number> {
  const opened = await openConfigured(config, { ...options, programs: 'none', notice: warn })
  try {
    const { workspace } = opened
    const plan = await planOf(workspace)
    if (options.plan !== undefined) refuseStale(options.plan, plan)
    if (plan.changes.length + plan.runbooks.changes.length === 0) {
      await write(nothingToDo)
      return 0
    }
    const removed = removedOf(plan)
    const removedRunbooks = removedOf(plan.runbooks)
    if (!options.allowDelete) refuseDeletion(removed, removedRunbooks)
    if (options.plan === undefined && !options.yes) {
      await write(describePlan(await viewPlan(workspace, plan, testOptions(options.days)), runbookChanges(plan.runbooks)))
      if (!(await isAgreed())) {
        await write('Nothing was applied.\n')
        return 1
      }
    }
    const act = { by: 'local-owner', now: workspace.clock.now() }
    // Runbooks first: a program that names a new one then finds it.
    const runbooks = await applyRunbooksPlan(workspace.database.sql, workspace.id, plan.runbooks, act)
    if (runbooks === undefined) throw new AppError('conflict', someoneWasFirst)
    for (const [key, version] of runbooks) await write(`Runbook "${key}": version ${version} is in force.\n`)
    for (const key of removedRunbooks) await write(`Runbook ${key} is out of force.\n`)
    if (plan.changes.length === 0) return 0
    const versions = await applyPlan(workspace.database.sql, workspace.id, plan, act)
    if (versions === undefined) throw new AppError('conflict', someoneWasFirst)
    for (const [key, version] of versions) await write(`Program "${key}": version ${version} is in force.\n`)
    for (const key of removed) await write(`Program ${key} is out of force.\n`)
    await write(
      `${counted(plan.changes.length, 'program')} changed. A running Throughline judges by them from now on; otherwise the next start or reconcile does.\n`,
    )
    return 0
  } finally {
    await opened.close()
  }
}

const removedOf = (plan: { readonly changes: readonly { readonly kind: string; readonly key: string }[] }) =>
  plan.changes.filter(({ kind }) => kind === 'removed').map(({ key }) => `"${key}"`)

function refuseDeletion(programs: readonly string[], runbooks: readonly string[]): void {
  const gone = [
    ...(programs.length === 0
      ? []
      : [`take ${programs.join(', ')} out of force and withdraw ${programs.length === 1 ? 'its' : 'their'} open findings`]),
    ...(runbooks.length === 0 ? [] : [`take the ${runbooks.length === 1 ? 'runbook' : 'runbooks'} ${runbooks.join(', ')} out of force`]),
  ]
  if (gone.length > 0)
    throw new AppError('forbidden', `Nothing was applied: it would ${gone.join(', and ')}. Put the file back, or say --allow-delete.`)
}

const someoneWasFirst =
  'Nothing was applied: someone applied programs or runbooks at the same moment. Run throughline plan again to see what is left to do.'

function refuseStale(told: string, plan: FolderPlan): void {
  const moved = whatMoved(told, plan.id)
  if (moved === 'nothing') return
  if (moved === 'unreadable')
    throw new AppError('invalid_input', `"${told}" is no plan id. throughline plan prints one, such as ${plan.id}.`)
  const all = [
    ...plan.inForce.map((row) => ({ ...row, key: row.program })),
    ...plan.runbooks.inForce.map((row) => ({ ...row, key: row.runbook })),
  ]
  const last = all.toSorted((a, b) => b.appliedAt - a.appliedAt)[0]
  const programs =
    last === undefined
      ? 'no program is in force any more'
      : `other programs or runbooks are in force: the last one applied is version ${last.version} of "${last.key}", by ${last.appliedBy} at ${new Date(last.appliedAt).toISOString()}`
  const files = 'the program or runbook files of the folder were edited'
  throw new AppError(
    'conflict',
    `Nothing was applied: since plan ${told} ${moved === 'programs' ? programs : moved === 'sources' ? files : `${programs}, and ${files}`}. Run throughline plan again and look at what it says now.`,
  )
}

async function isAgreed(): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new AppError(
      'invalid_input',
      'Nothing was applied: nobody can be asked here. Say --plan with the id above to carry out exactly this, or --yes.',
    )
  }
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await asking.question('Apply this? [y/N] ')).trim())
  } finally {
    asking.close()
  }
}
