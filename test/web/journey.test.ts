import type { Browser, Page } from 'playwright-core'
import { readFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { axeViolations, openPage, startBrowser, type Watched } from './browser.ts'
import { buildConsole } from './built.ts'
import { type Fixture, startFixture } from './fixture-api.ts'
import { longJourneyId } from './fixtures/journeys.ts'

vi.setConfig({ testTimeout: 90_000 })

const journeyId = '3c7e0000-5b1e-4c0a-9d2f-000000019919'
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

async function show(path: string, size: { width?: number; height?: number } = {}): Promise<Page> {
  world = await startFixture()
  watched = await openPage(browser, size)
  await watched.page.goto(world.url + path)
  return watched.page
}

const timeline = (page: Page) => page.getByRole('group', { name: /^Timeline with a lane/ })
const nodes = (page: Page) => page.evaluate(() => document.querySelectorAll('*').length)
const focused = (page: Page) => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '')

describe('a journey of 5,000 events', () => {
  it('is drawn with few nodes, zooms into a cluster, and keeps focus while scrolling', async () => {
    const page = await show(`/journeys/${longJourneyId}`)
    await timeline(page).getByRole('button').first().waitFor()
    expect(await nodes(page)).toBeLessThanOrEqual(domAtMost)

    // Zooming in, step by step, never draws more.
    for (let step = 0; step < 6; step++) {
      await page.keyboard.press('+')
      expect(await nodes(page)).toBeLessThanOrEqual(domAtMost)
    }
    await page.keyboard.press('0')

    // A counted mark opens into what it holds.
    const cluster = timeline(page)
      .getByRole('button', { name: /^\d+ .* Open to see each\.$/ })
      .first()
    await cluster.focus()
    const before = await cluster.getAttribute('aria-label')
    await page.keyboard.press('Enter')
    await expect.poll(() => focused(page), { timeout: 30_000 }).not.toBe(before)
    expect(await focused(page)).not.toBe('')
    expect(await nodes(page)).toBeLessThanOrEqual(domAtMost)

    // Far away and back: the focused thing is still there, and an arrow goes on from it.
    const here = await focused(page)
    await timeline(page).evaluate((board) => board.scrollTo({ left: board.scrollWidth }))
    await expect.poll(() => focused(page)).toBe(here)
    await page.keyboard.press('ArrowRight')
    await expect.poll(() => focused(page)).not.toBe(here)
    await page.keyboard.press('End')
    await expect.poll(() => timeline(page).evaluate((board) => board.scrollLeft)).toBeGreaterThan(0)
    expect(await nodes(page)).toBeLessThanOrEqual(domAtMost)
    expect(watched.complaints).toEqual([])
  })

  it('jumps between what is wrong with n and p, wherever it lies', async () => {
    const page = await show(`/journeys/${longJourneyId}`)
    await timeline(page).getByRole('button').first().waitFor()
    await page.getByText('3 of 3 wrong').waitFor()
    await page.keyboard.press('n')
    await page.getByText('1 of 3 wrong').waitFor()
    await expect.poll(() => focused(page)).toMatch(/evidence of a finding/)
    await page.keyboard.press('p')
    await page.getByText('3 of 3 wrong').waitFor()
    await expect.poll(() => focused(page)).toMatch(/^Confirmation delivered missing for/)
  })

  it('reads the table page by page and draws only the rows in view', async () => {
    const page = await show(`/journeys/${longJourneyId}?view=table`)
    const table = page.getByRole('group', { name: 'Events' })
    await page.getByText('200 of 5,000 events read').waitFor()
    expect(await nodes(page)).toBeLessThanOrEqual(domAtMost)
    await table.evaluate((box) => box.scrollTo({ top: box.scrollHeight }))
    await page.getByText(/400 of 5,000 events read/).waitFor()
    expect(await nodes(page)).toBeLessThanOrEqual(domAtMost)
    await expect.poll(() => table.getByText('rec_19', { exact: false }).count()).toBeGreaterThan(0)
    expect(watched.complaints).toEqual([])
  })
})

