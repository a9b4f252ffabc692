// The console over a million events and 100 thousand findings: the p95 of what the API answers to each page, of each page's visible
// content in Chromium, and the largest list of each page in DOM nodes. BENCH_PEOPLE makes it smaller; BENCH_ONLY names paths.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { openDatabase } from '../../db/client.ts'
import { startEmbedded } from '../../db/embedded.ts'
import { migrate } from '../../db/migrate.ts'
import { loadConfiguration } from '../../jobs/configuration.ts'
import { connectors } from '../../jobs/connectors/index.ts'
import { openWorkspace } from '../../jobs/open-workspace.ts'
import { reconcile } from '../../jobs/reconcilers/reconcile.ts'
import { readServerConfig } from '../../server/config.ts'
import { startServer } from '../../server/main.ts'
import { openPage, startBrowser } from '../web/browser.ts'
import { buildConsole } from '../web/built.ts'
import { writeCareFiles } from './care-files.ts'
import { fillRecord } from './console-record.ts'

const people = Number(process.env.BENCH_PEOPLE ?? 100_000)
const requestsEach = Number(process.env.BENCH_REQUESTS ?? 100)
const visitsEach = Number(process.env.BENCH_VISITS ?? 20)
const only = process.env.BENCH_ONLY?.split(',') ?? []
const apiLimitMs = 100
const pageLimitMs = 500
const nodesLimit = 1_500
/** Most is done, some promises still run. */
const now = Date.parse('2026-01-26T12:00:00Z')

interface Visit {
  readonly path: string
  /** What is on the page once its content is: never a skeleton or the frame. */
  readonly content: string
}

const rows = 'main tbody tr'

/** Pages with the filters people use. `finding` and `journey` are ids. */
function visits(finding: string, journey: string): Visit[] {
  return [
    { path: '/', content: 'main h2:has-text("Who has it")' },
    { path: '/findings', content: rows },
    { path: '/findings?status=all', content: rows },
    { path: '/findings?status=verified', content: rows },
    { path: '/findings?status=verified,waived,false_alarm,void,withdrawn&sort=opened', content: rows },
    { path: '/findings?sort=severity', content: rows },
    { path: '/findings?sort=changed', content: rows },
    { path: '/findings?status=all&sort=occurred', content: rows },
    { path: '/findings?kind=gap', content: rows },
    { path: '/findings?severity=critical', content: rows },
    { path: '/findings?owner=owner-3&kind=duplicate', content: rows },
    { path: '/findings?connection=texts', content: rows },
    { path: '/findings?expectation=booking-confirmed', content: rows },
    { path: '/findings?due=..now', content: rows },
    { path: '/findings?status=all&opened=now-24h..', content: rows },
    { path: '/findings?status=verified&closed=now-7d..', content: rows },
    { path: `/findings?status=all&q=${finding.slice(0, 8)}`, content: rows },
    { path: '/findings?q=booking', content: 'main tbody tr, main h2' },
    { path: `/findings/${finding}`, content: 'main h2:has-text("Expected and observed")' },
    { path: '/journeys', content: rows },
    { path: '/journeys?open=true', content: rows },
    { path: '/journeys?stage=booked', content: rows },
    { path: '/journeys?ended=false&stage=confirmed', content: rows },
    { path: `/journeys?q=${journey.slice(0, 8)}`, content: rows },
    { path: `/journeys/${journey}`, content: 'main section[aria-label="Eight questions"]' },
    { path: '/connections', content: 'main li h2' },
    { path: '/connections/texts', content: 'main h2' },
  ]
}

