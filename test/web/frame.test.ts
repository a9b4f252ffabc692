import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { bestOf, fitOf } from '../../web/src/lib/frame/match.ts'
import { axeViolations, openPage, startBrowser, type Watched } from './browser.ts'
import { buildConsole } from './built.ts'
import { type Fixture, startFixture } from './fixture-api.ts'

vi.setConfig({ testTimeout: 90_000 })

const findingId = 'f1d00000-5b1e-4c0a-9d2f-000000019919'

let browser: Browser
let world: Fixture
let watched: Watched

async function open(path: string, options: Parameters<typeof openPage>[1] = {}): Promise<Page> {
  watched = await openPage(browser, options)
  await watched.page.goto(world.url + path)
  return watched.page
}

const palette = (page: Page) => page.getByRole('dialog', { name: 'Command palette' })

beforeAll(async () => {
  await buildConsole()
  browser = await startBrowser()
}, 120_000)
afterAll(() => browser?.close())
beforeEach(async () => {
  world = await startFixture()
})
afterEach(async () => {
  await watched?.page.context().close()
  await world.stop()
})

describe('what fits typed words', () => {
  it.each([
    ['', 'Findings', true],
    ['find', 'Findings', true],
    ['CARE ops', 'Findings of Care operations, ops', true],
    ['confirmation book', 'Booking confirmation', true],
    ['cafe', 'Café', true],
    ['one-charge', 'One charge', true],
    ['xyz', 'Findings', false],
    ['find xyz', 'Findings', false],
  ])('%j in %j: %s', (typed, text, fits) => expect(fitOf(typed, text) > 0).toBe(fits))

  it('puts what begins so before what only holds it, and keeps the order of equals', () => {
    expect(bestOf('re', ['Stripe records', 'Are there', 'Reports', 'Reconcile'], String, 3)).toEqual([
      'Reports',
      'Reconcile',
      'Stripe records',
    ])
  })
})

describe('the palette', () => {
  it('goes to a page, by keyboard alone, and passes axe while open', async () => {
    const page = await open('/findings', { theme: 'dark' })
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.keyboard.press('Control+k')
    await palette(page).getByRole('option', { name: 'Journeys' }).waitFor()
    expect(await axeViolations(page)).toEqual([])
    await page.keyboard.type('connec')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowUp')
    expect(
      await page.evaluate(() => document.getElementById(document.activeElement?.getAttribute('aria-activedescendant') ?? '')?.textContent),
    ).toMatch(/Connections/)
    await page.keyboard.press('Enter')
    await page.waitForURL('**/connections')
    await page.getByRole('heading', { level: 1, name: 'Connections' }).waitFor()
    expect(watched.complaints).toEqual([])
  })

  it('finds by id, and remembers what was opened', async () => {
    const page = await open('/connections')
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.keyboard.press('Control+k')
    await palette(page).waitFor()
    await page.keyboard.type(findingId)
    await palette(page).getByRole('group', { name: 'By id' }).getByRole('option').waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL(`**/findings/${findingId}`)
    await page.getByRole('heading', { name: 'Expected and observed' }).waitFor()
    const title = await page.getByRole('heading', { level: 1 }).textContent()
    await page.getByRole('link', { name: 'Journeys' }).first().click()
    await page.waitForURL('**/journeys')
    await page.keyboard.press('Control+k')
    await palette(page)
      .getByRole('group', { name: 'Recent' })
      .getByRole('option', { name: title?.trim().slice(0, 20) ?? '' })
      .waitFor()
  })

  it('does what keys do, and gives the focus back when it is closed', async () => {
    const page = await open('/findings')
    await page.getByRole('link', { name: 'Paid 2 times for one order' }).first().waitFor()
    await page.keyboard.press('j')
    const row = await page.evaluate(() => document.activeElement?.getAttribute('data-row'))
    await page.keyboard.press('Control+k')
    await palette(page).waitFor()
    await page.keyboard.press('Escape')
    await palette(page).waitFor({ state: 'hidden' })
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-row'))).toBe(row)
    await page.keyboard.press('Control+k')
    await palette(page).waitFor()
    await page.keyboard.type('acknowledge')
    await page.keyboard.press('Enter')
    await page.getByText('1 finding acknowledged.').waitFor()
  })
})

describe('moving about', () => {
  it('puts the focus on the heading of a new page, and back on the link one came by', async () => {
    const page = await open('/journeys')
    const link = page.locator('a[data-row]').nth(2)
    await link.waitFor()
    const href = await link.getAttribute('href')
    await link.focus()
    await page.keyboard.press('Enter')
    await page.waitForURL(`**${href}`)
    await page.waitForFunction(() => document.activeElement?.id === 'page-title' || document.activeElement?.id === 'main')
    await page.goBack()
    await page.waitForFunction((to) => document.activeElement?.getAttribute('href') === to, href)
  })

  it('hides nothing that has the focus under its bars', async () => {
    const page = await open('/findings', { width: 390, height: 700 })
    await page.getByRole('link', { name: 'Paid 2 times for one order' }).first().waitFor()
    for (let step = 0; step < 60; step += 1) await page.keyboard.press('Tab')
    for (let step = 0; step < 30; step += 1) {
      await page.keyboard.press('Shift+Tab')
      const hidden = await page.evaluate(() => {
        const element = document.activeElement
        if (!element?.closest('main')) return false
        const box = element.getBoundingClientRect()
        return box.bottom <= 56 || box.top >= innerHeight - 56
      })
      expect(hidden).toBe(false)
    }
  })
})

