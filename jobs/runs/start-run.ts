import { createHash, randomUUID } from 'node:crypto'
import type { DbTransaction } from '../../db/client.ts'
import { sealing } from '../../db/records/audit.ts'
import { readFinding } from '../../db/records/findings.ts'
import {
  type ApprovalRow,
  changeSeenRun,
  changeStep,
  decideApproval,
  insertApproval,
  insertRun,
  noteRunAct,
  type RunRow,
  readActiveRun,
  readApproval,
  readRun,
  readRunByRequest,
  readSteps,
} from '../../db/records/runs.ts'
import { AppError } from '../domain/errors.ts'
import { isOpen } from '../domain/finding-lifecycle.ts'
import { hashOfPlan, type RunPlan } from '../domain/run.ts'
import type { RunDeps } from './actions.ts'
import { moveFinding } from './move-finding.ts'
import type { Prepared } from './prepare-run.ts'

export interface RunRequest {
  readonly actor: string
  readonly reason: string | null
  /** The client's Idempotency-Key with the digest of its body: the same request again is the same run. */
  readonly request: { readonly key: string; readonly digest: string } | null
}

/** Makes a run in the caller's transaction-to-be known to the engine. */
export type EnqueueRun = (tx: DbTransaction, runId: string) => Promise<void>

const newId = () => randomUUID().replaceAll('-', '')

/**
 * A run of what was just prepared: in the same transaction as its audit row and, where nobody must approve, the engine's job.
 * @throws AppError conflict with the id of the active run in `details.run`; already_done by the same key is answered by that run.
 */
export async function startRun(
  deps: RunDeps,
  { plan, hash }: Prepared,
  asked: RunRequest,
  enqueue: EnqueueRun,
): Promise<{ run: RunRow; isNew: boolean }> {
  const { workspace } = deps
  const before = asked.request && (await readRunByRequest(workspace.database.db, workspace.id, asked.actor, asked.request.key))
  if (before) return { run: sameRequest(before, asked), isNew: false }
  return sealing(workspace.database.db, async (tx) => {
    const now = workspace.clock.now()
    const finding = await readFinding(tx, workspace.id, plan.findingId)
    if (finding === undefined) throw new AppError('not_found', `There is no finding ${plan.findingId}.`)
    if (!isOpen(finding.status))
      throw new AppError('conflict', `This finding is ${finding.status.replaceAll('_', ' ')}: nothing is to be recovered.`)
    const run = await insertRun(
      tx,
      {
        workspaceId: workspace.id,
        id: newId(),
        part: finding.part,
        findingId: finding.id,
        runbook: plan.runbook,
        runbookVersion: plan.version,
        state: plan.approval === null ? 'acting' : 'waiting_approval',
        plan,
        hash,
        reason: asked.reason,
        requestedBy: asked.actor,
        requestedAt: now,
        requestedWall: deps.wallNow(),
        requestKey: asked.request?.key ?? null,
        requestDigest: asked.request?.digest ?? null,
        nextWall: plan.approval === null ? deps.wallNow() : deps.wallNow() + plan.approval.withinMs,
        verifyMs: plan.verifyMs,
      },
      plan.steps,
    )
    if (run === undefined) {
      const again = asked.request && (await readRunByRequest(tx, workspace.id, asked.actor, asked.request.key))
      if (again) return { run: sameRequest(again, asked), isNew: false }
      const active = await readActiveRun(tx, workspace.id, finding.id)
      throw new AppError('conflict', `Run ${active?.id ?? ''} of ${active?.runbook ?? 'another runbook'} is at work on this finding.`)
    }
    if (plan.approval !== null) {
      await insertApproval(tx, {
        workspaceId: workspace.id,
        id: newId(),
        runId: run.id,
        hash,
        state: 'waiting',
        requestedBy: asked.actor,
        requestedAt: now,
        expiresWall: deps.wallNow() + plan.approval.withinMs,
      })
    }
    await noteRunAct(tx, workspace.id, run, {
      act: 'run.start',
      actor: asked.actor,
      at: now,
      reason: asked.reason,
      after: { runbook: plan.runbook, version: plan.version, hash },
    })
    if (plan.approval === null) await enqueue(tx, run.id)
    return { run, isNew: true }
  })
}

function sameRequest(run: RunRow, { request }: RunRequest): RunRow {
  if (run.requestDigest === request?.digest) return run
  throw new AppError('invalid_input', 'This Idempotency-Key was used for another request. Use a new key for a new request.')
}

/** The digest of what was asked, for its Idempotency-Key. */
export const digestOf = (body: unknown): string => createHash('sha256').update(JSON.stringify(body)).digest('hex')

export interface Decision {
  readonly actor: string
  readonly isGranted: boolean
  /** Of the run the approver saw: what was approved is exactly that. */
  readonly hash: string
  readonly reason: string | null
}

/**
 * Approves or rejects, once. @throws AppError not_found; conflict when it is over, someone was first, the requester asks to approve
 * themselves, or the run is no longer what the approver saw.
 */
