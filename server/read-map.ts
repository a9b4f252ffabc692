import { type FlowCount, readFlows, readTracedAt } from '../db/records/journey-paths.ts'
import { readStageCounts } from '../db/records/journey-counts.ts'
import { AppError } from '../jobs/domain/errors.ts'
import { medianOfBuckets } from '../jobs/domain/journey-path.ts'
import type { Expectation, Program } from '../jobs/domain/program.ts'
import type { ProgramInForce } from '../jobs/domain/program-versions.ts'
import type { AppDeps } from './deps.ts'
import { titleOf } from './journey-view.ts'
import { readPromises } from './promises.ts'
import { iso } from './shapes/common.ts'
import { connectionOf } from './shapes/finding.ts'
import type { MapView } from './shapes/map.ts'
import { connectionTitles, namesOf } from './view-context.ts'

const dayMs = 86_400_000

export interface MapQuestion {
  readonly program: string
  readonly version: number | null
  /** When the counted journeys began, epoch ms. */
  readonly from: number
  readonly to: number
}

/** Whole days of UTC that hold a range. */
export function wholeDays({ from, to }: Pick<MapQuestion, 'from' | 'to'>): { from: number; to: number } {
  const first = Math.floor(from / dayMs) * dayMs
  return { from: first, to: Math.max(first + dayMs, Math.ceil(to / dayMs) * dayMs) }
}

export function programShown(
  { workspace }: AppDeps,
  { program: key, version }: MapQuestion,
): { inForce: ProgramInForce; program: Program } {
  const inForce = workspace.judging.programs.find(({ program }) => program.key === key)
  if (inForce === undefined) throw new AppError('not_found', `There is no program ${key}.`)
  const all = [inForce, ...(inForce.earlier ?? [])]
  const shown = version === null ? inForce : all.find((one) => one.version === version)
  if (shown === undefined) throw new AppError('not_found', `Program ${key} has no version ${version} that can be read.`)
  return { inForce, program: shown.program }
}

/** The program as a graph: what the journeys of a range passed, how long it took, and where its promises stand. */
export async function readMap(deps: AppDeps, question: MapQuestion): Promise<MapView> {
  const { workspace } = deps
  const { sql } = workspace.database
  const now = workspace.clock.now()
  const { inForce, program } = programShown(deps, question)
  const range = wholeDays(question)
  const dayOf = (at: number) => iso(at).slice(0, 10)
  const [flows, stages, promises, countedAt] = await Promise.all([
    readFlows(sql, workspace.id, {
      program: program.key,
      version: question.version,
      from: dayOf(range.from),
      to: dayOf(range.to - dayMs),
    }),
    readStageCounts(sql, workspace.id, now),
    readPromises(deps),
    readTracedAt(sql, workspace.id),
  ])
  const names = namesOf(workspace)(program.key)
  const tools = connectionTitles(workspace)
  const own = promises.items.filter(({ view }) => view.program === program.key)
  return {
    asOf: iso(now),
    program: program.key,
    title: program.title,
    purpose: program.purpose,
    programs: workspace.judging.programs.map((one) => ({ key: one.program.key, title: one.program.title })),
    versions: [inForce, ...(inForce.earlier ?? []).toReversed()].map(({ version }) => ({
      version,
      isInForce: version === inForce.version,
    })),
    version: question.version,
    range: { from: iso(range.from), to: iso(range.to) },
    countedAt: iso(countedAt),
    journeys: sumOf(flows.filter(({ to }) => to.startsWith('@'))),
    steps: [...program.steps.values()].map(({ name, stream }) => ({
      step: name,
      title: names.step(name),
      stream,
      connection: connectionOf(stream),
      connectionTitle: tools.get(connectionOf(stream)) ?? connectionOf(stream),
      journeys: sumOf(flows.filter(({ to }) => to === name)),
      last: {
        open: sumOf(flows.filter(({ from, to }) => from === name && to === '@open')),
        ended: sumOf(flows.filter(({ from, to }) => from === name && (to === '@ends' || to === '@final'))),
        abandoned: sumOf(flows.filter(({ from, to }) => from === name && to === '@abandoned')),
      },
      hereNow: stages.counts
        .filter((row) => row.program === program.key && row.stage === name && !row.ended)
        .reduce((sum, row) => sum + row.journeys, 0),
    })),
    moves: toMoves(flows),
    promises: program.expectations.map((expectation) => {
      const view = own.find((one) => one.view.expectation === expectation.name || one.view.called.includes(expectation.name))?.view
      return {
        expectation: view?.expectation ?? expectation.name,
        called: view?.called ?? [expectation.name],
        kind: expectation.kind,
        title: titleOf(program, expectation.name, names),
        promise: view?.promise ?? expectation.name,
        severity: expectation.severity,
        ...endsOf(expectation),
        activations: view?.activations ?? 0,
        violations: view?.violations ?? 0,
        unknown: view?.states.unknown ?? 0,
        openFindings: view?.findings.open ?? 0,
      }
    }),
  }
}

function toMoves(flows: readonly FlowCount[]): MapView['moves'] {
  const moves = Map.groupBy(
    flows.filter(({ to }) => !to.startsWith('@')),
    ({ from, to }) => `${from}\0${to}`,
  )
  return [...moves.values()].map((counts) => {
    const { from = '', to = '' } = counts[0] ?? {}
    return { from: from === '' ? null : from, to, journeys: sumOf(counts), medianMs: from === '' ? null : medianOfBuckets(counts) }
  })
}

/** The steps a promise leads from and to. */
function endsOf(expectation: Expectation): { from: string | null; to: string | null } {
  switch (expectation.kind) {
    case 'follows':
      return { from: expectation.after, to: expectation.expect }
    case 'order':
      return { from: expectation.first, to: expectation.then }
    case 'never':
      return { from: expectation.after, to: expectation.never }
    case 'at_most':
      return { from: null, to: expectation.of }
    case 'belongs':
      return { from: null, to: expectation.step }
    case 'agree':
    case 'stuck':
      return { from: null, to: null }
  }
}

const sumOf = (rows: readonly { readonly journeys: number }[]) => rows.reduce((sum, row) => sum + row.journeys, 0)
