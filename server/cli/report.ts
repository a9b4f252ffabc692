import { AppError } from '../../jobs/domain/errors.ts'
import { totalOf } from '../../jobs/domain/report/balance.ts'
import { isDay } from '../../jobs/domain/report/report-day.ts'
import { closeDays, readDayReport } from '../../jobs/reports/close-days.ts'
import type { ServerConfig } from '../config.ts'
import { formatReport, type ReportFormat } from '../report-formats.ts'
import { openConfigured, type OpenOptions } from './open-configured.ts'

export interface ReportOptions extends OpenOptions {
  readonly date: string
  readonly format: ReportFormat
}

/** The gap report of a day; closes it first where it is over. 0: nothing open when the day ended, 2: something is. */
export async function report(config: ServerConfig, options: ReportOptions, write: (text: string) => Promise<void>): Promise<number> {
  if (!isDay(options.date)) throw new AppError('invalid_input', `"${options.date}" is no day; write one such as 2026-03-02.`)
  const opened = await openConfigured(config, options)
  try {
    await closeDays(opened.workspace)
    const found = await readDayReport(opened.workspace, options.date)
    if (found === undefined)
      throw new AppError(
        'not_found',
        `There is no report of ${options.date}: it has not begun in ${opened.workspace.timeZone}, or nothing had been read by then.`,
      )
    await write(formatReport(found, options.format))
    return totalOf(found.balance).closing === 0 ? 0 : 2
  } finally {
    await opened.close()
  }
}
