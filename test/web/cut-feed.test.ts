import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readServerConfig } from '../../server/config.ts'
import { type RunningServer, startServer } from '../../server/main.ts'
import { minute, type ServedClinic, serveClinic } from '../server/served-clinic.ts'
import { withDatabase } from '../support/database.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { openPage, startBrowser } from './browser.ts'
import { buildConsole } from './built.ts'

const main = await withDatabase()
let browser: Browser
let clinic: ServedClinic
let server: RunningServer
let line: TcpProxy

beforeAll(async () => {
  const ownerUrl = await main.another()
  await buildConsole()
  // The clock leaps with each booking: reading must follow soon, or the picture is old for that reason.
  clinic = await serveClinic(ownerUrl, {}, (configuration) => ({
    ...configuration,
    connections: configuration.connections.map((connection) => ({ ...connection, pollSeconds: 5 })),
  }))
  const config = readServerConfig({ THROUGHLINE_PORT: '0', THROUGHLINE_LOG_LEVEL: 'silent' })
  server = await startServer({ config, workspace: clinic.workspace, ownerUrl, signIn: 'nobody', demoSpeed: null })
  line = await startTcpProxy(Number(new URL(server.url).port))
  browser = await startBrowser()
}, 180_000)
afterAll(async () => {
  await browser?.close()
  await line?.close()
  await server?.stop()
  await clinic?.close()
})

const rows = (page: Page) => page.locator('[data-row]').evaluateAll((links) => links.map((link) => link.getAttribute('data-row')))
/** Books someone whose confirmation never comes, and judges it. */
async function fallThrough(id: string): Promise<void> {
  const at = clinic.clock.at
  clinic.booking.rows = [...clinic.booking.rows, { id, email: `${id}@example.org`, status: 'accepted', at, updatedAt: at }]
  clinic.clock.at = at + 20 * minute
  await clinic.reconcile()
}

it('U4: a page whose line is cut says that it is stale, then shows what it missed once and without a gap, as another page does', async () => {
  const url = `http://127.0.0.1:${line.port}`
  const near = await openPage(browser, { timezoneId: 'America/Los_Angeles' })
  const far = await openPage(browser, { timezoneId: 'Asia/Tokyo' })
  await near.page.goto(`${url}/findings?sort=opened`)
  await far.page.goto(`${server.url}/findings?sort=opened`)
  for (const { page } of [near, far]) await page.getByText('2 findings that need someone').waitFor({ timeout: 60_000 })
  const before = await rows(near.page)

  // 1. The line is cut: what is shown stays, and says so.
  line.cut()
  await near.page.getByText('This picture may be old.').waitFor({ timeout: 60_000 })
  expect(await rows(near.page)).toEqual(before)
  expect(await far.page.getByText('This picture may be old.').count()).toBe(0)

  // 2. Meanwhile two more fall through. The other page hears of them and moves nothing.
  await fallThrough('b-cut-1')
  await fallThrough('b-cut-2')
  await far.page.getByRole('button', { name: '2 new' }).waitFor({ timeout: 60_000 })
  expect(await rows(far.page)).toEqual(before)

  // 3. The line is back: the feed replays from where it stood.
  line.mend()
  await near.page.getByRole('button', { name: '2 new' }).waitFor({ timeout: 60_000 })
  await near.page.getByText('This picture may be old.').waitFor({ state: 'detached', timeout: 60_000 })
  expect(await rows(near.page)).toEqual(before)

  // 4. Both show the same four, each once, at the same instants, whatever zone they are in.
  for (const { page } of [near, far]) {
    await page.getByRole('button', { name: '2 new' }).click()
    await page.getByText('4 findings that need someone').waitFor({ timeout: 60_000 })
  }
  const shown = await rows(near.page)
  expect(new Set(shown).size).toBe(4)
  expect(await rows(far.page)).toEqual(shown)
  const times = (page: Page) => page.locator('tbody time').evaluateAll((all) => all.map((time) => time.getAttribute('datetime')))
  expect(await times(far.page)).toEqual(await times(near.page))
}, 300_000)
