import { hash128 } from './hash.ts'
import type { Program } from './program.ts'

/** A program or runbook as its file, or an editor, has it. */
export interface KeyedSource {
  readonly key: string
  readonly source: string
  /** SHA-256 of the source, hex. */
  readonly sourceHash: string
}
export interface ProgramSource extends KeyedSource {
  readonly program: Program
}

export interface StoredVersion {
  /** The key of the program or runbook. */
  readonly program: string
  readonly version: number
  readonly source: string
  readonly sourceHash: string
}

export interface PlannedChange<Source extends KeyedSource = ProgramSource> {
  readonly key: string
  readonly kind: 'added' | 'changed' | 'removed'
  /** In force; null: none is. */
  readonly inForce: StoredVersion | null
  /** To be applied; null: it is to be removed. */
  readonly next: Source | null
  /** An earlier version whose text the new one has again. */
  readonly goesBackTo: number | null
}

export interface ProgramsPlan<Source extends KeyedSource = ProgramSource> {
  readonly id: string
  readonly changes: readonly PlannedChange<Source>[]
}

/**
 * What would make these sources the programs (or the runbooks) in force. The id names both sides, so that what is applied is what was looked at.
 * `history`: every version there ever was.
 */
export function planPrograms<Source extends KeyedSource = ProgramSource>(
  inForce: readonly StoredVersion[],
  next: readonly Source[],
  history: readonly StoredVersion[] = [],
): ProgramsPlan<Source> {
  const changes: PlannedChange<Source>[] = []
  for (const one of next) {
    const current = inForce.find(({ program }) => program === one.key) ?? null
    if (current !== null && (current.sourceHash === one.sourceHash || current.source === one.source)) continue
    const same = history.filter(({ program, sourceHash }) => program === one.key && sourceHash === one.sourceHash)
    const goesBackTo = same.length === 0 ? null : Math.max(...same.map(({ version }) => version))
    changes.push({ key: one.key, kind: current === null ? 'added' : 'changed', inForce: current, next: one, goesBackTo })
  }
  for (const current of inForce) {
    if (next.some(({ key }) => key === current.program)) continue
    changes.push({ key: current.program, kind: 'removed', inForce: current, next: null, goesBackTo: null })
  }
  return {
    id: `${markOf(inForce.map((one) => [one.program, one.version, one.sourceHash]))}-${markOf(next.map((one) => [one.key, one.sourceHash]))}`,
    changes: changes.sort((a, b) => (a.key < b.key ? -1 : 1)),
  }
}

/** One id of several plans that are carried out together: it moves on the side on which any of them moves. */
export function joinPlanIds(ids: readonly string[]): string {
  const side = (index: 0 | 1) => hash128(...ids.map((id) => id.split('-')[index] ?? '')).slice(0, 12)
  return `${side(0)}-${side(1)}`
}

function markOf(rows: readonly (readonly (string | number)[])[]): string {
  return hash128(...rows.map((row) => row.join('\n')).sort()).slice(0, 12)
}

/** Which side of a plan is another one now; `unreadable`: the text is no plan id. */
export function whatMoved(told: string, now: string): 'nothing' | 'programs' | 'sources' | 'both' | 'unreadable' {
  const [first, second, more] = told.trim().toLowerCase().split('-')
  const [inForce, sources] = now.split('-')
  if (first?.length !== 12 || second?.length !== 12 || more !== undefined) return 'unreadable'
  if (first === inForce) return second === sources ? 'nothing' : 'sources'
  return second === sources ? 'programs' : 'both'
}
