import type { DbTransaction } from '../../db/client.ts'
import { sealing } from '../../db/records/audit.ts'
import { readFinding } from '../../db/records/findings.ts'
import {
  beginAttempt,
  changeHeldRun,
  changeStep,
  decideApproval,
  endAttempt,
  noteRunAct,
  type RunAct,
  type RunChange,
  type RunRow,
  type RunStepRow,
  readApproval,
  readAttempts,
  readDayUse,
  readSeenRecord,
  readSteps,
  type StepChange,
  takeRun,
} from '../../db/records/runs.ts'
import { partOf } from '../../db/records/bulk.ts'
import { readStreams } from '../../db/records/streams.ts'
import type { RunEvidence, RunState } from '../../db/schema/runs.ts'
import type { ActResult, EvidenceRef, Intent, LookUp, Preflight } from '../connectors/connector.ts'
import { ToolError } from '../connectors/connector.ts'
import { isOpen } from '../domain/finding-lifecycle.ts'
import { isSame, type NextMove, nextMove, type RunNow, type RunPlan, type RunStep, type Sight, verify } from '../domain/run.ts'
import { dayStart } from '../domain/time-buckets.ts'
import { failpoint } from '../failpoint.ts'
import { recordId } from '../reconcilers/observed.ts'
import { type RunDeps, reach } from './actions.ts'
import { moveFinding } from './move-finding.ts'

const actor = 'throughline'
/** Beyond the time an action may take: nobody else takes a run up before. */
const leaseSpareMs = 30_000
const verifyEveryMs = 1_000
const movesAtMost = 200

/**
 * Takes a run as far as it goes now: looks before it acts, sends once, records, verifies by what later reads show. Safe to call at any
 * time, from any process, and twice: whoever lost the run writes nothing. Returns the state it was left in; null: someone else has it.
 */
export async function advanceRun(deps: RunDeps, runId: string, signal: AbortSignal): Promise<RunState | null> {
  const { workspace } = deps
  const { db } = workspace.database
  const run = await takeRun(db, workspace.id, runId, deps.wallNow(), leaseSpareMs)
  if (run === undefined) return null
  failpoint('run.taken')
  const held = new HeldRun(deps, run, signal)
  for (let moves = 0; moves < movesAtMost; moves++) {
    if (signal.aborted) return held.letGo(0)
    const now = await held.look()
    const move = nextMove(now, { now: workspace.clock.now(), wallNow: deps.wallNow() })
    const left = await held.make(move, now)
    if (left !== 'go on') return left
  }
  return held.letGo(verifyEveryMs)
}

class HeldRun {
  readonly #deps: RunDeps
  readonly #run: RunRow
  readonly #plan: RunPlan
  readonly #signal: AbortSignal
  #steps: RunStepRow[] = []
  #state: RunState
  #verifyUntil: number | null

  constructor(deps: RunDeps, run: RunRow, signal: AbortSignal) {
    this.#deps = deps
    this.#run = run
    this.#plan = run.plan as RunPlan
    this.#signal = signal
    this.#state = run.state
    this.#verifyUntil = run.verifyUntil
  }

