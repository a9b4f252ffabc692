/** What a chart shows, without any library's words. Its table says the same (ChartTable.svelte). */

export type ChartTone = 'bad' | 'warn' | 'good' | 'wait' | 'accent' | 'plain'

export interface ChartSeries {
  readonly label: string
  /** One per place of `xs`; null: nothing is known there, which is drawn as a hole and not as zero. */
  readonly values: readonly (number | null)[]
  readonly tone: ChartTone
  /** Told apart without colour: `hatched` bars, `dashed` lines. */
  readonly look?: 'solid' | 'hatched' | 'dashed'
  /** Bars of one name stand on top of each other, those of another beside them. Where the chart is stacked. */
  readonly stack?: string
}

export interface ChartSpec {
  readonly kind: 'bar' | 'line'
  /** What the places along the bottom are called, for the table's first column: `Day`. */
  readonly xTitle: string
  /** Words are places side by side; numbers stand at their distance from each other. */
  readonly xs: readonly (string | number)[]
  readonly xText?: (x: number) => string
  readonly series: readonly ChartSeries[]
  /** Bars on top of each other, or the area under a line as a stack. */
  readonly isStacked?: boolean
  /** Lines that stand still between two values, as a count over time does. */
  readonly isStepped?: boolean
  readonly valueText?: (value: number) => string
  /** The largest value the axis shows at least: 1 for shares. */
  readonly yMost?: number
  /** Upright lines with a word each, where `xs` are numbers: a deadline. */
  readonly marks?: readonly { readonly x: number; readonly text: string; readonly tone: ChartTone }[]
  /** The list behind one value, for the pointer, the Enter key and the table. */
  readonly hrefOf?: (series: number, index: number) => string | undefined
}

export const xTextOf = (spec: ChartSpec, index: number): string => {
  const x = spec.xs[index] ?? ''
  return typeof x === 'number' ? (spec.xText?.(x) ?? String(x)) : x
}

const plainNumber = new Intl.NumberFormat('en-GB')
export const valueTextOf = (spec: ChartSpec, value: number | null | undefined): string =>
  value === null || value === undefined ? 'not known' : (spec.valueText?.(value) ?? plainNumber.format(value))

/** One place in words, as arrow keys read it out: `3 Mar: Opened 12, Verified 9`. */
export function placeInWords(spec: ChartSpec, index: number): string {
  const values = spec.series.map(({ label, values }) => `${label} ${valueTextOf(spec, values[index])}`)
  return `${xTextOf(spec, index)}: ${values.join(', ')}`
}
