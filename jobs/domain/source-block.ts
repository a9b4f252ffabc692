export interface SourceBlock {
  /** 1-based. */
  readonly firstLine: number
  readonly text: string
}

/**
 * The lines of one key of a block of YAML, found by its 1-based line: all that is indented more deeply belongs to it. Comments and empty
 * lines at its end belong to what follows.
 */
export function sourceBlock(source: string, firstLine: number): SourceBlock | null {
  const lines = source.split(/\r?\n/)
  const head = lines[firstLine - 1]
  if (head === undefined) return null
  const depth = indentOf(head)
  let end = firstLine
  for (let index = firstLine; index < lines.length; index++) {
    const line = lines[index]!
    if (isSilent(line)) continue
    if (indentOf(line) <= depth && !/^\s*[}\]]/.test(line)) break
    end = index + 1
  }
  const own = lines.slice(firstLine - 1, end)
  return { firstLine, text: own.map((line) => line.slice(Math.min(depth, indentOf(line)))).join('\n') }
}

const isSilent = (line: string) => /^\s*(#|$)/.test(line)
const indentOf = (line: string) => line.length - line.trimStart().length
