import { parseDuration } from './duration.ts'
import type { Ops } from './facts.ts'
import type { Finding } from './finding.ts'
import { isOpen } from './finding-lifecycle.ts'
import { neutralActionByName } from './neutral-actions.ts'
import { unescaped } from './parse-runbook-action.ts'
import { actionPath, defaultApproval, defaultVerifyMs, referenceOf, referencesOf } from './runbook.ts'
import type {
  AskedInput,
  EvidenceRole,
  Json,
  KnownAction,
  OnlyIf,
  RecordInput,
  Runbook,
  RunbookAction,
  RunbookApproval,
  RunbookInput,
  RunbookLimits,
  RunbookStep,
  StepReach,
} from './runbook.ts'
import { whyNotFor } from './runbook-scope.ts'

/** A record the finding names, or that its journey shows, as it was read last. */
export interface PlanRecord {
  /** Null: of the journey only. */
  readonly role: EvidenceRole | null
  /** `<connection>.<stream>` */
  readonly stream: string
  readonly externalId: string
  /** Epoch ms. */
  readonly occurredAt: number | null
  readonly status: string | null
  readonly ops: Ops
}

/** The finding a runbook is to run on, with what its inputs are taken from. */
export interface PlanSubject {
  readonly finding: Pick<Finding, 'id' | 'kind' | 'program' | 'expectation' | 'status' | 'objectType' | 'objectId'> &
    Partial<Pick<Finding, 'streams'>>
  /** Steps its promise speaks of (`stepsOfExpectation`); null: the promise is not known any more. */
  readonly steps: readonly string[] | null
  readonly evidence: readonly PlanRecord[]
  readonly journey: readonly PlanRecord[]
}

/** What was answered to what a runbook asks: choices and times as text, numbers as numbers. */
export type Answers = Readonly<Record<string, unknown>>

export interface PlannedAction {
  /** Null: a neutral action. */
  readonly connection: string | null
  readonly action: string
  readonly title: string
  /** One sentence: what changes, and for whom. */
  readonly does: string
  readonly reach: StepReach
  /** Resolved: ids, amounts, words of closed lists. */
  readonly input: Readonly<Record<string, Json>>
  /** For how long the tool answers the same key with the same effect, ms; null: it knows no keys. */
  readonly keyMs: number | null
  readonly mayLookUp: boolean
  /** `<connection>.<stream>` and ms in which a later read must show the effect; null: neutral. */
  readonly verify: { readonly stream: string; readonly withinMs: number } | null
}

export interface PlannedStep extends PlannedAction {
  /** The step's name; where it is taken once per record, `refund.1`, `refund.2`… */
  readonly key: string
  readonly attempts: number
  readonly backoffMs: number
  readonly timeoutMs: number
  readonly fallback: PlannedAction | null
  readonly compensate: PlannedAction | null
  /** Answers of earlier steps that it waits for; `asked` is the key of such a step. */
  readonly onlyIf: readonly OnlyIf[]
}

export interface PlannedInput {
  readonly name: string
  readonly title: string
  readonly values: readonly (string | number | boolean)[]
  /** Where it comes from: `billing.payment_intents`, the type of an object; null: it was answered. */
  readonly from: string | null
}

/** All that a run would do, fixed before anything is looked at in a tool. Plain data. */
export interface PlannedRun {
  readonly runbook: string
  readonly version: number
  readonly findingId: string
  readonly inputs: readonly PlannedInput[]
  readonly steps: readonly PlannedStep[]
  /** Steps the answers leave out. */
  readonly leftOut: readonly { readonly step: string; readonly because: string }[]
  readonly approval: RunbookApproval | null
  readonly limits: RunbookLimits
  /** How long later reads may take to show all of it, ms. */
  readonly verifyMs: number
}

export interface PlanProblem {
  readonly code: 'not_open' | 'not_for' | 'missing' | 'ambiguous' | 'answer' | 'action' | 'input' | 'limit'
  /** The input or step it is about; null: the runbook as a whole. */
  readonly at: string | null
  readonly message: string
}

