import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDatabase } from '../../db/client.ts'
import type { Workspace } from '../../jobs/open-workspace.ts'
import type { LiveConnection } from '../../jobs/reconcilers/poll.ts'
import { readServerConfig } from '../../server/config.ts'
import { type RunningServer, startServer } from '../../server/main.ts'
import { withDatabase } from '../support/database.ts'
import { type PagedTool, startPagedTool } from '../support/paged-tool.ts'
import { openPagedWorkspace } from '../support/paged-workspace.ts'
import { axeViolations, openPage, startBrowser } from './browser.ts'
import { buildConsole } from './built.ts'

const main = await withDatabase()
const minute = 60_000
const morning = Date.parse('2026-03-02T09:00:00Z')
const began = Date.now()
/** A clock that runs: one that stands still would be noticed. */
const clock = { now: () => morning + 30 * minute + (Date.now() - began) }
const calm = 'No: nothing is falling through'
const patience = { timeout: 90_000 }
let ownerUrl: string
let tools: PagedTool[]
let workspace: Workspace
let server: RunningServer
let browser: Browser
let page: Page
let complaints: string[]

async function startRunningTool(rows: PagedTool['rows']): Promise<PagedTool> {
  const tool = await startPagedTool(clock.now())
  Object.defineProperty(tool, 'now', { get: () => clock.now() })
  tool.rows = rows
  return tool
}

/** Polled every second, and a job is missed after three: the bound is that of a real clock, only shorter. */
const serve = () =>
  startServer({
    config: readServerConfig({ THROUGHLINE_PORT: '0', THROUGHLINE_LOG_LEVEL: 'silent' }),
    workspace,
    ownerUrl,
    signIn: 'nobody',
    demoSpeed: null,
    quietMs: 3_000,
  })

beforeAll(async () => {
  ownerUrl = await main.another()
  await buildConsole()
  const row = (id: string, status: string, at: number) => ({ id, email: 'ann@example.org', status, at, updatedAt: at })
  tools = [
    await startRunningTool([row('b-ann', 'accepted', morning)]),
    await startRunningTool([row('m-ann', 'delivered', morning + 5 * minute)]),
  ]
  workspace = await openPagedWorkspace({
    ownerUrl,
    clock,
    tools: { booking: tools[0]?.url ?? '', texts: tools[1]?.url ?? '' },
    configure: (configuration) => ({
      ...configuration,
      connections: configuration.connections.map((connection) => ({ ...connection, pollSeconds: 1 })),
    }),
  })
  server = await serve()
  browser = await startBrowser()
  const opened = await openPage(browser)
  page = opened.page
  complaints = opened.complaints
}, 180_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
  await workspace?.close()
  for (const tool of tools ?? []) await tool.close()
})

const probe = async () => (await fetch(`${server.url}/readyz`)).status
const answer = (name: string) => page.getByRole('heading', { level: 1, name })
const banner = (text: string) => page.getByRole('status').filter({ hasText: 'This picture may be old.' }).filter({ hasText: text })

/** Neither page is calm, and both say why. */
async function expectNoCalm(why: string, headline: string): Promise<void> {
  await page.goto(server.url)
  await answer(headline).waitFor(patience)
  await banner(why).waitFor(patience)
  expect(await page.getByText(calm).count()).toBe(0)
  await page.goto(`${server.url}/findings`)
  await banner(why).waitFor(patience)
  await page.getByText('this is no all-clear').first().waitFor(patience)
  expect(await page.getByText('Nothing is falling through').count()).toBe(0)
  expect(await probe()).toBe(503)
}

async function expectCalm(): Promise<void> {
  await page.goto(server.url)
  await expect
    .poll(
      () =>
        page.reload().then(() =>
          answer(calm)
            .waitFor({ timeout: 8_000 })
            .then(
              () => true,
              () => false,
            ),
        ),
      patience,
    )
    .toBe(true)
  await expect.poll(probe, patience).toBe(200)
}

it('is calm while everything runs', async () => {
  await expectCalm()
}, 180_000)

it('says that judging alone stands still while every other job goes on', async () => {
  const owner = openDatabase(ownerUrl, { max: 1 })
  try {
    const [component] = await owner.sql<{ part: number; id: string }[]>`select part, id from components limit 1`
    await owner.sql.begin(async (tx) => {
      // Something waits to be judged and cannot be: its group of records is held.
      await tx`select from components where part = ${component?.part ?? 0} and id = ${component?.id ?? ''} for update`
      await workspace.database.sql`insert into dirty_components (workspace_id, part, component_id)
        values (${workspace.id}, ${component?.part ?? 0}, ${component?.id ?? ''})`
      await expectNoCalm('Judging stands still', 'It cannot be told now: judging stands still')
      expect(await banner('Reading').count()).toBe(0)
    })
  } finally {
    await owner.close()
  }
  await expectCalm()
}, 300_000)

it('says that one connection is never polled, as an open page and as a paused one', async () => {
  const connections = workspace.connections as Map<string, LiveConnection>
  const texts = connections.get('texts')
  if (texts === undefined) throw new Error('no texts')
  await page.goto(server.url)
  await answer(calm).waitFor(patience)
  connections.delete('texts')
  await banner('Reading texts stands still').waitFor(patience)
  await page.keyboard.press('l')
  await answer('Nothing known, but Reading texts stands still').waitFor(patience)
  await expectNoCalm('Reading texts', 'Nothing known, but Reading texts stands still')
  connections.set('texts', texts)
  await expectCalm()
}, 300_000)

it('is never calm after the engine stopped, though the server answers', async () => {
  await page.goto(server.url)
  await answer(calm).waitFor(patience)
  await server.jobs.stop()
  await banner('The engine stands still').waitFor(patience)
  expect(await axeViolations(page)).toEqual([])
  await expectNoCalm('Start Throughline again', 'It cannot be told now: Throughline has gone silent')
  expect(complaints).toEqual([])
}, 300_000)
