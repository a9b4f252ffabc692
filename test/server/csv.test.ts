import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { csvCell, csvLine } from '../../server/csv.ts'

/** What a reader does after RFC 4180, then takes our apostrophe away again. */
function read(cell: string): string {
  const text = cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell
  return text.replaceAll(/(?<=^ *|[,;|\t\r\n])("*)'('*)(?=[=+\-@\t\r\n＝＋－＠])/g, '$1$2')
}

/** Cells as a spreadsheet would cut them that takes `separator` for one, wherever quotes do not hold. */
function cut(line: string, separator: string): string[] {
  const cells: string[] = []
  for (let rest = line; ; ) {
    const quoted = /^"(?:[^"]|"")*"/.exec(rest)?.[0] ?? ''
    const plain = rest.slice(quoted.length).split(separator, 1)[0] ?? ''
    cells.push(quoted.slice(1, -1).replaceAll('""', '"') + plain)
    const at = quoted.length + plain.length
    if (at >= rest.length) return cells
    rest = rest.slice(at + separator.length)
  }
}

const formula = /^[=+\-@\t\r＝＋－＠]/
const awkward = fc.array(fc.constantFrom('=', '+', '-', '@', "'", '"', ',', ';', '\t', '\r', '\n', ' ', '|', 'a', '1', '＝'), {
  maxLength: 12,
})

describe('S16: a cell of a CSV file', () => {
  it.each([
    ['=cmd|"/c calc"!A0', `"'=cmd|""/c calc""!A0"`],
    ['+15551234567', `"'+15551234567"`],
    ['-1', `"'-1"`],
    ['@SUM(A1)', `"'@SUM(A1)"`],
    ['\t=1', `"'\t'=1"`],
    ['\r=1', `"'\r'=1"`],
    ['＝1', `"'＝1"`],
    [' =1', `" '=1"`],
    ["'=1", `"''=1"`],
    ['a;=1', `"a;'=1"`],
    ['a";"=1', `"a"";""'=1"`],
    ['a "quoted" word', '"a ""quoted"" word"'],
    ['plain', 'plain'],
    ['2026-03-02T09:00:00Z', '2026-03-02T09:00:00Z'],
  ])('%j is inert and still readable', (value, cell) => {
    expect(csvCell(value)).toBe(cell)
    expect(read(cell)).toBe(value)
  })

  it('leaves numbers of ours bare and null empty', () => {
    expect(csvLine([-1, 2.5, true, null, ''])).toBe('-1,2.5,true,,\r\n')
  })

  it('gives every text back', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          awkward.map((signs) => signs.join('')),
          fc.string({ unit: 'grapheme' }),
        ),
        (text) => read(csvCell(text)) === text,
      ),
    )
  })

  it('begins no formula, whichever separator the spreadsheet goes by', () => {
    fc.assert(
      fc.property(awkward, fc.constantFrom(',', ';', '\t', '|'), (signs, separator) => {
        const line = csvLine(['x', signs.join(''), 'y']).slice(0, -2)
        return cut(line, separator).every((cell) => !formula.test(cell))
      }),
      { numRuns: 2_000 },
    )
  })
})
