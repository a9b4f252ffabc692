import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { openPage, startBrowser, type Watched } from './browser.ts'
import { buildConsole } from './built.ts'
import { type Fixture, startFixture } from './fixture-api.ts'

vi.setConfig({ testTimeout: 240_000 })

let browser: Browser
let world: Fixture
let watched: Watched

beforeAll(async () => {
  await buildConsole()
  browser = await startBrowser()
}, 300_000)
afterAll(() => browser?.close())
beforeEach(async () => {
  world = await startFixture()
})
afterEach(async () => {
  await watched?.page.context().close()
  await world.stop()
})

const label = (page: Page) =>
  page.evaluate(() => {
    const { activeElement: focused } = document
    return (focused?.getAttribute('aria-label') ?? focused?.textContent ?? '').trim().replaceAll(/\s+/g, ' ')
  })

/** Presses Tab until what is focused is called so: no pointer, no script that moves the focus. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  const passed: string[] = []
  for (let step = 0; step < 150; step += 1) {
    await page.keyboard.press('Tab')
    const now = await label(page)
    if (name.test(now)) return
    passed.push(now)
  }
  throw new Error(`No way by Tab to ${name}. Passed: ${passed.join(' | ')}`)
}

/** What is focused can be seen: inside the window, under no bar. */
async function expectSeen(page: Page): Promise<void> {
  const hidden = await page.evaluate(() => {
    const box = document.activeElement?.getBoundingClientRect()
    if (!box || box.width === 0) return 'nothing focused'
    const top = document.elementFromPoint(
      Math.min(innerWidth - 1, Math.max(0, box.left + 2)),
      Math.min(innerHeight - 1, Math.max(0, box.top + box.height / 2)),
    )
    const within = document.activeElement?.contains(top) || top?.contains(document.activeElement)
    return within || document.activeElement?.closest('tr')?.contains(top) ? '' : `under ${top?.tagName} ${top?.className}`
  })
  expect(hidden).toBe('')
}

it('U3: overview → finding → journey → acknowledge → assign → waive, by keyboard only', async () => {
  watched = await openPage(browser)
  const { page } = watched
  await page.goto(`${world.url}/`)
  await page.getByRole('heading', { level: 1 }).waitFor({ timeout: 90_000 })

  // 1. From the overview to the list and its first finding.
  await tabTo(page, /^Findings/)
  await page.keyboard.press('Enter')
  await page.waitForURL('**/findings')
  await page.locator('[data-row]').first().waitFor()
  await page.keyboard.press('j')
  await page.waitForFunction(() => document.activeElement?.hasAttribute('data-row'))
  await expectSeen(page)
  await page.keyboard.press('Enter')
  await page.waitForURL('**/findings/f1d0*')
  const address = page.url()
  await page.getByRole('heading', { name: 'How it ended before' }).waitFor()

  // 2. The journey, and back the way one came.
  await page.keyboard.press('o')
  await page.waitForURL('**/journeys/3c7e*')
  await page.getByRole('heading', { level: 1 }).waitFor()
  // The browser's own key: a page under test does not hear it.
  await page.goBack()
  await page.waitForURL(address)
  await page.getByRole('heading', { name: 'How it ended before' }).waitFor()

  // 3. Acknowledge by its key, assign and waive by Tab and Enter.
  await page.keyboard.press('a')
  await page.getByText('1 finding acknowledged.').waitFor()
  await tabTo(page, /^Assign…/)
  await expectSeen(page)
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('combobox', { name: 'Owner' }).waitFor()
  await page.keyboard.press('c')
  await tabTo(page, /^Assign$/)
  await page.keyboard.press('Enter')
  await page.getByText('1 finding assigned.').waitFor()

  await page.keyboard.press('w')
  await dialog.getByRole('textbox', { name: 'Reason' }).waitFor()
  await page.keyboard.type('The clinic called, they know.')
  await tabTo(page, /^Waive$/)
  await page.keyboard.press('Enter')
  await page.getByText('1 finding waived.').waitFor()
  await page.getByRole('list', { name: 'Where this finding stands' }).getByText('Waived').waitFor()

  expect(world.posts.map(({ path }) => path.split('/').at(-1))).toEqual(['acknowledge', 'assign', 'waive'])
  expect(world.posts[1]?.body).toMatchObject({ owner: 'care-operations' })
  expect(world.posts[2]?.body).toMatchObject({ reason: 'The clinic called, they know.' })

  // 4. Back in the list one stands on the row one left.
  await page.keyboard.press('u')
  await page.waitForURL('**/findings')
  await page.waitForFunction((id) => document.activeElement?.getAttribute('data-row') === id, address.split('/').at(-1))
  expect(watched.complaints).toEqual([])
})
