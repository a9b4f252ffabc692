import type { Verdict, VerdictState } from './expectations/expectation.ts'
import type { Expectation, Program, Severity } from './program.ts'

/** One program as it is in force and as it would be. Null: there is none on that side. */
export interface ProgramDraft {
  readonly key: string
  readonly present: Program | null
  readonly draft: Program | null
}

/** Why a finding is gone, or was not there: how the other side judges the same activation. `not_promised`: that side makes no such promise. */
export type OtherSide = VerdictState | 'not_promised' | 'not_judged'

/** A finding one version would have and the other would not. Times are epoch ms. */
export interface PreviewedFinding {
  /** The id it has, or would get unless that is taken. */
  readonly id: string
  readonly program: string
  readonly expectation: string
  readonly kind: string
  readonly severity: Severity
  readonly owner: string
  readonly journeyId: string | null
  readonly object: { readonly type: string; readonly id: string } | null
  readonly occurredAt: number | null
  readonly deadlineAt: number | null
  /** False: the step came too late, so the finding had closed by itself. */
  readonly isOpen: boolean
  readonly otherSide: OtherSide
  /** `history`: its journey had ended, so it keeps the version it ended under (semantics.md 22) and applying leaves it as it is. */
  readonly effect: 'on_apply' | 'history'
  readonly streams: readonly string[]
  readonly detail: Verdict['detail']
}

/** Of one promise on one side, within the time looked at. */
export interface SideCount {
  readonly activations: number
  readonly violations: number
  /** Activations with a finding, closed ones included. */
  readonly findings: number
  readonly states: Readonly<Partial<Record<VerdictState, number>>>
}

export interface PreviewedExpectation {
  readonly program: string
  readonly expectation: string
  /** Its name in the version in force, where `renamed_from` says another one. */
  readonly formerName: string | null
  /** Null: the version in force does not promise it. */
  readonly before: SideCount | null
  /** Null: the draft does not promise it. */
  readonly after: SideCount | null
  readonly appear: number
  readonly vanish: number
  /** Found by both. */
  readonly stay: number
  /** Of those, what applying would change at once: journeys that go on. */
  readonly onApply: { readonly appear: number; readonly vanish: number }
  readonly appearing: readonly PreviewedFinding[]
  readonly vanishing: readonly PreviewedFinding[]
}

export interface PromisePair {
  readonly program: string
  readonly before: Expectation | null
  readonly after: Expectation | null
}
/** Which promise of the draft goes on which one in force: the same name, else the one `renamed_from` names. In the order of the draft. */
export function pairPromises({ key, present, draft }: ProgramDraft): readonly PromisePair[] {
  const before = new Map(present?.expectations.map((one) => [one.name, one]))
  const kept = new Set(draft?.expectations.map(({ name }) => name))
  const taken = new Set<string>()
  const pairs = (draft?.expectations ?? []).map((after): PromisePair => {
    const former = before.has(after.name) || after.renamedFrom === null || kept.has(after.renamedFrom) ? after.name : after.renamedFrom
    const found = taken.has(former) ? undefined : before.get(former)
    if (found !== undefined) taken.add(found.name)
    return { program: key, before: found ?? null, after }
  })
  for (const one of before.values()) if (!taken.has(one.name)) pairs.push({ program: key, before: one, after: null })
  return pairs
}

interface OpenCount {
  activations: number
  violations: number
  findings: number
  states: Partial<Record<VerdictState, number>>
}
const nothingYet = (): OpenCount => ({ activations: 0, violations: 0, findings: 0, states: {} })

/** Counts one promise on both sides, and keeps the latest findings that differ. */
export class Tally {
  readonly pair: PromisePair
  readonly #counts = { before: nothingYet(), after: nothingYet() }
  readonly #appearing = new Latest()
  readonly #vanishing = new Latest()
  stay = 0

  constructor(pair: PromisePair) {
    this.pair = pair
  }

  count(verdict: Verdict, side: 'before' | 'after', isWithin: boolean): void {
    if (!isWithin) return
    const count = this.#counts[side]
    count.activations += verdict.activations ?? 1
    count.violations += verdict.violations
    if (isFound(verdict)) count.findings++
    count.states[verdict.state] = (count.states[verdict.state] ?? 0) + (verdict.activations ?? 1)
  }

  appear(finding: PreviewedFinding, listAtMost: number): void {
    this.#appearing.add(finding, listAtMost)
  }

  vanish(finding: PreviewedFinding, listAtMost: number): void {
    this.#vanishing.add(finding, listAtMost)
  }

  result(listAtMost: number): PreviewedExpectation {
    const { program, before, after } = this.pair
    return {
      program,
      expectation: after?.name ?? before?.name ?? '',
      formerName: before !== null && after !== null && before.name !== after.name ? before.name : null,
      before: before === null ? null : this.#counts.before,
      after: after === null ? null : this.#counts.after,
      appear: this.#appearing.count,
      vanish: this.#vanishing.count,
      stay: this.stay,
      onApply: { appear: this.#appearing.onApply, vanish: this.#vanishing.onApply },
      appearing: this.#appearing.list(listAtMost),
      vanishing: this.#vanishing.list(listAtMost),
    }
  }
}

/** Counts all and keeps the latest few. */
class Latest {
  count = 0
  onApply = 0
  #kept: PreviewedFinding[] = []

  add(finding: PreviewedFinding, listAtMost: number): void {
    this.count++
    if (finding.effect === 'on_apply') this.onApply++
    this.#kept.push(finding)
    if (this.#kept.length > 2 * listAtMost) this.#kept = this.list(listAtMost)
  }

  list(listAtMost: number): PreviewedFinding[] {
    return this.#kept.sort((a, b) => (b.occurredAt ?? 0) - (a.occurredAt ?? 0) || (a.id < b.id ? -1 : 1)).slice(0, listAtMost)
  }
}

/** Whether an activation has a finding, open or closed by itself. */
export function isFound({ state }: Pick<Verdict, 'state'>): boolean {
  return state === 'violated' || state === 'satisfied_late'
}
