import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  balanceOf,
  dimensions,
  endings,
  entries,
  type Flow,
  linesBy,
  type Line,
  standingOf,
  totalOf,
} from '../../../../jobs/domain/report/balance.ts'
import { makeReport, type Report, type ReportFrame } from '../../../../jobs/domain/report/report.ts'
import { boundsOf, dayOf, daysToClose, isDay, nextDay, previousDay } from '../../../../jobs/domain/report/report-day.ts'

const frame = (day: string, zone = 'UTC'): ReportFrame => ({
  day,
  zone,
  ...boundsOf(day, zone),
  closedAt: boundsOf(day, zone).endsAt + 900_000,
  workspace: 'Acme',
  consoleUrl: null,
  titles: { program: {}, owner: {}, site: {}, kind: {} },
})
const place = fc.record({
  program: fc.constantFrom('care', 'loans', null),
  owner: fc.constantFrom('ann', 'ben', 'cho'),
  site: fc.constantFrom('north', null),
  kind: fc.constantFrom('gap', 'late', 'duplicate'),
})

/** What a finding may do next, as the engine writes it. */
const steps = fc.array(
  fc.record({
    finding: fc.nat(5),
    what: fc.constantFrom('enter', 'end', 'move', 'end elsewhere', 'both', 'amend'),
    entered: fc.constantFrom(...entries),
    ended: fc.constantFrom(...endings),
    to: place,
    minutes: fc.nat(2000),
    about: fc.boolean(),
  }),
  { maxLength: 60 },
)

interface Timed {
  readonly at: number
  readonly flow: Flow
}

/** A possible history: each finding alternates, time never runs back. */
function historyOf(
  chosen: typeof steps extends fc.Arbitrary<infer T> ? T : never,
  start: number,
): { history: Timed[]; open: Map<number, Flow['to']> } {
  const last = new Map<number, { place: Flow['to']; open: boolean }>()
  const history: Timed[] = []
  let at = start
  for (const { finding, what, entered, ended, to, minutes, about } of chosen) {
    at += minutes * 60_000
    const was = last.get(finding)
    const shape = { wasOpen: was?.open ?? false, from: was?.place ?? null, about: about ? '2020-01-01' : null, count: 1 }
    const add = (flow: Omit<Flow, keyof typeof shape>, open: boolean) => {
      history.push({ at, flow: { ...shape, ...flow } })
      last.set(finding, { place: flow.to, open })
    }
    if (was?.open) {
      if (what === 'move') add({ entered: null, ended: null, to }, true)
      else if (what === 'end') add({ entered: null, ended, to: was.place }, false)
      else if (what === 'end elsewhere') add({ entered: null, ended, to }, false)
    } else if (what === 'both') add({ entered: was ? entered : 'opened', ended, to }, false)
    else if (what === 'amend' && was) add({ entered: null, ended, to: was.place }, false)
    else add({ entered: was ? entered : 'opened', ended: null, to }, true)
  }
  return { history, open: new Map([...last].filter(([, { open }]) => open).map(([id, { place: where }]) => [id, where])) }
}

function reportsOf(history: readonly Timed[], start: number, zone: string, days: number): Report[] {
  const made: Report[] = []
  for (let day = dayOf(start, zone); made.length < days; day = nextDay(day)) {
    const { startsAt, endsAt } = boundsOf(day, zone)
    const flows = history.filter(({ at }) => at >= startsAt && at < endsAt).map(({ flow }) => flow)
    const before = made.at(-1)
    made.push(makeReport(frame(day, zone), before ? standingOf(before.balance) : [], flows, { streams: 1, unread: [] }))
  }
  return made
}

function sumOf(line: Line): number {
  return (
    line.opening +
    entries.reduce((sum, entry) => sum + line[entry], 0) +
    line.transferredIn -
    line.ended -
    line.transferredOut -
    line.closing
  )
}

