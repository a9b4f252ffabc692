import { ToolError } from '../connectors/connector.ts'
import { hashOfPlan, type RunLimits, type RunPlan, type RunStep } from '../domain/run.ts'
import { type RunDeps, reach } from './actions.ts'

/** A step as its runbook plans it, before any tool was looked at. */
export type DraftStep = Pick<RunStep, 'key' | 'title' | 'connection' | 'action' | 'input' | 'attempts' | 'backoffMs' | 'timeoutMs'>

export interface DraftPlan {
  readonly runbook: string
  readonly version: number
  readonly findingId: string
  readonly steps: readonly DraftStep[]
  readonly limits: RunLimits
  /** Null: as long as its actions say. */
  readonly verifyMs: number | null
  readonly approval: RunPlan['approval']
}

export interface StepLook {
  readonly key: string
  readonly kind: 'ready' | 'already' | 'refused' | 'unreached'
  /** Why it would not be sent; null: it would. */
  readonly message: string | null
}

export interface Prepared {
  readonly plan: RunPlan
  readonly hash: string
  readonly looks: readonly StepLook[]
  /** Nothing stands in the way of the first step. */
  readonly mayStart: boolean
}

const defaultApproval = { role: 'approver', withinMs: 4 * 3_600_000 }
const defaultVerifyMs = 30 * 60_000
const neutralOnes: ReadonlySet<string> = new Set(['wait', 'recheck', 'ask-person'])

/**
 * Looks at every tool a plan would reach, and says exactly what would be sent. Sends nothing. Steps whose tool could not be looked at, or
 * refuses, say so; money asks for an approval whatever the runbook says.
 */
export async function prepareRun(deps: RunDeps, draft: DraftPlan, signal: AbortSignal): Promise<Prepared> {
  const looked = await Promise.all(draft.steps.map((step) => lookAt(deps, step, signal)))
  const steps = looked.map(({ step }) => step)
  const windows = looked.map(({ verifyMs }) => verifyMs)
  const movesMoney = steps.some((step) => step.reach === 'money')
  const plan: RunPlan = {
    runbook: draft.runbook,
    version: draft.version,
    findingId: draft.findingId,
    steps,
    limits: draft.limits,
    verifyMs: draft.verifyMs ?? (Math.max(0, ...windows) || defaultVerifyMs),
    verifies: 'finding',
    approval: draft.approval ?? (movesMoney ? defaultApproval : null),
  }
  const looks = looked.map(({ look }) => look)
  const stopped = looks.find((look) => look.kind === 'refused' || look.kind === 'unreached')
  return { plan, hash: hashOfPlan(plan), looks, mayStart: stopped === undefined }
}

async function lookAt(deps: RunDeps, draft: DraftStep, signal: AbortSignal): Promise<{ step: RunStep; look: StepLook; verifyMs: number }> {
  const bare: RunStep = { ...draft, reach: 'none', keyMs: null, mayLookUp: false, amount: null, sends: [], sees: [] }
  if (draft.connection === null && neutralOnes.has(draft.action))
    return { step: bare, look: { key: draft.key, kind: 'ready', message: null }, verifyMs: 0 }
  try {
    const { action, context } = reach(deps, draft, signal)
    const known: RunStep = {
      ...bare,
      reach: action.reach,
      keyMs: action.repeat.keyHours === null ? null : action.repeat.keyHours * 3_600_000,
      mayLookUp: action.repeat.lookUp && action.lookUp !== undefined,
    }
    const verifyMs = action.verifyBy.withinSeconds * 1000
    const seen = await action.preflight(context, draft.input)
    if (seen.kind === 'ready')
      return {
        step: { ...known, amount: seen.amount, sends: seen.sends, sees: seen.sees },
        look: { key: draft.key, kind: 'ready', message: null },
        verifyMs,
      }
    return { step: known, look: { key: draft.key, kind: seen.kind, message: seen.message }, verifyMs }
  } catch (error) {
    if (!(error instanceof ToolError)) throw error
    return { step: bare, look: { key: draft.key, kind: 'unreached', message: error.message }, verifyMs: 0 }
  }
}
