import { z } from '@hono/zod-openapi'
import type { ApprovalRow, RunAttemptRow, RunRow, RunStepRow } from '../../db/schema/runs.ts'
import { attemptOutcomes, runStates, stepStates } from '../../db/schema/runs.ts'
import type { RunPlan } from '../../jobs/domain/run.ts'
import { iso, isoTime } from './common.ts'

const shownShape = z.object({ label: z.string(), value: z.string() })
const amountShape = z.object({ minor: z.int(), currency: z.string() })

export const plannedStepShape = z
  .object({
    key: z.string(),
    title: z.string(),
    /** Null: done by Throughline itself. */
    connection: z.string().nullable(),
    action: z.string(),
    reach: z.enum(['money', 'message', 'record', 'notice', 'none']),
    sends: z.array(shownShape),
    sees: z.array(shownShape),
    amount: amountShape.nullable(),
  })
  .openapi('PlannedStep')

export const runPreviewShape = z
  .object({
    runbook: z.string(),
    version: z.int(),
    hash: z.string(),
    steps: z.array(plannedStepShape.extend({ look: z.enum(['ready', 'already', 'refused', 'unreached']), message: z.string().nullable() })),
    approval: z.object({ role: z.string(), withinMs: z.int() }).nullable(),
    verifyMs: z.int(),
    mayStart: z.boolean(),
    asOf: isoTime,
  })
  .openapi('RunPreview')

const attemptShape = z.object({
  attempt: z.int(),
  startedAt: isoTime,
  endedAt: isoTime.nullable(),
  outcome: z.enum(attemptOutcomes).nullable(),
  message: z.string().nullable(),
})

export const runShape = z
  .object({
    id: z.string(),
    findingId: z.string(),
    runbook: z.string(),
    version: z.int(),
    state: z.enum(runStates),
    isActive: z.boolean(),
    message: z.string().nullable(),
    reason: z.string().nullable(),
    requestedBy: z.string(),
    requestedAt: isoTime,
    endedAt: isoTime.nullable(),
    verifyUntil: isoTime.nullable(),
    revision: z.int(),
    can: z.object({ cancel: z.boolean(), answer: z.boolean() }),
  })
  .openapi('Run')

export const runDetailShape = runShape
  .extend({
    asOf: isoTime,
    hash: z.string(),
    position: z.int(),
    steps: z.array(
      plannedStepShape.extend({
        state: z.enum(stepStates),
        message: z.string().nullable(),
        idempotencyKey: z.string().nullable(),
        evidence: z.object({ connection: z.string(), stream: z.string(), externalId: z.string() }).nullable(),
        /** When a read taken after the first attempt showed the effect. */
        shownAt: isoTime.nullable(),
        startedAt: isoTime.nullable(),
        endedAt: isoTime.nullable(),
        attempts: z.array(attemptShape),
      }),
    ),
    approval: z
      .object({
        id: z.string(),
        state: z.enum(['waiting', 'granted', 'rejected', 'expired', 'void']),
        role: z.string(),
        requestedBy: z.string(),
        expiresAt: isoTime,
        decidedBy: z.string().nullable(),
        decidedAt: isoTime.nullable(),
        reason: z.string().nullable(),
      })
      .nullable(),
    verifies: z.enum(['finding', 'effect']),
  })
  .openapi('RunDetail')

export function toRunView(run: RunRow): z.output<typeof runShape> {
  const isActive = run.endedAt === null
  return {
    id: run.id,
    findingId: run.findingId,
    runbook: run.runbook,
    version: run.runbookVersion,
    state: run.state,
    isActive,
    message: run.message,
    reason: run.reason,
    requestedBy: run.requestedBy,
    requestedAt: iso(run.requestedAt),
    endedAt: iso(run.endedAt),
    verifyUntil: iso(run.verifyUntil),
    revision: run.revision,
    can: { cancel: isActive, answer: run.state === 'outcome_unknown' || run.state === 'waiting_person' },
  }
}

interface Parts {
  readonly steps: readonly RunStepRow[]
  readonly attempts: readonly RunAttemptRow[]
  readonly approval: ApprovalRow | undefined
  readonly now: number
}

export function toRunDetail(run: RunRow, { steps, attempts, approval, now }: Parts): z.output<typeof runDetailShape> {
  const plan = run.plan as RunPlan
  return {
    ...toRunView(run),
    asOf: iso(now),
    hash: run.hash,
    position: run.position,
    verifies: plan.verifies,
    steps: plan.steps.flatMap((planned, position) => {
      const step = steps.find((each) => each.position === position)
      if (step === undefined) return []
      return {
        ...toPlannedView(planned),
        state: step.state,
        message: step.message,
        idempotencyKey: step.idempotencyKey,
        evidence: step.evidence,
        shownAt: iso(step.shownAt),
        startedAt: iso(step.startedAt),
        endedAt: iso(step.endedAt),
        attempts: attempts
          .filter((each) => each.position === position)
          .map((each) => ({
            attempt: each.attempt,
            startedAt: iso(each.startedWall),
            endedAt: iso(each.endedWall),
            outcome: each.outcome,
            message: each.message,
          })),
      }
    }),
    approval:
      approval === undefined
        ? null
        : {
            id: approval.id,
            state: approval.state,
            role: plan.approval?.role ?? 'approver',
            requestedBy: approval.requestedBy,
            expiresAt: iso(approval.expiresWall),
            decidedBy: approval.decidedBy,
            decidedAt: iso(approval.decidedAt),
            reason: approval.reason,
          },
  }
}

export function toPlannedView({
  key,
  title,
  connection,
  action,
  reach,
  sends,
  sees,
  amount,
}: RunPlan['steps'][number]): z.output<typeof plannedStepShape> {
  return { key, title, connection, action, reach, sends: [...sends], sees: [...sees], amount }
}
