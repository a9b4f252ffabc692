import { capital, inFullWords, spoken, spokenField, state } from './finding-kinds/words.ts'
import { neutralActionByName } from './neutral-actions.ts'
import { actionPath, referenceOf } from './runbook.ts'
import type {
  Json,
  KnownAction,
  RecordInput,
  Runbook,
  RunbookAction,
  RunbookInput,
  RunbookScope,
  RunbookStep,
  StepReach,
} from './runbook.ts'

/** A runbook in words, for those who run or approve it. Pure: what things are called comes in. */

export interface RunbookNames {
  /** By connection. */
  readonly tools: ReadonlyMap<string, string>
  /** Of a stream `<connection>.<stream>`: Payments; null: it is not known. */
  stream(address: string): string | null
  owner(key: string): string
  /** Of a step of the programs. */
  step(name: string): string
  kind(kind: string): string
  /** The title of a promise. */
  promise(name: string): string
}

export interface DescribedAction {
  /** `billing.refund`. */
  readonly action: string
  /** The tool it acts in; null: Throughline itself. */
  readonly tool: string | null
  readonly title: string
  readonly does: string
  readonly reach: StepReach
  /** False: its connection or action is not there now, so it cannot be done. */
  readonly isKnown: boolean
  readonly inputs: readonly { readonly label: string; readonly value: string }[]
}

export interface DescribedStep extends DescribedAction {
  readonly name: string
  readonly line: number
  /** How often and how long it is tried; null: it is not a thing that is tried. */
  readonly tries: string | null
  /** Under which answers it is taken, and where it is taken more than once. */
  readonly conditions: readonly string[]
  readonly fallback: DescribedAction | null
  readonly compensate: DescribedAction | null
  /** Where and in what time a later read must show it; null: nothing in a tool shows it. */
  readonly verifiedBy: string | null
}

export function describeSteps(
  runbook: Runbook,
  actions: ReadonlyMap<string, readonly KnownAction[]>,
  names: RunbookNames,
): DescribedStep[] {
  const titles = new Map(runbook.inputs.map((input) => [input.name, titleOf(input)]))
  return runbook.steps.map((step) => {
    const known = findAction(step, actions)
    return {
      ...describeAction(step, known, titles, names),
      title: step.title ?? known?.title ?? spoken(step.action),
      name: step.name,
      line: step.line,
      tries: step.connection === null && known?.reach !== 'notice' ? null : triesOf(step),
      conditions: conditionsOf(runbook, step, titles),
      fallback: step.fallback && describeAction(step.fallback, findAction(step.fallback, actions), titles, names),
      compensate: step.compensate && describeAction(step.compensate, findAction(step.compensate, actions), titles, names),
      verifiedBy: verifiedBy(runbook, step, known, names),
    }
  })
}

/** The farthest anything in it reaches, the most serious first. */
export function reachOf(runbook: Pick<Runbook, 'steps'>, actions: ReadonlyMap<string, readonly KnownAction[]>): StepReach {
  const reached = new Set(
    runbook.steps.flatMap((step) => [step, step.fallback, step.compensate].map((action) => action && findAction(action, actions)?.reach)),
  )
  return (['money', 'message', 'record', 'notice'] as const).find((reach) => reached.has(reach)) ?? 'none'
}

/** Actions that are not there now, so that it cannot be run: `billing.refund`. */
export function missingActions(runbook: Pick<Runbook, 'steps'>, actions: ReadonlyMap<string, readonly KnownAction[]>): string[] {
  const every = runbook.steps.flatMap((step) => [step, step.fallback, step.compensate].filter((action) => action !== null))
  return [...new Set(every.filter((action) => findAction(action, actions) === undefined).map(actionPath))]
}

export function describeInput(input: RunbookInput, names: RunbookNames): string {
  switch (input.kind) {
    case 'record':
      return describeRecord(input, names)
    case 'object':
      return `The ${spokenField(input.type)} that the finding is about.`
    case 'choice':
      return `Asked of whoever runs it: ${input.choices.map(({ value, title }) => (title === value ? value : `${title} (${value})`)).join(', ')}.`
    case 'number': {
      const bounds = [input.min === null ? null : `at least ${input.min}`, input.max === null ? null : `at most ${input.max}`].filter(
        Boolean,
      )
      return `Asked of whoever runs it: a ${input.isWhole ? 'whole ' : ''}number${bounds.length === 0 ? '' : `, ${bounds.join(' and ')}`}.`
    }
    case 'time':
      return 'Asked of whoever runs it: a time.'
  }
}

/** Which findings it may run on. */
export function describeScope(scope: RunbookScope, names: RunbookNames): string {
  const kinds =
    scope.kinds.length === 0 ? 'Any finding' : `Findings of the kind ${listed(scope.kinds.map((kind) => quoted(names.kind(kind))))}`
  const about = [
    ...(scope.expectations.length === 0 ? [] : [`of the promise ${listed(scope.expectations.map((name) => quoted(names.promise(name))))}`]),
    ...(scope.steps.length === 0 ? [] : [`about ${listed(scope.steps.map((step) => quoted(names.step(step))))}`]),
    ...(scope.programs.length === 0 ? [] : [`in ${listed(scope.programs)}`]),
  ]
  return `${[kinds, ...about].join(' ')}.`
}

