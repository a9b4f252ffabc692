import type { Drift, Standing } from '../connector.ts'
import type { FileSpec } from './config.ts'
import type { Aside } from './cursor.ts'

/**
 * A row that was set aside may be the very event that is missed: absence counts only while there are no more of them than the mapping accepts.
 * `stream` is `<connection>.<stream>`.
 */
export function standingOf(
  stream: string,
  aside: Readonly<Record<string, Aside>>,
  entryOf: (file: string) => FileSpec | undefined,
): Standing {
  const byEntry = new Map<FileSpec, { count: number; first: NonNullable<Standing['setAside']['first']> }>()
  const drift = new Map<string, Drift>()
  for (const name of Object.keys(aside).sort()) {
    const { n, first, drift: drifts } = aside[name]!
    for (const [path, what] of drifts) drift.set(`${path} ${what}`, { path, what })
    const entry = entryOf(name)
    if (entry === undefined || first === null) continue
    const known = byEntry.get(entry)
    byEntry.set(entry, { count: n + (known?.count ?? 0), first: known?.first ?? first })
  }
  const groups = [...byEntry]
  const unaccepted = groups.find(([entry, { count }]) => count > (entry.accept_broken_rows ?? 0))
  return {
    setAside: { count: groups.reduce((sum, [, { count }]) => sum + count, 0), first: groups[0]?.[1].first ?? null },
    withheld: unaccepted === undefined ? null : inWords(stream, unaccepted[1].count, unaccepted[1].first),
    drift: [...drift.values()],
  }
}

function inWords(stream: string, count: number, first: { readonly where: string; readonly reason: string }): string {
  const where = `${count === 1 ? '' : 'the first: '}${first.where}: ${first.reason}`
  return count === 1
    ? `1 row of ${stream} was set aside (${where}); steps that only it could show are unknown: mend the row or add accept_broken_rows: 1 to its file in connections.yaml.`
    : `${count} rows of ${stream} were set aside (${where}); steps that only they could show are unknown: mend the rows or add accept_broken_rows: ${count} to their file in connections.yaml.`
}
