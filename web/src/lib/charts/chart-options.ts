import type { ChartConfiguration, ChartDataset, Plugin } from 'chart.js'
import { type ChartSeries, type ChartSpec, type ChartTone, valueTextOf, xTextOf } from './chart-spec.ts'

/** The tokens of app.css as they stand now. */
export interface ChartColours {
  readonly tones: Readonly<Record<ChartTone, string>>
  readonly line: string
  readonly ink: string
  readonly inkFaint: string
  readonly surface: string
  readonly font: string
}

export function readColours(element: Element): ChartColours {
  const style = getComputedStyle(element)
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return {
    tones: {
      bad: token('bad'),
      warn: token('warn'),
      good: token('good'),
      wait: token('wait'),
      accent: token('accent'),
      plain: token('ink-faint'),
    },
    line: token('line'),
    ink: token('ink'),
    inkFaint: token('ink-faint'),
    surface: token('surface'),
    font: style.fontFamily,
  }
}

export type ChartData = (number | null)[] | { x: number; y: number | null }[]

/** Nothing is animated: a number that moves cannot be read. */
export function chartOptions(spec: ChartSpec, colours: ChartColours): ChartConfiguration<'bar' | 'line', ChartData, string> {
  const isLinear = typeof spec.xs[0] === 'number'
  const font = { family: colours.font, size: 11 }
  const ticks = { color: colours.inkFaint, font, padding: 6 }
  return {
    type: spec.kind,
    data: {
      labels: isLinear ? [] : spec.xs.map(String),
      datasets: spec.series.map((series) => datasetOf(spec, series, colours, isLinear)),
    },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      layout: { padding: { top: spec.marks?.length ? 16 : 4, right: 4 } },
      interaction: { mode: 'index', intersect: false },
      scales: {
        x: {
          type: isLinear ? 'linear' : 'category',
          ...(isLinear ? { min: Number(spec.xs[0]), max: Number(spec.xs.at(-1)) } : {}),
          stacked: spec.isStacked ?? false,
          grid: { display: false },
          border: { color: colours.line },
          ticks: {
            ...ticks,
            maxRotation: 0,
            autoSkipPadding: 12,
            ...(isLinear ? { callback: (value) => spec.xText?.(Number(value)) ?? value } : {}),
          },
        },
        y: {
          stacked: spec.isStacked ?? false,
          beginAtZero: true,
          ...(spec.yMost === undefined ? {} : { suggestedMax: spec.yMost }),
          grid: { color: colours.line },
          border: { display: false },
          ticks: {
            ...ticks,
            maxTicksLimit: 5,
            precision: spec.valueText ? undefined : 0,
            callback: (value) => valueTextOf(spec, Number(value)),
          },
        },
      },
      plugins: {
        tooltip: {
          backgroundColor: colours.ink,
          titleColor: colours.surface,
          bodyColor: colours.surface,
          titleFont: { ...font, weight: 600 },
          bodyFont: font,
          padding: 8,
          cornerRadius: 6,
          boxPadding: 4,
          displayColors: false,
          callbacks: {
            title: (items) => (items[0] ? xTextOf(spec, items[0].dataIndex) : ''),
            label: (item) => `${item.dataset.label ?? ''}  ${valueTextOf(spec, spec.series[item.datasetIndex]?.values[item.dataIndex])}`,
          },
        },
      },
    },
    plugins: spec.marks?.length ? [marksOf(spec, colours)] : [],
  }
}

function datasetOf(
  spec: ChartSpec,
  { label, values, tone, look, stack }: ChartSeries,
  colours: ChartColours,
  isLinear: boolean,
): ChartDataset<'bar' | 'line', ChartData> {
  const colour = colours.tones[tone]
  const data: ChartData = isLinear ? values.map((y, index) => ({ x: Number(spec.xs[index]), y })) : [...values]
  if (spec.kind === 'bar') {
    const fill = look === 'hatched' ? hatching(colour, colours.surface) : colour
    return {
      type: 'bar',
      label,
      data,
      ...(stack === undefined ? {} : { stack }),
      backgroundColor: fill,
      hoverBackgroundColor: fill,
      borderColor: look === 'hatched' ? colour : colours.surface,
      hoverBorderColor: colours.ink,
      borderWidth: look === 'hatched' ? 1 : spec.isStacked ? { top: 1 } : 0,
      borderRadius: 2,
      maxBarThickness: 36,
      categoryPercentage: 0.8,
      barPercentage: 0.9,
    }
  }
  return {
    type: 'line',
    label,
    data,
    borderColor: colour,
    backgroundColor: colour,
    hoverBackgroundColor: colour,
    pointRadius: values.length > 40 ? 0 : 2,
    pointHoverRadius: 4,
    pointBackgroundColor: colour,
    pointHoverBackgroundColor: colour,
    borderWidth: 2,
    borderDash: look === 'dashed' ? [5, 4] : [],
    stepped: spec.isStepped ?? false,
    fill: spec.isStacked ? 'stack' : false,
  }
}

function hatching(colour: string, ground: string): CanvasPattern | string {
  const tile = document.createElement('canvas')
  tile.width = tile.height = 6
  const draw = tile.getContext('2d')
  if (!draw) return colour
  draw.fillStyle = ground
  draw.fillRect(0, 0, 6, 6)
  draw.strokeStyle = colour
  draw.lineWidth = 1.5
  draw.beginPath()
  draw.moveTo(-1, 7)
  draw.lineTo(7, -1)
  draw.moveTo(-1, 1)
  draw.lineTo(1, -1)
  draw.moveTo(5, 7)
  draw.lineTo(7, 5)
  draw.stroke()
  return draw.createPattern(tile, 'repeat') ?? colour
}

function marksOf(spec: ChartSpec, colours: ChartColours): Plugin<'bar' | 'line'> {
  return {
    id: 'marks',
    afterDatasetsDraw: ({ ctx, chartArea, scales }) => {
      for (const { x, text, tone } of spec.marks ?? []) {
        const at = scales.x?.getPixelForValue(x) ?? Number.NaN
        if (!(at >= chartArea.left - 1 && at <= chartArea.right + 1)) continue
        ctx.save()
        ctx.strokeStyle = ctx.fillStyle = colours.tones[tone]
        ctx.lineWidth = 1.5
        ctx.setLineDash([3, 3])
        ctx.beginPath()
        ctx.moveTo(at, chartArea.top)
        ctx.lineTo(at, chartArea.bottom)
        ctx.stroke()
        ctx.font = `600 11px ${colours.font}`
        const isRight = at > (chartArea.left + chartArea.right) / 2
        ctx.textAlign = isRight ? 'right' : 'left'
        ctx.fillText(text, isRight ? Math.min(at + 2, chartArea.right) : at, chartArea.top - 5)
        ctx.restore()
      }
    },
  }
}