describe('on a phone', () => {
  it('reaches every page of the navigation from the bar', async () => {
    const page = await open('/findings', { width: 320, height: 640 })
    await page.getByRole('heading', { level: 1 }).waitFor()
    const bar = page.getByRole('navigation', { name: 'Main' })
    const more = bar.getByRole('button', { name: 'More' })
    if (await more.count()) {
      await more.click()
      const sheet = page.getByRole('dialog', { name: 'More pages' })
      await sheet.getByRole('link').first().waitFor()
      expect(await axeViolations(page)).toEqual([])
      await page.keyboard.press('Escape')
      await sheet.waitFor({ state: 'hidden' })
    }
    await bar.getByRole('link', { name: 'Journeys' }).click()
    await page.waitForURL('**/journeys')
  })
})

describe('the picture', () => {
  it('stands still while paused, and says since when', async () => {
    const page = await open('/findings')
    await page.getByRole('button', { name: 'Live updates: Live' }).waitFor()
    await page.keyboard.press('l')
    await page.getByRole('button', { name: 'Live updates: Paused' }).waitFor()
    await page.getByText(/^paused at/).waitFor()
    await page.keyboard.press('l')
    await page.getByRole('button', { name: 'Live updates: Live' }).waitFor()
  })
})

describe('the time range', () => {
  const control = (page: Page) => page.getByRole('button', { name: /^Time range of the sample/ })

  it('stands in the address, survives a reload, and garbage is the page’s own', async () => {
    const page = await open('/help/design?from=%3Cb%3E&to=42')
    await control(page).waitFor()
    expect(await control(page).textContent()).toContain('Last 7 days')
    await control(page).click()
    await page.getByRole('button', { name: 'Last 30 days' }).click()
    await page.waitForURL('**/help/design?from=now-30d&to=now')
    await page.reload()
    await page.getByRole('button', { name: 'Time range of the sample: Last 30 days' }).waitFor()
    await page.goBack()
    await page.getByRole('button', { name: 'Time range of the sample: Last 7 days' }).waitFor()
  })

  it('takes ends of one’s own in the zone shown, says when they are the wrong way round, and passes axe while open', async () => {
    const page = await open('/help/design')
    await control(page).click()
    const box = page.getByRole('dialog', { name: 'Time range' })
    await box.getByLabel('From', { exact: true }).fill('2026-11-20T09:00')
    await box.getByLabel('To', { exact: true }).fill('2026-11-19T09:00')
    await box.getByRole('button', { name: 'Show' }).click()
    await box.getByText('The range ends before it begins.').waitFor()
    expect(await axeViolations(page)).toEqual([])
    // The workspace is in New York: the same wall time means another instant in UTC.
    await box.getByLabel('To', { exact: true }).fill('2026-11-20T10:00')
    await box.getByRole('combobox').selectOption('utc')
    expect(await box.getByLabel('From', { exact: true }).inputValue()).toBe('2026-11-20T14:00')
    await box.getByRole('button', { name: 'Show' }).click()
    await page.waitForURL(
      (url) => url.searchParams.get('from') === '2026-11-20T14:00:00.000Z' && url.searchParams.get('to') === '2026-11-20T15:00:00.000Z',
    )
    expect(watched.complaints).toEqual([])
  })
})

describe('the first steps', () => {
  it('are ticked by what was done, can be hidden, and stay in Help', async () => {
    const page = await open('/help')
    const step = (name: string | RegExp) => page.getByRole('link', { name })
    await step('Open a finding').waitFor()
    expect(await step(/Open a finding.*done/).count()).toBe(0)
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Findings' }).click()
    await page.getByRole('link', { name: 'Paid 2 times for one order' }).first().click()
    await page.getByRole('heading', { name: 'Expected and observed' }).waitFor()
    await page
      .getByRole('navigation', { name: 'Main' })
      .getByRole('link', { name: 'Overview' })
      .or(page.getByRole('link', { name: 'Throughline, to the first page' }))
      .first()
      .click()
    await step(/Open a finding.*done/).waitFor()
    await page.getByRole('button', { name: 'Hide the first steps' }).click()
    await step(/Open a finding.*done/).waitFor({ state: 'detached' })
    await page.goto(`${world.url}/help`)
    await step(/Open a finding.*done/).waitFor()
    await page.getByRole('button', { name: 'Show on the overview again' }).click()
    await page.goto(world.url)
    await step(/Open a finding.*done/).waitFor()
  })
})

describe('copying a time', () => {
  it('takes the exact instant of the row one stands on', async () => {
    const page = await open('/journeys')
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.locator('a[data-row]').first().waitFor()
    await page.keyboard.press('j')
    const instant = await page.evaluate(() => document.activeElement?.closest('tr')?.querySelector('time')?.getAttribute('datetime'))
    await page.keyboard.press('y')
    await page.getByText(`${instant} is copied.`).waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(instant)
  })
})

describe('appearance', () => {
  it('holds in this browser: theme, density and motion', async () => {
    const page = await open('/settings/appearance')
    for (const name of ['Dark', /^Compact/, /^Reduced/]) await page.getByRole('radio', { name }).check()
    await page.reload()
    await page.getByRole('radio', { name: 'Dark' }).waitFor()
    expect(await page.evaluate(() => ({ ...document.documentElement.dataset }))).toMatchObject({
      theme: 'dark',
      density: 'compact',
      motion: 'reduced',
    })
  })
})