const folder = await mkdtemp(join(tmpdir(), 'throughline-bench-'))
const cluster = await startEmbedded({ dataDir: join(folder, 'data') })
const print = (line: string) => process.stdout.write(`${line}\n`)
const undo: (() => Promise<unknown>)[] = []
let failures = 0
try {
  await buildConsole()
  const files = await writeCareFiles(join(folder, 'config'), people)
  await migrate(cluster.url())
  const workspace = await openWorkspace({
    configuration: await loadConfiguration(files.directory, {}, connectors),
    connectors,
    ownerUrl: cluster.url(),
    workspaceKey: Buffer.alloc(32, 1),
    clock: { now: () => now },
    actor: 'bench',
  })
  undo.push(() => workspace.close())
  await reconcile(workspace)
  const owner = openDatabase(cluster.url(), { max: 2 })
  undo.push(() => owner.close())
  await fillRecord(owner.sql, workspace.id, { findings: people, now })
  const [held] = await owner.sql<{ events: number; findings: number; open: number; journeys: number; finding: string; journey: string }[]>`
    select (select count(*)::int from events) as events, (select count(*)::int from findings) as findings,
      (select count(*)::int from findings where closed_at is null) as open, (select count(*)::int from journeys) as journeys,
      (select id::text from findings where kind = 'gap' and closed_at is null order by opened_at desc limit 1) as finding,
      (select journey_id::text from findings where kind = 'gap' and closed_at is null order by opened_at desc limit 1) as journey`
  if (held === undefined) throw new Error('The record is empty.')
  print(`${held.events} events, ${held.journeys} journeys, ${held.findings} findings, ${held.open} of them open`)

  const server = await startServer({
    config: readServerConfig({ THROUGHLINE_PORT: '0', THROUGHLINE_LOG_LEVEL: 'silent' }),
    workspace,
    ownerUrl: cluster.url(),
    signIn: 'nobody',
    demoSpeed: null,
  })
  undo.unshift(() => server.stop())
  await waitForTallies()
  const browser = await startBrowser()
  undo.unshift(() => browser.close())

  const asked = visits(held.finding, held.journey).filter(({ path }) => only.length === 0 || only.includes(path))
  /** What the pages asked, each question once; of the further pages of a list the first. */
  const requests = new Map<string, string>()
  const note = (url: URL) => {
    const key = questionOf(url)
    if (!requests.has(key)) requests.set(key, url.pathname + url.search)
  }
  print(`\nvisible content (p95 of ${visitsEach} full loads, limit ${pageLimitMs} ms), largest list (limit ${nodesLimit} nodes)`)
  for (const visit of asked) {
    const times: number[] = []
    let nodes = 0
    const { page } = await openPage(browser)
    page.on('request', (request) => {
      const url = new URL(request.url())
      if (url.pathname.startsWith('/api/') && !url.pathname.endsWith('/feed')) note(url)
    })
    for (let n = 0; n < visitsEach + 2; n++) {
      const took = await timeOf(page, server.url, visit)
      if (n >= 2) times.push(took)
    }
    nodes = await largestList(page)
    await page.context().close()
    const p95 = percentile(times, 0.95)
    print(
      `${line(visit.path, times)}  ${String(nodes).padStart(5)} nodes ${verdict(p95, pageLimitMs)}${nodes <= nodesLimit ? '' : ' TOO MANY NODES'}`,
    )
    if (p95 > pageLimitMs || nodes > nodesLimit) failures++
  }

  print(`\nanswers of the API behind these pages (p95 of ${requestsEach}, limit ${apiLimitMs} ms)`)
  for (const path of requests.values()) {
    const times: number[] = []
    for (let n = 0; n < requestsEach + 5; n++) {
      const started = performance.now()
      const response = await fetch(server.url + path)
      await response.arrayBuffer()
      if (!response.ok) throw new Error(`${path} answered ${response.status}.`)
      if (n >= 5) times.push(performance.now() - started)
    }
    const p95 = percentile(times, 0.95)
    print(`${line(path, times)}  ${verdict(p95, apiLimitMs)}`)
    if (p95 > apiLimitMs) failures++
  }
  print(`\n${failures === 0 ? 'all within their limits' : `${failures} ABOVE THEIR LIMIT`}`)

  /** Counts taken now and then stand in the record of any server that has run for a minute. */
  async function waitForTallies(): Promise<void> {
    for (;;) {
      const [row] = await owner.sql<{ n: number }[]>`select count(*)::int as n from tallies`
      if ((row?.n ?? 0) > 0) return
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }
} finally {
  for (const step of undo) await step()
  await cluster.stop()
  await rm(folder, { recursive: true, force: true })
}
process.exitCode = failures === 0 ? 0 : 1

/** The same question asked at another time, or for another further page, is the same question. */
function questionOf({ pathname, searchParams }: URL): string {
  const asked = [...searchParams].map(
    ([key, value]) => `${key}=${key === 'cursor' ? '…' : value.replace(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z/, '…')}`,
  )
  return `${pathname}?${asked.join('&')}`
}

async function timeOf(page: Page, origin: string, { path, content }: Visit): Promise<number> {
  await page.goto('about:blank')
  const started = performance.now()
  await page.goto(origin + path, { waitUntil: 'commit' })
  await page.locator(content).first().waitFor({ state: 'visible' })
  return performance.now() - started
}

/** Elements of the largest list or table, after asking for more as often as a patient reader would. */
async function largestList(page: Page): Promise<number> {
  for (let n = 0; n < 8; n++) {
    const more = page.getByRole('button', { name: 'Load more' })
    if ((await more.count()) === 0) break
    const answered = page.waitForResponse((response) => response.url().includes('cursor='))
    await more.first().click()
    await answered
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))))
  }
  return page.evaluate(() =>
    Math.max(
      0,
      ...[...document.querySelectorAll('main :is(table, ul, ol, dl, [role=list], [role=grid], svg)')].map(
        (list) => list.querySelectorAll('*').length,
      ),
    ),
  )
}

function percentile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

function line(path: string, times: readonly number[]): string {
  const shown = path.length > 78 ? `${path.slice(0, 77)}…` : path
  return `${shown.padEnd(78)} ${percentile(times, 0.5).toFixed(0).padStart(5)} ms median ${percentile(times, 0.95).toFixed(0).padStart(5)} ms p95`
}

function verdict(p95: number, limit: number): string {
  return p95 <= limit ? 'ok' : 'ABOVE THE LIMIT'
}