describe('a journey', () => {
  it('shows the evidence of what is focused in the lanes, and keeps it in the address and in the table', async () => {
    const page = await show(`/journeys/${journeyId}`)
    await timeline(page)
      .getByRole('button', { name: /^Enrolment paid/ })
      .focus()
    await page.getByText('pa_255j', { exact: true }).first().waitFor()
    await expect.poll(() => page.url()).toMatch(/item=/)
    await page.getByRole('link', { name: 'Table', exact: true }).click()
    await page.getByRole('columnheader', { name: 'Time (ISO, UTC)' }).waitFor()
    const chosen = page.getByRole('group', { name: 'Events' }).getByRole('button', { pressed: true })
    await chosen.waitFor()
    expect(await chosen.textContent()).toBe('Enrolment paid')
    await chosen.focus()
    await page.keyboard.press('ArrowDown')
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).not.toBe('Enrolment paid')
    // Pointing at a row shows its details without choosing it.
    await page.getByRole('row', { name: /Enrolment paid/ }).hover()
    await page.getByText('pa_255j', { exact: true }).first().waitFor()
  })

  it('leaves out the lanes of tools that are not wanted, and says so in the address', async () => {
    const page = await show(`/journeys/${journeyId}`)
    await page.getByRole('button', { name: 'All tools' }).click()
    await page.getByRole('menuitemcheckbox', { name: 'Cal.com' }).click()
    await expect.poll(() => page.url()).toMatch(/without=booking/)
    await page.keyboard.press('Escape')
    await expect.poll(() => timeline(page).getByText('Cal.com').count()).toBe(0)
    await page.getByRole('button', { name: /^\d of 4 tools$/ }).waitFor()
  })

  it('shows times in the zone one asks for', async () => {
    const page = await show(`/journeys/${journeyId}`)
    await page.getByRole('button', { name: 'America/New_York' }).click()
    await page.getByRole('menuitemradio', { name: /^UTC/ }).click()
    await page.getByRole('button', { name: 'UTC', exact: true }).waitFor()
    expect(
      await timeline(page)
        .getByRole('button', { name: /^Enrolment paid/ })
        .getAttribute('aria-label'),
    ).toContain('UTC')
  })

  it('draws how records were linked when asked', async () => {
    const page = await show(`/journeys/${journeyId}`)
    await timeline(page).getByRole('button').first().waitFor()
    await page.keyboard.press('i')
    await page.getByRole('button', { name: 'Links', pressed: true }).waitFor()
    expect(await axeViolations(page)).toEqual([])
  })

  it('is exported as a picture that stands by itself', async () => {
    const page = await show(`/journeys/${journeyId}`)
    await timeline(page).getByRole('button').first().waitFor()
    const files: Buffer[] = []
    for (const [format, name] of [
      ['svg', 'Picture (SVG)'],
      ['png', 'Picture (PNG)'],
    ] as const) {
      await page.getByRole('button', { name: 'Export' }).click()
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name }).click()])
      expect(download.suggestedFilename()).toMatch(new RegExp(`^journey-3c7e0000\\.${format}$`))
      files.push(await readFile(await download.path()))
    }
    const svg = files[0]?.toString('utf8') ?? ''
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
    expect(svg).toContain('Enrolment paid')
    expect(svg).not.toMatch(/var\(|class=|href=/)
    expect(files[1]?.subarray(1, 4).toString()).toBe('PNG')
    // Read as XML by a page without our policy.
    const plain = await page.context().newPage()
    expect(
      await plain.evaluate(
        (text) => new DOMParser().parseFromString(text, 'image/svg+xml').querySelector('parsererror')?.textContent ?? 'fine',
        svg,
      ),
    ).toBe('fine')
    expect(watched.complaints).toEqual([])
  })

  it('shows what the API says as it is', async () => {
    const page = await show(`/journeys/${journeyId}?view=raw`)
    await page.getByText(`GET /api/v1/journeys/${journeyId}`).waitFor()
    await page.getByText('"programVersion": 3').waitFor()
  })

  it('is printed with its header, the timeline folded to the width of the paper, and the table, in light', async () => {
    const page = await show(`/journeys/${journeyId}`)
    await timeline(page).getByRole('button').first().waitFor()
    await page.evaluate(() => {
      document.documentElement.dataset.theme = 'dark'
    })
    // What is printed is read ahead; asked for before that, it stands on the paper a moment later.
    await page.emulateMedia({ media: 'print' })
    await page.getByRole('img', { name: /^Timeline of \d+ events/ }).waitFor()
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('light')
    expect(await timeline(page).isVisible()).toBe(false)
    await page.getByRole('region', { name: 'Eight questions' }).waitFor()
    const table = page.getByRole('table', { name: /^Events in order of time/ })
    expect(await table.getByRole('row').count()).toBeGreaterThan(9)
    await page.emulateMedia({ media: 'screen' })
    await timeline(page).waitFor()
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark')
    expect(watched.complaints).toEqual([])
  })
})
