import { didYouMean } from './closest-word.ts'
import { parseDuration } from './duration.ts'
import { findingKindByName } from './finding-kinds/index.ts'
import { defaultAnswers } from './neutral-actions.ts'
import { ActionParser } from './parse-runbook-action.ts'
import type { KnownConnectionActions } from './parse-runbook-action.ts'
import { References } from './program-references.ts'
import type { Known } from './program-references.ts'
import type { Program } from './program.ts'
import { inputForms, inputMeaning, runbookFrameSchema, runbookStepSchema } from './runbook-schema.ts'
import type { ChoiceForm, NumberForm, ObjectForm, RecordForm, RunbookFrame, StepForm } from './runbook-schema.ts'
import { mayServe } from './runbook-scope.ts'
import { defaultApproval, defaultLimits, defaultRetry, defaultRoles, defaultTimeoutMs } from './runbook.ts'
import type { KnownAction, OnlyIf, Runbook, RunbookAction, RunbookInput, RunbookLimits, RunbookStep } from './runbook.ts'
import { inOrder, readYaml, zodProblems } from './yaml-source.ts'
import type { Path, Problem } from './yaml-source.ts'

export type { KnownConnectionActions } from './parse-runbook-action.ts'

/** What a runbook may refer to. What is left out is not checked. */
export interface KnownToRunbooks extends Pick<Known, 'streams' | 'owners' | 'unreadConnections'> {
  /** By connection. */
  readonly actions?: ReadonlyMap<string, readonly KnownAction[]>
  readonly programs?: readonly Program[]
}

export type ParsedRunbook = { readonly ok: true; readonly runbook: Runbook } | { readonly ok: false; readonly problems: readonly Problem[] }

/** Reads a runbook file (product.md, "Recovery"). Lists every mistake it can see, each with its place and what was expected. */
export function parseRunbook(text: string, file: string, known: KnownToRunbooks = {}): ParsedRunbook {
  const source = readYaml(text, file)
  if (source.problems.length > 0) return { ok: false, problems: source.problems }
  const frame = runbookFrameSchema.safeParse(source.value)
  const problems: Problem[] = frame.success ? [] : zodProblems(source, runbookFrameSchema, frame.error)
  const raw = isBlock(source.value) ? (source.value as Partial<RunbookFrame>) : {}
  const rawSteps = isBlock(raw.steps) ? raw.steps : {}
  const rawInputs = isBlock(raw.inputs) ? raw.inputs : {}
  const references = new References(source, problems, Object.keys(rawSteps), known)

  const inputs = Object.entries(rawInputs).flatMap(([name, value]) => parseInput(references, name, value) ?? [])
  const actions: KnownConnectionActions | null =
    known.actions === undefined ? null : { actions: known.actions, unread: known.unreadConnections ?? new Set() }
  const parser = new ActionParser(references, inputs, Object.keys(rawInputs), actions)
  const parsed = Object.entries(rawSteps).flatMap(([name, value]) => parseStep(references, parser, name, value) ?? [])
  checkConditions(references, inputs, parsed, Object.keys(rawSteps), parser)
  for (const name of Object.keys(rawInputs)) {
    if (!parser.used.has(name))
      references.report(['inputs', name], `no step uses this input; use it as $${name} in a \`with\`, or remove it`, 'key')
  }
  const settings = parseSettings(references, raw, parsed, known)
  if (!frame.success || problems.length > 0) return { ok: false, problems: inOrder(problems) }
  const { data } = frame
  return {
    ok: true,
    runbook: {
      key: data.runbook,
      title: data.title ?? data.runbook,
      purpose: data.purpose ?? '',
      for: {
        kinds: data.for?.kinds ?? [],
        programs: data.for?.programs ?? [],
        expectations: data.for?.expectations ?? [],
        steps: data.for?.steps ?? [],
      },
      inputs,
      steps: parsed.map(({ step }) => step),
      ...settings,
      roles: data.roles ?? defaultRoles,
      verifyWithinMs: data.verify?.within === undefined ? null : parseDuration(data.verify.within),
    },
  }
}

/** Every action of a runbook, those it takes when something fails too. */
export function actionsOf(runbook: Pick<Runbook, 'steps'>): RunbookAction[] {
  return runbook.steps.flatMap((step) => [step, step.fallback, step.compensate].filter((action) => action !== null))
}

interface ParsedStep {
  readonly step: RunbookStep
  /** Of the step, its fallback and its compensation; null: not known. */
  readonly known: readonly (KnownAction | null)[]
}

