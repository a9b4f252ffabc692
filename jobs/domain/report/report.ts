import type { Balance, Flow, Line, Standing } from './balance.ts'
import { balanceOf, entries, totalOf } from './balance.ts'

/** A stream that had not been read to the end of the day when the day was closed. */
export interface UnreadSource {
  /** `<connection>.<stream>` */
  readonly stream: string
  readonly title: string
  /** How far absence in it counts, epoch ms; null: not at all. */
  readonly readTo: number | null
  /** What stands in the way, in words; null: nothing but time. */
  readonly reason: string | null
  /** Steps of the day whose verdict waits for it. */
  readonly unknown: number
}

/** What was recorded on this day about an earlier one; part of the day's numbers. `day` null: earlier, no longer known when. */
export interface Adjustment {
  readonly day: string | null
  readonly opened: number
  readonly regressed: number
  readonly reopened: number
  readonly waiver_expired: number
  readonly ended: number
  /** Endings that turned out to be another ending: open counts do not change. */
  readonly amended: number
}

export interface ReportFrame {
  readonly day: string
  readonly zone: string
  /** Epoch ms. */
  readonly startsAt: number
  readonly endsAt: number
  /** Domain time at which the numbers were taken. Before `endsAt`: the day goes on, and they are not final. */
  readonly closedAt: number
  readonly workspace: string
  /** Where the console is, for links; null: nobody said. */
  readonly consoleUrl: string | null
  readonly titles: {
    readonly program: Readonly<Record<string, string>>
    readonly owner: Readonly<Record<string, string>>
    readonly site: Readonly<Record<string, string>>
    readonly kind: Readonly<Record<string, string>>
  }
}

/** The daily gap report: numbers, codes and titles of the configuration, nothing about a person. Every format is made from it alone. */
export interface Report extends ReportFrame {
  readonly balance: Balance
  readonly adjustments: readonly Adjustment[]
  /** How many streams there are, and those not read to the end of the day. */
  readonly streams: number
  readonly unread: readonly UnreadSource[]
}

/** What lists of days show. */
export interface ReportSummary {
  readonly total: Line
  readonly unread: number
  readonly unknown: number
}

export function makeReport(
  frame: ReportFrame,
  opening: readonly Standing[],
  flows: readonly Flow[],
  sight: { readonly streams: number; readonly unread: readonly UnreadSource[] },
): Report {
  return { ...frame, balance: balanceOf(opening, flows), adjustments: adjustmentsOf(flows), ...sight }
}

export function summaryOf(report: Report): ReportSummary {
  return {
    total: totalOf(report.balance),
    unread: report.unread.length,
    unknown: report.unread.reduce((sum, source) => sum + source.unknown, 0),
  }
}

export function isFinal(report: Pick<Report, 'closedAt' | 'endsAt'>): boolean {
  return report.closedAt >= report.endsAt
}

/** 24, or 23 or 25 where the clock is changed. */
export function hoursOf({ startsAt, endsAt }: Pick<Report, 'startsAt' | 'endsAt'>): number {
  return (endsAt - startsAt) / 3_600_000
}

function adjustmentsOf(flows: readonly Flow[]): readonly Adjustment[] {
  const days = new Map<string | null, { -readonly [K in keyof Adjustment]: Adjustment[K] }>()
  for (const { wasOpen, entered, ended, about, count } of flows) {
    const isAmended = ended !== null && !wasOpen && entered === null
    if (about === null && !isAmended) continue
    const row = days.get(about) ?? { day: about, opened: 0, regressed: 0, reopened: 0, waiver_expired: 0, ended: 0, amended: 0 }
    days.set(about, row)
    if (entered !== null) row[entered] += count
    if (isAmended) row.amended += count
    else if (ended !== null) row.ended += count
  }
  return [...days.values()]
    .filter((row) => row.ended + row.amended + entries.reduce((sum, entry) => sum + row[entry], 0) > 0)
    .sort((a, b) => ((a.day ?? '') > (b.day ?? '') ? -1 : 1))
}
