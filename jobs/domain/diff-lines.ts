import { diffLines } from 'diff'

export interface DiffLine {
  readonly kind: 'same' | 'added' | 'removed'
  /** 1-based line on either side; null: it is not there. */
  readonly before: number | null
  readonly after: number | null
  readonly text: string
}

/** Two texts line by line, whole; in a changed place the removed lines stand before the added ones. */
export function diffText(before: string, after: string): readonly DiffLine[] {
  const lines: DiffLine[] = []
  let [left, right] = [0, 0]
  for (const { value, added, removed } of diffLines(endedByNewline(before), endedByNewline(after))) {
    for (const text of value.replace(/\n$/, '').split('\n')) {
      lines.push({
        kind: added ? 'added' : removed ? 'removed' : 'same',
        before: added ? null : ++left,
        after: removed ? null : ++right,
        text: text.replace(/\r$/, ''),
      })
    }
  }
  return lines
}

/** The same with runs of equal lines farther than `context` from any change replaced by how many there are. */
export function foldEqual(
  lines: readonly DiffLine[],
  context = 3,
): readonly (DiffLine | { readonly kind: 'folded'; readonly lines: number })[] {
  const isNear = lines.map(() => false)
  for (const [index, { kind }] of lines.entries()) {
    if (kind === 'same') continue
    for (let near = Math.max(0, index - context); near <= Math.min(lines.length - 1, index + context); near++) isNear[near] = true
  }
  const folded: (DiffLine | { kind: 'folded'; lines: number })[] = []
  for (const [index, line] of lines.entries()) {
    const last = folded.at(-1)
    if (isNear[index]) folded.push(line)
    else if (last?.kind === 'folded') last.lines++
    else folded.push({ kind: 'folded', lines: 1 })
  }
  return folded
}

const endedByNewline = (text: string) => (text === '' || text.endsWith('\n') ? text : `${text}\n`)
