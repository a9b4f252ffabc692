import { Alias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import type { Document, Node } from 'yaml'
import { z } from 'zod'
import { didYouMean } from './closest-word.ts'

/** One mistake in a file of the user's: where it stands and what was expected there. Lines and columns are 1-based. */
export interface Problem {
  readonly file: string
  readonly line: number
  readonly column: number
  /** Dotted path of the place, e.g. `expectations.booking-confirmed.within`; empty for the file as a whole. */
  readonly path: string
  readonly message: string
}

export type Path = readonly PropertyKey[]

export function formatProblem(problem: Problem): string {
  const at = `${problem.file}:${problem.line}:${problem.column}`
  return problem.path === '' ? `${at} ${problem.message}` : `${at} ${problem.path}: ${problem.message}`
}

/** By place, each once. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>()
  return problems
    .filter((problem) => {
      const key = `${problem.line}:${problem.column}:${problem.path}:${problem.message}`
      return !seen.has(key) && seen.add(key)
    })
    .sort((a, b) => a.line - b.line || a.column - b.column)
}

/** A YAML text with the positions of everything in it. */
export interface YamlSource {
  readonly file: string
  readonly value: unknown
  /** Empty when the text can be read as YAML. */
  readonly problems: readonly Problem[]
  /** `on: 'key'` points at the key itself, else at its value. A place that is not there points at the nearest thing around it. */
  problem(path: Path, message: string, on?: 'key' | 'value'): Problem
}

const yamlAdvice: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'a tab is used for indentation; YAML allows spaces only, so replace each tab with two spaces',
  DUPLICATE_KEY: 'this key stands twice in the same block; keep one of them',
  BAD_INDENT: 'the indentation does not fit the lines above; expected the same number of spaces as the other keys of this block',
  MULTIPLE_DOCS: 'a second YAML document starts here (`---`); keep one document per file',
  BLOCK_AS_IMPLICIT_KEY:
    'a key and a nested block stand on one line; put a text that contains ": " in quotes, or start the block on the next line',
  MULTILINE_IMPLICIT_KEY: 'a key goes over several lines; a `:` after it may be missing',
  BAD_ALIAS: 'this `*name` refers to no `&name` above; put the text in quotes when a star is meant',
}

function advise(code: string, message: string): string {
  if (/^Flow (map|sequence)/.test(message))
    return `a \`${message.startsWith('Flow map') ? '{' : '['}\` that begins earlier is not closed before here`
  return yamlAdvice[code] ?? message.replace(/\s+at line \d+.*$/s, '')
}

const maxCharacters = 1_000_000

export function readYaml(text: string, file: string): YamlSource {
  const lines = new LineCounter()
  const broken = (line: number, column: number, message: string): YamlSource => {
    const only = { file, line, column, path: '', message }
    return { file, value: undefined, problems: [only], problem: (path, what) => ({ ...only, path: dotted(path), message: what }) }
  }
  if (text.length > maxCharacters) return broken(1, 1, 'the file is larger than 1 MB; expected a configuration file written by hand')
  const nul = text.search(/[\0\uFFFD]/)
  if (nul >= 0) {
    const before = text.slice(0, nul).split('\n')
    return broken(before.length, before.at(-1)!.length + 1, 'this is not readable as UTF-8 text; save the file as UTF-8')
  }
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, keepSourceTokens: false })
  const at = (offset: number) => {
    const position = lines.linePos(Math.max(0, offset))
    return { line: Math.max(1, position.line), column: Math.max(1, position.col) }
  }
  const problems: Problem[] = document.errors.map((error) => ({
    file,
    ...at(error.pos[0]),
    path: '',
    message: `cannot be read as YAML: ${advise(error.code, error.message)}`,
  }))
  const locate = (path: Path, on: 'key' | 'value') => at(offsetOf(document, path, on))
  if (problems.length === 0)
    problems.push(...unsafeScalars(document).map((found) => ({ file, ...at(found.offset), path: '', message: found.message })))
  let value: unknown
  if (problems.length === 0) {
    try {
      value = document.toJS({ maxAliasCount: 50 })
    } catch {
      problems.push({ file, line: 1, column: 1, path: '', message: 'its aliases (`*name`) expand without end; write the values out' })
    }
  }
  return { file, value, problems, problem: (path, message, on = 'value') => ({ file, ...locate(path, on), path: dotted(path), message }) }
}

/** Numbers that JavaScript would change in silence, and keys that are no text. */
function unsafeScalars(document: Document): { offset: number; message: string }[] {
  const found: { offset: number; message: string }[] = []
  visit(document, {
    Pair(_, pair) {
      if (isScalar(pair.key) && pair.key.value === null) {
        found.push({ offset: pair.key.range?.[0] ?? 0, message: 'a key is missing before the `:`' })
      } else if (!isScalar(pair.key) && pair.key !== null) {
        found.push({ offset: (pair.key as Node).range?.[0] ?? 0, message: 'a key must be a plain text' })
      }
    },
    Scalar(key, scalar) {
      if (key === 'key' || typeof scalar.value !== 'number') return
      const source = scalar.source ?? ''
      if (!Number.isFinite(scalar.value) || (Number.isInteger(scalar.value) && !Number.isSafeInteger(scalar.value))) {
        found.push({ offset: scalar.range?.[0] ?? 0, message: `${source} is too large to be kept exactly as a number; put it in quotes` })
      }
    },
  })
  return found
}