export async function decideRun(deps: RunDeps, runId: string, decision: Decision, enqueue: EnqueueRun): Promise<RunRow> {
  const { workspace } = deps
  const now = workspace.clock.now()
  return sealing(workspace.database.db, async (tx) => {
    const run = await readRun(tx, workspace.id, runId)
    if (run === undefined) throw new AppError('not_found', `There is no run ${runId}.`)
    const approval: ApprovalRow | undefined = await readApproval(tx, workspace.id, runId)
    if (approval === undefined || run.state !== 'waiting_approval' || approval.state !== 'waiting')
      throw new AppError('conflict', 'Nothing waits for approval here: it was decided, or it is over.')
    if (approval.requestedBy === decision.actor)
      throw new AppError('conflict', 'Whoever asks for a run cannot approve it. Ask a colleague.')
    if (approval.expiresWall <= deps.wallNow()) throw new AppError('conflict', 'This approval has expired. Ask for the run again.')
    if (decision.hash !== approval.hash || hashOfPlan(run.plan as RunPlan) !== approval.hash)
      throw new AppError('conflict', 'What would be done is no longer what you saw. Read it again, then decide.')
    const decided = await decideApproval(tx, approval, {
      state: decision.isGranted ? 'granted' : 'rejected',
      decidedBy: decision.actor,
      decidedAt: now,
      reason: decision.reason,
    })
    if (decided === undefined) throw new AppError('conflict', 'Someone else decided it first. Read it again.')
    const changed = await changeSeenRun(
      tx,
      run,
      decision.isGranted
        ? { state: 'acting', nextWall: deps.wallNow() }
        : { state: 'rejected', endedAt: now, nextWall: null, message: decision.reason ?? 'Rejected.' },
    )
    if (changed === undefined) throw new AppError('conflict', 'The run changed while you looked. Read it again.')
    await noteRunAct(tx, workspace.id, run, {
      act: decision.isGranted ? 'run.approve' : 'run.reject',
      actor: decision.actor,
      at: now,
      reason: decision.reason,
      after: { hash: approval.hash },
    })
    if (decision.isGranted) await enqueue(tx, run.id)
    return changed
  })
}

/** Ends a run that has not ended. What was sent stays sent, and the message says so. @throws AppError not_found, conflict */
export async function cancelRun(deps: RunDeps, runId: string, actor: string, reason: string): Promise<RunRow> {
  const { workspace } = deps
  const now = workspace.clock.now()
  return sealing(workspace.database.db, async (tx) => {
    const run = await readRun(tx, workspace.id, runId)
    if (run === undefined) throw new AppError('not_found', `There is no run ${runId}.`)
    const steps = await readSteps(tx, workspace.id, runId)
    const sent = steps.filter((step) => step.attempts > 0).map(({ key }) => key)
    const message =
      sent.length === 0 ? 'Cancelled before anything was sent.' : `Cancelled after ${sent.join(', ')}: that was sent and stays.`
    const changed = await changeSeenRun(tx, run, { state: 'cancelled', endedAt: now, nextWall: null, message })
    if (changed === undefined) throw new AppError('conflict', 'This run has ended, or changed while you looked. Read it again.')
    const approval = await readApproval(tx, workspace.id, runId)
    if (approval?.state === 'waiting') await decideApproval(tx, approval, { state: 'void', decidedBy: null, decidedAt: now, reason: null })
    await moveFinding(tx, run, 'open', { actor, at: now })
    await noteRunAct(tx, workspace.id, run, { act: 'run.cancel', actor, at: now, reason, after: { message } })
    return changed
  })
}

export type PersonAnswer =
  /** It happened: the record that shows it. */
  | { readonly kind: 'happened'; readonly externalId: string }
  | { readonly kind: 'did-not-happen' }
  /** To a step that asks. */
  | { readonly kind: 'confirmed' }

/** What a person found in the tool, or their answer to a step that asks. @throws AppError not_found, conflict, invalid_input */
export async function answerRun(
  deps: RunDeps,
  runId: string,
  answer: PersonAnswer & { readonly actor: string; readonly reason: string },
  enqueue: EnqueueRun,
): Promise<RunRow> {
  const { workspace } = deps
  const now = workspace.clock.now()
  return sealing(workspace.database.db, async (tx) => {
    const run = await readRun(tx, workspace.id, runId)
    if (run === undefined) throw new AppError('not_found', `There is no run ${runId}.`)
    if (run.state !== 'outcome_unknown' && run.state !== 'waiting_person')
      throw new AppError('conflict', 'Nobody is asked anything here now.')
    const steps = await readSteps(tx, workspace.id, runId)
    const step = steps[run.position]
    const planned = (run.plan as RunPlan).steps[run.position]
    if (step === undefined || planned === undefined) throw new AppError('conflict', 'This step is not there any more.')
    const isUnknown = run.state === 'outcome_unknown'
    if (isUnknown === (answer.kind === 'confirmed'))
      throw new AppError('invalid_input', 'This answers another question than the one that is asked.')
    const action =
      planned.connection === null
        ? undefined
        : workspace.connections.get(planned.connection)?.connector.actions?.find(({ name }) => name === planned.action)
    if (answer.kind === 'happened') {
      if (action === undefined || planned.connection === null) throw new AppError('conflict', 'Its connection is not there any more.')
      const evidence = { connection: planned.connection, stream: action.verifyBy.stream, externalId: answer.externalId }
      await changeStep(tx, step, { state: 'done', evidence, message: `Found in the tool by ${answer.actor}.`, endedAt: now })
    } else if (answer.kind === 'did-not-happen') {
      await changeStep(tx, step, { state: 'failed', message: `Not found in the tool by ${answer.actor}.`, endedAt: now })
    } else {
      await changeStep(tx, step, { state: 'done', since: step.since ?? now, message: `Confirmed by ${answer.actor}.`, endedAt: now })
    }
    const changed = await changeSeenRun(tx, run, { state: 'acting', nextWall: deps.wallNow(), message: null })
    if (changed === undefined) throw new AppError('conflict', 'The run changed while you looked. Read it again.')
    await noteRunAct(tx, workspace.id, run, {
      act: `run.${answer.kind.replaceAll('-', '_')}`,
      actor: answer.actor,
      at: now,
      reason: answer.reason,
      after: { step: step.key },
    })
    await enqueue(tx, run.id)
    return changed
  })
}
