import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { axeViolations, openPage, startBrowser, type Watched } from './browser.ts'
import { buildConsole } from './built.ts'
import { type Fixture, fixtureNow, startFixture } from './fixture-api.ts'

vi.setConfig({ testTimeout: 120_000 })

let browser: Browser
let world: Fixture
const tabs: Watched[] = []

async function open(path: string, options: Parameters<typeof openPage>[1] = {}): Promise<Page> {
  const watched = await openPage(browser, options)
  tabs.push(watched)
  await watched.page.goto(world.url + path)
  await watched.page
    .locator(path.includes('group=owner') ? 'h2 [aria-expanded]' : '[data-row]')
    .first()
    .waitFor()
  return watched.page
}
const rowsOf = (page: Page) => page.locator('[data-row]').evaluateAll((links) => links.map((link) => link.getAttribute('data-row')))
const focused = (page: Page) => page.evaluate(() => document.activeElement?.getAttribute('data-row'))
const firstBulk = `/api/v1/findings/bulk/${'1'.padStart(32, 'b')}`
const bulks = () => world.posts.filter(({ path }) => path === '/api/v1/findings/bulk').map(({ body }) => body)

beforeAll(async () => {
  await buildConsole()
  browser = await startBrowser()
}, 180_000)
afterAll(() => browser?.close())
beforeEach(async () => {
  world = await startFixture()
})
afterEach(async () => {
  const complaints = tabs.flatMap((tab) => tab.complaints).filter((each) => !/status of 409/.test(each))
  await Promise.all(tabs.splice(0).map((tab) => tab.page.context().close()))
  await world.stop()
  expect(complaints).toEqual([])
})

describe('U4: the address of the list', () => {
  it('leaves garbage out instead of failing', async () => {
    const page = await open(
      `/findings?severity=terrible&status=nope,<script>&sort=';drop&group=__proto__&columns=constructor&due=soon&subject=zz&q=&cursor=x&due=${'9'.repeat(3_000)}`,
    )
    await page.getByText('96 findings that need someone').waitFor()
    expect(await page.getByRole('list', { name: 'Filters in force' }).count()).toBe(0)
    expect((await rowsOf(page)).length).toBeGreaterThan(5)
  })

  it('says everything: reload, back and another person in another zone see the same rows', async () => {
    const page = await open('/findings')
    await page.keyboard.press('/')
    await page.keyboard.type('tool:booking severity:high,medium due:<now')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/findings?severity=high,medium&connection=booking&due=%3Cnow')
    await page.getByRole('columnheader').getByRole('link', { name: 'Severity' }).click()
    await page.waitForURL('**sort=severity')
    await page.getByRole('link', { name: 'Remove filter connection' }).waitFor()
    const rows = await rowsOf(page)
    const address = page.url().slice(world.url.length)
    await page.reload()
    await page.locator('[data-row]').first().waitFor()
    expect(await rowsOf(page)).toEqual(rows)

    const other = await openPage(browser, { timezoneId: 'Asia/Tokyo' })
    tabs.push(other)
    await other.page.goto(world.url + address)
    await other.page.locator('[data-row]').first().waitFor()
    expect(await rowsOf(other.page)).toEqual(rows)
    const times = (tab: Page) => tab.locator('main time').evaluateAll((all) => all.map((time) => time.getAttribute('datetime')))
    expect(await times(other.page)).toEqual(await times(page))

    await page.goBack()
    await page.waitForURL((url) => !url.search.includes('sort='))
    await page.getByRole('link', { name: 'Remove filter due before now' }).waitFor()
    await page.goBack()
    await page.waitForURL('**/findings')
    await page.getByText('96 findings that need someone').waitFor()
  })
})