function offsetOf(document: Document, path: Path, on: 'key' | 'value'): number {
  let node: unknown = document.contents
  let offset = (document.contents as Node | null)?.range?.[0] ?? 0
  for (const [index, segment] of path.entries()) {
    if (node instanceof Alias) node = node.resolve(document)
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(segment))
      if (pair === undefined) return offset
      const keyOffset = (pair.key as Node).range?.[0] ?? offset
      node = pair.value
      const valueOffset = (node as Node | null)?.range?.[0]
      offset = index === path.length - 1 && on === 'value' && isScalar(node) && node.source !== '' ? (valueOffset ?? keyOffset) : keyOffset
    } else if (isSeq(node)) {
      node = node.items[Number(segment)]
      if (node === undefined) return offset
      offset = (node as Node | null)?.range?.[0] ?? offset
    } else {
      return offset
    }
  }
  return offset
}

export function dotted(path: Path): string {
  return path
    .map((segment) => (typeof segment === 'number' ? `[${segment}]` : String(segment)))
    .join('.')
    .replaceAll('.[', '[')
}

/**
 * Turns zod's issues into problems with positions. What was expected is the `description` of the schema at that place.
 * `showValues: false` for files in which a secret may stand by mistake.
 */
export function zodProblems(source: YamlSource, schema: z.ZodType, error: z.ZodError, at: Path = [], showValues = true): Problem[] {
  return error.issues.flatMap((issue): Problem[] => {
    const path = [...at, ...issue.path]
    const place = schemaAt(schema, issue.path)
    const expected = place?.description ?? null
    if (issue.code === 'unrecognized_keys') {
      const known = place === null ? [] : keysOf(place)
      return issue.keys.map((key) =>
        source.problem([...path, key], `there is no setting of this name here. ${didYouMean(key, known)}`.trim(), 'key'),
      )
    }
    const given = valueAt(source.value, path)
    if (given === undefined) {
      const name = String(path.at(-1) ?? 'this file')
      const what =
        expected === null ? issue.message.replace(/^Invalid input: /, '').replace(/, received undefined$/, '') : `expected ${expected}`
      return [source.problem(path, path.length === 0 ? `the file is empty; ${what}` : `"${name}" is missing; ${what}`, 'key')]
    }
    if (issue.code === 'custom' || issue.code === 'invalid_format') return [source.problem(path, issue.message)]
    if (given === null && path.length === 0) return [source.problem(path, `the file is empty; expected ${expected ?? 'settings'}`)]
    const shown = showValues ? `${describeValue(given)} does not fit` : 'this value does not fit'
    return [source.problem(path, expected === null ? `${shown}: ${issue.message}` : `${shown}; expected ${expected}`)]
  })
}

function describeValue(value: unknown): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a block of settings'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text
}

function valueAt(value: unknown, path: Path): unknown {
  let current = value
  for (const segment of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, segment)) return undefined
    current = (current as Record<PropertyKey, unknown>)[segment]
  }
  return current
}

function unwrap(schema: z.ZodType): z.ZodType {
  let current = schema
  for (;;) {
    if (current.description !== undefined) return current
    if (
      current instanceof z.ZodOptional ||
      current instanceof z.ZodNullable ||
      current instanceof z.ZodDefault ||
      current instanceof z.ZodPrefault
    ) {
      current = current.unwrap() as z.ZodType
    } else if (current instanceof z.ZodPipe) {
      current = current.in as z.ZodType
    } else {
      return current
    }
  }
}

function bare(schema: z.ZodType): z.ZodType {
  let current = schema
  while (
    current instanceof z.ZodOptional ||
    current instanceof z.ZodNullable ||
    current instanceof z.ZodDefault ||
    current instanceof z.ZodPrefault
  ) {
    current = current.unwrap() as z.ZodType
  }
  return current instanceof z.ZodPipe ? bare(current.in as z.ZodType) : current
}

function schemaAt(schema: z.ZodType, path: Path): z.ZodType | null {
  if (path.length === 0) return unwrap(schema)
  const [segment, ...rest] = path
  const current = bare(schema)
  if (current instanceof z.ZodObject) {
    const next = (current.shape as Record<string, z.ZodType>)[String(segment)]
    return next === undefined ? null : schemaAt(next, rest)
  }
  if (current instanceof z.ZodRecord) return schemaAt(current.valueType as z.ZodType, rest)
  if (current instanceof z.ZodArray) return schemaAt(current.element as z.ZodType, rest)
  if (current instanceof z.ZodUnion) {
    for (const option of current.options as readonly z.ZodType[]) {
      const found = schemaAt(option, path)
      if (found !== null) return found
    }
  }
  return null
}

function keysOf(schema: z.ZodType): string[] {
  const current = bare(schema)
  if (current instanceof z.ZodObject) return Object.keys(current.shape as object)
  if (current instanceof z.ZodUnion) return (current.options as readonly z.ZodType[]).flatMap(keysOf)
  return []
}
