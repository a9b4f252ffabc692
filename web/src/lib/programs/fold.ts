import type { DiffLine } from '../api-types.ts'

export type Folded = { readonly line: DiffLine } | { readonly hidden: readonly DiffLine[] }

/** Equal lines farther than `context` from any change become one place that can be opened. */
export function foldEqual(lines: readonly DiffLine[], context = 3): Folded[] {
  const isNear = lines.map((_, index) => lines.slice(Math.max(0, index - context), index + context + 1).some(({ kind }) => kind !== 'same'))
  const folded: ({ line: DiffLine } | { hidden: DiffLine[] })[] = []
  for (const [index, line] of lines.entries()) {
    const last = folded.at(-1)
    if (isNear[index]) folded.push({ line })
    else if (last && 'hidden' in last) last.hidden.push(line)
    else folded.push({ hidden: [line] })
  }
  return folded
}

export interface Row {
  readonly before: DiffLine | null
  readonly after: DiffLine | null
}

/** The same beside each other: of a changed place, the removed lines on the left and the added ones on the right. */
export function sideBySide(lines: readonly DiffLine[]): Row[] {
  const rows: Row[] = []
  let index = 0
  while (index < lines.length) {
    const line = lines[index]
    if (line === undefined) break
    if (line.kind === 'same') {
      rows.push({ before: line, after: line })
      index++
      continue
    }
    const removed: DiffLine[] = []
    const added: DiffLine[] = []
    for (let next = lines[index]; next !== undefined && next.kind !== 'same'; next = lines[++index])
      (next.kind === 'removed' ? removed : added).push(next)
    for (let row = 0; row < Math.max(removed.length, added.length); row++)
      rows.push({ before: removed[row] ?? null, after: added[row] ?? null })
  }
  return rows
}
