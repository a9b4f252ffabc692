import type { Sql } from '../db/records/bulk.ts'
import { readAllProgramVersions, type StoredProgramVersion, writePrograms } from '../db/records/programs.ts'
import { declarePrograms } from '../db/records/workspaces.ts'
import { planPrograms, type ProgramSource, type ProgramsPlan } from './domain/program-plan.ts'

/**
 * What opening a workspace does with the programs of its folder. `apply`: they are in force then, and no others. `first`: only where there
 * never was any. `unknown`: those whose text was never in force. `none`: nothing; those in force stay.
 */
export type OpeningPrograms = 'apply' | 'first' | 'unknown' | 'none'

export interface ReadPlan extends ProgramsPlan {
  readonly inForce: readonly StoredProgramVersion[]
  /** Every version there ever was. */
  readonly history: readonly StoredProgramVersion[]
}

/** What would make these sources the programs in force, by what the record says now. */
export async function readPlan(sql: Sql, workspaceId: number, next: readonly ProgramSource[]): Promise<ReadPlan> {
  const history = await readAllProgramVersions(sql, workspaceId)
  const inForce = history.filter(({ isInForce }) => isInForce)
  return { ...planPrograms(inForce, next, history), inForce, history }
}

/** Carries a plan out: new versions by key, or undefined when someone changed the programs since it was made. */
export async function applyPlan(
  sql: Sql,
  workspaceId: number,
  { inForce, changes }: Pick<ReadPlan, 'inForce' | 'changes'>,
  act: { readonly by: string; readonly now: number },
): Promise<ReadonlyMap<string, number> | undefined> {
  return writePrograms(sql, workspaceId, {
    seen: new Map(inForce.map(({ program, version }) => [program, version])),
    put: changes.flatMap(({ next }) => next ?? []),
    remove: changes.filter(({ kind }) => kind === 'removed').map(({ key }) => key),
    ...act,
  })
}

/** Brings programs into force as a workspace is opened; tells those that replaced another version. */
export async function bringIntoForce(
  sql: Sql,
  workspaceId: number,
  opening: OpeningPrograms,
  sources: readonly ProgramSource[],
  act: { readonly by: string; readonly now: number },
  tell: (line: string) => void,
): Promise<void> {
  if (opening === 'none') return
  const plan = await readPlan(sql, workspaceId, sources)
  if (opening === 'apply') {
    await declarePrograms(sql, workspaceId, sources, act.by, act.now)
  } else if (opening === 'first') {
    if (plan.history.length > 0) return
    await declarePrograms(sql, workspaceId, sources, act.by, act.now)
  } else {
    const changes = plan.changes.filter(({ next, goesBackTo }) => next !== null && goesBackTo === null)
    if (changes.length === 0 || (await applyPlan(sql, workspaceId, { ...plan, changes }, act)) === undefined) return
  }
  for (const { key, inForce, next } of plan.changes) {
    if (inForce !== null && next !== null) tell(`The program "${key}" of the folder replaces version ${inForce.version}.`)
    if (next === null && opening === 'apply') tell(`The program "${key}" is no longer in the folder: it is out of force.`)
  }
}
