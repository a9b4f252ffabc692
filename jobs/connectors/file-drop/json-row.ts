/** A number whose text JavaScript would not give back: its digits as they stand in the file. */
class ExactNumber {
  readonly source: string
  constructor(source: string) {
    this.source = source
  }
}

/** With the third argument of a reviver: the text of a number as it stands in the source (ECMAScript 2026). */
const parseWithSource = JSON.parse as (
  text: string,
  reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
) => unknown

/** Numbers with sixteen digits or more, a trailing zero after the point, an exponent, or minus zero. */
const inexact = /\d{16}|\.\d*0(?!\d)|\d[eE]|-0(?![.\d])/

/**
 * One line of NDJSON as the texts of the wanted columns (a dotted name walks into objects); or why it cannot be read.
 * `seen` is told which columns were there at all, be it as null: one that never is was renamed or removed.
 */
export function readJsonRow(line: string, columns: readonly string[], seen: Set<string>): readonly string[] | { readonly refused: string } {
  let value: unknown
  try {
    value = inexact.test(line)
      ? parseWithSource(line, (_key, parsed, context) =>
          typeof parsed === 'number' && context.source !== undefined && String(parsed) !== context.source
            ? new ExactNumber(context.source)
            : parsed,
        )
      : JSON.parse(line)
  } catch {
    return { refused: 'the line is not JSON' }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { refused: 'the line is JSON but no object ({…})' }
  const cells: string[] = []
  for (const column of columns) {
    const found = at(value, column)
    if (found !== undefined && !seen.has(column)) seen.add(column)
    switch (typeof found) {
      case 'string':
        cells.push(found)
        break
      case 'number':
      case 'boolean':
        cells.push(String(found))
        break
      case 'undefined':
        cells.push('')
        break
      default:
        if (found === null) cells.push('')
        else if (found instanceof ExactNumber) cells.push(found.source)
        else return { refused: `"${column}" holds a list or an object; expected a text, a number, true, false or null` }
    }
  }
  return cells
}

function at(row: object, column: string): unknown {
  if (Object.hasOwn(row, column)) return (row as Record<string, unknown>)[column]
  let current: unknown = row
  for (const part of column.split('.')) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, part)) return undefined
    current = (current as Record<string, unknown>)[part]
  }
  return current
}
