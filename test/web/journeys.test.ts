import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { openPage, startBrowser, type Watched } from './browser.ts'
import { buildConsole } from './built.ts'
import { type Fixture, startFixture } from './fixture-api.ts'
import { parseQuery, spanOf, spanTitle, withTyped } from '../../web/src/lib/journeys/query.ts'

vi.setConfig({ testTimeout: 90_000 })

const domAtMost = 1_500
let browser: Browser
let world: Fixture
let watched: Watched

beforeAll(async () => {
  await buildConsole()
  browser = await startBrowser()
}, 240_000)
afterAll(() => browser?.close())
afterEach(async () => {
  await watched?.page.context().close()
  await world?.stop()
})

async function show(path: string): Promise<Page> {
  world = await startFixture()
  watched = await openPage(browser)
  await watched.page.goto(world.url + path)
  return watched.page
}
const nodes = (page: Page) => page.evaluate(() => document.querySelectorAll('*').length)
const rowLinks = (page: Page) => page.locator('[data-row]')
const focusedRow = (page: Page) => page.evaluate(() => document.activeElement?.getAttribute('data-row') ?? '')

describe('the list of journeys', () => {
  it('reads on as one scrolls, and draws only what is in view', async () => {
    const page = await show('/journeys')
    await rowLinks(page).first().waitFor()
    expect(await nodes(page)).toBeLessThanOrEqual(domAtMost)
    for (let shown = 0; shown < 400; ) {
      await page.evaluate(() => scrollTo({ top: document.documentElement.scrollHeight }))
      const before = shown
      await expect
        .poll(
          async () => {
            const text = await page.getByText(/^[\d,]+ of 1,200 shown/).textContent()
            shown = Number((text ?? '0').split(' ')[0]?.replaceAll(',', ''))
            return shown
          },
          { timeout: 30_000 },
        )
        .toBeGreaterThan(before)
      expect(await nodes(page)).toBeLessThanOrEqual(domAtMost)
    }
    expect(watched.complaints).toEqual([])
  })

  it('walks by j and k, into a journey, on to the next one there, and back to where one stood', async () => {
    const page = await show('/journeys?open=true')
    await rowLinks(page).first().waitFor()
    for (let step = 0; step < 4; step++) await page.keyboard.press('j')
    await expect.poll(() => focusedRow(page)).not.toBe('')
    await page.keyboard.press('k')
    const stood = await focusedRow(page)
    await page.keyboard.press('Enter')
    await page.getByText(/^3 of \d+ in the list$/).waitFor()
    await page.keyboard.press('j')
    await page.getByText(/^4 of \d+ in the list$/).waitFor()
    await page.keyboard.press('k')
    await page.getByText(/^3 of \d+ in the list$/).waitFor()
    await page.keyboard.press('u')
    await page.getByRole('heading', { level: 1, name: 'Journeys' }).waitFor()
    expect(page.url()).toMatch(/open=true/)
    await expect.poll(() => focusedRow(page)).toBe(stood)
  })

  it('says where journeys stand and for how long, and each number opens its list', async () => {
    const page = await show('/journeys')
    const cell = page.getByRole('link', { name: /^\d+ at Visit booked, still for 1 d to 3 d/ })
    await cell.waitFor()
    const number = Number((await cell.textContent())?.trim())
    await cell.click()
    await expect.poll(() => page.url()).toMatch(/stage=booked&stuck=1d\.\.3d&ended=false|stuck=1d\.\.3d/)
    await page.getByText(new RegExp(`^\\d+ of ${number} shown`)).waitFor()
    const chips = page.getByRole('list', { name: 'Filters in force' })
    await chips.getByText('Visit booked').waitFor()
    await chips.getByText('1 d to 3 d').waitFor()
    await chips.getByRole('link', { name: /^Remove filter still for/ }).click()
    await expect.poll(() => page.url()).not.toMatch(/stuck/)
  })

  it('takes typed filters and the order, and keeps them in the address', async () => {
    const page = await show('/journeys')
    await rowLinks(page).first().waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('stage:seen stuck:7d tool:ehr')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.url()).toMatch(/stage=seen&stuck=7d&tool=ehr/)
    await page.getByRole('button', { name: 'Latest movement first' }).click()
    await page.getByRole('menuitemradio', { name: 'Longest still first' }).click()
    await expect.poll(() => page.url()).toMatch(/sort=-activity/)
    await page.getByRole('link', { name: 'Clear all' }).click()
    await expect.poll(() => new URL(page.url()).search).toBe('')
  })
})

describe('the words of a filter', () => {
  it('are read from what people type', () => {
    const none = parseQuery(new URLSearchParams())
    expect(withTyped(none, 'stage:booked,seen still:3d person:ab12 3f9a')).toMatchObject({
      filters: { stage: ['booked', 'seen'], stuck: ['3d'], subject: ['ab12'] },
      q: '3f9a',
    })
    expect(withTyped(none, 'unknown:thing').q).toBe('unknown:thing')
  })

  it('say spans as people do', () => {
    expect([undefined, 3_600, 259_200].map((from) => spanOf(from, undefined))).toEqual(['..', '1h..', '3d..'])
    expect(['3d', '1d..3d', '..6h', '30m..', 'soon'].map(spanTitle)).toEqual([
      'at least 3 d',
      '1 d to 3 d',
      'less than 6 h',
      'at least 30 min',
      'soon',
    ])
  })
})
