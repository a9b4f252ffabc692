import { decideFindings, fingerprintOf } from './decide-findings.ts'
import {
  isFound,
  type OtherSide,
  pairPromises,
  type PreviewedExpectation,
  type PreviewedFinding,
  type ProgramDraft,
  Tally,
} from './back-test-tally.ts'
import type { Verdict } from './expectations/expectation.ts'
import type { Finding, JudgedActivation, Routing } from './finding.ts'
import type { ComponentJudgement, JudgedJourney } from './judge-component.ts'
import { matchFindings } from './match-findings.ts'
import type { Program } from './program.ts'
import type { ProgramInForce } from './program-versions.ts'

export interface BackTestOptions {
  readonly workspaceKey: string
  readonly routing: Routing
  /** What was promised or broken before this is not told. Epoch ms. */
  readonly since: number
  /** Domain clock, epoch ms. */
  readonly now: number
  /** So many findings are listed per expectation and side, the latest first; counts are of all. */
  readonly listAtMost: number
}

export type { PreviewedExpectation, PreviewedFinding, ProgramDraft }

const presentVersion = 1
const draftVersion = 2

/**
 * Compares, component by component, what the programs in force and their drafts say of the same facts, each as if it alone had been in force
 * all the time. Feed it `programs` judged by `judgeComponent`; it keeps counts and a bounded list, never facts.
 */
export class BackTest {
  /** To be judged: both sides of each program, told apart by their version. */
  readonly programs: readonly ProgramInForce[]
  readonly #drafts: readonly ProgramDraft[]
  readonly #options: BackTestOptions
  readonly #tallies: Tally[] = []
  readonly #tallyOfPromise = { before: new Map<string, Tally>(), after: new Map<string, Tally>() }
  readonly #promises: ReadonlySet<string>

  constructor(drafts: readonly ProgramDraft[], options: BackTestOptions) {
    this.#drafts = drafts
    this.#options = options
    this.programs = drafts.flatMap(({ present, draft }) => [
      ...(present === null ? [] : [{ program: present, version: presentVersion }]),
      ...(draft === null ? [] : [{ program: draft, version: draftVersion }]),
    ])
    this.#promises = new Set(this.programs.flatMap(({ program }) => program.expectations.map(({ name }) => `${program.key}\0${name}`)))
    for (const pair of drafts.flatMap(pairPromises)) {
      const tally = new Tally(pair)
      this.#tallies.push(tally)
      for (const side of ['before', 'after'] as const) {
        const promise = pair[side]
        if (promise !== null) this.#tallyOfPromise[side].set(`${pair.program}\0${promise.name}`, tally)
      }
    }
  }

