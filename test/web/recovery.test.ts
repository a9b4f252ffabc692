import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { axeViolations, openPage, startBrowser, type Watched } from './browser.ts'
import { buildConsole } from './built.ts'
import { type Fixture, startFixture } from './fixture-api.ts'
import { unknownRunId, waitingRunId } from './fixtures/runs.ts'

vi.setConfig({ testTimeout: 120_000 })

let browser: Browser
let world: Fixture
let watched: Watched
beforeAll(async () => {
  await buildConsole()
  browser = await startBrowser()
}, 180_000)
afterAll(() => browser?.close())
beforeEach(async () => {
  world = await startFixture()
  watched = await openPage(browser)
})
afterEach(async () => {
  await watched.page.context().close()
  await world.stop()
})

it('previews exactly what is sent and runs it by keyboard, bound to what was seen', async () => {
  const { page } = watched
  await page.goto(`${world.url}/findings/f1d00000-5b1e-4c0a-9d2f-000000019919`)
  await page.getByRole('button', { name: /Refund the second charge/ }).waitFor({ timeout: 60_000 })
  await page.keyboard.press('f')
  const dialog = page.getByRole('dialog', { name: 'Refund the second charge' })
  await dialog.getByText('129.00 USD, all of it').waitFor()
  await dialog.getByText(/You cannot approve it yourself/).waitFor()
  expect(await axeViolations(page)).toEqual([])
  await dialog.getByRole('textbox').fill('Paid twice by a double click.')
  await page.keyboard.press('Enter')
  await page.waitForURL(`**/runs/${waitingRunId}`)
  expect(world.posts.at(-1)?.body).toEqual({
    runbook: 'refund-duplicate',
    answers: {},
    hash: 'a'.repeat(64),
    reason: 'Paid twice by a double click.',
  })
  await page.getByText(/It waits for someone who may approve/).waitFor()
  expect(watched.complaints).toEqual([])
})

it('approves exactly what is shown, and asks for a reason to reject', async () => {
  const { page } = watched
  await page.goto(`${world.url}/runs/${waitingRunId}`)
  await page.getByRole('button', { name: 'Reject…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Reject' }).press('Enter')
  expect(world.posts).toEqual([])
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Approve…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click()
  await page.getByText('Recorded.').waitFor()
  expect(world.posts.at(-1)).toEqual({ path: `/api/v1/runs/${waitingRunId}/approve`, body: { hash: 'a'.repeat(64) } })
})

it('asks what was found in the tool when no answer came', async () => {
  const { page } = watched
  await page.goto(`${world.url}/runs/${unknownRunId}`)
  await page.getByText('its end was never recorded').or(page.getByText('at work')).first().waitFor()
  await page.getByRole('button', { name: 'It happened…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Id of the record in the tool').fill('re_1Q2x')
  await dialog.getByLabel('Reason').fill('It stands in the list of refunds.')
  await dialog.getByRole('button', { name: 'Record it' }).click()
  await page.getByText('Recorded.').waitFor()
  expect(world.posts.at(-1)?.body).toEqual({ found: 'happened', externalId: 're_1Q2x', reason: 'It stands in the list of refunds.' })
})
