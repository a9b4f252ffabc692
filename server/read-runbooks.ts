import { countOpenByPromise } from '../db/records/runbook-findings.ts'
import { readAllRunbookVersions, readRunbookRemovals, type StoredRunbookVersion } from '../db/records/runbooks.ts'
import { actionsOfConnections } from '../jobs/configured-runbooks.ts'
import { connectors } from '../jobs/connectors/index.ts'
import { describeInput, describeLimits, describeScope, describeSteps, missingActions, reachOf } from '../jobs/domain/describe-runbook.ts'
import type { RunbookNames } from '../jobs/domain/describe-runbook.ts'
import { diffText } from '../jobs/domain/diff-lines.ts'
import { AppError } from '../jobs/domain/errors.ts'
import { findingKindByName } from '../jobs/domain/finding-kinds/index.ts'
import { namesFrom, spoken } from '../jobs/domain/finding-kinds/words.ts'
import { roleWords } from '../jobs/domain/people/roles.ts'
import { whyNotFor, stepsOfExpectation } from '../jobs/domain/runbook-scope.ts'
import type { Runbook } from '../jobs/domain/runbook.ts'
import { readStoredRunbook } from '../jobs/runbooks-in-force.ts'
import type { AppDeps } from './deps.ts'
import { titleOf } from './journey-view.ts'
import { iso } from './shapes/common.ts'
import type { RunbookDetailView, RunbookListView, RunbookVersionDiffView } from './shapes/runbook.ts'
import { connectionTitles, ownerTitles } from './view-context.ts'

type Summary = RunbookListView['items'][number]

/** Versions that are listed with a runbook; older ones stay in the record. */
const versionsAtMost = 100

/** Every runbook there is or was, those in force first. */
export async function readRunbooks(deps: AppDeps): Promise<Summary[]> {
  const { database, id } = deps.workspace
  const [versions, removals, open] = await Promise.all([
    readAllRunbookVersions(database.sql, id),
    readRunbookRemovals(database.sql, id),
    countOpenByPromise(database.sql, id),
  ])
  const keys = [...new Set(versions.map(({ runbook }) => runbook))]
  const items = keys.map((key): Summary => {
    const own = versions.filter(({ runbook }) => runbook === key)
    const inForce = own.find(({ isInForce }) => isInForce)
    const shown = (inForce ?? own[0]) as StoredRunbookVersion
    const runbook = readStoredRunbook(shown)
    const removal = inForce === undefined ? removals.find((one) => one.runbook === key) : undefined
    return {
      key,
      title: runbook?.title ?? key,
      purpose: runbook?.purpose ?? '',
      isInForce: inForce !== undefined,
      version: shown.version,
      versions: own.length,
      appliedAt: iso(shown.appliedAt),
      appliedBy: shown.appliedBy,
      removedAt: removal === undefined ? null : iso(removal.at),
      removedBy: removal?.by ?? null,
      ...describeWhole(deps, key, runbook, open),
      problem: inForce === undefined ? null : whyNotNow(deps, shown, runbook),
    }
  })
  return items.sort((a, b) => Number(b.isInForce) - Number(a.isInForce) || (a.title < b.title ? -1 : 1))
}

/** One runbook: what it does step by step, in words, and every version. @throws AppError not_found */
export async function readRunbook(deps: AppDeps, key: string): Promise<RunbookDetailView> {
  const { database, id, clock } = deps.workspace
  const summary = (await readRunbooks(deps)).find((one) => one.key === key)
  if (summary === undefined) throw new AppError('not_found', `There is no runbook "${key}", and never was.`)
  const own = (await readAllRunbookVersions(database.sql, id)).filter(({ runbook }) => runbook === key)
  const shown = own.find(({ version }) => version === summary.version)
  const runbook = shown === undefined ? null : readStoredRunbook(shown)
  const names = namesOfRunbooks(deps)
  return {
    ...summary,
    asOf: iso(clock.now()),
    source: shown?.source ?? '',
    isFor: runbook === null ? '' : describeScope(runbook.for, names),
    inputList: (runbook?.inputs ?? []).map((input) => ({
      name: input.name,
      title: input.title ?? spoken(input.name),
      isAsked: input.kind !== 'record' && input.kind !== 'object',
      sentence: describeInput(input, names),
    })),
    stepList: runbook === null ? [] : describeSteps(runbook, actionsOf(deps), names).map(toShape),
    limits: runbook === null ? [] : describeLimits(runbook),
    history: own.slice(0, versionsAtMost).map((row) => ({
      version: row.version,
      appliedAt: iso(row.appliedAt),
      appliedBy: row.appliedBy,
      isInForce: row.isInForce,
      isReadable: readStoredRunbook(row) !== null,
    })),
  }
}

