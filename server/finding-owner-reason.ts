import type { Names } from '../jobs/domain/finding-kinds/words.ts'
import { findingKindByName } from '../jobs/domain/finding-kinds/index.ts'

export interface ReasonWords {
  readonly expectation: (key: string) => string
  readonly program: (key: string) => string
  readonly tool: Names['tool']
}

/** Why a finding came to its owner, as stored, with the keys of the files in the words people know them by. */
export function sayOwnerReason(stored: string, words: ReasonWords): string {
  const said: Readonly<Record<string, (value: string) => string>> = {
    kind: (value) => `kind is ${findingKindByName.get(value)?.title ?? value}`,
    expectation: (value) => `promise is “${words.expectation(value)}”`,
    program: (value) => `program is ${words.program(value)}`,
    connection: (value) => `tool is ${words.tool(value)}`,
  }
  return stored
    .replace(/^The promise “([^”]+)” names/, (_, key: string) => `The promise “${words.expectation(key)}” names`)
    .replace(/^The connection “([^”]+)” names/, (_, keys: string) => `The connection ${keys.split(', ').map(words.tool).join(', ')} names`)
    .replace(/the owner of program ([^\s.]+)\.$/, (_, key: string) => `the owner of the program ${words.program(key)}.`)
    .replaceAll(
      /\b(kind|expectation|program|connection) is (.+?)(?= and (?:kind|expectation|program|connection|severity|site) is |\.$)/g,
      (whole, field: string, value: string) => said[field]?.(value) ?? whole,
    )
}
