import { readFindingIds, readKnownJourneys } from '../db/records/previewed.ts'
import type { ReadPlan } from '../jobs/apply-programs.ts'
import { backTest, type BackTestProgress, type BackTestResult } from '../jobs/back-test.ts'
import type { PreviewedFinding, ProgramDraft } from '../jobs/domain/back-test.ts'
import { comparePrograms, type Difference } from '../jobs/domain/compare-programs.ts'
import { diffText } from '../jobs/domain/diff-lines.ts'
import { type Names, namesFrom } from '../jobs/domain/finding-kinds/words.ts'
import { parseProgram } from '../jobs/domain/parse-program.ts'
import type { Program } from '../jobs/domain/program.ts'
import type { PlannedChange } from '../jobs/domain/program-plan.ts'
import type { Workspace } from '../jobs/open-workspace.ts'
import { promiseOf, titleOf } from './journey-view.ts'
import { iso } from './shapes/common.ts'
import { sentenceOf } from './shapes/finding.ts'
import type { BackTestView, PreviewedFindingView, ProgramChangeView, ProgramPlanView } from './shapes/program.ts'
import { connectionTitles } from './view-context.ts'

export interface BackTestOptions {
  readonly days: number
  readonly timeLimitMs: number | null
  /** So many findings are listed per promise and side. */
  readonly listAtMost: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: BackTestProgress) => void
}

type Judged = Pick<Workspace, 'id' | 'database' | 'configuration' | 'judging' | 'clock'>

/** A plan with what it would change, in words, as text, and by the findings of the last days. Null for `test`: without those. */
export async function viewPlan(workspace: Judged, plan: ReadPlan, test: BackTestOptions | null): Promise<ProgramPlanView> {
  const drafts = plan.changes.map(draftOf)
  const changes = plan.changes.map((change, index) => viewChange(workspace, plan, change, drafts[index] as ProgramDraft))
  const judged = drafts.filter((_, index) => (changes[index]?.differences.length ?? 0) > 0)
  return {
    plan: plan.id,
    asOf: iso(workspace.clock.now()),
    changes,
    backTest:
      test === null || judged.length === 0
        ? null
        : await viewBackTest(
            workspace,
            judged,
            test,
            await backTest(workspace.database.sql, workspace.judging, { programs: judged, ...test }),
          ),
  }
}

/** Both sides as programs. One in force that cannot be read any more counts as none. */
function draftOf({ key, inForce, next }: PlannedChange): ProgramDraft {
  const parsed = inForce === null ? null : parseProgram(inForce.source, `program ${key}, version ${inForce.version}`)
  return { key, present: parsed?.ok ? parsed.program : null, draft: next?.program ?? null }
}

function viewChange(workspace: Judged, plan: ReadPlan, change: PlannedChange, { present, draft }: ProgramDraft): ProgramChangeView {
  const { key, kind, inForce, next, goesBackTo } = change
  const stored = plan.inForce.find(({ program }) => program === key)
  return {
    program: key,
    kind,
    version: inForce?.version ?? null,
    appliedAt: iso(stored?.appliedAt ?? null),
    appliedBy: stored?.appliedBy ?? null,
    goesBackTo,
    differences: viewDifferences(workspace, present, draft),
    diff: [...diffText(inForce?.source ?? '', next?.source ?? '')],
  }
}

/** What differs between two versions, an expectation with its promise as a sentence. */
export function viewDifferences(
  workspace: Pick<Workspace, 'configuration'>,
  before: Program | null,
  after: Program | null,
): ProgramChangeView['differences'] {
  return comparePrograms(before, after).map((difference) => ({
    ...difference,
    fields: [...difference.fields],
    sentence: sentenceOfDifference(difference, difference.change === 'removed' ? before : after, workspace),
  }))
}

function sentenceOfDifference(difference: Difference, program: Program | null, workspace: Pick<Workspace, 'configuration'>): string | null {
  if (program === null || difference.what !== 'expectation') return null
  return promiseOf(
    program.expectations.find(({ name }) => name === difference.name),
    namesIn(workspace, program),
  )
}

