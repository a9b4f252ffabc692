import { linesBy } from './balance.ts'
import type { Report } from './report.ts'
import { asOf, page, reportTables, text, unreadBox } from './report-html.ts'
import { longDay, tablesOf, unreadSentences, wayOf } from './report-tables.ts'

export interface OwnerMail {
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** What one owner reads in the morning: their own balance, what was not read, where to go on. Null: nothing of theirs is open, so no mail. */
export function toOwnerMail(report: Report, owner: string): OwnerMail | null {
  const line = linesBy(report.balance, (place) => (place.owner === owner ? owner : null))[0]?.line
  if (line === undefined || line.closing === 0) return null
  const title = report.titles.owner[owner] ?? owner
  const count = line.closing === 1 ? '1 finding' : `${line.closing} findings`
  const headline = `${count} open for ${title} at the end of ${longDay(report.day)}: ${wayOf(line)}.`
  const link = report.consoleUrl === null ? null : `${report.consoleUrl}/findings?owner=${encodeURIComponent(owner)}`
  const tables = tablesOf(report, (place) => place.owner === owner).filter(({ dimension }) => dimension !== 'owner')
  return {
    subject: `${count} open for ${title}, ${report.day}`,
    text: [
      headline,
      ...(report.unread.length === 0 ? [] : ['', 'Not everything was read, so more may be open:', ...unreadSentences(report)]),
      ...tables.flatMap((table) => [
        '',
        `${table.title}:`,
        ...table.rows.map((row) => `  ${row.title}: ${row.line.closing} open, ${row.line.opened} new, ${row.line.ended} ended`),
      ]),
      ...(link === null ? [] : ['', link]),
      '',
      `${report.workspace}, ${asOf(report)}. Sent because something of yours is open; on days without, nothing is sent.`,
      '',
    ].join('\n'),
    html: page(`Gap report ${report.day}`, [
      `<h1>${text(count)} open for ${text(title)}</h1>`,
      `<p class="about">${text(longDay(report.day))} · ${text(report.workspace)} · ${text(asOf(report))}</p>`,
      `<p class="headline">${text(headline)}</p>`,
      ...(link === null ? [] : [`<p><a href="${text(link)}">Open them in the console</a></p>`]),
      unreadBox(report),
      reportTables(tables),
      '<p class="about">Sent because something of yours is open; on days without, nothing is sent.</p>',
    ]),
  }
}