const zones = fc.constantFrom('UTC', 'America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'Pacific/Apia')
const starts = fc.date({ min: new Date('2026-01-01T00:00:00Z'), max: new Date('2026-12-31T00:00:00Z'), noInvalidDate: true }).map(Number)

describe('Capability 12: a report that balances (semantics 23)', () => {
  it('opening and what entered less what ended is closing, in every line of every dimension', () => {
    fc.assert(
      fc.property(steps, starts, zones, (chosen, start, zone) => {
        for (const { balance } of reportsOf(historyOf(chosen, start).history, start, zone, 90)) {
          expect(sumOf(totalOf(balance))).toBe(0)
          for (const dimension of dimensions)
            for (const { line } of linesBy(balance, (at) => at[dimension] ?? '-')) {
              expect(sumOf(line)).toBe(0)
              expect(Math.min(line.opening, line.closing)).toBeGreaterThanOrEqual(0)
            }
        }
      }),
      { numRuns: 60 },
    )
  })

  it('opens with what the day before closed with, line by line, and ends with what is open', () => {
    fc.assert(
      fc.property(steps, starts, zones, (chosen, start, zone) => {
        const { history, open } = historyOf(chosen, start)
        const days = reportsOf(history, start, zone, 90)
        days.forEach((report, index) => {
          const before = days[index - 1]
          if (!before) return
          for (const dimension of dimensions) {
            const lines = (of: Report, end: 'opening' | 'closing') =>
              linesBy(of.balance, (at) => at[dimension] ?? '-')
                .filter(({ line }) => line[end] > 0)
                .map(({ key, line }) => `${key} ${line[end]}`)
                .sort()
            expect(lines(report, 'opening')).toEqual(lines(before, 'closing'))
          }
        })
        expect(totalOf(days.at(-1)!.balance).closing).toBe(open.size)
      }),
      { numRuns: 60 },
    )
  })

  it('each dimension adds up to the total, and what leaves one line by a transfer comes into another', () => {
    fc.assert(
      fc.property(steps, starts, (chosen, start) => {
        for (const { balance } of reportsOf(historyOf(chosen, start).history, start, 'UTC', 60)) {
          const total = totalOf(balance)
          for (const dimension of dimensions) {
            const lines = linesBy(balance, (at) => at[dimension] ?? '-').map(({ line }) => line)
            const sum = (word: keyof Line) => lines.reduce((all, line) => all + line[word], 0)
            for (const word of ['opening', ...entries, ...endings, 'ended', 'closing'] as const) expect(sum(word)).toBe(total[word])
            expect(sum('transferredIn')).toBe(sum('transferredOut'))
          }
          expect([total.transferredIn, total.transferredOut]).toEqual([0, 0])
        }
      }),
      { numRuns: 60 },
    )
  })

  it('regenerating is byte-identical, in whatever order and portions the transitions are read', () => {
    fc.assert(
      fc.property(steps, starts, fc.infiniteStream(fc.nat()), (chosen, start, dice) => {
        const { history } = historyOf(chosen, start)
        const flows = history.map(({ flow }) => flow)
        const shuffled = flows.map((flow) => ({ flow, by: dice.next().value })).sort((a, b) => a.by - b.by)
        const split = shuffled.flatMap(({ flow }) => [
          { ...flow, count: 3 },
          { ...flow, count: -2 },
        ])
        const day = frame('2026-03-02')
        const sight = { streams: 0, unread: [] }
        expect(JSON.stringify(makeReport(day, [], split, sight))).toBe(JSON.stringify(makeReport(day, [], flows, sight)))
      }),
      { numRuns: 60 },
    )
  })

  it('a late event about D is an adjustment on D + 1, within its numbers', () => {
    const to = { program: 'care', owner: 'ann', site: null, kind: 'gap' }
    const open: Flow = { wasOpen: false, entered: 'opened', ended: null, to, from: null, about: null, count: 2 }
    const first = makeReport(frame('2026-03-02'), [], [open], { streams: 1, unread: [] })
    const late: Flow = { wasOpen: true, entered: null, ended: 'false_alarm', to, from: to, about: '2026-03-02', count: 1 }
    const second = makeReport(frame('2026-03-03'), standingOf(first.balance), [late, { ...open, count: 1 }], { streams: 1, unread: [] })
    expect(first.adjustments).toEqual([])
    expect(totalOf(first.balance)).toMatchObject({ opened: 2, closing: 2 })
    expect(second.adjustments).toEqual([
      { day: '2026-03-02', opened: 0, regressed: 0, reopened: 0, waiver_expired: 0, ended: 1, amended: 0 },
    ])
    expect(totalOf(second.balance)).toMatchObject({ opening: 2, opened: 1, false_alarm: 1, closing: 2 })
  })

  it('counts a change of owner as a transfer between owners only, and a gap that came late as ended late', () => {
    const gap = { program: 'care', owner: 'ann', site: null, kind: 'gap' }
    const balance = balanceOf(
      [{ ...gap, count: 2 }],
      [
        { wasOpen: true, entered: null, ended: null, from: gap, to: { ...gap, owner: 'ben' }, about: null, count: 1 },
        { wasOpen: true, entered: null, ended: 'verified', from: gap, to: { ...gap, kind: 'late' }, about: null, count: 1 },
      ],
    )
    const lines = (dimension: (typeof dimensions)[number]) =>
      Object.fromEntries(linesBy(balance, (at) => at[dimension] ?? '-').map(({ key, line }) => [key, line]))
    expect(lines('owner')).toMatchObject({
      ann: { opening: 2, transferredOut: 1, verified: 1, closing: 0 },
      ben: { opening: 0, transferredIn: 1, closing: 1 },
    })
    expect(lines('kind')).toMatchObject({
      gap: { opening: 2, transferredOut: 1, closing: 1 },
      late: { transferredIn: 1, verified: 1, closing: 0 },
    })
    expect(lines('program')).toMatchObject({ care: { transferredIn: 0, transferredOut: 0, closing: 1 } })
  })

  it('keeps amended endings out of the balance and among the adjustments', () => {
    const to = { program: 'care', owner: 'ann', site: null, kind: 'gap' }
    const amended: Flow = { wasOpen: false, entered: null, ended: 'false_alarm', from: to, to, about: null, count: 1 }
    const report = makeReport(frame('2026-03-02'), [], [amended], { streams: 1, unread: [] })
    expect(totalOf(report.balance)).toMatchObject({ false_alarm: 0, ended: 0, closing: 0 })
    expect(report.adjustments).toMatchObject([{ day: null, amended: 1, ended: 0 }])
  })
})

describe('a report day', () => {
  it('follows the zone: 23 and 25 hours where the clock is changed', () => {
    const hours = (day: string, zone: string) => {
      const { startsAt, endsAt } = boundsOf(day, zone)
      return (endsAt - startsAt) / 3_600_000
    }
    expect(hours('2026-03-08', 'America/New_York')).toBe(23)
    expect(hours('2026-11-01', 'America/New_York')).toBe(25)
    expect(hours('2026-04-05', 'Australia/Lord_Howe')).toBe(24.5)
    expect(hours('2026-03-02', 'UTC')).toBe(24)
    expect(hours('2011-12-30', 'Pacific/Apia')).toBe(0)
  })

  it('holds each moment in exactly one day, next to its neighbours', () => {
    const anyZone = fc.constantFrom('UTC', 'America/New_York', 'Africa/Cairo', 'America/Havana', 'Asia/Beirut', 'Asia/Kathmandu')
    fc.assert(
      fc.property(starts, anyZone, (at, zone) => {
        const day = dayOf(at, zone)
        const { startsAt, endsAt } = boundsOf(day, zone)
        expect(isDay(day)).toBe(true)
        expect(startsAt <= at && at < endsAt).toBe(true)
        expect(boundsOf(nextDay(day), zone).startsAt).toBe(endsAt)
        expect(previousDay(nextDay(day))).toBe(day)
      }),
    )
  })

  it('is closed some minutes after midnight, each day once, also days that passed while nobody looked', () => {
    const zone = 'America/New_York'
    const asked = { last: null, since: Date.parse('2026-03-06T12:00:00Z'), zone, atMinutes: 15 }
    const at = (text: string) => daysToClose({ ...asked, now: Date.parse(text) })
    expect(at('2026-03-07T05:14:59Z')).toEqual([])
    expect(at('2026-03-07T05:15:00Z')).toEqual(['2026-03-06'])
    expect(at('2026-03-09T04:15:00Z')).toEqual(['2026-03-06', '2026-03-07', '2026-03-08'])
    expect(daysToClose({ ...asked, last: '2026-03-07', now: Date.parse('2026-03-09T04:14:00Z') })).toEqual([])
    expect(daysToClose({ ...asked, last: '2026-03-07', now: Date.parse('2026-03-09T04:15:00Z') })).toEqual(['2026-03-08'])
    expect(daysToClose({ ...asked, last: '2026-03-09', now: Date.parse('2026-03-09T05:00:00Z') })).toEqual([])
  })

  it.each(['2026-02-30', '2026-13-01', '26-01-01', '2026-3-2', ''])('%j is none', (text) => {
    expect(isDay(text)).toBe(false)
  })
})