function isBlock(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseInput(references: References, name: string, raw: unknown): RunbookInput | null {
  const path = ['inputs', name]
  references.name(path, name)
  const form = isBlock(raw) ? (raw.from ?? raw.ask) : undefined
  if (!isBlock(raw) || typeof form !== 'string' || !Object.hasOwn(inputForms, form)) {
    const hint = typeof form === 'string' ? ` ${didYouMean(form, Object.keys(inputForms))}` : ''
    references.report(path, `it is not clear where this comes from; expected ${inputMeaning}.${hint}`, 'key')
    return null
  }
  const schema = inputForms[form as keyof typeof inputForms]
  const parsed = schema.safeParse(raw)
  if (!parsed.success) {
    references.reportInvalid(schema, parsed.error, path)
    return null
  }
  const base = { name, title: parsed.data.title ?? null }
  switch (form as keyof typeof inputForms) {
    case 'evidence':
    case 'journey': {
      const { from, stream, role, where, pick, field, map } = parsed.data as RecordForm
      const known = references.stream([...path, 'stream'], stream)
      references.conditions([...path, 'where'], stream, where)
      if (known !== null && field !== undefined) references.field([...path, 'field'], stream, known, field, 'value')
      if (role !== undefined && from === 'journey')
        references.report([...path, 'role'], 'only evidence has roles; remove it, or take the record `from: evidence`', 'key')
      if (map !== undefined && field === undefined)
        references.report([...path, 'map'], 'it is not said what is mapped; expected a `field` beside it, such as status', 'key')
      if (map !== undefined && field === 'status') references.conditions([...path, 'map'], stream, { status: Object.keys(map) })
      return {
        ...base,
        kind: 'record',
        from,
        stream,
        role: role ?? null,
        where: where ?? {},
        pick: pick ?? 'only',
        field: field ?? null,
        map: map ?? null,
      }
    }
    case 'object':
      return { ...base, kind: 'object', type: (parsed.data as ObjectForm).type }
    case 'choice': {
      const { of } = parsed.data as ChoiceForm
      const choices = Array.isArray(of)
        ? of.map((value) => ({ value, title: value }))
        : Object.entries(of).map(([value, title]) => ({ value, title }))
      const twice = choices.find(({ value }, index) => choices.findIndex((other) => other.value === value) !== index)
      if (twice !== undefined) references.report([...path, 'of'], `"${twice.value}" stands twice in the list`)
      return { ...base, kind: 'choice', choices }
    }
    case 'number': {
      const { min, max, whole } = parsed.data as NumberForm
      if (min !== undefined && max !== undefined && min > max)
        references.report([...path, 'max'], `no number is at least ${min} and at most ${max}`)
      return { ...base, kind: 'number', min: min ?? null, max: max ?? null, isWhole: whole ?? false }
    }
    case 'time':
      return { ...base, kind: 'time' }
  }
}

function parseStep(references: References, parser: ActionParser, name: string, raw: unknown): ParsedStep | null {
  const path = ['steps', name]
  references.name(path, name)
  const parsed = runbookStepSchema.safeParse(raw)
  if (!parsed.success) {
    references.reportInvalid(runbookStepSchema, parsed.error, path)
    // What it uses counts as used, so that one mistake is not told twice.
    for (const word of JSON.stringify(raw ?? null).matchAll(/"\$([A-Za-z][A-Za-z0-9_-]*)"/g)) parser.used.add(word[1]!)
    return null
  }
  const form: StepForm = parsed.data
  const { action, known } = parser.parse(path, form)
  const fallback = form.fallback && parser.parseOther([...path, 'fallback'], form.fallback, action, 'fallback')
  const compensate = form.compensate && parser.parseOther([...path, 'compensate'], form.compensate, action, 'compensate')
  parser.checkLists(path, [action, ...(fallback ? [fallback.action] : []), ...(compensate ? [compensate.action] : [])])
  if (compensate !== undefined && references.steps.at(-1) === name)
    references.report([...path, 'compensate'], 'it is taken when a later step fails, and there is none; remove it', 'key')
  if (action.connection === null && form.timeout !== undefined && ['wait', 'ask-person', 'ask-approval'].includes(action.action))
    references.report(
      [...path, 'timeout'],
      `a timeout is of one attempt at a tool; ${action.action} says in its \`with\` how long it waits`,
      'key',
    )
  for (const [at, one] of [
    [path, action],
    [[...path, 'fallback'], fallback?.action],
    [[...path, 'compensate'], compensate?.action],
  ] as const)
    checkOwners(references, at, one)
  return {
    step: {
      ...action,
      name,
      title: form.title ?? null,
      retry: {
        attempts: form.retry?.attempts ?? defaultRetry.attempts,
        backoffMs: form.retry?.backoff === undefined ? defaultRetry.backoffMs : (parseDuration(form.retry.backoff) ?? 0),
      },
      timeoutMs: form.timeout === undefined ? defaultTimeoutMs : (parseDuration(form.timeout) ?? defaultTimeoutMs),
      fallback: fallback?.action ?? null,
      compensate: compensate?.action ?? null,
      onlyIf: Object.entries(form.only_if ?? {}).map(([asked, answers]) => ({
        asked,
        answers: typeof answers === 'string' ? [answers] : answers,
      })),
      line: references.lineOf(path),
    },
    known: [known, ...(fallback ? [fallback.known] : []), ...(compensate ? [compensate.known] : [])],
  }
}

function checkOwners(references: References, path: Path, action: RunbookAction | undefined): void {
  if (action === undefined || action.connection !== null) return
  for (const key of ['to', 'of']) {
    const owner = action.with[key]
    if (typeof owner === 'string' && !owner.startsWith('$')) references.owner([...path, 'with', key], owner)
  }
}

/** `only_if`: names a question asked before, by an answer it can have; and what is never asked is never answered. */
function checkConditions(
  references: References,
  inputs: readonly RunbookInput[],
  steps: readonly ParsedStep[],
  order: readonly string[],
  parser: ActionParser,
): void {
  const questions = new Map<string, { answers: readonly string[]; under: readonly OnlyIf[] }>()
  for (const input of inputs) {
    if (input.kind !== 'choice') continue
    questions.set(input.name, { answers: input.choices.map(({ value }) => value), under: [] })
    if (order.includes(input.name)) references.report(['steps', input.name], 'an input has this name too; give one of them another', 'key')
  }
  for (const { step } of steps) {
    const under: OnlyIf[] = []
    for (const { asked, answers } of step.onlyIf) {
      const path = ['steps', step.name, 'only_if', asked]
      const question = questions.get(asked)
      parser.used.add(asked)
      if (question === undefined) {
        references.report(
          path,
          order.indexOf(asked) >= order.indexOf(step.name)
            ? `"${asked}" comes only ${asked === step.name ? 'with this step itself' : 'later'}, so this step is never reached; expected a question asked before`
            : order.includes(asked)
              ? `the step "${asked}" asks nothing; expected a step that does ask-person, or an input that is a choice`
              : `nothing before asks "${asked}". ${didYouMean(asked, questions.keys())}`.trim(),
          'key',
        )
        continue
      }
      for (const answer of answers) {
        if (!question.answers.includes(answer))
          references.report(path, `"${asked}" is never answered "${answer}". ${didYouMean(answer, question.answers)}`.trim())
      }
      under.push({ asked, answers }, ...question.under)
    }
    const never = under.find((one) =>
      under.some((other) => other.asked === one.asked && !other.answers.some((answer) => one.answers.includes(answer))),
    )
    if (never !== undefined)
      references.report(
        ['steps', step.name, 'only_if'],
        `this step is never reached: what comes before it is taken only when "${never.asked}" was answered otherwise`,
        'key',
      )
    if (step.connection === null && step.action === 'ask-person') {
      const { answers } = step.with
      questions.set(step.name, {
        answers: Array.isArray(answers) ? answers.filter((answer) => typeof answer === 'string') : defaultAnswers,
        under,
      })
    }
  }
}

/** Scope, approval and limits, against everything the steps do. */
function parseSettings(
  references: References,
  raw: Partial<RunbookFrame>,
  steps: readonly ParsedStep[],
  known: KnownToRunbooks,
): Pick<Runbook, 'approve' | 'limits'> {
  if (references.steps.length === 0 && isBlock(raw.steps))
    references.report(['steps'], 'there are no steps; expected at least one, such as `refund: { do: billing.refund }`', 'key')
  checkScope(references, raw, known)
  const every = steps.flatMap((one) => one.known)
  const isMoney = every.some((action) => action?.reach === 'money')
  const isKnown = every.length > 0 && every.every((action) => action !== null)

  let approve: Runbook['approve'] = isMoney ? defaultApproval : null
  if (raw.approve === 'none' && isMoney) {
    const mover = steps.find((one) => one.known.some((action) => action?.reach === 'money'))
    references.report(
      ['approve'],
      `the step "${mover?.step.name}" moves money, and money is always approved; expected { by: approver, within: 4h }`,
    )
  } else if (isBlock(raw.approve)) {
    const { by, within } = raw.approve
    if (isMoney && by !== undefined && by !== 'approver' && by !== 'admin')
      references.report(['approve', 'by'], 'money is approved by an approver or an admin; expected one of them')
    approve = {
      by: by ?? defaultApproval.by,
      withinMs: typeof within === 'string' ? (parseDuration(within) ?? defaultApproval.withinMs) : defaultApproval.withinMs,
    }
  }

  const given = isBlock(raw.limits) ? raw.limits : {}
  const effects = steps.filter(({ step }) => step.connection !== null && step.onlyIf.length === 0).length
  const perRun = given.per_run ?? Math.max(defaultLimits.perRun, effects)
  const perDay = given.per_day ?? Math.max(defaultLimits.perDay, perRun)
  if (typeof given.per_run === 'number' && effects > given.per_run)
    references.report(
      ['limits', 'per_run'],
      `its steps have ${effects} effects in tools, so it could never run; expected at least ${effects}`,
    )
  if (typeof given.per_day === 'number' && given.per_day < effects)
    references.report(['limits', 'per_day'], `one run has ${effects} effects in tools, so it could never run; expected at least ${effects}`)
  if (given.amount_per_day !== undefined && isKnown && !isMoney)
    references.report(['limits', 'amount_per_day'], 'no step moves money, so this limit would never apply; remove it', 'key')
  return { approve, limits: { perRun, perDay, amountPerDay: parseAmounts(references, given.amount_per_day) } }
}

const currencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))

