import { inspect } from 'node:util'

/** The secrets of one connection. The values do not print, serialise or spread; only the connection's own HTTP client asks for them. */
export class Secrets {
  readonly #values: ReadonlyMap<string, string>

  constructor(values: ReadonlyMap<string, string>) {
    this.#values = values
  }

  get(name: string): string | undefined {
    return this.#values.get(name)
  }

  names(): string[] {
    return [...this.#values.keys()].sort()
  }

  toJSON(): string {
    return '[secrets]'
  }

  toString(): string {
    return '[secrets]'
  }

  [inspect.custom](): string {
    return '[secrets]'
  }
}
