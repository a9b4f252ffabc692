import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readServerConfig } from '../../server/config.ts'
import { type RunningServer, startServer } from '../../server/main.ts'
import { minute, morning, type ServedClinic, serveClinic } from '../server/served-clinic.ts'
import { withDatabase } from '../support/database.ts'
import { openPage, startBrowser } from './browser.ts'
import { buildConsole } from './built.ts'

const main = await withDatabase()
let browser: Browser
let clinic: ServedClinic
let server: RunningServer

beforeAll(async () => {
  const ownerUrl = await main.another()
  await buildConsole()
  clinic = await serveClinic(ownerUrl)
  const config = readServerConfig({ THROUGHLINE_PORT: '0', THROUGHLINE_LOG_LEVEL: 'silent' })
  server = await startServer({ config, workspace: clinic.workspace, ownerUrl, signIn: 'nobody', demoSpeed: null })
  browser = await startBrowser()
}, 120_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
  await clinic?.close()
})

it('goes from the list to who fell through, acknowledges by keyboard, and sees it come right without a reload', async () => {
  const { page, complaints } = await openPage(browser)
  await page.goto(server.url)

  // 1. The answer, the list, the finding.
  await page.getByRole('heading', { level: 1, name: 'Yes: 2 findings about 2 people' }).waitFor()
  await page.keyboard.press('o')
  await page.waitForURL('**/findings')
  const missing = '“Confirmed” did not happen within 15 minutes after “Booked”.'
  await page.getByRole('link', { name: missing }).waitFor()
  await page.getByRole('link', { name: '“Confirmed” happened twice, at most once is allowed.' }).waitFor()
  await page.keyboard.press('j')
  while ((await page.evaluate(() => document.activeElement?.textContent)) !== missing) await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: missing }).waitFor()
  await page.getByText('“Confirmed” within 15 minutes', { exact: true }).waitFor()

  // 2. Acknowledged, in the database too.
  await page.keyboard.press('a')
  await page.getByText('1 finding acknowledged.').waitFor()
  await page.getByRole('list', { name: 'Where this finding stands' }).getByText('Acknowledged').waitFor()
  const { sql } = clinic.workspace.database
  const rows = await sql`select status, (select actor from audit where target_id = f.id::text or target_id = replace(f.id::text, '-', '')
    order by recorded_at desc limit 1) as actor from findings f where workspace_id = ${clinic.workspace.id} and kind = 'gap'`
  expect([...rows]).toEqual([{ status: 'acknowledged', actor: 'local-owner' }])

  // 3. The journey.
  await page.keyboard.press('o')
  await page.getByRole('heading', { level: 1, name: 'Visits: Booked' }).waitFor()
  const questions = page.getByRole('region', { name: 'Eight questions' })
  await questions.getByRole('link', { name: missing }).waitFor()
  await questions.getByText('Care decides about one open finding').waitFor()

  // 4. The confirmation comes, too late: the open page hears of it.
  const at = morning + 40 * minute
  clinic.texts.rows = [...clinic.texts.rows, { id: 'm-3', email: 'ann@example.org', status: 'delivered', at, updatedAt: at }]
  clinic.clock.at = at + 5 * minute
  await clinic.reconcile()
  await page.getByRole('heading', { level: 1, name: 'Visits: Confirmed' }).waitFor()
  await questions.getByText('Nothing that is still open').waitFor()
  await page.getByText('“Confirmed” came 25 minutes late: it was due within 15 minutes after “Booked”.').first().waitFor()
  expect(complaints).toEqual([])
}, 40_000)
