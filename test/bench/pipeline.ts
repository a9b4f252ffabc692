// File drop to findings for one million events over six tools and 100 thousand people, against a plain indexed COPY of the same rows.
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openDatabase } from '../../db/client.ts'
import { startEmbedded } from '../../db/embedded.ts'
import { migrate } from '../../db/migrate.ts'
import { loadConfiguration } from '../../jobs/configuration.ts'
import { connectors } from '../../jobs/connectors/index.ts'
import { openWorkspace, type Workspace } from '../../jobs/open-workspace.ts'
import { reconcile } from '../../jobs/reconcilers/reconcile.ts'
import { type CareFiles, writeCareFiles } from './care-files.ts'

const people = Number(process.env.BENCH_PEOPLE ?? 100_000)
/** A tenth of the people for the smaller record that absorbing is compared with. */
const fewPeople = Math.round(people / 10)
const changedRecords = 1_000
const absorbs = 7
const folder = await mkdtemp(join(tmpdir(), 'throughline-bench-'))
const cluster = await startEmbedded({ dataDir: join(folder, 'data') })
try {
  const files = await writeCareFiles(join(folder, 'config'), people)
  const copied = await copyRows(cluster.url(), files)
  const ours = await runPipeline(cluster.url(), files)
  const again = await copyRows(cluster.url(), files)
  const atLarge = await absorb(ours.workspace, files, people)
  await ours.workspace.close()
  const copyRate = (files.rows * 2) / (copied + again)
  const ratio = files.rows / ours.seconds / copyRate
  const print = (line: string) => process.stdout.write(`${line}\n`)
  print(`rows ${files.rows}, people ${people}`)
  print(`indexed COPY             ${Math.round(copyRate)} rows/s (${copied.toFixed(1)} s before, ${again.toFixed(1)} s after)`)
  print(
    `file drop to findings    ${Math.round(files.rows / ours.seconds)} rows/s (${ours.seconds.toFixed(1)} s: read ${ours.readSeconds.toFixed(1)}, judge ${(ours.seconds - ours.readSeconds).toFixed(1)})`,
  )
  print(`ratio                    ${ratio.toFixed(3)} (limit 0.10, aim 0.25) ${ratio >= 0.1 ? 'ok' : 'BELOW THE LIMIT'}`)
  print(
    `engine peak memory       ${Math.round(ours.peakMegabytes)} MB (limit 1024) ${ours.peakMegabytes <= 1024 ? 'ok' : 'ABOVE THE LIMIT'}`,
  )
  print(`findings                 ${ours.findings}, journeys ${ours.journeys}`)

  const few = await writeCareFiles(join(folder, 'few'), fewPeople)
  const small = await runPipeline(await anotherDatabase(cluster.url('postgres'), 'few'), few)
  const atSmall = await absorb(small.workspace, few, fewPeople)
  await small.workspace.close()
  const growth = atLarge / atSmall
  print(
    `absorb ${changedRecords} changed records  ${atSmall.toFixed(0)} ms at ${few.rows} stored, ${atLarge.toFixed(0)} ms at ${files.rows} stored (medians of ${absorbs})`,
  )
  print(`ratio                    ${growth.toFixed(2)} (limit 1.5) ${growth <= 1.5 ? 'ok' : 'ABOVE THE LIMIT'}`)
} finally {
  await cluster.stop()
  await rm(folder, { recursive: true, force: true })
}

/** The yardstick: the rows as they are, into a table with a primary key and two indexes. Seconds. */
async function copyRows(url: string, files: CareFiles): Promise<number> {
  const { sql, close } = openDatabase(url, { max: 1 })
  await sql.unsafe('drop table if exists yardstick')
  await sql.unsafe('create table yardstick (tool text, id text, at timestamptz, status text, rest text, primary key (tool, id))')
  await sql.unsafe('create index on yardstick (rest)')
  await sql.unsafe('create index on yardstick (at)')
  const lines: string[] = []
  for (const tool of ['billing', 'booking', 'texts', 'intake', 'ehr', 'crm']) {
    let header = true
    for await (const line of createInterface({ input: createReadStream(join(files.directory, `${tool}.csv`)) })) {
      if (header) header = false
      else {
        const [id, at, status, ...rest] = line.split(',')
        lines.push(`${tool}\t${id}\t${at}\t${status}\t${rest.join(' ')}`)
      }
    }
  }
  const started = performance.now()
  const copy = await sql.unsafe('copy yardstick from stdin').writable()
  for (let i = 0; i < lines.length; i += 2_000) {
    if (!copy.write(`${lines.slice(i, i + 2_000).join('\n')}\n`)) await once(copy, 'drain')
  }
  copy.end()
  await once(copy, 'finish')
  const seconds = (performance.now() - started) / 1000
  await sql.unsafe('drop table yardstick')
  await close()
  return seconds
}

async function runPipeline(url: string, files: CareFiles) {
  await migrate(url)
  const configuration = await loadConfiguration(files.directory, {}, connectors)
  const workspace = await openWorkspace({
    configuration,
    connectors,
    ownerUrl: url,
    workspaceKey: Buffer.alloc(32, 1),
    clock: { now: () => Date.parse(files.now) },
    actor: 'bench',
  })
  let peak = 0
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }, 100)
  const started = performance.now()
  let readSeconds = 0
  await reconcile(workspace, {
    onProgress: (progress) => {
      if (progress.phase === 'judge' && readSeconds === 0) readSeconds = (performance.now() - started) / 1000
    },
  })
  const seconds = (performance.now() - started) / 1000
  clearInterval(watch)
  const [count] = await workspace.database.sql<{ findings: number; journeys: number }[]>`
    select (select count(*)::int from findings) as findings, (select count(*)::int from journeys) as journeys`
  return { workspace, seconds, readSeconds, peakMegabytes: peak / 1e6, findings: count?.findings ?? 0, journeys: count?.journeys ?? 0 }
}

async function anotherDatabase(adminUrl: string, name: string): Promise<string> {
  const { sql, close } = openDatabase(adminUrl, { max: 1 })
  await sql`create database ${sql(name)}`
  await close()
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  return url.href
}

/** Milliseconds (median) from a thousand tickets changing in their export to everything about them judged again. */
async function absorb(workspace: Workspace, files: CareFiles, people: number): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < absorbs; round++) {
    const at = new Date(Date.parse('2027-05-01T00:00:00Z') + round * 60_000).toISOString()
    const lines = Array.from({ length: changedRecords }, (_, n) => {
      const person = (n * 7_919 + round * 104_729) % people
      return `ticket-${person + 1},${at},closed,person${person}@example.org`
    })
    await appendFile(join(files.directory, 'crm.csv'), `${lines.join('\n')}\n`)
    const started = performance.now()
    const { judged } = await reconcile(workspace)
    times.push(performance.now() - started)
    if (judged.components < changedRecords / 2)
      throw new Error(`Only ${judged.components} components were judged: the change was not absorbed.`)
  }
  return times.sort((a, b) => a - b)[Math.floor(absorbs / 2)] ?? 0
}
