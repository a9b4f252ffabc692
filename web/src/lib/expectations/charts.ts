import type { ExpectationDetail, VerdictState } from '../api-types.ts'
import type { ChartSeries, ChartSpec } from '../charts/chart-spec.ts'
import { count, counted } from '../format/count.ts'
import { duration } from '../format/time.ts'
import { wordOf, verdicts } from '../words.ts'
import { percent, stripOrder } from './query.ts'

const looks: Partial<Record<VerdictState, NonNullable<ChartSeries['look']>>> = {
  satisfied_late: 'hatched',
  unknown: 'hatched',
  at_risk: 'hatched',
}

/** Activations of each week by verdict; a bar leads to those it counts. */
export function weeksSpec(
  weeks: ExpectationDetail['weeks']['items'],
  dayOf: (at: number) => string,
  hrefOf: (state: VerdictState, week: { from: string; to: string }) => string,
): ChartSpec {
  const states = stripOrder.filter((state) => state !== 'void' && weeks.some((week) => week.states[state]))
  return {
    kind: 'bar',
    xTitle: 'Week from',
    xs: weeks.map((week) => dayOf(Date.parse(week.from))),
    isStacked: true,
    series: states.map((state) => ({
      label: wordOf(verdicts, state).word,
      values: weeks.map((week) => week.states[state] ?? 0),
      tone: wordOf(verdicts, state).tone,
      ...(looks[state] ? { look: looks[state] } : {}),
    })),
    hrefOf: (series, index) => {
      const [state, week] = [states[series], weeks[index]]
      return state && week ? hrefOf(state, week) : undefined
    },
  }
}

export function weeksInWords(weeks: ExpectationDetail['weeks']['items']): string {
  const activations = weeks.reduce((sum, week) => sum + week.activations, 0)
  const violations = weeks.reduce((sum, week) => sum + week.violations, 0)
  const last = weeks.at(-1)
  const running = last ? ` This week so far: ${counted(last.activations, 'activation')}, ${count(last.violations)} broken or late.` : ''
  return `${counted(activations, 'activation')} in ${counted(weeks.length, 'week')}, ${counted(violations, 'violation')}.${running}`
}

type Curve = NonNullable<ExpectationDetail['curve']>

/** `20 min`, or `3 h before` where time is told from the deadline. */
export function elapsedInWords(origin: Curve['origin'], ms: number): string {
  if (origin === 'start') return ms === 0 ? '0' : duration(ms)
  return ms === 0 ? 'deadline' : `${duration(ms)} ${ms < 0 ? 'before' : 'after'}`
}

/** The share that has come, by the time it took. */
export function curveSpec(curve: Curve, step: string): ChartSpec {
  const inside = curve.points.filter(({ elapsedMs }) => elapsedMs > curve.fromMs && elapsedMs < curve.untilMs)
  const shareAt = (ms: number) => curve.points.findLast(({ elapsedMs }) => elapsedMs <= ms)?.share ?? 0
  return {
    kind: 'line',
    xTitle: curve.origin === 'start' ? 'After' : 'To the deadline',
    xs: [curve.fromMs, ...inside.map(({ elapsedMs }) => elapsedMs), curve.untilMs],
    xText: (ms) => elapsedInWords(curve.origin, ms),
    isStepped: true,
    yMost: 1,
    valueText: percent,
    series: [
      {
        label: `${step}, share that has come`,
        values: [shareAt(curve.fromMs), ...inside.map(({ share }) => share), shareAt(curve.untilMs)],
        tone: 'accent',
      },
    ],
    marks: [{ x: curve.deadlineMs, text: curve.origin === 'start' ? `within ${duration(curve.deadlineMs)}` : 'deadline', tone: 'bad' }],
  }
}

export function curveInWords(curve: Curve): string {
  const median =
    curve.medianMs === null
      ? 'Fewer than half ever come.'
      : curve.origin === 'start'
        ? `Half come within ${duration(curve.medianMs)}.`
        : `Half have come ${elapsedInWords('deadline', curve.medianMs).replace('deadline', 'at the deadline')}${curve.medianMs === 0 ? '' : ' the deadline'}.`
  return `${percent(curve.shareByDeadline)} come by the deadline. ${median} From ${counted(curve.came, 'activation')} that came and ${count(curve.unfinished)} that did not or not yet, each counted for as long as it was seen.`
}
