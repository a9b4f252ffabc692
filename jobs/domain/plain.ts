import { inspect } from 'node:util'

/**
 * A value that identifies someone. It can be opened only where it is hashed: it does not serialise, print or spread.
 * The value sits in a private field, which no property walk, structured clone or logger can reach.
 */
export interface Plain<T> {
  readonly __plain: T
}

class Sealed {
  readonly #value: unknown
  constructor(value: unknown) {
    this.#value = value
  }
  static open(sealed: Sealed): unknown {
    return sealed.#value
  }
  toJSON(): never {
    throw new TypeError('An identifying value was about to be serialised. Hash it with the tokeniser first.')
  }
  toString(): string {
    return '[sealed]'
  }
  [inspect.custom](): string {
    return '[sealed]'
  }
}

export function seal<T>(value: T): Plain<T> {
  return new Sealed(value) as unknown as Plain<T>
}

/** Only `jobs/edge.ts` and its tests open what is sealed (kept true by the architecture test). */
export function unseal<T>(plain: Plain<T>): T {
  return Sealed.open(plain as unknown as Sealed) as T
}
