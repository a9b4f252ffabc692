/** RFC 4180 over text, record by record. Quotes mean something only where a cell begins with one. */

export interface CsvRecord {
  readonly cells: string[]
  /** Position after the line end. */
  readonly end: number
  /** Physical lines it spans. */
  readonly lines: number
}

export type CsvStep = CsvRecord | 'needs_more' | { readonly broken: string; readonly end: number }

const longestRecord = 1_048_576

/**
 * One record that holds quotes, from `start`. A broken one ends with its first physical line, so that whatever stands
 * after a quote that is never closed is still read. `last`: no more text follows.
 */
export function readQuotedRecord(text: string, start: number, delimiter: string, last: boolean): CsvStep {
  const cells: string[] = []
  let at = start
  let lines = 1
  for (;;) {
    if (text.charCodeAt(at) === 34) {
      let cell = ''
      let from = at + 1
      for (;;) {
        const quote = text.indexOf('"', from)
        if (quote < 0) {
          if (!last && text.length - start < longestRecord) return 'needs_more'
          return broken(text, start, 'a quote is opened and never closed')
        }
        if (quote - start > longestRecord) return broken(text, start, 'a quote is opened and not closed within 1 MB')
        if (quote + 1 === text.length && !last) return 'needs_more'
        if (text.charCodeAt(quote + 1) === 34) {
          cell += text.slice(from, quote + 1)
          from = quote + 2
          continue
        }
        cell += text.slice(from, quote)
        at = quote + 1
        break
      }
      for (let newline = cell.indexOf('\n'); newline >= 0; newline = cell.indexOf('\n', newline + 1)) lines += 1
      cells.push(cell)
    } else {
      const end = endOfPlainCell(text, at, delimiter)
      if (end === text.length && !last) return 'needs_more'
      cells.push(text.slice(at, end === text.length || text[end] === delimiter || text.charCodeAt(end - 1) !== 13 ? end : end - 1))
      at = end
    }
    if (at === text.length) return { cells, end: at, lines }
    if (text[at] === delimiter) {
      at += 1
      continue
    }
    if (text.charCodeAt(at) === 13) {
      if (at + 1 === text.length) return last ? { cells, end: at + 1, lines } : 'needs_more'
      if (text.charCodeAt(at + 1) === 10) return { cells, end: at + 2, lines }
    }
    if (text.charCodeAt(at) === 10) return { cells, end: at + 1, lines }
    return broken(text, start, 'text follows a closing quote (a quote inside a cell is written twice: "")')
  }
}

function endOfPlainCell(text: string, at: number, delimiter: string): number {
  const cut = text.indexOf(delimiter, at)
  const newline = text.indexOf('\n', at)
  const end = cut < 0 ? newline : newline < 0 ? cut : Math.min(cut, newline)
  return end < 0 ? text.length : end
}

function broken(text: string, start: number, why: string): CsvStep {
  const newline = text.indexOf('\n', start)
  return { broken: why, end: newline < 0 ? text.length : newline + 1 }
}

/** The same cells always give the same text, however they were quoted. */
export function canonicalRow(cells: readonly string[], delimiter: string): string {
  return cells
    .map((cell) =>
      cell.includes('"') || cell.includes(delimiter) || cell.includes('\n') || cell.includes('\r')
        ? `"${cell.replaceAll('"', '""')}"`
        : cell,
    )
    .join(delimiter)
}

/** The separator a header line most likely uses. */
export function guessDelimiter(header: string): string {
  let best = ','
  let most = 0
  for (const candidate of [',', ';', '\t', '|']) {
    const count = header.replace(/"(?:[^"]|"")*"/g, '').split(candidate).length - 1
    if (count > most) {
      best = candidate
      most = count
    }
  }
  return best
}
