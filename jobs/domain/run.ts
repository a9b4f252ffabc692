import { createHash } from 'node:crypto'
import type { RunEvidence, RunState, StepState } from '../../db/schema/runs.ts'
import type { Json, StepReach } from './runbook.ts'

/** One line of what will be sent or was seen, in words that may be shown and stored. */
export interface RunShown {
  readonly label: string
  readonly value: string
}

/** A step with its inputs resolved. `connection` null: a neutral action, done by Throughline itself. */
export interface RunStep {
  readonly key: string
  readonly title: string
  readonly connection: string | null
  readonly action: string
  /** Ids, amounts, words of closed lists. */
  readonly input: Readonly<Record<string, Json>>
  readonly reach: StepReach
  readonly attempts: number
  readonly backoffMs: number
  readonly timeoutMs: number
  /** Of a tool that answers the same key with the same effect: for how long, ms; null: it knows no keys. */
  readonly keyMs: number | null
  readonly mayLookUp: boolean
  readonly amount: { readonly minor: number; readonly currency: string } | null
  /** What would be sent and what the tool showed when the run was asked for; empty for neutral actions. */
  readonly sends: readonly RunShown[]
  readonly sees: readonly RunShown[]
}

export interface RunLimits {
  readonly perDay: number | null
  /** Minor units by currency. */
  readonly amountPerDay: Readonly<Record<string, number>>
}

/** All that a run does, fixed when it is asked for. */
export interface RunPlan {
  readonly runbook: string
  readonly version: number
  readonly findingId: string
  readonly steps: readonly RunStep[]
  readonly limits: RunLimits
  /** How long later reads may take to show the effects, ms. */
  readonly verifyMs: number
  /** `finding`: it is verified when the tools show the effects and the promise is kept; `effect`: when they show the effects. */
  readonly verifies: 'finding' | 'effect'
  /** Null: nobody is asked. */
  readonly approval: { readonly role: string; readonly withinMs: number } | null
}

/** Whether a step of it reaches money: then it is always approved, by someone who has just shown that it is they. */
export const movesMoney = ({ steps }: Pick<RunPlan, 'steps'>): boolean => steps.some(({ reach }) => reach === 'money')

/** What an approval is bound to: every input, and what the tools showed. The same plan in any key order has the same hash. */
export function hashOfPlan(plan: RunPlan): string {
  return createHash('sha256').update(canonical(plan)).digest('hex')
}

