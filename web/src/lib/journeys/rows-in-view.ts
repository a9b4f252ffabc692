/** Rows of one height: which of them are drawn, and how much room those above and below take. */
export interface RowsInView {
  from: number
  to: number
  above: number
  below: number
}

export function rowsInView(count: number, rowHeight: number, scrollTop: number, viewHeight: number, spare = 8): RowsInView {
  // Steps of several rows, so that scrolling a little draws nothing anew.
  const first = Math.floor(Math.max(0, scrollTop) / rowHeight / spare) * spare
  const from = Math.min(Math.max(0, first - spare), Math.max(0, count))
  const to = Math.min(count, first + Math.ceil(viewHeight / rowHeight) + 2 * spare)
  return { from, to, above: from * rowHeight, below: (count - to) * rowHeight }
}
