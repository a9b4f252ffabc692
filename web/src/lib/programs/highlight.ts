export interface Piece {
  readonly text: string
  readonly kind: 'key' | 'comment' | 'mark' | 'value'
}

/** One line of YAML in pieces, for the eye only: keys, comments, and the signs of structure. It need not understand the whole file. */
export function piecesOf(line: string): Piece[] {
  const pieces: Piece[] = []
  const pattern = /(#.*$)|("(?:[^"\\]|\\.)*"|'[^']*')|([A-Za-z_][\w.-]*)(?=\s*:(?:\s|$))|([{}[\],:]|^\s*-(?=\s))|([^#"'{}[\],:\s]+|\s+|.)/g
  let isAfterSpace = true
  for (const [text, comment, , key, mark] of line.matchAll(pattern)) {
    const isComment = comment !== undefined && isAfterSpace
    const kind = isComment ? 'comment' : key !== undefined ? 'key' : mark !== undefined ? 'mark' : 'value'
    const last = pieces.at(-1)
    if (last?.kind === kind) pieces[pieces.length - 1] = { kind, text: last.text + text }
    else pieces.push({ kind, text })
    isAfterSpace = /\s$/.test(text)
  }
  return pieces
}