function namesIn(workspace: Pick<Workspace, 'configuration'>, program: Program): Names {
  return namesFrom(program.steps, connectionTitles(workspace))
}

async function viewBackTest(
  workspace: Judged,
  drafts: readonly ProgramDraft[],
  { days }: BackTestOptions,
  result: BackTestResult,
): Promise<BackTestView> {
  const { sql } = workspace.database
  const listed = result.expectations.flatMap(({ appearing, vanishing }) => [...appearing, ...vanishing])
  const findings = await readFindingIds(
    sql,
    workspace.id,
    listed.map(({ id }) => id),
  )
  const journeys = await readKnownJourneys(sql, workspace.id, [...new Set(listed.flatMap(({ journeyId }) => journeyId ?? []))])
  const owners = new Map(workspace.configuration.owners.map(({ key, title }) => [key, title]))
  const view = (finding: PreviewedFinding, program: Program | null, side: 'appear' | 'vanish'): PreviewedFindingView => ({
    id: findings.get(finding.id) ?? finding.id,
    isKnown: findings.has(finding.id),
    kind: finding.kind,
    sentence: sentenceOf({ ...finding }, program === null ? namesFrom(new Map(), new Map()) : namesIn(workspace, program)),
    severity: finding.severity,
    owner: { key: finding.owner, title: owners.get(finding.owner) ?? finding.owner },
    journeyId: finding.journeyId !== null && journeys.has(finding.journeyId) ? finding.journeyId : null,
    object: finding.object,
    occurredAt: iso(finding.occurredAt),
    deadlineAt: iso(finding.deadlineAt),
    isOpen: finding.isOpen,
    why: whyOf[side][finding.otherSide],
    effect: finding.effect,
  })
  const total = (count: (one: BackTestResult['expectations'][number]) => number) =>
    result.expectations.reduce((sum, one) => sum + count(one), 0)
  return {
    since: iso(result.since),
    until: iso(result.until),
    days,
    judged: result.judged,
    share: result.share,
    tookMs: result.tookMs,
    appear: total(({ appear }) => appear),
    vanish: total(({ vanish }) => vanish),
    stay: total(({ stay }) => stay),
    onApply: { appear: total(({ onApply }) => onApply.appear), vanish: total(({ onApply }) => onApply.vanish) },
    expectations: result.expectations.map((one) => {
      const { present = null, draft = null } = drafts.find(({ key }) => key === one.program) ?? {}
      const shown = one.after === null ? present : draft
      return {
        ...one,
        before: one.before && { ...one.before, states: { ...one.before.states } },
        after: one.after && { ...one.after, states: { ...one.after.states } },
        title: shown === null ? one.expectation : titleOf(shown, one.expectation, namesIn(workspace, shown)),
        appearing: one.appearing.map((finding) => view(finding, draft, 'appear')),
        vanishing: one.vanishing.map((finding) => view(finding, present, 'vanish')),
      }
    }),
  }
}

type Why = Readonly<Record<PreviewedFinding['otherSide'], string>>
const whyOf: { readonly appear: Why; readonly vanish: Why } = {
  vanish: {
    satisfied: 'The draft holds it kept.',
    satisfied_late: 'The draft holds it kept, late.',
    violated: 'The draft holds it broken elsewhere.',
    pending: 'Its new deadline has not come.',
    at_risk: 'Its new deadline has not come.',
    unknown: 'By the draft it cannot be told yet: the tools are not read far enough.',
    void: 'The draft no longer asks for it.',
    not_promised: 'The draft no longer promises it.',
    not_judged: 'In the draft nothing obliges it any more.',
  },
  appear: {
    satisfied: 'The version in force holds it kept.',
    satisfied_late: 'The version in force holds it kept, late.',
    violated: 'The version in force holds it broken elsewhere.',
    pending: 'By the version in force it is not due yet.',
    at_risk: 'By the version in force it is not due yet.',
    unknown: 'By the version in force it cannot be told yet.',
    void: 'The version in force does not ask for it.',
    not_promised: 'The version in force does not promise it.',
    not_judged: 'In the version in force nothing obliges it.',
  },
}