export type Planning = { readonly ok: true; readonly plan: PlannedRun } | { readonly ok: false; readonly why: readonly PlanProblem[] }

/** What is asked of the person who runs it, in the order of the file. */
export function questionsOf(runbook: Pick<Runbook, 'inputs'>): AskedInput[] {
  return runbook.inputs.filter((input) => input.kind === 'choice' || input.kind === 'number' || input.kind === 'time')
}

/** The exact steps of a run, or everything that keeps it from running. `actions`: by connection, as they are now. */
export function planRun(
  { runbook, version }: { readonly runbook: Runbook; readonly version: number },
  subject: PlanSubject,
  answers: Answers,
  actions: ReadonlyMap<string, readonly KnownAction[]>,
): Planning {
  const { finding } = subject
  const unfit = whyNow(finding.status) ?? whyNot(runbook, subject)
  if (unfit !== null) return { ok: false, why: [unfit] }

  const problems: PlanProblem[] = []
  const inputs = new Inputs(runbook, subject, answers, problems)
  inputs.refuseUnasked()

  // 1. Which steps: those that no answer leaves out.
  const leftOut: { step: string; because: string }[] = []
  const taken: RunbookStep[] = []
  for (const step of runbook.steps) {
    const because = step.onlyIf.map((one) => inputs.leavesOut(one, leftOut)).find((one) => one !== null)
    if (because === undefined) taken.push(step)
    else leftOut.push({ step: step.name, because })
  }

  // 2. Their inputs, once per record where there are several.
  const steps = taken.flatMap((step) => {
    const found = [step, step.fallback, step.compensate].map((action) =>
      action === null ? null : knownAction(action, actions, problems, step.name),
    )
    const [known, fallback, compensate] = found
    if (found.includes(undefined) || known === undefined || known === null) return []
    const planned = inputs.variants(step).map((variant, index, all): PlannedStep => {
      const other = (action: RunbookAction | null, of: KnownAction | null | undefined) =>
        action === null || !of ? null : planAction(runbook, action, of, variant, step.name, problems)
      return {
        ...planAction(runbook, step, known, variant, step.name, problems),
        key: all.length === 1 ? step.name : `${step.name}.${index + 1}`,
        ...(step.title === null ? {} : { title: step.title }),
        attempts: step.retry.attempts,
        backoffMs: step.retry.backoffMs,
        timeoutMs: step.timeoutMs,
        fallback: other(step.fallback, fallback),
        compensate: other(step.compensate, compensate),
        onlyIf: step.onlyIf.filter(({ asked }) => !inputs.isInput(asked)),
      }
    })
    return step.connection === null && step.action === 'recheck'
      ? planned.flatMap((one) => perConnection(one, readBy(runbook, subject)))
      : planned
  })

  const effects = steps.filter(({ connection }) => connection !== null).length
  if (effects > runbook.limits.perRun)
    problems.push({
      code: 'limit',
      at: null,
      message: `It would have ${effects} effects in tools, and one run of it may have ${runbook.limits.perRun}. Recover this finding by hand, or raise limits.per_run.`,
    })
  if (problems.length === 0 && steps.length === 0)
    problems.push({ code: 'answer', at: null, message: 'These answers leave no step to be taken.' })
  if (problems.length > 0) return { ok: false, why: withoutRepeats(problems) }

  const every = steps.flatMap((step) => [step, step.fallback, step.compensate]).filter((action) => action !== null)
  const isMoney = every.some(({ reach }) => reach === 'money')
  return {
    ok: true,
    plan: {
      runbook: runbook.key,
      version,
      findingId: finding.id,
      inputs: inputs.taken(),
      steps,
      leftOut,
      approval: runbook.approve ?? (isMoney ? defaultApproval : null),
      limits: runbook.limits,
      verifyMs: runbook.verifyWithinMs ?? (Math.max(0, ...steps.flatMap(({ verify }) => verify?.withinMs ?? [])) || defaultVerifyMs),
    },
  }
}

