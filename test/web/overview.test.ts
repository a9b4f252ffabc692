import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { openPage, startBrowser, type Watched } from './browser.ts'
import { buildConsole } from './built.ts'
import { type Fixture, startFixture } from './fixture-api.ts'

vi.setConfig({ testTimeout: 90_000 })

let browser: Browser
let world: Fixture
let watched: Watched

beforeAll(async () => {
  await buildConsole()
  browser = await startBrowser()
}, 120_000)
afterAll(() => browser?.close())
beforeEach(async () => {
  world = await startFixture()
  watched = await openPage(browser)
})
afterEach(async () => {
  await watched.page.context().close()
  await world.stop()
})

it('answers in words, and every number leads to its list', async () => {
  const { page, complaints } = watched
  await page.goto(world.url)
  await page.getByRole('heading', { level: 1, name: 'Yes: 96 findings about 60 people, 12 critical, 7 overdue' }).waitFor()
  await page.getByText('There may be more: 2 of 4 tools are not up to date.').waitFor()
  const open = page.getByRole('region', { name: 'Open findings' })
  const hrefs = await open.getByRole('link').evaluateAll((links) => links.map((link) => link.getAttribute('href')))
  expect(hrefs).toEqual([
    '/findings',
    '/findings?due=..now',
    '/findings?due=now..now%2B24h',
    expect.stringMatching(/^\/findings\?status=verified&closed=/),
    expect.stringMatching(/^\/findings\?status=all&opened=/),
    '/connections',
    ...['critical', 'high', 'medium', 'low'].map((severity) => `/findings?severity=${severity}`),
  ])
  await open.getByRole('link', { name: /12 critical/ }).click()
  await page.waitForURL('**/findings?severity=critical')
  await page.goBack()
  await page.getByRole('heading', { level: 1, name: /^Yes: 96 findings/ }).waitFor()
  expect(complaints).toEqual([])
})

it('says what changed since the last visit, until that is marked as seen', async () => {
  const { page } = watched
  await page.addInitScript(() => {
    localStorage.setItem('throughline.lastVisit', JSON.stringify({ before: null, shown: '2026-11-20T12:30:00.000Z', wall: 0 }))
  })
  await page.goto(world.url)
  const changes = page.getByRole('region', { name: 'Since you last looked' })
  await changes.getByRole('link', { name: '5 new' }).waitFor()
  expect(await changes.getByRole('link', { name: '2 ended by themselves' }).getAttribute('href')).toBe(
    '/findings?status=all&closed=2026-11-20T12%3A30%3A00.000Z..&endedby=itself',
  )
  await changes.getByRole('button', { name: 'Mark as seen' }).click()
  await page.waitForFunction(() => (localStorage.getItem('throughline.lastVisit') ?? '').includes('"before":"2026-11-20T15:30:00.000Z"'))
})

it('claims what is most urgent by one key and opens it', async () => {
  const { page } = watched
  await page.goto(world.url)
  await page.getByRole('button', { name: 'Claim next' }).waitFor()
  await page.keyboard.press('c')
  await page.waitForURL('**/findings/f1d0*')
  expect(world.posts[0]?.path).toMatch(/\/claim$/)
})

it('shows each chart as a table too, whose numbers are links, and reads it out by arrow keys', async () => {
  const { page, complaints } = watched
  await page.goto(world.url)
  const chart = page.getByRole('group', { name: 'Findings opened and ended: chart. Arrow keys read its values.' })
  await chart.focus()
  await page.keyboard.press('ArrowRight')
  await chart.getByText('Fri 13 Nov: Opened 9, Verified 7, Ended otherwise 0').waitFor({ state: 'attached' })
  await page.getByText(/^96 findings opened, 12 more than in the 7 days before/).waitFor()
  await page.getByRole('button', { name: 'Show Findings opened and ended as a table' }).click()
  const table = page.getByRole('table', { name: 'Findings opened and ended' })
  expect(await table.getByRole('row').count()).toBe(9)
  expect(await table.getByRole('link').first().getAttribute('href')).toMatch(/^\/findings\?status=all&opened=2026-11-13/)
  expect(complaints).toEqual([])
})

it('is not calm when the server cannot be asked how the engine is', async () => {
  const { page } = watched
  world.break('/api/v1/status', { status: 500 })
  await page.goto(world.url)
  await page.getByRole('heading', { level: 1, name: 'It cannot be told now: Throughline has gone silent' }).waitFor()
})
