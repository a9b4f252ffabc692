import { z } from 'zod'
import { didYouMean } from './closest-word.ts'
import { canFail, neutralActionByName } from './neutral-actions.ts'
import type { References } from './program-references.ts'
import type { ActionForm } from './runbook-schema.ts'
import { actionPath, referenceOf, referencesOf } from './runbook.ts'
import type { Json, KnownAction, RunbookAction, RunbookInput } from './runbook.ts'
import type { Path } from './yaml-source.ts'

/** What the connections can do, by id; what is left out is not checked. */
export interface KnownConnectionActions {
  readonly actions: ReadonlyMap<string, readonly KnownAction[]>
  /** Connections that are configured but could not be read: their actions are taken on trust. */
  readonly unread: ReadonlySet<string>
}

/** Checks the actions of one runbook and remembers which inputs they use. */
export class ActionParser {
  readonly #references: References
  readonly #inputs: ReadonlyMap<string, RunbookInput>
  readonly #declared: readonly string[]
  readonly #known: KnownConnectionActions | null
  readonly used = new Set<string>()

  /** `declared`: the names under `inputs`, those with a mistake too. */
  constructor(references: References, inputs: readonly RunbookInput[], declared: readonly string[], known: KnownConnectionActions | null) {
    this.#references = references
    this.#inputs = new Map(inputs.map((input) => [input.name, input]))
    this.#declared = declared
    this.#known = known
  }

  /** The action and what is known of it: null where it is of a connection that is not. */
  parse(path: Path, form: ActionForm): { action: RunbookAction; known: KnownAction | null } {
    const dot = form.do.indexOf('.')
    const action: RunbookAction = {
      connection: dot < 0 ? null : form.do.slice(0, dot),
      action: form.do.slice(dot + 1),
      with: (form.with ?? {}) as RunbookAction['with'],
    }
    const known = this.#find([...path, 'do'], action)
    this.#checkReferences(path, action)
    if (known !== null) this.#checkInput(path, action, known)
    return { action, known }
  }

  /** A fallback or compensation, which must do something else than the step itself. */
  parseOther(path: Path, form: ActionForm, step: RunbookAction, as: 'fallback' | 'compensate'): ReturnType<ActionParser['parse']> {
    const other = this.parse(path, form)
    const isSame = actionPath(other.action) === actionPath(step) && JSON.stringify(other.action.with) === JSON.stringify(step.with)
    if (isSame) {
      this.#references.report(
        path,
        as === 'fallback'
          ? 'the fallback does again what just failed; expected another action (to try again, use `retry`)'
          : 'the compensation does the same once more instead of undoing it; expected a second action',
        'key',
      )
    } else if (as === 'fallback' && step.connection === null && !canFail(step.action)) {
      this.#references.report(path, `${step.action} does not fail, so this fallback is never reached; remove it`, 'key')
    }
    return other
  }

  #find(path: Path, { connection, action }: RunbookAction): KnownAction | null {
    if (connection === null) {
      const known = neutralActionByName.get(action)
      if (known !== undefined) return known
      const owning = [...(this.#known?.actions ?? [])].flatMap(([id, actions]) => actions.map(({ name }) => `${id}.${name}`))
      const withConnection = owning.filter((name) => name.endsWith(`.${action}`))
      this.#references.report(
        path,
        withConnection.length > 0
          ? `"${action}" needs its connection; did you mean ${withConnection.map((name) => `"${name}"`).join(' or ')}?`
          : `there is no action "${action}". ${didYouMean(action, [...neutralActionByName.keys(), ...owning])}`.trim(),
      )
      return null
    }
    if (this.#known === null || this.#known.unread.has(connection)) return null
    const actions = this.#known.actions.get(connection)
    if (actions === undefined) {
      this.#references.report(
        path,
        `there is no connection "${connection}" in connections.yaml. ${didYouMean(connection, this.#known.actions.keys())}`.trim(),
      )
      return null
    }
    const known = actions.find(({ name }) => name === action)
    if (known !== undefined) return known
    const names = actions.map(({ name }) => `${connection}.${name}`)
    this.#references.report(
      path,
      names.length === 0
        ? `connection "${connection}" can only be read: its connector has no actions`
        : `connection "${connection}" has no action "${action}". ${didYouMean(`${connection}.${action}`, names)}`,
    )
    return null
  }

  #checkReferences(path: Path, action: RunbookAction): void {
    const visit = (at: Path, value: Json): void => {
      const name = referenceOf(value)
      if (name !== null) {
        this.used.add(name)
        if (!this.#declared.includes(name))
          this.#references.report(at, `there is no input "${name}". ${didYouMean(name, this.#declared)}`.trim())
      } else if (Array.isArray(value)) {
        for (const [index, part] of value.entries()) visit([...at, index], part as Json)
      } else if (typeof value === 'object' && value !== null) {
        for (const [key, part] of Object.entries(value)) visit([...at, key], part as Json)
      }
    }
    for (const [key, value] of Object.entries(action.with)) visit([...path, 'with', key], value)
  }

  /** A step, its fallback and its compensation are taken together, once per record. */
  checkLists(path: Path, actions: readonly RunbookAction[]): void {
    const [one, other] = new Set(actions.flatMap((action) => referencesOf(action.with)).filter((name) => isList(this.#inputs.get(name))))
    if (one !== undefined && other !== undefined)
      this.#references.report(
        [...path, 'with'],
        `"${one}" and "${other}" both stand for several records; a step is taken once per record of one of them`,
      )
  }

  /** `with` against the input schema: literals as they are, inputs by their type. What only their values show is checked as a run is planned. */
  #checkInput(path: Path, action: RunbookAction, known: KnownAction): void {
    const called = actionPath(action)
    const shape = shapeOf(known.input)
    const keys = Object.keys(action.with)
    if (shape === null) {
      if (keys.every((key) => referencesOf(action.with[key] ?? null).length === 0)) this.#checkWhole(path, action, known)
      return
    }
    const before = this.#references.count
    for (const key of keys) {
      const property = shape[key]
      const at = [...path, 'with', key]
      const value = action.with[key] ?? null
      if (property === undefined) {
        this.#references.report(at, `${called} takes no input "${key}". ${didYouMean(key, Object.keys(shape))}`.trim(), 'key')
        continue
      }
      const name = referenceOf(value)
      if (name !== null) {
        const input = this.#inputs.get(name)
        const mismatch = input === undefined ? null : whyUnfit(input, property)
        if (mismatch !== null) this.#references.report(at, `"${key}" of ${called} ${mismatch}`)
      } else if (referencesOf(value).length === 0) {
        const parsed = property.safeParse(unescaped(value))
        if (!parsed.success) this.#references.reportInvalid(property, parsed.error, at)
      }
    }
    for (const [key, property] of Object.entries(shape)) {
      if (keys.includes(key) || property.safeParse(undefined).success) continue
      const meaning = property.description === undefined ? '' : `; expected ${property.description}`
      this.#references.report([...path, 'with', key], `${called} needs the input "${key}"${meaning}`, 'key')
    }
    if (this.#references.count === before && referencesOf(action.with).length === 0) this.#checkWhole(path, action, known)
  }

  #checkWhole(path: Path, action: RunbookAction, known: KnownAction): void {
    const parsed = known.input.safeParse(unescaped(action.with))
    if (!parsed.success) this.#references.reportInvalid(known.input, parsed.error, [...path, 'with'])
  }
}

