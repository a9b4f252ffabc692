import { isMap, isPair, isScalar, parseDocument } from 'yaml'
import type { Node, Pair, YAMLMap } from 'yaml'
import type { Scalar } from './facts.ts'
import type { Conditions } from './program.ts'

/** A step the promise is about: one the program has, or with a stream a new one. */
export interface DraftStep {
  readonly name: string
  readonly isNew: { readonly stream: string; readonly when: Conditions } | null
}

/** `after` something, something else is expected `within` a time: what the guided form asks for. */
export interface ExpectationDraft {
  readonly name: string
  readonly after: DraftStep
  readonly expect: DraftStep
  /** As the file writes it, such as `15m`; null: before the journey ends. */
  readonly within: string | null
  /** Null: as the journey is. */
  readonly per: string | null
  readonly severity: string | null
  readonly owner: string | null
  readonly ifItFails: string | null
}

export interface NewProgram {
  readonly key: string
  readonly title: string
  readonly owner: string
  readonly timezone: string
}

/** A whole program file around a first promise. Its journeys begin with the step the promise comes after. */
export function writeFirstProgram({ key, title, owner, timezone }: NewProgram, draft: ExpectationDraft): string {
  const steps = newSteps(draft).map((step) => `  ${stepLine(step)}\n`)
  return `program: ${key}
title: ${scalar(title)}
owner: ${scalar(owner)}
timezone: ${scalar(timezone)}
journey: { per: subject, starts: ${draft.after.name}, abandon_after: 30d }

steps:
${steps.join('')}
expectations:
${expectationBlock(draft, '  ')}`
}

/**
 * The text of a program with one promise more, everything else as it was written, comments included. Null when the text cannot be
 * extended: it is no YAML, or has no block of steps and expectations.
 */
export function addExpectation(source: string, draft: ExpectationDraft): string | null {
  const text = source.endsWith('\n') || source === '' ? source : `${source}\n`
  const withSteps = newSteps(draft).reduce<string | null>(
    (current, step) =>
      current === null ? null : insertInto(current, 'steps', (indent) => `${indent}${stepLine(step)}\n`, inlineStep(step)),
    text,
  )
  if (withSteps === null) return null
  return insertInto(withSteps, 'expectations', (indent) => expectationBlock(draft, indent), inlineExpectation(draft))
}

const newSteps = ({ after, expect }: ExpectationDraft): readonly DraftStep[] =>
  [after, expect].filter((step, index, all) => step.isNew !== null && all.findIndex(({ name }) => name === step.name) === index)

function insertInto(text: string, block: string, entry: (indent: string) => string, inline: string): string | null {
  const document = parseDocument(text, { keepSourceTokens: false })
  if (document.errors.length > 0 || !isMap(document.contents)) return null
  const pair = document.contents.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === block)
  if (pair === undefined) return `${text}\n${block}:\n${entry('  ')}`
  const value = pair.value as Node | null
  if (isMap(value) && value.flow === true && value.items.length > 0) {
    const end = (value.range?.[1] ?? text.length) - 1
    return `${text.slice(0, end).trimEnd()}, ${inline}${text.slice(end - (text[end - 1] === ' ' ? 1 : 0))}`
  }
  if (isMap(value) && value.flow !== true && value.items.length > 0) {
    const at = lineEnd(text, lastEnd(value))
    return `${text.slice(0, at)}${entry(indentOf(text, value))}${text.slice(at)}`
  }
  // `expectations: {}`, or nothing after the colon.
  const keyEnd = (pair.key as Node).range?.[1] ?? 0
  const end = value?.range && value.range[1] > keyEnd ? value.range[1] : text.indexOf(':', keyEnd) + 1
  const at = lineEnd(text, end)
  return `${text.slice(0, text.indexOf(':', keyEnd) + 1)}\n${entry('  ')}${text.slice(at)}`
}

/** Where the last value inside of it ends: a block's own end takes in the blank lines after it. */
function lastEnd(map: YAMLMap): number {
  const last = map.items.at(-1) as Pair | undefined
  const value = last?.value as Node | null | undefined
  if (isMap(value) && value.flow !== true && value.items.length > 0) return lastEnd(value)
  return value?.range?.[1] ?? (last?.key as Node | undefined)?.range?.[1] ?? 0
}

function lineEnd(text: string, from: number): number {
  // A block text (`|`, `>`) ends with its own newline.
  if (text[from - 1] === '\n') return from
  const at = text.indexOf('\n', from)
  return at === -1 ? text.length : at + 1
}

function indentOf(text: string, map: YAMLMap): string {
  const start = ((map.items[0] as Pair | undefined)?.key as Node | undefined)?.range?.[0] ?? 0
  return ' '.repeat(start - (text.lastIndexOf('\n', start - 1) + 1))
}

function fieldsOf(draft: ExpectationDraft): readonly (readonly [string, string])[] {
  const { after, expect, within, per, severity, owner, ifItFails } = draft
  return (
    [
      ['after', after.name],
      ['expect', expect.name],
      ['within', within],
      ['per', per],
      ['severity', severity],
      ['owner', owner],
      ['if_it_fails', ifItFails],
    ] as const
  ).flatMap(([field, value]) => (value === null || value === '' ? [] : [[field, scalar(value)] as const]))
}

function expectationBlock(draft: ExpectationDraft, indent: string): string {
  return `${indent}${draft.name}:\n${fieldsOf(draft)
    .map(([field, value]) => `${indent}  ${field}: ${value}\n`)
    .join('')}`
}

const inlineExpectation = (draft: ExpectationDraft) =>
  `${draft.name}: { ${fieldsOf(draft)
    .map(([field, value]) => `${field}: ${value}`)
    .join(', ')} }`
const inlineStep = (step: DraftStep) => stepLine(step)

function stepLine({ name, isNew }: DraftStep): string {
  const when = Object.entries(isNew?.when ?? {}).map(([field, value]) => `${scalar(field)}: ${condition(value)}`)
  return `${name}: { stream: ${scalar(isNew?.stream ?? '')}${when.length === 0 ? '' : `, when: { ${when.join(', ')} }`} }`
}

function condition(value: Conditions[string]): string {
  return Array.isArray(value) ? `[${value.map((one: Scalar) => scalar(one)).join(', ')}]` : scalar(value as Scalar)
}

/** Words YAML reads as something else than text. */
const reserved = /^(true|false|null|yes|no|on|off|y|n)$/i

function scalar(value: Scalar): string {
  if (typeof value !== 'string') return String(value)
  const isPlain = /^[A-Za-z][\w./-]*( [\w./-]+)*$/.test(value) || /^\d+[wdhms](\d+[dhms])*( (before|after) [\w.-]+)?$/.test(value)
  return isPlain && !reserved.test(value) ? value : JSON.stringify(value)
}