describe('views', () => {
  it('are saved, walked through, renamed and deleted by keyboard, each with its count', async () => {
    const page = await open('/findings?kind=drift')
    await page
      .getByRole('navigation', { name: 'Views' })
      .getByRole('link', { name: /Critical & overdue/ })
      .waitFor()
    await page.locator('[data-row]').first().waitFor()
    await page.keyboard.press('S')
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: 'Name' }).waitFor()
    await page.keyboard.type('mine')
    await page.keyboard.press('Enter')
    await dialog.getByText('There is a view “mine” already').waitFor()
    expect(await axeViolations(page)).toEqual([])
    await dialog.getByRole('textbox', { name: 'Name' }).fill('Drifting')
    await page.keyboard.press('Enter')
    const tab = page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Drifting 24 findings' })
    await tab.waitFor()
    expect(await tab.getAttribute('aria-current')).toBe('page')
    await page.keyboard.press('[')
    await page.waitForURL('**status=ended&closed=today&sort=closed')
    await page.keyboard.press(']')
    await page.waitForURL('**/findings?kind=drift')
    await page.getByRole('button', { name: 'Change view Drifting' }).press('Enter')
    await page.getByRole('menuitem', { name: 'Rename…' }).press('Enter')
    await dialog.getByRole('textbox', { name: 'Name' }).fill('Out of step')
    await page.keyboard.press('Enter')
    await page.getByRole('link', { name: 'Out of step 24 findings' }).waitFor()
    await page.getByRole('button', { name: 'Change view Out of step' }).press('Enter')
    await page.getByRole('menuitem', { name: 'Delete…' }).press('Enter')
    await dialog.getByRole('button', { name: 'Delete' }).press('Enter')
    await page.waitForURL('**/findings')
    await page.getByRole('link', { name: 'Out of step' }).waitFor({ state: 'detached' })
  })
})

describe('a long list', () => {
  it('walks through a hundred rows by keyboard with at most 1,500 nodes and 100 rows in the document', async () => {
    const page = await open('/findings?status=all')
    const seen = new Set<string>()
    for (let step = 0; step < 105; step += 1) {
      await page.keyboard.press('j')
      await page.waitForFunction((known) => !known.includes(document.activeElement?.getAttribute('data-row') ?? known[0] ?? ''), [...seen])
      seen.add((await focused(page)) ?? '')
      if (step % 20 === 0) {
        const [nodes, rows] = await page.evaluate(() => [
          document.querySelectorAll('table, table *').length,
          document.querySelectorAll('table tr').length,
        ])
        expect(nodes).toBeLessThanOrEqual(1_500)
        expect(rows).toBeLessThanOrEqual(100)
      }
    }
    expect(seen.size).toBe(105)
    await page.getByText(/120 of 120 shown|100 of 120 shown/).waitFor()
    expect(await page.getByRole('table').getAttribute('aria-rowcount')).toBe('121')
  })
})

describe('acting on many', () => {
  it('selects a range by keyboard, acts on it at once, and says what was left and why', async () => {
    const page = await open('/findings?status=all')
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    for (let step = 0; step < 7; step += 1) await page.keyboard.press('j')
    await page.keyboard.press('X')
    await page.getByRole('region', { name: 'Selected findings' }).getByText('8 findings selected').waitFor()
    await page.keyboard.press('a')
    await page.getByText(/findings? acknowledged/).waitFor()
    await page.getByText(/left as/).waitFor()
    expect(bulks()).toMatchObject([{ asked: { act: 'acknowledge' } }])
    expect(bulks()[0]?.findings).toHaveLength(8)
  })

  it('asks for a reason and the typed number before it waives all that match, and tells how far it is', async () => {
    const page = await open('/findings?kind=duplicate,gap,drift,unexpected')
    await page.keyboard.press('*')
    await page.keyboard.press('*')
    await page.getByText('All 96 that match').waitFor()
    await page.keyboard.press('w')
    const dialog = page.getByRole('dialog', { name: 'Accept 96 findings as they are' })
    await dialog.getByRole('textbox', { name: 'Reason' }).fill('Planned outage of all tools.')
    await page.keyboard.press('Control+Enter')
    await dialog.getByText('Type 96 to confirm how many').waitFor()
    expect(await axeViolations(page)).toEqual([])
    await dialog.getByRole('textbox', { name: 'Type 96 to confirm' }).fill('96')
    world.break(firstBulk, { delayMs: 5_000 })
    await page.keyboard.press('Enter')
    await page.getByRole('region', { name: 'An act on many findings' }).getByText('50 of 96 handled').waitFor()
    expect(await axeViolations(page)).toEqual([])
    world.mend()
    await page.getByText('96 findings waived.').waitFor()
    expect(bulks()).toMatchObject([
      {
        asked: { act: 'waive', reason: 'Planned outage of all tools.' },
        matching: { query: 'kind=duplicate,gap,drift,unexpected', expected: 96, asOf: new Date(fixtureNow).toISOString() },
      },
    ])
    await page.getByText('Nothing matches these filters').waitFor()
  })

  it('refuses when the number has changed, and stops when asked', async () => {
    const page = await open('/findings')
    await page.keyboard.press('*')
    await page.keyboard.press('*')
    await page.getByText('All 96 that match').waitFor()
    world.addFinding()
    await page.keyboard.press('e')
    await page.getByRole('dialog').getByRole('button', { name: 'Snooze' }).click()
    await page.getByText('You confirmed 96; 97 match now.').waitFor()
    await page.getByRole('button', { name: '1 new' }).waitFor()
    await page.keyboard.press('n')
    await page.getByText('97 findings that need someone').waitFor()
    await page.keyboard.press('*')
    await page.keyboard.press('*')
    world.break(firstBulk, { delayMs: 60_000 })
    await page.keyboard.press('c')
    await page.getByRole('dialog', { name: 'Claim 97 findings' }).getByRole('button', { name: 'Claim' }).click()
    await page.getByRole('region', { name: 'An act on many findings' }).getByRole('button', { name: 'Stop' }).click()
    await page.getByText('50 findings claimed').waitFor()
    await page.getByText('47 findings not looked at').waitFor()
  })
})

