import { type ActivationCount, countActivations, countElapsed } from '../db/records/activations.ts'
import { listFindings } from '../db/records/findings.ts'
import { verdictStates } from '../db/schema/words.ts'
import { findingKindByName } from '../jobs/domain/finding-kinds/index.ts'
import type { Expectation } from '../jobs/domain/program.ts'
import { sourceBlock } from '../jobs/domain/source-block.ts'
import { timeBuckets } from '../jobs/domain/time-buckets.ts'
import { type CurvePoint, shareBy, timeOfShare, timeToEvent } from '../jobs/domain/time-to-event.ts'
import type { AppDeps } from './deps.ts'
import { type PromiseView, routingOf } from './promises.ts'
import type { KnownPromise } from './read-expectations.ts'
import type { Remembered } from './remembered.ts'
import { iso } from './shapes/common.ts'
import type { ExpectationDetailView } from './shapes/expectation.ts'
import { toFindingView } from './shapes/finding.ts'
import { namesOf, ownerTitles, viewContext } from './view-context.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const shownMs = 26 * 7 * dayMs
const recentFindings = 8
const pointsAtMost = 120

export interface PromiseHistory {
  readonly weeks: { readonly bounds: readonly number[]; readonly counts: readonly ActivationCount[] }
  readonly curve: Omit<NonNullable<ExpectationDetailView['curve']>, 'asOf'> | null
}

export type RememberHistory = (key: string, count: () => Promise<PromiseHistory>) => Promise<Remembered<PromiseHistory>>

/** Everything the page of one promise shows beyond its line in the list. */
export async function readExpectationDetail(
  deps: AppDeps,
  { promise, view }: PromiseView,
  read: { readonly asOf: number; readonly judgedAt: number | null },
  remembered: RememberHistory,
): Promise<ExpectationDetailView> {
  const { workspace } = deps
  const { program, expectation, called } = promise
  const [history, recent] = await Promise.all([
    remembered(`${program.key} ${expectation.name}`, () => readHistory(deps, promise, view.readTo)),
    listFindings(
      workspace.database.db,
      workspace.id,
      { programs: [program.key], expectations: [...called] },
      { sort: 'opened', cursor: null, limit: recentFindings },
    ),
  ])
  const names = namesOf(workspace)(program.key)
  const titles = ownerTitles(deps)
  const context = viewContext(deps)
  return {
    ...view,
    asOf: iso(read.asOf),
    judgedAt: iso(read.judgedAt),
    version: workspace.judging.programs.find((one) => one.program.key === program.key)?.version ?? 1,
    ifItFails: expectation.ifItFails,
    producedBy: expectation.producedBy,
    runbook: expectation.runbook,
    steps: stepsOf(expectation).map((step) => ({ step, title: names.step(step) })),
    source: promise.isInForce ? sourceOf(deps, promise) : null,
    routing: routingOf(deps, promise).map(({ kind, owner, reason }) => ({
      kind,
      title: findingKindByName.get(kind)?.title ?? kind,
      owner: { key: owner, title: titles.get(owner) ?? owner },
      reason,
    })),
    weeks: { asOf: iso(history.asOf), items: toWeeks(history.value.weeks) },
    curve: history.value.curve === null ? null : { ...history.value.curve, asOf: iso(history.asOf) },
    recent: recent.rows.map((finding) => toFindingView(finding, context)),
  }
}

async function readHistory({ workspace }: AppDeps, promise: KnownPromise, readTo: string | null): Promise<PromiseHistory> {
  const { sql } = workspace.database
  const now = workspace.clock.now()
  const { program, expectation, called } = promise
  const { bounds } = timeBuckets(now - shownMs, now + 1, workspace.timeZone)
  const named = { program: program.key, expectations: [...called] }
  const counts = await countActivations(sql, workspace.id, named, bounds)
  const scale = expectation.kind === 'follows' ? scaleOf(expectation) : null
  if (scale === null) return { weeks: { bounds, counts }, curve: null }
  const from = bounds[0] ?? now
  const groups = await countElapsed(sql, workspace.id, {
    ...named,
    offsetMs: scale.offsetMs,
    stepMs: scale.stepMs,
    leastMs: scale.leastMs,
    mostMs: scale.mostMs,
    seenTo: Math.min(now, readTo === null ? 0 : Date.parse(readTo)),
    from,
  })
  const points = timeToEvent(groups)
  const last = points.at(-1)
  if (last === undefined) return { weeks: { bounds, counts }, curve: null }
  return {
    weeks: { bounds, counts },
    curve: {
      since: iso(from),
      origin: scale.origin,
      deadlineMs: scale.offsetMs,
      points: thinned(points),
      ...axisOf(scale, points),
      medianMs: timeOfShare(points, 0.5),
      shareByDeadline: shareBy(points, scale.offsetMs),
      came: groups.reduce((sum, group) => sum + group.came, 0),
      unfinished: groups.reduce((sum, group) => sum + group.unfinished, 0),
    },
  }
}

