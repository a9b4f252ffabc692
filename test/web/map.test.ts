import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { axeViolations, openPage, startBrowser, type Watched } from './browser.ts'
import { buildConsole } from './built.ts'
import { type Fixture, startFixture } from './fixture-api.ts'

vi.setConfig({ testTimeout: 90_000 })

let browser: Browser
let world: Fixture
let watched: Watched

async function open(path: string, options: Parameters<typeof openPage>[1] = {}): Promise<Page> {
  watched = await openPage(browser, options)
  await watched.page.goto(world.url + path)
  return watched.page
}

beforeAll(async () => {
  await buildConsole()
  browser = await startBrowser()
}, 120_000)
afterAll(() => browser?.close())
beforeEach(async () => {
  world = await startFixture()
})
afterEach(async () => {
  await watched.page.context().close()
  await world.stop()
})

const stepNamed = (page: Page, name: RegExp) => page.getByRole('group', { name: /^Map of/ }).getByRole('link', { name })

describe('the map', () => {
  it('opens the first program, and goes from step to step and to the journeys behind them by keyboard', async () => {
    const page = await open('/map')
    await page.waitForURL('**/map/virtual-care')
    await stepNamed(page, /Enrolment paid 1,420 passed 8 stand here now, 21 went quiet here, 3 open findings/).focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    const name = await page.evaluate(() => document.activeElement?.textContent)
    expect(name).toMatch(/passed|went straight|promise/)
    await stepNamed(page, /Visit booked to Confirmation delivered: .*1,188 journeys went straight, half within 2 min/).press('Enter')
    await page.waitForURL(/move=booked\.\.confirmed/)
    await page.getByRole('heading', { name: 'Visit booked → Confirmation delivered' }).waitFor()
    await page.getByRole('link', { name: 'Booking confirmed by text' }).waitFor()
    expect(await page.getByRole('link', { name: '17 open findings', exact: true }).getAttribute('href')).toContain(
      'expectation=booking-confirmed',
    )
    expect(await page.getByRole('link', { name: /^person / }).count()).toBe(10)
    expect(await axeViolations(page)).toEqual([])
    await page.keyboard.press('Escape')
    await page.getByRole('heading', { name: 'How to read it' }).waitFor()
    expect(watched.complaints).toEqual([])
  })

  it('says the same as a table, with the same links, and keeps what was chosen', async () => {
    const page = await open('/map/virtual-care?step=booked')
    await page.getByRole('heading', { name: 'Visit booked' }).waitFor()
    expect(await page.getByRole('link', { name: /^8$/ }).first().getAttribute('href')).toContain('stage=booked')
    await page.getByRole('group', { name: 'View' }).getByRole('link', { name: 'Table' }).click()
    await page.waitForURL(/view=table/)
    expect(page.url()).toContain('step=booked')
    const row = page.getByRole('row', { name: /Visit booked → Confirmation delivered/ })
    await row.waitFor()
    expect(await row.getByRole('link', { name: '17 open findings', exact: true }).getAttribute('href')).toContain(
      'expectation=booking-confirmed',
    )
    await page.getByRole('link', { name: '12 journeys went quiet at Visit booked' }).click()
    await page.waitForURL(/move=booked\.\.(@|%40)abandoned/)
    await page.getByText('journeys that went quiet here').waitFor()
  })

  it('is drawn larger and smaller, and fits again', async () => {
    const page = await open('/map/virtual-care')
    const step = stepNamed(page, /Enrolment paid 1,420 passed/)
    const width = async () => (await step.boundingBox())?.width ?? 0
    await step.waitFor()
    const fitting = await width()
    await page.getByRole('button', { name: 'Larger' }).click()
    await expect.poll(width).toBeGreaterThan(fitting)
    await page.getByRole('button', { name: 'Fit' }).click()
    await expect.poll(width).toBe(fitting)
  })

  it('is a table where it would not fit', async () => {
    const page = await open('/map/virtual-care', { width: 320 })
    await page.getByRole('table', { name: 'Steps' }).waitFor()
    expect(await page.getByRole('button', { name: 'Larger' }).isVisible()).toBe(false)
  })
})