function parseAmounts(references: References, given: unknown): RunbookLimits['amountPerDay'] {
  const amounts: Record<string, number> = {}
  for (const [currency, amount] of Object.entries(isBlock(given) ? given : {})) {
    const path = ['limits', 'amount_per_day', currency]
    if (!currencies.has(currency)) {
      references.report(path, `"${currency}" is no currency; expected an ISO 4217 code in capitals, such as USD`, 'key')
      continue
    }
    if (typeof amount !== 'number') continue
    const digits = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
    const minor = amount * 10 ** digits
    if (Math.abs(minor - Math.round(minor)) > 1e-6)
      references.report(
        path,
        `${currency} is counted to ${digits === 0 ? 'whole units' : `${digits} decimals`}; ${amount} is finer than that`,
      )
    amounts[currency] = Math.round(minor)
  }
  return amounts
}

function checkScope(references: References, raw: Partial<RunbookFrame>, known: KnownToRunbooks): void {
  const scope = isBlock(raw.for) ? raw.for : {}
  const listed = (key: 'kinds' | 'programs' | 'expectations' | 'steps') => {
    const value = scope[key]
    return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []
  }
  const before = references.count
  const check = (key: Parameters<typeof listed>[0], names: Iterable<string>, missing: (name: string) => string) => {
    const there = new Set(names)
    for (const [index, name] of listed(key).entries()) {
      if (!there.has(name)) references.report(['for', key, index], `${missing(name)}. ${didYouMean(name, there)}`.trim())
    }
  }
  check('kinds', findingKindByName.keys(), (name) => `there is no kind of finding "${name}"`)
  const { programs } = known
  if (programs === undefined) return
  check(
    'programs',
    programs.map(({ key }) => key),
    (name) => `there is no program "${name}"`,
  )
  const named = listed('programs')
  const chosen = programs.filter(({ key }) => named.length === 0 || named.includes(key))
  const where = named.length === 0 ? 'no program' : `the program ${named.join(' or ')} does not have`
  const lacks = (what: string, name: string) => (named.length === 0 ? `${where} has ${what} "${name}"` : `${where} ${what} "${name}"`)
  check(
    'expectations',
    chosen.flatMap(({ expectations }) => expectations.map(({ name }) => name)),
    (name) => lacks('an expectation', name),
  )
  check(
    'steps',
    chosen.flatMap(({ steps }) => [...steps.keys()]),
    (name) => lacks('a step', name),
  )
  const isNarrow = named.length > 0 || listed('expectations').length > 0 || listed('steps').length > 0
  if (!isNarrow || references.count > before || programs.length === 0) return
  const fits = { kinds: listed('kinds'), programs: named, expectations: listed('expectations'), steps: listed('steps') }
  if (!programs.some((program) => program.expectations.some((expectation) => mayServe(fits, program.key, expectation))))
    references.report(['for'], 'no promise of any program can have a finding that fits all of this; loosen it', 'key')
}
