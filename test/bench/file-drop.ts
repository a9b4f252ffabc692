import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connector, PollContext } from '../../jobs/connectors/connector.ts'
import { fileDropConfigSchema } from '../../jobs/connectors/file-drop/config.ts'
import { makeFileDrop } from '../../jobs/connectors/file-drop/index.ts'

/** Rows per second through `poll`, with the memory it took: `node test/bench/file-drop.ts [rows]`. */

const rows = Number(process.argv[2] ?? 1_000_000)

const directory = await mkdtemp(join(tmpdir(), 'file-drop-bench-'))
try {
  const iso = (index: number) => new Date(1_700_000_000_000 + index * 1_000).toISOString()
  const local = (index: number) => iso(index).slice(0, 19).replace('T', ' ')
  await lines('epoch.csv', 'id,case,activity,t', (index) => `e${index},case ${index % 100_000},paid,${1_700_000_000 + index}`)
  await lines('iso.csv', 'id,case,activity,t', (index) => `e${index},case ${index % 100_000},paid,${iso(index)}`)
  await lines('local.csv', 'id,case,activity,t', (index) => `e${index},case ${index % 100_000},paid,${local(index)}`)
  await lines('quoted.csv', 'id,case,activity,t', (index) => `"e${index}","case ${index % 100_000}","paid",${1_700_000_000 + index}`)
  await lines('rows.ndjson', null, (index) =>
    JSON.stringify({ id: `e${index}`, case: `case ${index % 100_000}`, activity: 'paid', t: 1_700_000_000 + index }),
  )
  const base = { subject: { external: { column: 'case', system: 'case' } }, objects: { order: 'case' }, fields: { activity: 'text' } }
  const epoch = { column: 't', format: 'epoch-s' }
  await measure('CSV, id, epoch seconds', { ...base, stream: 's', path: 'epoch.csv', id: 'id', time: epoch })
  await measure('CSV, no id (content hash), epoch', { ...base, stream: 's', path: 'epoch.csv', time: epoch })
  await measure('CSV, id, ISO with zone', { ...base, stream: 's', path: 'iso.csv', id: 'id', time: 't' })
  await measure('CSV, id, local time in Europe/Rome', {
    ...base,
    stream: 's',
    path: 'local.csv',
    id: 'id',
    time: { column: 't', zone: 'Europe/Rome' },
  })
  await measure('CSV, quoted, id, epoch', { ...base, stream: 's', path: 'quoted.csv', id: 'id', time: epoch })
  await measure('NDJSON, id, epoch', { ...base, stream: 's', path: 'rows.ndjson', id: 'id', time: epoch })
} finally {
  await rm(directory, { recursive: true })
}

async function lines(name: string, header: string | null, row: (index: number) => string): Promise<void> {
  const parts = header === null ? [] : [header]
  for (let index = 0; index < rows; index += 1) parts.push(row(index))
  await writeFile(join(directory, name), `${parts.join('\n')}\n`)
}

async function measure(title: string, file: Record<string, unknown>): Promise<void> {
  const config = fileDropConfigSchema.parse({ files: [file], directory })
  const connector: Connector<typeof config> = makeFileDrop()
  const ctx = {
    connection: 'bench',
    config,
    http: undefined as never,
    now: Date.UTC(2026, 0, 1),
    signal: new AbortController().signal,
  } satisfies PollContext<typeof config>
  const started = performance.now()
  let cursor: unknown = null
  let read = 0
  let peak = 0
  for (;;) {
    const page = await connector.poll(ctx, 's', JSON.parse(JSON.stringify(cursor)), { pageSize: 5_000, mode: 'incremental' })
    read += page.records.length
    peak = Math.max(peak, process.memoryUsage().rss)
    cursor = page.cursor
    if (page.coverage.complete) break
  }
  const seconds = (performance.now() - started) / 1000
  console.log(
    `${title.padEnd(38)} ${read} rows  ${Math.round(read / seconds).toLocaleString('en')} rows/s  peak ${Math.round(peak / 1_048_576)} MB`,
  )
}
