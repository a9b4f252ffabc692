/** What a spreadsheet takes for the beginning of a formula, or strips to find one. The full-width signs count too. */
const opens = '[=+\\-@\\t\\r\\n＝＋－＠]'
/** Where a spreadsheet may see a cell begin: at its start, and after what another language setting takes for a separator. */
const guarded = new RegExp(`(?<=^ *|[,;|\\t\\r\\n])("*)('*)(?=${opens})`, 'g')

export type CsvValue = string | number | boolean | null

/** Excel reads a file without it in the code page of the machine. */
export const csvMark = '\uFEFF'

/**
 * One cell after RFC 4180, inert in spreadsheets (OWASP, CSV injection): an apostrophe goes before every sign that could begin a formula.
 * Nothing is lost: of the apostrophes at such a place exactly one is ours, so `'+15551234567` is `+15551234567` and `''=` is `'=`.
 * Numbers and booleans are ours and stay bare; null is an empty cell.
 */
export function csvCell(value: CsvValue): string {
  if (value === null) return ''
  if (typeof value !== 'string') return String(value)
  const inert = value.replaceAll(guarded, `$1'$2`)
  return /[",;|\t\r\n]|^[\s']|\s$/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert
}

/** One row with its line end. */
export function csvLine(values: readonly CsvValue[]): string {
  return `${values.map(csvCell).join(',')}\r\n`
}
