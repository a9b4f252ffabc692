import { createHash } from 'node:crypto'
import { type ReadPlan, readPlan } from '../jobs/apply-programs.ts'
import { AppError } from '../jobs/domain/errors.ts'
import { parseProgram } from '../jobs/domain/parse-program.ts'
import { planPrograms, type ProgramSource } from '../jobs/domain/program-plan.ts'
import { readYaml } from '../jobs/domain/yaml-source.ts'
import { knownToPrograms } from '../jobs/known-to-programs.ts'
import type { AppDeps } from './deps.ts'
import type { Mistake } from './shapes/program.ts'

/** Every mistake of a text that is to be the program `key`; empty when it can be planned. */
export function findMistakes(
  { workspace }: Pick<AppDeps, 'workspace'>,
  key: string,
  source: string,
): { mistakes: Mistake[]; draft: ProgramSource | null } {
  const file = `${key}.yaml`
  const parsed = parseProgram(source, file, knownToPrograms(workspace.configuration))
  if (!parsed.ok)
    return { mistakes: parsed.problems.map(({ line, column, path, message }) => ({ line, column, path, message })), draft: null }
  const { program } = parsed
  if (program.key !== key) {
    const { line, column, path, message } = readYaml(source, file).problem(
      ['program'],
      `this names the program "${program.key}"; expected "${key}". A program is renamed by removing the one and adding the other`,
    )
    return { mistakes: [{ line, column, path, message }], draft: null }
  }
  return { mistakes: [], draft: { key, source, sourceHash: createHash('sha256').update(source).digest('hex'), program } }
}

/** @throws AppError invalid_configuration, telling every mistake with its line. */
export function readDraft(deps: Pick<AppDeps, 'workspace'>, key: string, source: string): ProgramSource {
  const { mistakes, draft } = findMistakes(deps, key, source)
  if (draft !== null) return draft
  const told = mistakes
    .slice(0, 20)
    .map(({ line, column, path, message }) => `line ${line}:${column}${path === '' ? '' : ` ${path}`}: ${message}`)
  throw new AppError(
    'invalid_configuration',
    `The text has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}. ${told.join('. ')}.`,
  )
}

/** What applying this one program would change; the others stay as they are. */
export async function planOne({ workspace }: Pick<AppDeps, 'workspace'>, draft: ProgramSource): Promise<ReadPlan> {
  const all = await readPlan(workspace.database.sql, workspace.id, [])
  const own = all.inForce.filter(({ program }) => program === draft.key)
  return { ...all, ...planPrograms(own, [draft], all.history) }
}