describe('one finding of the list', () => {
  it('is claimed and given back, snoozed until the morning of the workspace, and taken back', async () => {
    const page = await open('/findings')
    await page.keyboard.press('j')
    await page.keyboard.press('c')
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByText('Taken back.').waitFor()
    expect(world.posts.map(({ path }) => path.split('/').at(-1))).toEqual(['claim', 'release'])
    await page.locator('[data-row]').first().focus()
    await page.keyboard.press('e')
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Tomorrow 8:00').waitFor()
    await page.keyboard.press('Enter')
    await page.getByText('1 finding snoozed.').waitFor()
    // 15:30 in London is 10:30 in New York; the next morning there at 8 is 13:00 in London.
    expect(world.posts.at(-1)?.body).toMatchObject({ until: '2026-11-21T13:00:00.000Z' })
  })

  it('is looked at beside the list, with what was done to it, and acted on there', async () => {
    const page = await open('/findings')
    await page.keyboard.press('j')
    await page.keyboard.press(' ')
    const peek = page.getByRole('complementary', { name: 'Peek at the finding' })
    await peek.getByRole('heading', { name: 'Activity' }).waitFor()
    await page.keyboard.press('m')
    await page.getByRole('dialog').getByRole('textbox', { name: 'Comment' }).fill('Called the messenger.')
    await page.keyboard.press('Control+Enter')
    await peek.getByText('Called the messenger.').waitFor()
    expect(await axeViolations(page)).toEqual([])
  })
})

describe('groups', () => {
  it('count what is in them, open to their rows, and lead to exactly these', async () => {
    const page = await open('/findings?group=owner')
    const group = page.getByRole('button', { name: /^Billing team 24/ })
    await group.press('Enter')
    await page.getByRole('table', { name: /Billing team/ }).waitFor()
    expect(await axeViolations(page)).toEqual([])
    await page.keyboard.press('j')
    await page.waitForFunction(() => document.activeElement?.hasAttribute('data-row'))
    await page.getByRole('link', { name: 'Only Billing team' }).press('Enter')
    await page.waitForURL('**/findings?owner=billing-team')
    await page.getByText('24 findings that need someone').waitFor()
  })
})

describe('taking findings out', () => {
  it('offers the file of these filters and copies them as a command', async () => {
    const page = await open('/findings?kind=drift&sort=opened&group=owner&columns=due')
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.getByRole('button', { name: 'Export' }).click()
    const csv = page.getByRole('menuitem', { name: 'Download as CSV' })
    expect(await csv.getAttribute('href')).toBe('/api/v1/findings/export?format=csv&kind=drift&sort=opened')
    expect(await axeViolations(page)).toEqual([])
    await page.getByRole('menuitem', { name: 'Copy as curl' }).click()
    await page.getByText('curl command copied.').waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`curl -s '${world.url}/api/v1/findings?kind=drift&sort=opened'`)
  })
})
