import type { z } from 'zod'
import { didYouMean } from './closest-word.ts'
import { nameMeaning, namePattern } from './program-schema.ts'
import type { Conditions } from './program.ts'
import { zodProblems } from './yaml-source.ts'
import type { Path, Problem, YamlSource } from './yaml-source.ts'

/** What is known of a stream when a program is checked. Null: not known, so not checked. */
export interface KnownStream {
  /** Fields a condition may read, besides `status`. */
  readonly fields: readonly string[] | null
  readonly statuses: readonly string[] | null
}

/** What a program may refer to. What is left out is not checked. */
export interface Known {
  /** By `<connection>.<stream>`. */
  readonly streams?: ReadonlyMap<string, KnownStream>
  readonly owners?: ReadonlySet<string>
  /** Keys of the runbooks. */
  readonly runbooks?: ReadonlySet<string>
  /** Connections that are configured but could not be read: their streams are taken on trust, so that one mistake is not told twice. */
  readonly unreadConnections?: ReadonlySet<string>
}

/** Checks the names in a program file that refer to something, and collects what is wrong with them. */
export class References {
  readonly steps: readonly string[]
  readonly #source: YamlSource
  readonly #problems: Problem[]
  readonly #known: Known

  constructor(source: YamlSource, problems: Problem[], steps: readonly string[], known: Known) {
    this.steps = steps
    this.#source = source
    this.#problems = problems
    this.#known = known
  }

  report(path: Path, message: string, on: 'key' | 'value' = 'value'): void {
    this.#problems.push(this.#source.problem(path, message, on))
  }

  /** What zod found wrong with a part of the file. */
  reportInvalid(schema: z.ZodType, error: z.ZodError, path: Path): void {
    this.#problems.push(...zodProblems(this.#source, schema, error, path))
  }

  /** How many problems there are so far. */
  get count(): number {
    return this.#problems.length
  }

  lineOf(path: Path): number {
    return this.#source.problem(path, '', 'key').line
  }

  name(path: Path, name: string): void {
    if (!namePattern.test(name)) this.report(path, `"${name}" is no name; expected ${nameMeaning}`, 'key')
  }

  step(path: Path, name: string): void {
    if (!this.steps.includes(name)) this.report(path, `there is no step "${name}". ${didYouMean(name, this.steps)}`.trim())
  }

  owner(path: Path, owner: string): void {
    const owners = this.#known.owners
    if (owners !== undefined && !owners.has(owner))
      this.report(path, `there is no owner "${owner}" in owners.yaml. ${didYouMean(owner, owners)}`.trim())
  }

  runbook(path: Path, runbook: string): void {
    const runbooks = this.#known.runbooks
    if (runbooks !== undefined && !runbooks.has(runbook))
      this.report(path, `there is no runbook "${runbook}" in runbooks/. ${didYouMean(runbook, runbooks)}`.trim())
  }

  stream(path: Path, stream: string, on: 'key' | 'value' = 'value'): KnownStream | null {
    const streams = this.#known.streams
    if (streams === undefined) return null
    const known = streams.get(stream)
    if (known !== undefined) return known
    const connection = stream.split('.')[0]!
    if (this.#known.unreadConnections?.has(connection)) return null
    const connections = [...new Set([...streams.keys()].map((key) => key.split('.')[0]!))]
    const siblings = [...streams.keys()].filter((key) => key.startsWith(`${connection}.`))
    this.report(
      path,
      siblings.length > 0
        ? `connection "${connection}" has no stream "${stream.slice(connection.length + 1)}". ${didYouMean(stream, siblings)}`
        : `there is no connection "${connection}" in connections.yaml. ${didYouMean(connection, connections)}`,
      on,
    )
    return null
  }

  conditions(path: Path, stream: string, conditions: Conditions | undefined): void {
    const known = this.#known.streams?.get(stream)
    if (conditions === undefined || known === undefined) return
    for (const [field, condition] of Object.entries(conditions)) {
      if (!this.field([...path, field], stream, known, field, 'key') || field !== 'status' || known.statuses === null) continue
      for (const value of Array.isArray(condition) ? condition : [condition]) {
        if (typeof value === 'string' && !known.statuses.includes(value) && !value.startsWith('unknown:')) {
          this.report([...path, field], `${stream} never has the status "${value}". ${didYouMean(value, known.statuses)}`)
        }
      }
    }
  }

  field(path: Path, stream: string, known: KnownStream, field: string, on: 'key' | 'value'): boolean {
    if (known.fields === null || field === 'status' || known.fields.includes(field)) return true
    this.report(path, `${stream} keeps no field "${field}". ${didYouMean(field, ['status', ...known.fields])}`, on)
    return false
  }
}
