import type { Sql } from '../db/records/bulk.ts'
import { readAllRunbookVersions, type StoredRunbookVersion, writeRunbooks } from '../db/records/runbooks.ts'
import type { OpeningPrograms } from './apply-programs.ts'
import { type KeyedSource, planPrograms, type ProgramsPlan } from './domain/program-plan.ts'

export interface RunbooksPlan extends ProgramsPlan<KeyedSource> {
  readonly inForce: readonly StoredRunbookVersion[]
  /** Every version there ever was. */
  readonly history: readonly StoredRunbookVersion[]
}

/** What would make these sources the runbooks in force, by what the record says now. */
export async function readRunbooksPlan(sql: Sql, workspaceId: number, next: readonly KeyedSource[]): Promise<RunbooksPlan> {
  const history = await readAllRunbookVersions(sql, workspaceId)
  const inForce = history.filter(({ isInForce }) => isInForce)
  const keyed = (row: StoredRunbookVersion) => ({ ...row, program: row.runbook })
  return { ...planPrograms(inForce.map(keyed), next, history.map(keyed)), inForce, history }
}

/** Carries a plan out: new versions by key, or undefined when someone changed the runbooks since it was made. */
export async function applyRunbooksPlan(
  sql: Sql,
  workspaceId: number,
  { inForce, changes }: Pick<RunbooksPlan, 'inForce' | 'changes'>,
  act: { readonly by: string; readonly now: number },
): Promise<ReadonlyMap<string, number> | undefined> {
  if (changes.length === 0) return new Map()
  return writeRunbooks(sql, workspaceId, {
    seen: new Map(inForce.map(({ runbook, version }) => [runbook, version])),
    put: changes.flatMap(({ next }) => next ?? []),
    remove: changes.filter(({ kind }) => kind === 'removed').map(({ key }) => key),
    ...act,
  })
}

/** Brings runbooks into force as a workspace is opened, by the same rules as its programs; tells those that replaced another version. */
export async function bringRunbooksIntoForce(
  sql: Sql,
  workspaceId: number,
  opening: OpeningPrograms,
  sources: readonly KeyedSource[],
  act: { readonly by: string; readonly now: number },
  tell: (line: string) => void,
): Promise<void> {
  if (opening === 'none') return
  const plan = await readRunbooksPlan(sql, workspaceId, sources)
  if (opening === 'first' && plan.history.length > 0) return
  const changes = opening === 'unknown' ? plan.changes.filter(({ next, goesBackTo }) => next !== null && goesBackTo === null) : plan.changes
  if ((await applyRunbooksPlan(sql, workspaceId, { ...plan, changes }, act)) === undefined) return
  for (const { key, inForce, next } of changes) {
    if (inForce !== null && next !== null) tell(`The runbook "${key}" of the folder replaces version ${inForce.version}.`)
    if (next === null) tell(`The runbook "${key}" is no longer in the folder: it is out of force.`)
  }
}
