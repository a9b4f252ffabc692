import { totalOf } from './balance.ts'
import { hoursOf, isFinal, type Report } from './report.ts'
import { adjustmentSentences, sumOf } from './report-text.ts'
import { columnsIn, headlineOf, longDay, type ReportTable, tablesOf, timeIn, unreadSentences } from './report-tables.ts'

/** A page of its own: no script, nothing fetched, readable in light, in dark and on paper. */
export function toReportHtml(report: Report): string {
  const tables = tablesOf(report)
  const total = totalOf(report.balance)
  return page(`Gap report ${report.day} · ${report.workspace}`, [
    `<h1>Gap report of ${text(longDay(report.day))}</h1>`,
    `<p class="about">${text(report.workspace)} · ${text(asOf(report))}</p>`,
    `<p class="headline">${text(headlineOf(report))}</p>`,
    unreadBox(report),
    reportTables(tables, [total]),
    adjustments(report),
    `<p class="about">Open before + new + regressed + reopened + waivers expired + transferred in − ended − transferred out = open after.
      Days and transfers go by the time they were recorded. Nothing here names a person.</p>`,
  ])
}

export function asOf(report: Report): string {
  const hours = hoursOf(report)
  const length = hours === 24 ? '' : `, a day of ${hours} hours`
  const closed = `${timeIn(report, report.closedAt)} ${report.zone}`
  return isFinal(report) ? `closed ${closed}${length}` : `not closed yet: as of ${closed}${length}`
}

export function unreadBox(report: Report): string {
  if (report.unread.length === 0) {
    return isFinal(report) ? `<p class="read">All ${report.streams} streams were read to the end of the day.</p>` : ''
  }
  return `<section class="unread"><h2>Not everything was read, so more may be open</h2><ul>${unreadSentences(report)
    .map((sentence, index) => {
      const reason = report.unread[index]?.reason
      return `<li>${text(sentence)}${reason ? ` <span class="about">${text(reason)}</span>` : ''}</li>`
    })
    .join('')}</ul></section>`
}

/** Tables with the columns in which anything stands, in any of them. */
export function reportTables(tables: readonly ReportTable[], more: Parameters<typeof columnsIn>[0] = []): string {
  const shown = columnsIn([...more, ...tables.flatMap(({ rows }) => rows.map(({ line }) => line))])
  const head = shown.map(
    ({ title, sign }) => `<th scope="col">${sign === '' ? '' : `<span class="sign">${sign}</span> `}${text(title)}</th>`,
  )
  const cell = (value: number) => `<td${value === 0 ? ' class="zero"' : ''}>${value}</td>`
  return tables
    .map(
      ({ dimension, title, rows }) => `<section><h2>${text(title)}</h2><div class="scroll"><table>
<thead><tr><th scope="col">${text(dimension.replace(/^./, (first) => first.toUpperCase()))}</th>${head.join('')}</tr></thead>
<tbody>${rows
        .map((row) => `<tr><th scope="row">${text(row.title)}</th>${shown.map(({ key }) => cell(row.line[key])).join('')}</tr>`)
        .join('\n')}</tbody>
<tfoot><tr><th scope="row">Total</th>${shown.map(({ key }) => cell(sumOf(rows, key))).join('')}</tr></tfoot>
</table></div></section>`,
    )
    .join('\n')
}

function adjustments(report: Report): string {
  const sentences = adjustmentSentences(report)
  if (sentences.length === 0) return ''
  return `<section><h2>Recorded on this day about earlier ones, within the numbers above</h2><ul>${sentences.map((one) => `<li>${text(one)}</li>`).join('')}</ul></section>`
}

export function text(value: string): string {
  return value.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

export function page(title: string, parts: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${text(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${parts.filter((part) => part !== '').join('\n')}
</main>
</body>
</html>
`
}

const style = `
:root { color-scheme: light dark; --ink: #1d2230; --soft: #5a6072; --line: #d9dce4; --paper: #ffffff; --warn: #7a4a00; --warn-paper: #fff6e5; --warn-line: #e6c27e; }
@media (prefers-color-scheme: dark) { :root { --ink: #eceef4; --soft: #a9afc0; --line: #3a4050; --paper: #16181f; --warn: #f2cf8d; --warn-paper: #2b2416; --warn-line: #6d5526; } }
@media print { :root { --ink: #000000; --soft: #444444; --line: #bbbbbb; --paper: #ffffff; --warn: #000000; --warn-paper: #ffffff; --warn-line: #777777; color-scheme: light; } @page { size: landscape; margin: 14mm; } section { break-inside: avoid; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 14px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.375rem; line-height: 1.3; margin: 0; }
h2 { font-size: 1rem; margin: 1.75rem 0 .5rem; }
.about { color: var(--soft); margin: .25rem 0 0; }
.headline { font-size: 1.125rem; font-weight: 600; margin: 1rem 0 0; }
.unread { border: 1px solid var(--warn-line); background: var(--warn-paper); color: var(--warn); border-radius: .5rem; padding: .75rem 1rem; margin-top: 1rem; }
.unread h2 { margin: 0 0 .25rem; }
ul { margin: .25rem 0; padding-left: 1.25rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .375rem .625rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; font-weight: 400; }
th:first-child { text-align: left; white-space: normal; }
thead th { color: var(--soft); font-size: .8125rem; vertical-align: bottom; }
tfoot th, tfoot td { font-weight: 600; border-bottom: 0; border-top: 2px solid var(--line); }
td:last-child, tbody th { font-weight: 600; }
.sign, .zero { color: var(--soft); font-weight: 400; }
`