/** Connections whose reading may settle the finding: those of its streams, and those the inputs are taken from. */
function readBy(runbook: Runbook, { finding, evidence }: PlanSubject): string[] {
  const inputs = runbook.inputs.flatMap((input) => (input.kind === 'record' ? input.stream : []))
  const streams = [...(finding.streams ?? []), ...evidence.map(({ stream }) => stream), ...inputs]
  return [...new Set(streams.map((stream) => stream.split('.')[0] ?? stream))].sort()
}

function perConnection(step: PlannedStep, connections: readonly string[]): PlannedStep[] {
  return connections.map((connection) => ({
    ...step,
    key: connections.length === 1 ? step.key : `${step.key}.${connection}`,
    input: { ...step.input, connection },
  }))
}

function whyNow(status: Finding['status']): PlanProblem | null {
  if (status === 'acting' || status === 'verifying')
    return { code: 'not_open', at: null, message: 'A run is at work on this finding already; wait until it has ended, or stop it.' }
  return isOpen(status)
    ? null
    : { code: 'not_open', at: null, message: `This finding is closed (${status.replaceAll('_', ' ')}): there is nothing to recover.` }
}

function whyNot(runbook: Runbook, { finding, steps }: PlanSubject): PlanProblem | null {
  const why = whyNotFor(runbook.for, { kind: finding.kind, program: finding.program, expectation: finding.expectation, steps })
  return why === null ? null : { code: 'not_for', at: null, message: `"${runbook.title}" is not for this finding: ${why}.` }
}

function withoutRepeats(problems: readonly PlanProblem[]): PlanProblem[] {
  return problems.filter((one, index) => problems.findIndex((other) => other.at === one.at && other.message === one.message) === index)
}

type Variant = ReadonlyMap<string, Json>

/** The inputs of one run: those that its steps use, each looked up once. */
class Inputs {
  readonly #byName: ReadonlyMap<string, RunbookInput>
  readonly #subject: PlanSubject
  readonly #answers: Answers
  readonly #problems: PlanProblem[]
  readonly #found = new Map<string, readonly (string | number | boolean)[] | null>()

  constructor(runbook: Runbook, subject: PlanSubject, answers: Answers, problems: PlanProblem[]) {
    this.#byName = new Map(runbook.inputs.map((input) => [input.name, input]))
    this.#subject = subject
    this.#answers = answers
    this.#problems = problems
  }

  isInput(name: string): boolean {
    return this.#byName.has(name)
  }