  get #now(): number {
    return this.#deps.workspace.clock.now()
  }

  async look(): Promise<RunNow> {
    const { id: workspaceId, database } = this.#deps.workspace
    const run = this.#run
    const [steps, attempts, approval, finding] = await Promise.all([
      readSteps(database.db, workspaceId, run.id),
      readAttempts(database.db, workspaceId, run.id),
      this.#state === 'waiting_approval' ? readApproval(database.db, workspaceId, run.id) : undefined,
      readFinding(database.db, workspaceId, run.findingId),
    ])
    this.#steps = steps
    return {
      state: this.#state,
      plan: this.#plan,
      position: run.position,
      verifyUntil: this.#verifyUntil,
      approvalExpiresWall: approval?.state === 'waiting' ? approval.expiresWall : null,
      finding: { isOpen: finding !== undefined && isOpen(finding.status), status: finding?.status ?? 'gone' },
      steps: steps.map((step) => {
        const last = attempts.filter((each) => each.position === step.position).at(-1)
        return {
          state: step.state,
          attempts: step.attempts,
          lookUps: step.lookUps,
          since: step.since,
          isOpen: last !== undefined && last.outcome === null,
          lastEndedWall: last?.endedWall ?? null,
          shownAt: step.shownAt,
          evidence: step.evidence,
        }
      }),
    }
  }

  /** Does the next thing. */
  async make(move: NextMove, now: RunNow): Promise<RunState | null | 'go on'> {
    switch (move.kind) {
      case 'wait-for-person':
        return this.letGo(null)
      case 'rest':
        return this.letGo(Math.max(0, move.wall - this.#deps.wallNow()))
      case 'end':
        return this.#end(move.state, move.message || this.#lastMessage())
      case 'ask-person':
        return this.#askPerson(move.position, move.message)
      case 'look-first':
        return this.#lookFirst(move.position)
      case 'attempt':
        return this.#attempt(move.position)
      case 'look-up':
        return this.#lookUp(move.position)
      case 'verify':
        return now.state === 'verifying' ? this.#verify(now) : this.#beginVerifying()
    }
  }

  /** Gives the run back; `restMs` null: until a person acts. */
  async letGo(restMs: number | null): Promise<RunState | null> {
    const isHeld = await changeHeldRun(this.#deps.workspace.database.db, this.#run, this.#run.leaseToken, {
      leaseUntil: null,
      nextWall: restMs === null ? null : this.#deps.wallNow() + restMs,
    })
    return isHeld ? this.#state : null
  }

  #lastMessage(): string {
    return this.#steps.findLast((step) => step.message !== null)?.message ?? ''
  }

  /** One transaction that holds only while the run is still ours; false: it is not, and nothing was written. */
  async #write(
    set: RunChange,
    act: Omit<RunAct, 'actor' | 'at'> | null,
    also: (tx: DbTransaction) => Promise<void> = async () => {},
  ): Promise<boolean> {
    const lost = Symbol('lost')
    try {
      await sealing(this.#deps.workspace.database.db, async (tx) => {
        if (!(await changeHeldRun(tx, this.#run, this.#run.leaseToken, set))) throw lost
        await also(tx)
        if (act !== null) await noteRunAct(tx, this.#run.workspaceId, this.#run, { ...act, actor, at: this.#now })
      })
    } catch (error) {
      if (error === lost) return false
      throw error
    }
    if (set.state !== undefined) this.#state = set.state
    return true
  }

  async #lookFirst(position: number): Promise<RunState | null | 'go on'> {
    const planned = this.#planned(position)
    if (planned.connection === null && planned.action === 'wait') return this.#wait(position, planned)
    if (planned.connection === null && planned.action === 'ask-person')
      return this.#askPerson(position, String(planned.input.question ?? 'A person must confirm before it goes on.'))
    if (planned.connection === null && planned.action === 'recheck') return this.#recheck(position, planned)
    if (!(await this.#keep(planned))) return null
    let seen: Preflight
    try {
      const { action, context } = reach(this.#deps, planned, this.#signal)
      seen = await withDeadline(action.preflight(context, planned.input), planned.timeoutMs)
    } catch (error) {
      return this.#couldNotLook(position, planned, error)
    }
    failpoint('run.looked')
    if (seen.kind === 'refused') return this.#end('refused', seen.message, position, { state: 'refused', message: seen.message })
    if (seen.kind === 'already') {
      const evidence = this.#evidenceOf(planned, seen.evidence)
      const set: StepChange = { state: 'already', message: seen.message, evidence, since: this.#now, endedAt: this.#now }
      return (await this.#write({}, { act: 'run.step_already', after: { step: planned.key } }, (tx) =>
        changeStep(tx, this.#steps[position]!, set),
      ))
        ? 'go on'
        : null
    }
    if (!isSame(seen.sees, planned.sees) || !isSame(seen.sends, planned.sends) || !isSame(seen.amount, planned.amount))
      return this.#end(
        'void',
        'What the tool shows is no longer what was seen when this was asked for. Nothing was sent: look again and run it anew.',
      )
    return this.#attempt(position)
  }

  /** Stays the run's own for as long as a call to the tool may take. */
  #keep(planned: RunStep): Promise<boolean> {
    return this.#write({ leaseUntil: this.#deps.wallNow() + planned.timeoutMs + leaseSpareMs }, null)
  }

  async #couldNotLook(position: number, planned: RunStep, error: unknown): Promise<RunState | null | 'go on'> {
    const step = this.#steps[position]!
    const message = error instanceof ToolError || error instanceof TooSlow ? error.message : 'Looking at the tool failed.'
    const lookUps = step.lookUps + 1
    const isLast = lookUps >= planned.attempts || (error instanceof ToolError && error.reason === 'not_found')
    if (isLast) return this.#end('failed', `Nothing was sent: ${message}`, position, { state: 'failed', message, lookUps })
    const held = await this.#write({}, null, (tx) => changeStep(tx, step, { lookUps, message }))
    return held ? this.letGo(planned.backoffMs * 2 ** (lookUps - 1)) : null
  }

  async #wait(position: number, planned: RunStep): Promise<RunState | null | 'go on'> {
    const step = this.#steps[position]!
    const since = step.since ?? this.#now
    const left = since + Number(planned.input.ms ?? 0) - this.#now
    const set: StepChange = left > 0 ? { state: 'waiting', since } : { state: 'done', since, endedAt: this.#now }
    if (!(await this.#write({}, null, (tx) => changeStep(tx, step, set)))) return null
    return left > 0 ? this.letGo(Math.min(left, verifyEveryMs)) : 'go on'
  }

  async #recheck(position: number, planned: RunStep): Promise<RunState | null | 'go on'> {
    const connection = String(planned.input.connection ?? '')
    await this.#deps.pollSoon(connection)
    const set: StepChange = { state: 'done', message: `${connection} is being read again.`, since: this.#now, endedAt: this.#now }
    return (await this.#write({}, null, (tx) => changeStep(tx, this.#steps[position]!, set))) ? 'go on' : null
  }

  async #attempt(position: number): Promise<RunState | null | 'go on'> {
    const planned = this.#planned(position)
    const step = this.#steps[position]!
    const now = this.#now
    const wall = this.#deps.wallNow()
    const idempotencyKey = step.idempotencyKey ?? `tl-${this.#run.id}-${planned.key}`
    const since = step.since ?? now
    const attempt = step.attempts + 1
    let overLimit: string | null = null
    const begun = await this.#write(
      { state: 'acting', position, leaseUntil: wall + planned.timeoutMs + leaseSpareMs },
      { act: 'run.attempt', after: { step: planned.key, attempt } },
      async (tx) => {
        if (step.attempts === 0) {
          overLimit = await this.#overLimit(tx, planned, position)
          if (overLimit !== null) return
        }
        await changeStep(tx, step, { state: 'acting', idempotencyKey, since, attempts: attempt, startedAt: step.startedAt ?? now })
        await beginAttempt(tx, {
          workspaceId: step.workspaceId,
          runId: step.runId,
          position,
          attempt,
          token: this.#run.leaseToken,
          startedWall: wall,
        })
        await moveFinding(tx, this.#run, 'acting', { actor, at: this.#now })
        failpoint('run.step.begun')
      },
    )
    if (!begun) return null
    if (overLimit !== null) return this.#end('refused', overLimit, position, { state: 'refused', message: overLimit })
    failpoint('run.step.before-call')
    const result = await this.#perform(planned, { idempotencyKey, since })
    failpoint('run.step.after-call')
    return this.#record(position, planned, attempt, result)
  }

  async #perform(planned: RunStep, intent: Intent): Promise<ActResult> {
    try {
      const { action, context } = reach(this.#deps, planned, this.#signal)
      return await withDeadline(action.perform(context, planned.input, intent), planned.timeoutMs)
    } catch (error) {
      // An action never throws: whatever came through here, nobody knows how far it got.
      return {
        outcome: 'unknown',
        message: error instanceof ToolError || error instanceof TooSlow ? error.message : 'It failed on our side.',
        evidence: null,
      }
    }
  }

  async #record(position: number, planned: RunStep, attempt: number, result: ActResult): Promise<RunState | null | 'go on'> {
    const step = this.#steps[position]!
    const isDone = result.outcome === 'done' || result.outcome === 'already_done'
    const evidence = this.#evidenceOf(planned, result.evidence)
    const set: StepChange = isDone
      ? { state: 'done', message: result.message, evidence, endedAt: this.#now }
      : { state: result.outcome === 'refused' ? 'refused' : 'unknown', message: result.message, ...(evidence === null ? {} : { evidence }) }
    const held = await this.#write(
      {},
      { act: 'run.outcome', after: { step: planned.key, attempt, outcome: result.outcome } },
      async (tx) => {
        await endAttempt(
          tx,
          { workspaceId: step.workspaceId, runId: step.runId, position, attempt, token: this.#run.leaseToken },
          { endedWall: this.#deps.wallNow(), outcome: result.outcome, message: result.message },
        )
        await changeStep(tx, step, set)
        failpoint('run.step.recorded')
      },
    )
    return held ? 'go on' : null
  }

  /** After a lost answer: whether the effect is there decides, never the loss. */
  async #lookUp(position: number): Promise<RunState | null | 'go on'> {
    const planned = this.#planned(position)
    const step = this.#steps[position]!
    if (!(await this.#keep(planned))) return null
    let found: LookUp = null
    try {
      const { action, context } = reach(this.#deps, planned, this.#signal)
      const intent = { idempotencyKey: step.idempotencyKey ?? '', since: step.since ?? this.#now }
      found = (await withDeadline(action.lookUp?.(context, planned.input, intent) ?? Promise.resolve(null), planned.timeoutMs)) ?? null
    } catch (error) {
      if (!(error instanceof ToolError || error instanceof TooSlow)) throw error
    }
    const lookUps = step.lookUps + 1
    const set: StepChange = found?.isDone
      ? {
          state: 'done',
          lookUps,
          message: 'Its answer was lost; the tool shows that it happened.',
          evidence: this.#evidenceOf(planned, found.evidence),
          endedAt: this.#now,
        }
      : { state: 'unknown', lookUps }
    const held = await this.#write(
      {},
      { act: 'run.look_up', after: { step: planned.key, found: found === null ? 'unknown' : found.isDone } },
      (tx) => changeStep(tx, step, set),
    )
    if (!held) return null
    if (found?.isDone) return 'go on'
    return this.letGo(planned.backoffMs * 2 ** Math.min(10, lookUps - 1))
  }

  async #askPerson(position: number, message: string): Promise<RunState | null> {
    const state: RunState =
      this.#steps[position]?.state === 'unknown' || (this.#steps[position]?.attempts ?? 0) > 0 ? 'outcome_unknown' : 'waiting_person'
    const held = await this.#write(
      { state, position, message, nextWall: null, leaseUntil: null },
      { act: `run.${state}`, after: { step: this.#planned(position).key } },
      (tx) => changeStep(tx, this.#steps[position]!, { state: state === 'outcome_unknown' ? 'unknown' : 'waiting' }),
    )
    return held ? state : null
  }

  async #beginVerifying(): Promise<RunState | null | 'go on'> {
    const until = this.#now + this.#plan.verifyMs
    const held = await this.#write(
      { state: 'verifying', verifyUntil: until, message: null },
      { act: 'run.verifying', after: { until: new Date(until).toISOString() } },
      (tx) => moveFinding(tx, this.#run, 'verifying', { actor, at: this.#now }),
    )
    if (!held) return null
    this.#verifyUntil = until
    for (const connection of new Set(this.#plan.steps.flatMap((step) => (step.connection === null ? [] : [step.connection]))))
      await this.#deps.pollSoon(connection)
    failpoint('run.verifying')
    return 'go on'
  }

  async #verify(now: RunNow): Promise<RunState | null | 'go on'> {
    const sight = await this.#sight()
    const found = verify(now, sight, this.#now)
    if (found.kind === 'wait') return this.letGo(verifyEveryMs)
    return this.#end(found.state, found.message)
  }

  /** Whether reads taken after each effect show it, and how far the streams that must show it were read. */
  async #sight(): Promise<Sight> {
    const { id: workspaceId, database } = this.#deps.workspace
    const streams = await readStreams(database.sql, workspaceId)
    let areShown = true
    let readTo: number | null = Number.POSITIVE_INFINITY
    for (const [position, planned] of this.#plan.steps.entries()) {
      const step = this.#steps[position]
      if (planned.connection === null || step === undefined || (step.state !== 'done' && step.state !== 'already')) continue
      const { action } = reach(this.#deps, planned, this.#signal)
      const stream = streams.find((each) => each.connection === planned.connection && each.name === action.verifyBy.stream)
      const watermark = stream?.watermark ?? null
      readTo = watermark === null || readTo === null ? null : Math.min(readTo, watermark)
      if (step.shownAt !== null) continue
      const evidence = step.evidence
      const record = evidence === null ? undefined : await readSeenRecord(database.db, workspaceId, ...addressOf(evidence))
      const isAfter = step.state === 'already' || (record !== undefined && record.observedAt >= (step.since ?? 0))
      const isShown =
        evidence !== null &&
        record !== undefined &&
        isAfter &&
        action.shows(
          {
            stream: evidence.stream,
            externalId: evidence.externalId,
            status: record.status,
            ops: record.ops === null ? {} : JSON.parse(record.ops),
            isDeleted: record.isDeleted,
            updatedAt: record.updatedAt,
          },
          planned.input,
          evidence,
        )
      if (isShown) await changeStep(database.db, step, { shownAt: this.#now })
      else areShown = false
    }
    return { areShown, readTo: readTo === Number.POSITIVE_INFINITY ? this.#now : readTo }
  }

  async #end(state: RunState, message: string, position?: number, set?: StepChange): Promise<RunState | null> {
    const held = await this.#write(
      { state, message: message || null, endedAt: this.#now, nextWall: null, leaseUntil: null },
      { act: `run.${state}`, after: { message } },
      async (tx) => {
        if (position !== undefined && set !== undefined) await changeStep(tx, this.#steps[position]!, { ...set, endedAt: this.#now })
        if (state === 'expired') {
          const approval = await readApproval(tx, this.#run.workspaceId, this.#run.id)
          if (approval) await decideApproval(tx, approval, { state: 'expired', decidedBy: null, decidedAt: this.#now, reason: null })
        }
        await moveFinding(
          tx,
          this.#run,
          state === 'verification_failed' ? 'verification_failed' : state === 'verified' ? 'acknowledged' : 'open',
          { actor, at: this.#now },
        )
        failpoint('run.ended')
      },
    )
    return held ? state : null
  }

  async #overLimit(tx: DbTransaction, planned: RunStep, position: number): Promise<string | null> {
    const { limits } = this.#plan
    const amountAtMost = planned.amount === null ? undefined : limits.amountPerDay[planned.amount.currency]
    if (limits.perDay === null && amountAtMost === undefined) return null
    const day = dayStart(this.#now, this.#deps.workspace.timeZone)
    const used = await readDayUse(tx, this.#run.workspaceId, this.#run.runbook, day, { runId: this.#run.id, position })
    if (limits.perDay !== null && used.steps + 1 > limits.perDay)
      return `${this.#run.runbook} may act ${limits.perDay} times a day, and has. Go on tomorrow, or change its limits.`
    if (
      planned.amount !== null &&
      amountAtMost !== undefined &&
      (used.amounts[planned.amount.currency] ?? 0) + planned.amount.minor > amountAtMost
    )
      return `${this.#run.runbook} may move ${amountAtMost} ${planned.amount.currency} (minor units) a day; this would be more. Go on tomorrow, or change its limits.`
    return null
  }

  #planned(position: number): RunStep {
    const planned = this.#plan.steps[position]
    if (planned === undefined) throw new Error(`The run has no step ${position}.`)
    return planned
  }

  #evidenceOf(planned: RunStep, evidence: EvidenceRef | null): RunEvidence | null {
    return evidence === null || planned.connection === null ? null : { connection: planned.connection, ...evidence }
  }
}

const addressOf = ({ connection, stream, externalId }: RunEvidence): [part: number, id: string] => {
  const id = recordId(`${connection}.${stream}`, externalId)
  return [partOf(id), id]
}

class TooSlow extends Error {}

async function withDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TooSlow(`It took longer than ${Math.round(ms / 1000)} seconds.`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