  add(judgement: ComponentJudgement): void {
    for (const draft of this.#drafts) this.#addProgram(draft, judgement)
  }

  #addProgram(programs: ProgramDraft, judgement: ComponentJudgement): void {
    const present = sideOf(judgement, programs.key, presentVersion)
    const draft = sideOf(judgement, programs.key, draftVersion)
    for (const { verdict } of present) this.#tallyOf(programs, verdict, 'before')?.count(verdict, 'before', this.#isWithin(verdict))
    for (const { verdict } of draft) this.#tallyOf(programs, verdict, 'after')?.count(verdict, 'after', this.#isWithin(verdict))
    if (![...present, ...draft].some(({ verdict }) => isFound(verdict))) return

    const findings = new Map<Finding, Judged>()
    const activationsOf = (side: readonly Judged[], program: Program | null) =>
      new Map(side.map((judged) => [this.#toActivation(judged, program), judged]))
    const before = activationsOf(present, programs.present)
    const after = activationsOf(draft, programs.draft)
    const byFingerprint = new Map([...before].map(([activation, judged]) => [activation.fingerprint, judged]))
    for (const { after: finding } of this.#open([...before.keys()])) {
      const judged = byFingerprint.get(finding.fingerprint)
      if (judged !== undefined) findings.set(finding, judged)
    }
    const { matched, unmatchedFindings, unmatchedActivations } = matchFindings([...findings.keys()], [...after.keys()])
    const isKept = keptBy(present)

    for (const { finding, activation } of matched) {
      const judged = findings.get(finding)
      if (judged === undefined) continue
      const other = { verdict: activation.verdict, journey: after.get(activation)?.journey ?? null }
      if (isFound(other.verdict)) this.#stay(programs, judged, other)
      else this.#vanish(programs, finding, judged, activation.verdict.state, isKept)
    }
    for (const finding of unmatchedFindings) {
      const judged = findings.get(finding)
      if (judged === undefined) continue
      const pair = this.#tallyOf(programs, judged.verdict, 'before')?.pair
      this.#vanish(programs, finding, judged, pair?.after ? 'not_judged' : 'not_promised', isKept)
    }
    const appearing = unmatchedActivations.filter(({ verdict }) => isFound(verdict))
    for (const { after: finding } of this.#open(appearing)) {
      const activation = appearing.find((one) => one.fingerprint === finding.fingerprint)
      const judged = activation === undefined ? undefined : after.get(activation)
      if (activation !== undefined && judged !== undefined) this.#appear(programs, finding, judged, activation, byFingerprint, isKept)
    }
  }

  #stay(programs: ProgramDraft, before: Judged, after: Judged): void {
    if (!this.#isWithin(before.verdict) && !this.#isWithin(after.verdict)) return
    const tally = this.#tallyOf(programs, after.verdict, 'after')
    if (tally !== undefined) tally.stay++
  }

  #vanish(programs: ProgramDraft, finding: Finding, judged: Judged, otherSide: OtherSide, isKept: Kept): void {
    if (!this.#isWithin(judged.verdict)) return
    this.#tallyOf(programs, judged.verdict, 'before')?.vanish(
      toPreview(finding, judged, otherSide, isKept(judged)),
      this.#options.listAtMost,
    )
  }

  #appear(
    programs: ProgramDraft,
    finding: Finding,
    judged: Judged,
    activation: JudgedActivation,
    present: ReadonlyMap<string, Judged>,
    isKept: Kept,
  ): void {
    if (!this.#isWithin(judged.verdict)) return
    const tally = this.#tallyOf(programs, judged.verdict, 'after')
    if (tally === undefined) return
    const known = [activation.fingerprint, ...(activation.formerFingerprints ?? [])].flatMap((one) => present.get(one) ?? [])[0]
    const otherSide = tally.pair.before === null ? 'not_promised' : (known?.verdict.state ?? 'not_judged')
    tally.appear(toPreview(finding, judged, otherSide, isKept(judged)), this.#options.listAtMost)
  }

  result(): readonly PreviewedExpectation[] {
    return this.#tallies.map((tally) => tally.result(this.#options.listAtMost))
  }

  #tallyOf({ key }: ProgramDraft, { expectation }: Verdict, side: 'before' | 'after'): Tally | undefined {
    return this.#tallyOfPromise[side].get(`${key}\0${expectation}`)
  }

  #isWithin({ anchorAt, occurredAt, evidenceAt }: Verdict): boolean {
    const at = Math.max(anchorAt ?? Number.NEGATIVE_INFINITY, occurredAt ?? Number.NEGATIVE_INFINITY)
    return (at === Number.NEGATIVE_INFINITY ? (evidenceAt ?? this.#options.now) : at) >= this.#options.since
  }

  #open(activations: readonly JudgedActivation[]) {
    const { now, routing } = this.#options
    return decideFindings([], activations, { now, routing, promises: this.#promises, subjects: new Set() })
  }

  #toActivation({ verdict, journey }: Judged, program: Program | null): JudgedActivation {
    const { workspaceKey } = this.#options
    const key = program?.key ?? null
    const expectation = program?.expectations.find(({ name }) => name === verdict.expectation)
    const former = expectation?.renamedFrom ?? null
    return {
      fingerprint: fingerprintOf(workspaceKey, key, verdict.expectation, verdict.activation),
      ...(former === null ? {} : { formerFingerprints: [fingerprintOf(workspaceKey, key, former, verdict.activation)] }),
      program: key,
      programVersion: null,
      subjectId: null,
      journeyId: journey?.key ?? null,
      severity: expectation?.severity ?? 'medium',
      expectationOwner: expectation?.owner ?? null,
      programOwner: program?.owner ?? null,
      verdict,
    }
  }
}

interface Judged {
  readonly verdict: Verdict
  readonly journey: JudgedJourney | null
}
type Kept = (judged: Judged) => boolean

function sideOf({ journeys, loose }: ComponentJudgement, program: string, version: number): Judged[] {
  return [
    ...journeys
      .filter((journey) => journey.program === program && journey.programVersion === version)
      .flatMap((journey) => journey.verdicts.map((verdict) => ({ verdict, journey }))),
    ...loose
      .filter((verdict) => verdict.program === program && verdict.programVersion === version)
      .map((verdict) => ({ verdict, journey: null })),
  ]
}

/** Whether applying leaves a journey to the version in force: it had ended under it, or shares its time with one that had (semantics.md 22). */
function keptBy(present: readonly Judged[]): Kept {
  const ended = [...new Set(present.flatMap(({ journey }) => (journey !== null && hasEnded(journey) ? [journey] : [])))]
  return ({ journey }) =>
    journey !== null &&
    ended.some(
      (one) =>
        one.key === journey.key ||
        (hasEnded(journey) &&
          one.subjectIndex === journey.subjectIndex &&
          (one.object === null || journey.object === null || one.object.id === journey.object.id) &&
          one.startedAt <= (journey.endedAt ?? 0) &&
          journey.startedAt <= (one.endedAt ?? 0)),
    )
}

const hasEnded = ({ endedAt, endReason }: JudgedJourney) => endedAt !== null && endReason !== 'final'

function toPreview(finding: Finding, { verdict }: Judged, otherSide: OtherSide, isKept: boolean): PreviewedFinding {
  return {
    id: finding.id,
    program: finding.program ?? '',
    expectation: finding.expectation,
    kind: finding.kind,
    severity: finding.severity,
    owner: finding.owner,
    journeyId: finding.journeyId,
    object: verdict.object,
    occurredAt: finding.occurredAt,
    deadlineAt: finding.deadlineAt,
    isOpen: verdict.state === 'violated',
    otherSide,
    effect: isKept ? 'history' : 'on_apply',
    streams: finding.streams,
    detail: finding.detail,
  }
}