  /** An answer to what is not asked is a mistake of the caller, never dropped in silence. */
  refuseUnasked(): void {
    const asked = new Set(questionsOf({ inputs: [...this.#byName.values()] }).map(({ name }) => name))
    for (const name of Object.keys(this.#answers)) {
      if (!asked.has(name)) this.#problems.push({ code: 'answer', at: name, message: `This runbook asks nothing called "${name}".` })
    }
  }

  /** Why a condition leaves its step out, as far as that is known before the run; else null. */
  leavesOut({ asked, answers }: OnlyIf, leftOut: readonly { readonly step: string }[]): string | null {
    if (leftOut.some(({ step }) => step === asked)) return `"${asked}" is not asked`
    if (!this.isInput(asked)) return null
    const [answer] = this.values(asked) ?? []
    return answer === undefined || answers.includes(String(answer)) ? null : `"${asked}" was answered "${String(answer)}"`
  }

  /** What a step's inputs are, once for each time it is taken; empty where one is missing. */
  variants(step: RunbookStep): Variant[] {
    const names = [step, step.fallback, step.compensate].flatMap((action) => (action === null ? [] : referencesOf(action.with)))
    let variants: ReadonlyMap<string, Json>[] = [new Map()]
    for (const name of new Set(names)) {
      const values = this.values(name)
      if (values === null) return []
      variants = variants.flatMap((variant) => values.map((value) => new Map([...variant, [name, value]])))
    }
    return variants
  }

  values(name: string): readonly (string | number | boolean)[] | null {
    const found = this.#found.get(name)
    if (found !== undefined) return found
    const input = this.#byName.get(name)
    const values = input === undefined ? null : this.#look(input)
    this.#found.set(name, values)
    return values
  }

  /** Those that were looked up, in the order of the file. */
  taken(): PlannedInput[] {
    return [...this.#byName.values()].flatMap((input) => {
      const values = this.#found.get(input.name)
      const from = input.kind === 'record' ? input.stream : input.kind === 'object' ? input.type : null
      return values === undefined || values === null ? [] : [{ name: input.name, title: input.title ?? input.name, values, from }]
    })
  }

  #refuse(code: PlanProblem['code'], at: string, message: string): null {
    this.#problems.push({ code, at, message })
    return null
  }

  #look(input: RunbookInput): readonly (string | number | boolean)[] | null {
    switch (input.kind) {
      case 'record':
        return this.#records(input)
      case 'object': {
        const { objectType, objectId } = this.#subject.finding
        if (objectType === input.type && objectId !== null) return [objectId]
        return this.#refuse('missing', input.name, `This finding is about no ${input.type}, and the runbook needs one.`)
      }
      case 'choice':
      case 'number':
      case 'time': {
        const answer = readAnswer(input, this.#answers[input.name])
        return typeof answer === 'object' ? this.#refuse('answer', input.name, answer.wrong) : [answer]
      }
    }
  }

  #records(input: RecordInput): readonly (string | number | boolean)[] | null {
    const { name, stream } = input
    const from = input.from === 'evidence' ? this.#subject.evidence : this.#subject.journey
    const fitting = from
      .filter((record) => record.stream === stream && (input.role === null || record.role === input.role) && fits(record, input.where))
      .sort((a, b) => (a.occurredAt ?? Infinity) - (b.occurredAt ?? Infinity) || (a.externalId < b.externalId ? -1 : 1))
    const records = fitting.filter((record, index) => fitting.findIndex(({ externalId }) => externalId === record.externalId) === index)
    const where = input.from === 'evidence' ? `This finding names no record of ${stream}` : `This journey shows no record of ${stream}`
    if (records.length === 0)
      return this.#refuse('missing', name, `${where} that fits "${input.title ?? name}", and the runbook needs one.`)
    if (input.pick === 'only' && records.length > 1)
      return this.#refuse(
        'ambiguous',
        name,
        `${records.length} records of ${stream} fit "${input.title ?? name}", and the runbook takes the only one: which of them is not clear.`,
      )
    const chosen = { only: records, first: records.slice(0, 1), last: records.slice(-1), all: records, rest: records.slice(1) }[input.pick]
    if (chosen.length === 0)
      return this.#refuse('missing', name, `Only one record of ${stream} is left, and the runbook acts on those after the first.`)
    const { field } = input
    if (field === null) return chosen.map(({ externalId }) => externalId)
    const { map } = input
    const shown = chosen.map((record) => fieldOf(record, field))
    const unmapped = map === null ? undefined : shown.find((value) => value !== null && !Object.hasOwn(map, String(value)))
    if (map !== null && unmapped !== undefined)
      return this.#refuse(
        'missing',
        name,
        `The record of ${stream} shows "${field}" as ${String(unmapped)}, and the runbook says nothing for it: only for ${Object.keys(map).join(', ')}.`,
      )
    const values = shown.map((value) => (value === null || map === null ? value : (map[String(value)] ?? null)))
    return values.every((value) => value !== null)
      ? values
      : this.#refuse('missing', name, `The record of ${stream} shows no "${field}", and the runbook needs it.`)
  }
}

function fieldOf(record: PlanRecord, field: string): string | number | boolean | null {
  return (field === 'status' ? record.status : record.ops[field]) ?? null
}

function fits(record: PlanRecord, where: RecordInput['where']): boolean {
  return Object.entries(where).every(([field, wanted]) => {
    const value = fieldOf(record, field)
    return Array.isArray(wanted) ? wanted.includes(value) : value === wanted
  })
}