/** What keeps it in bounds, one sentence each. */
export function describeLimits({ limits }: Pick<Runbook, 'limits'>): string[] {
  const amounts = Object.entries(limits.amountPerDay).map(([currency, minor]) => {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency, currencyDisplay: 'code' })
    return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2)).replace('\u00a0', ' ')
  })
  return [
    `One run has at most ${limits.perRun} ${limits.perRun === 1 ? 'effect' : 'effects'} in tools.`,
    `All runs of one day have at most ${limits.perDay}.`,
    ...(amounts.length === 0 ? [] : [`Within one day it moves at most ${listed(amounts, 'and')}.`]),
  ]
}

function findAction(action: RunbookAction, actions: ReadonlyMap<string, readonly KnownAction[]>): KnownAction | undefined {
  return action.connection === null
    ? neutralActionByName.get(action.action)
    : actions.get(action.connection)?.find(({ name }) => name === action.action)
}

function describeAction(
  action: RunbookAction,
  known: KnownAction | undefined,
  titles: ReadonlyMap<string, string>,
  names: RunbookNames,
): DescribedAction {
  return {
    action: actionPath(action),
    tool: action.connection === null ? null : (names.tools.get(action.connection) ?? action.connection),
    title: known?.title ?? spoken(action.action),
    does: known?.does ?? `There is no action ${actionPath(action)} now, so this cannot be done.`,
    reach: known?.reach ?? 'none',
    isKnown: known !== undefined,
    inputs: Object.entries(action.with).map(([label, value]) => ({
      label: spoken(label),
      value: valueOfInput(label, value, titles, names),
    })),
  }
}

function valueOfInput(label: string, value: Json, titles: ReadonlyMap<string, string>, names: RunbookNames): string {
  const reference = referenceOf(value)
  if (reference !== null) return titles.get(reference) ?? reference
  if (typeof value === 'string') return label === 'to' || label === 'of' ? names.owner(value) : value.replace(/^\$\$/, '$')
  if (Array.isArray(value)) return value.map((part: Json) => valueOfInput('', part, titles, names)).join(', ')
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .map(([key, part]) => `${spokenField(key)}: ${valueOfInput('', part as Json, titles, names)}`)
      .join(', ')
  return String(value)
}

const quoted = (title: string) => `“${title}”`
const titleOf = (input: RunbookInput) => input.title ?? spoken(input.name)

function triesOf({ retry, timeoutMs }: RunbookStep): string {
  const each = `${inFullWords(timeoutMs)} each`
  return retry.attempts === 1
    ? `Tried once, within ${inFullWords(timeoutMs)}.`
    : `Tried up to ${retry.attempts} times, ${inFullWords(retry.backoffMs)} apart at first, ${each}; only what surely had no effect is tried again.`
}

function conditionsOf(runbook: Runbook, step: RunbookStep, titles: ReadonlyMap<string, string>): string[] {
  const used = new Set(JSON.stringify([step.with, step.fallback?.with, step.compensate?.with]).match(/"\$[A-Za-z][A-Za-z0-9_-]*"/g) ?? [])
  const many = runbook.inputs.filter(
    (input) => input.kind === 'record' && (input.pick === 'all' || input.pick === 'rest') && used.has(`"$${input.name}"`),
  )
  return [
    ...step.onlyIf.map(
      ({ asked, answers }) =>
        `Only when “${titles.get(asked) ?? runbook.steps.find(({ name }) => name === asked)?.title ?? spoken(asked)}” was answered ${listed(answers)}.`,
    ),
    ...many.map((input) => `Once for each ${quoted(titleOf(input))}.`),
  ]
}

function verifiedBy(runbook: Runbook, step: RunbookStep, known: KnownAction | undefined, names: RunbookNames): string | null {
  if (known?.verifyBy == null || step.connection === null) return null
  const within = runbook.verifyWithinMs ?? known.verifyBy.withinSeconds * 1000
  return `A read of ${streamName(`${step.connection}.${known.verifyBy.stream}`, names)} taken afterwards must show it within ${inFullWords(within)}.`
}

function streamName(address: string, names: RunbookNames): string {
  const connection = address.split('.')[0] ?? address
  const stream = names.stream(address)
  return stream === null ? address : `${names.tools.get(connection) ?? connection} · ${stream}`
}

const roleWords: Readonly<Record<string, string>> = {
  anchor: 'as what started it',
  expected: 'as what was expected',
  observed: 'as what was seen instead',
  culprit: 'as one of the culprits',
  side: 'as one of the sides',
  read: 'as how far was read',
}

function describeRecord(input: RecordInput, names: RunbookNames): string {
  const stream = streamName(input.stream, names)
  const which = {
    only: `The one record of ${stream}`,
    first: `The first record of ${stream}`,
    last: `The last record of ${stream}`,
    all: `Every record of ${stream}`,
    rest: `Every record of ${stream} after the first`,
  }[input.pick]
  const from = input.from === 'evidence' ? 'that the finding names' : 'that the journey shows'
  const role = input.role === null ? '' : ` ${roleWords[input.role] ?? input.role}`
  const where = Object.entries(input.where).map(([field, value]) => `${spokenField(field)} ${[value].flat().map(String).join(' or ')}`)
  const field = input.field === null ? '' : `${spoken(input.field)} of: `
  const turned = Object.entries(input.map ?? {}).map(([from, to]) =>
    from === to ? `${state(from)} stays so` : `${state(from)} becomes ${state(to)}`,
  )
  const map = input.map === null ? '' : ` ${capital(turned.join(', '))}; with anything else it does not start.`
  return `${field}${field === '' ? which : which.charAt(0).toLowerCase() + which.slice(1)} ${from}${role}${where.length === 0 ? '' : `, with ${where.join(', ')}`}.${map}`
}

function listed(words: readonly string[], last = 'or'): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`
}