interface Scale {
  readonly origin: 'start' | 'deadline'
  readonly offsetMs: number
  readonly stepMs: number
  readonly leastMs: number
  readonly mostMs: number
}

/**
 * How elapsed time is measured: since the promise began where its deadline is counted from there, else towards the deadline. The deadline
 * is the end of a step, so that what came in time is never rounded past it.
 */
export function scaleOf({ within }: Extract<Expectation, { kind: 'follows' }>): Scale | null {
  if (within === null) return null
  const { offsetMs, field } = within
  if (field !== null) return { origin: 'deadline', offsetMs: 0, stepMs: hourMs / 4, leastMs: -14 * dayMs, mostMs: 2 * dayMs }
  if (offsetMs <= 0) return null
  const steps = Array.from({ length: 60 }, (_, index) => 60 - index).find((count) => offsetMs % count === 0) ?? 1
  return { origin: 'start', offsetMs, stepMs: offsetMs / steps, leastMs: 0, mostMs: 3 * offsetMs }
}

/** Where something happens: the axis does not stretch to the one that came a week late. */
function axisOf({ origin, offsetMs }: Scale, points: readonly CurvePoint[]): { fromMs: number; untilMs: number } {
  const all = points.at(-1)?.share ?? 0
  const nearlyAll = timeOfShare(points, all * 0.99) ?? offsetMs
  const fromMs = origin === 'start' ? 0 : Math.min(-hourMs, timeOfShare(points, all * 0.01) ?? 0)
  const margin = (offsetMs - fromMs) / (origin === 'start' ? 4 : 8)
  return { fromMs: origin === 'start' ? 0 : fromMs - margin, untilMs: Math.max(offsetMs + margin, nearlyAll) }
}

/** As many points as a curve shows; the last one always. */
function thinned(points: readonly CurvePoint[]): CurvePoint[] {
  const every = Math.ceil(points.length / pointsAtMost)
  return points.filter((_, index) => index % every === every - 1 || index === points.length - 1)
}

function toWeeks({ bounds, counts }: PromiseHistory['weeks']): ExpectationDetailView['weeks']['items'] {
  return bounds.slice(0, -1).map((from, bucket) => {
    const own = counts.filter((row) => row.bucket === bucket)
    return {
      from: iso(from),
      to: iso(bounds[bucket + 1] ?? from),
      states: Object.fromEntries(
        own.map((row) => {
          const state = verdictStates[row.state] ?? 'unknown'
          return [state, state === 'void' ? row.verdicts : row.activations]
        }),
      ),
      activations: own.reduce((sum, row) => sum + row.activations, 0),
      violations: own.reduce((sum, row) => sum + row.violations, 0),
    }
  })
}

function stepsOf(expectation: Expectation): string[] {
  switch (expectation.kind) {
    case 'follows':
      return [expectation.after, expectation.expect]
    case 'at_most':
      return [expectation.of]
    case 'order':
      return [expectation.first, expectation.then]
    case 'never':
      return [...(expectation.after === null ? [] : [expectation.after]), expectation.never]
    case 'belongs':
      return [expectation.step]
    case 'agree':
    case 'stuck':
      return []
  }
}

function sourceOf({ workspace }: AppDeps, { program, expectation }: KnownPromise): ExpectationDetailView['source'] {
  const file = workspace.configuration.programs.find((one) => one.program.key === program.key)
  const block = file === undefined ? null : sourceBlock(file.source, expectation.line)
  return file === undefined || block === null ? null : { file: file.file, ...block }
}