/** Whether two values say the same, whatever the order of their fields. */
export const isSame = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b)

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value).filter(([, each]) => each !== undefined)
  return `{${fields
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`)
    .join(',')}}`
}

/** How far a step is. Times are domain time, epoch ms. */
export interface StepNow {
  readonly state: StepState
  readonly attempts: number
  readonly lookUps: number
  readonly since: number | null
  /** The last attempt was begun and its end was never recorded. */
  readonly isOpen: boolean
  readonly lastEndedWall: number | null
  readonly shownAt: number | null
  readonly evidence: RunEvidence | null
}

export interface RunNow {
  readonly state: RunState
  readonly plan: RunPlan
  readonly position: number
  readonly steps: readonly StepNow[]
  readonly verifyUntil: number | null
  readonly approvalExpiresWall: number | null
  readonly finding: { readonly isOpen: boolean; readonly status: string }
}

/** What is to be done next with a run. `wall` is when to look again. */
export type NextMove =
  | { readonly kind: 'look-first'; readonly position: number }
  | { readonly kind: 'attempt'; readonly position: number }
  | { readonly kind: 'look-up'; readonly position: number }
  | { readonly kind: 'rest'; readonly wall: number }
  | { readonly kind: 'ask-person'; readonly position: number; readonly message: string }
  | { readonly kind: 'verify' }
  | { readonly kind: 'end'; readonly state: RunState; readonly message: string }
  | { readonly kind: 'wait-for-person' }

const lookUpsAtMost = 5
const settled: ReadonlySet<StepState> = new Set(['done', 'already', 'skipped'])

/**
 * The next move of a run that someone has just taken up. Nothing is sent twice on a guess: an attempt whose end is not known is repeated
 * only with a key the tool still honours; else the effect is looked for, and where that cannot decide, a person does.
 */
export function nextMove(run: RunNow, { now, wallNow }: { readonly now: number; readonly wallNow: number }): NextMove {
  if (run.state === 'waiting_approval') {
    if (!run.finding.isOpen) return closedMeanwhile(run)
    if (run.approvalExpiresWall !== null && run.approvalExpiresWall <= wallNow)
      return { kind: 'end', state: 'expired', message: 'Nobody decided in time. Ask again: the tools are looked at anew.' }
    return run.approvalExpiresWall === null ? { kind: 'wait-for-person' } : { kind: 'rest', wall: run.approvalExpiresWall }
  }
  if (run.state === 'waiting_person' || run.state === 'outcome_unknown') return { kind: 'wait-for-person' }
  if (run.state === 'verifying') return { kind: 'verify' }
  if (run.state !== 'acting') return { kind: 'wait-for-person' }

  const position = run.steps.findIndex((step) => !settled.has(step.state))
  const planned = run.plan.steps[position]
  const step = run.steps[position]
  if (planned === undefined || step === undefined) return { kind: 'verify' }
  const hasActed = run.steps.some((each) => each.attempts > 0)
  if (!run.finding.isOpen && !hasActed) return closedMeanwhile(run)

  if (step.state === 'refused' || step.state === 'failed') return { kind: 'end', state: step.state, message: '' }
  if (step.attempts === 0) return { kind: 'look-first', position }
  if (step.state === 'unknown' || step.isOpen) {
    const age = now - (step.since ?? now)
    if (planned.keyMs !== null && age < planned.keyMs && step.attempts < planned.attempts + 1)
      return restOr(step, planned, wallNow, { kind: 'attempt', position })
    if (planned.mayLookUp && step.lookUps < lookUpsAtMost) return restOr(step, planned, wallNow, { kind: 'look-up', position })
    return {
      kind: 'ask-person',
      position,
      message: 'It was sent and no answer came, and the tool cannot say whether it happened. Look in the tool, then record what you found.',
    }
  }
  if (step.attempts >= planned.attempts) return { kind: 'end', state: 'failed', message: '' }
  return restOr(step, planned, wallNow, { kind: 'attempt', position })
}

function restOr(step: StepNow, planned: RunStep, wallNow: number, move: NextMove): NextMove {
  if (step.lastEndedWall === null) return move
  const due = step.lastEndedWall + planned.backoffMs * 2 ** Math.min(10, Math.max(0, step.attempts - 1 + step.lookUps))
  return due <= wallNow ? move : { kind: 'rest', wall: due }
}

function closedMeanwhile({ finding }: RunNow): NextMove {
  return { kind: 'end', state: 'void', message: `The finding is ${finding.status.replaceAll('_', ' ')} meanwhile: nothing was sent.` }
}

/** What a look for verification found. `readTo`: how far the streams that must show it were read, domain time; null: never. */
export interface Sight {
  readonly areShown: boolean
  readonly readTo: number | null
}

export type Verification =
  | { readonly kind: 'wait' }
  | { readonly kind: 'end'; readonly state: 'verified' | 'already_satisfied' | 'verification_failed'; readonly message: string }

/** Beyond its window a run whose tool is not read waits this much longer, ms, before it says that it could not be verified. */
export const unreadGraceMs = 86_400_000

/** Whether the tools show that it worked: by reads taken after the effects, never by the answer to the action. */
export function verify(run: RunNow, sight: Sight, now: number): Verification {
  const until = run.verifyUntil ?? now
  const isKept = run.plan.verifies === 'effect' || !run.finding.isOpen
  if (sight.areShown && isKept) {
    return run.steps.every((step) => step.state !== 'done')
      ? { kind: 'end', state: 'already_satisfied', message: 'The tools showed it already: nothing was sent.' }
      : { kind: 'end', state: 'verified', message: 'Reads taken afterwards show it.' }
  }
  if (now <= until) return { kind: 'wait' }
  if ((sight.readTo === null || sight.readTo < until) && now <= until + unreadGraceMs) return { kind: 'wait' }
  return {
    kind: 'end',
    state: 'verification_failed',
    message: sight.areShown
      ? 'The tool shows the effect, and the promise is still not kept: look at the finding again.'
      : sight.readTo === null || sight.readTo < until
        ? 'The tool could not be read since, so nobody knows whether it worked. See its connection.'
        : 'The tool said yes and does not show it. Nothing closes; look in the tool.',
  }
}