/** What differs between two versions of a runbook, line by line. @throws AppError not_found */
export async function compareRunbookVersions(deps: AppDeps, key: string, from: number, to: number): Promise<RunbookVersionDiffView> {
  const own = (await readAllRunbookVersions(deps.workspace.database.sql, deps.workspace.id)).filter(({ runbook }) => runbook === key)
  const [before, after] = [from, to].map((version) => own.find((row) => row.version === version))
  if (before === undefined || after === undefined) {
    throw new AppError(
      'not_found',
      `The runbook "${key}" has no version ${before === undefined ? from : to}. It has ${own.map(({ version }) => version).join(', ') || 'none'}.`,
    )
  }
  return { from, to, diff: [...diffText(before.source, after.source)] }
}

const actionsOf = ({ workspace }: Pick<AppDeps, 'workspace'>) => actionsOfConnections(workspace.configuration.connections, connectors)
const roleOf = (key: keyof typeof roleWords) => ({ key, title: roleWords[key].title })
type OpenCount = Awaited<ReturnType<typeof countOpenByPromise>>[number]

function describeWhole(
  deps: AppDeps,
  key: string,
  runbook: Runbook | null,
  open: readonly OpenCount[],
): Pick<Summary, 'steps' | 'reach' | 'roles' | 'approval' | 'promises' | 'kinds' | 'openFindings'> {
  const { programs } = deps.workspace.judging
  const tools = connectionTitles(deps.workspace)
  const naming = programs.flatMap(({ program }) =>
    program.expectations.filter((one) => one.runbook === key).map((expectation) => ({ program, expectation })),
  )
  const openFindings = naming.reduce((sum, { program, expectation }) => {
    const fits = open.filter(
      (one) =>
        one.program === program.key &&
        one.expectation === expectation.name &&
        runbook !== null &&
        whyNotFor(runbook.for, { ...one, steps: stepsOfExpectation(expectation) }) === null,
    )
    return sum + fits.reduce((all, one) => all + one.open, 0)
  }, 0)
  return {
    steps: runbook?.steps.length ?? 0,
    reach: runbook === null ? 'none' : reachOf(runbook, actionsOf(deps)),
    roles: (runbook?.roles ?? []).map(roleOf),
    approval: runbook?.approve == null ? null : { by: roleOf(runbook.approve.by), withinMs: runbook.approve.withinMs },
    promises: naming.map(({ program, expectation }) => ({
      program: program.key,
      key: expectation.name,
      title: titleOf(program, expectation.name, namesFrom(program.steps, tools)),
    })),
    kinds: [...(runbook?.for.kinds ?? [])],
    openFindings,
  }
}

/** A run takes what is in force, as this process has read it from its folder. */
function whyNotNow(deps: AppDeps, { runbook: key, version, sourceHash }: StoredRunbookVersion, runbook: Runbook | null): string | null {
  if (runbook === null) return `Version ${version} cannot be read by this Throughline. Apply a version it can read.`
  const missing = missingActions(runbook, actionsOf(deps))
  if (missing.length > 0)
    return `It cannot be run: there is no action ${missing.join(', ')} now. Apply a version without it, or bring the connection back.`
  const read = deps.workspace.configuration.runbooks?.find((one) => one.runbook.key === key)
  return read?.sourceHash === sourceHash
    ? null
    : `The text this Throughline was started with is not version ${version}. Apply the folder and start Throughline again to run it.`
}

function namesOfRunbooks(deps: AppDeps): RunbookNames {
  const { configuration, judging } = deps.workspace
  const streams = new Map(
    configuration.connections.flatMap(({ id, streams: own }) => own.map(({ name, title }) => [`${id}.${name}`, title])),
  )
  const owners = ownerTitles(deps)
  const steps = new Map(judging.programs.flatMap(({ program }) => [...program.steps.values()].map((step) => [step.name, step] as const)))
  const { step } = namesFrom(steps, new Map())
  const titles = new Map(
    judging.programs.flatMap(({ program }) => program.expectations.map((one) => [one.name, one.title ?? spoken(one.name)] as const)),
  )
  return {
    tools: connectionTitles(deps.workspace),
    stream: (address) => streams.get(address) ?? null,
    owner: (key) => owners.get(key) ?? key,
    step,
    promise: (name) => titles.get(name) ?? spoken(name),
    kind: (kind) => findingKindByName.get(kind)?.title ?? kind,
  }
}

type Described = ReturnType<typeof describeSteps>[number]
function toShape(step: Described): RunbookDetailView['stepList'][number] {
  const plain = <T extends Described['fallback']>(action: T) => (action === null ? null : { ...action, inputs: [...action.inputs] })
  return {
    ...step,
    inputs: [...step.inputs],
    conditions: [...step.conditions],
    fallback: plain(step.fallback),
    compensate: plain(step.compensate),
  }
}