function readAnswer(input: AskedInput, answer: unknown): string | number | { readonly wrong: string } {
  const title = input.title ?? input.name
  if (answer === undefined || answer === null || answer === '') return { wrong: `"${title}" is not answered yet.` }
  switch (input.kind) {
    case 'choice': {
      const chosen = input.choices.find(({ value }) => value === answer)
      return chosen?.value ?? { wrong: `"${title}" is answered by one of ${input.choices.map(({ value }) => value).join(', ')}.` }
    }
    case 'number': {
      if (typeof answer !== 'number' || !Number.isFinite(answer)) return { wrong: `"${title}" is a number.` }
      if (input.isWhole && !Number.isSafeInteger(answer)) return { wrong: `"${title}" is a whole number.` }
      if (input.min !== null && answer < input.min) return { wrong: `"${title}" is at least ${input.min}.` }
      if (input.max !== null && answer > input.max) return { wrong: `"${title}" is at most ${input.max}.` }
      return answer === 0 ? 0 : answer
    }
    case 'time': {
      const at = typeof answer === 'string' && isoTime.test(answer) ? Date.parse(answer) : Number.NaN
      return Number.isNaN(at)
        ? { wrong: `"${title}" is a time with its offset, such as 2026-11-21T09:00:00Z.` }
        : new Date(at).toISOString()
    }
  }
}
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/

function knownAction(
  action: RunbookAction,
  actions: ReadonlyMap<string, readonly KnownAction[]>,
  problems: PlanProblem[],
  step: string,
): KnownAction | undefined {
  const known =
    action.connection === null
      ? neutralActionByName.get(action.action)
      : actions.get(action.connection)?.find(({ name }) => name === action.action)
  if (known === undefined)
    problems.push({
      code: 'action',
      at: step,
      message:
        action.connection !== null && !actions.has(action.connection)
          ? `Connection ${action.connection} is not there or is disabled, so "${step}" cannot be done. See its page, then try again.`
          : `There is no action ${actionPath(action)} any more. Apply a version of the runbook without it.`,
    })
  return known
}

function planAction(
  runbook: Runbook,
  action: RunbookAction,
  known: KnownAction,
  values: Variant,
  step: string,
  problems: PlanProblem[],
): PlannedAction {
  const resolved = resolve(action.with, values)
  const parsed = known.input.safeParse(resolved)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const field = issue?.path.join('.') ?? ''
    problems.push({
      code: 'input',
      at: step,
      message: `${actionPath(action)} does not take this${field === '' ? '' : ` "${field}"`}: ${issue?.message ?? 'it does not fit'}.`,
    })
  }
  const input = (parsed.success ? parsed.data : resolved) as PlannedAction['input']
  const waits = action.connection === null && action.action === 'wait' && typeof input.for === 'string'
  return {
    connection: action.connection,
    action: action.action,
    title: known.title,
    does: known.does,
    reach: known.reach,
    // How long, in the unit the run counts in.
    input: waits ? { ...input, ms: parseDuration(String(input.for)) } : input,
    keyMs: known.repeat?.keyHours == null ? null : known.repeat.keyHours * 3_600_000,
    mayLookUp: known.repeat?.lookUp ?? false,
    verify:
      known.verifyBy === null || action.connection === null
        ? null
        : {
            stream: `${action.connection}.${known.verifyBy.stream}`,
            withinMs: runbook.verifyWithinMs ?? known.verifyBy.withinSeconds * 1000,
          },
  }
}

function resolve(template: Json, values: Variant): Json {
  const name = referenceOf(template)
  if (name !== null) return values.get(name) ?? null
  if (Array.isArray(template)) return template.map((part: Json) => resolve(part, values))
  if (typeof template === 'object' && template !== null)
    return Object.fromEntries(Object.entries(template).map(([key, part]) => [key, resolve(part as Json, values)]))
  return unescaped(template)
}
