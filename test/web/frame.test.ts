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