export function isList(input: RunbookInput | undefined): boolean {
  return input?.kind === 'record' && (input.pick === 'all' || input.pick === 'rest')
}

/** `$$20` is the text `$20`. */
export function unescaped(value: Json): Json {
  if (typeof value === 'string') return value.startsWith('$$') ? value.slice(1) : value
  if (Array.isArray(value)) return value.map((part: Json) => unescaped(part))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, unescaped(part as Json)]))
  return value
}

function shapeOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> | null {
  if (schema instanceof z.ZodObject) return schema.shape as Readonly<Record<string, z.ZodType>>
  if (schema instanceof z.ZodPipe) return shapeOf(schema.in as z.ZodType)
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return shapeOf(schema.unwrap() as z.ZodType)
  return null
}

function whyUnfit(input: RunbookInput, property: z.ZodType): string | null {
  const closed =
    input.kind === 'choice'
      ? input.choices.map(({ value }) => value)
      : input.kind === 'record' && input.map !== null
        ? Object.values(input.map)
        : null
  if (closed !== null) {
    const wrong = closed.find((value) => !property.safeParse(value).success)
    const meaning = property.description === undefined ? '' : `; expected ${property.description}`
    return wrong === undefined ? null : `cannot be "${wrong}", which "${input.name}" may be${meaning}`
  }
  if (input.kind === 'record' && input.field !== null) return null
  const types = typesOf(z.toJSONSchema(property, { io: 'input', unrepresentable: 'any' }) as JsonSchema)
  if (types === null) return null
  if (input.kind === 'number')
    return types.has('number') || (types.has('integer') && input.isWhole)
      ? null
      : types.has('integer')
        ? `takes a whole number, and "${input.name}" may be another one; add \`whole: true\` to it`
        : `takes ${namesOf(types)}, and "${input.name}" is a number`
  const what = input.kind === 'time' ? 'a time (an ISO 8601 text)' : 'an id (a text)'
  if (types.has('string')) return null
  return `takes ${namesOf(types)}, and "${input.name}" is ${what}`
}

interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
}

/** The types of values a property takes; null: it does not say. A closed list of texts is `choice`. */
function typesOf(schema: JsonSchema): ReadonlySet<string> | null {
  const options = schema.anyOf ?? schema.oneOf
  if (options !== undefined) {
    const parts = options.map(typesOf)
    return parts.includes(null) ? null : new Set(parts.flatMap((part) => [...part!]))
  }
  if (schema.enum !== undefined || schema.const !== undefined) return new Set(['choice'])
  if (schema.type === undefined) return null
  return new Set(typeof schema.type === 'string' ? [schema.type] : schema.type)
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  object: 'a block of settings',
  array: 'a list',
  null: 'nothing',
  choice: 'a word of a closed list',
}
const namesOf = (types: ReadonlySet<string>) => [...types].map((type) => typeWords[type] ?? type).join(' or ')
