import { countOpenByProgram, readAllProgramVersions, readProgramRemovals, type StoredProgramVersion } from '../db/records/programs.ts'
import { AppError } from '../jobs/domain/errors.ts'
import { diffText } from '../jobs/domain/diff-lines.ts'
import { namesFrom } from '../jobs/domain/finding-kinds/words.ts'
import { parseProgram } from '../jobs/domain/parse-program.ts'
import type { Program } from '../jobs/domain/program.ts'
import type { AppDeps } from './deps.ts'
import { promiseOf, titleOf } from './journey-view.ts'
import { viewDifferences } from './program-plan-view.ts'
import { iso } from './shapes/common.ts'
import type { ProgramDetailView, ProgramListView, ProgramVersionDiffView } from './shapes/program.ts'
import { connectionTitles, ownerTitles } from './view-context.ts'

/** Versions whose text is sent with a program; older ones stay in the record. */
const versionsAtMost = 100

function parsed({ program, version, source }: StoredProgramVersion): Program | null {
  const read = parseProgram(source, `program ${program}, version ${version}`)
  return read.ok ? read.program : null
}

/** Every program there is or was, those in force first. */
export async function readPrograms(deps: Pick<AppDeps, 'workspace'>): Promise<ProgramListView['items']> {
  const { database, id } = deps.workspace
  const [versions, removals, open] = await Promise.all([
    readAllProgramVersions(database.sql, id),
    readProgramRemovals(database.sql, id),
    countOpenByProgram(database.sql, id),
  ])
  const owners = ownerTitles(deps as AppDeps)
  const keys = [...new Set(versions.map(({ program }) => program))]
  const items = keys.map((key) => {
    const own = versions.filter(({ program }) => program === key)
    const inForce = own.find(({ isInForce }) => isInForce)
    const shown = (inForce ?? own[0]) as StoredProgramVersion
    const program = parsed(shown)
    const removal = removals.find((one) => one.program === key)
    return {
      key,
      title: program?.title ?? key,
      purpose: program?.purpose ?? '',
      owner: program === null ? null : { key: program.owner, title: owners.get(program.owner) ?? program.owner },
      isInForce: inForce !== undefined,
      version: shown.version,
      versions: own.length,
      appliedAt: iso(shown.appliedAt),
      appliedBy: shown.appliedBy,
      removedAt: inForce === undefined && removal ? iso(removal.at) : null,
      removedBy: inForce === undefined && removal ? removal.by : null,
      promises: program?.expectations.length ?? 0,
      steps: program?.steps.size ?? 0,
      openFindings: open.get(key) ?? 0,
    }
  })
  return items.sort((a, b) => Number(b.isInForce) - Number(a.isInForce) || (a.key < b.key ? -1 : 1))
}

/** One program with every version, what each changed, and the promises of the one in force. */
export async function readProgram(deps: AppDeps, key: string): Promise<ProgramDetailView> {
  const { database, id, clock } = deps.workspace
  const [summary] = (await readPrograms(deps)).filter((one) => one.key === key)
  if (summary === undefined) throw new AppError('not_found', `There is no program "${key}", and never was.`)
  const own = (await readAllProgramVersions(database.sql, id)).filter(({ program }) => program === key)
  const programs = new Map(own.map((row) => [row.version, parsed(row)]))
  const shown = programs.get(summary.version) ?? null
  const names = namesFrom(shown?.steps ?? new Map(), connectionTitles(deps.workspace))
  return {
    ...summary,
    asOf: iso(clock.now()),
    timezone: shown?.timezone ?? null,
    source: own.find(({ version }) => version === summary.version)?.source ?? '',
    stepList: [...(shown?.steps.values() ?? [])].map(({ name, stream }) => ({ name, title: names.step(name), stream })),
    promiseList: (shown?.expectations ?? []).map((one) => ({
      name: one.name,
      title: shown === null ? one.name : titleOf(shown, one.name, names),
      sentence: promiseOf(one, names) ?? one.name,
      severity: one.severity,
      line: one.line,
    })),
    history: own.slice(0, versionsAtMost).map((row, index) => {
      const before = own[index + 1]
      return {
        version: row.version,
        appliedAt: iso(row.appliedAt),
        appliedBy: row.appliedBy,
        isInForce: row.isInForce,
        differences: viewDifferences(
          deps.workspace,
          before === undefined ? null : (programs.get(before.version) ?? null),
          programs.get(row.version) ?? null,
        ),
        isReadable: programs.get(row.version) !== null,
      }
    }),
  }
}

/** What differs between two versions of a program, in words and line by line. */
export async function compareVersions(deps: AppDeps, key: string, from: number, to: number): Promise<ProgramVersionDiffView> {
  const own = (await readAllProgramVersions(deps.workspace.database.sql, deps.workspace.id)).filter(({ program }) => program === key)
  const [before, after] = [from, to].map((version) => own.find((row) => row.version === version))
  if (before === undefined || after === undefined) {
    throw new AppError(
      'not_found',
      `The program "${key}" has no version ${before === undefined ? from : to}. It has ${own.map(({ version }) => version).join(', ') || 'none'}.`,
    )
  }
  return {
    from,
    to,
    differences: viewDifferences(deps.workspace, parsed(before), parsed(after)),
    diff: [...diffText(before.source, after.source)],
  }
}
