import { gzipSync } from 'node:zlib'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { axeViolations, openPage, startBrowser, type Watched } from './browser.ts'
import { buildConsole } from './built.ts'
import { type Fixture, startFixture } from './fixture-api.ts'

vi.setConfig({ testTimeout: 90_000 })

let browser: Browser
let world: Fixture
let watched: Watched

const tabs: Watched[] = []
async function open(path: string, options: Parameters<typeof openPage>[1] = {}): Promise<Watched['page']> {
  watched = await openPage(browser, options)
  tabs.push(watched)
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
  await Promise.all(tabs.splice(0).map((tab) => tab.page.context().close()))
  await world.stop()
})

describe('the way of a newcomer', () => {
  it('goes from the list to a finding, to the journey, and acknowledges, by keyboard alone', async () => {
    const page = await open('/')
    await page.getByRole('heading', { level: 1, name: /^Yes: / }).waitFor()
    await page.keyboard.press('o')
    await page.waitForURL('**/findings')
    await page.getByRole('link', { name: 'Paid 2 times for one order' }).first().waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/findings/f1d0*')
    await page.getByRole('heading', { name: 'Expected and observed' }).waitFor()
    await page.keyboard.press('a')
    await page.getByText('1 finding acknowledged.').waitFor()
    await page.getByRole('list', { name: 'Where this finding stands' }).getByText('Acknowledged').waitFor()
    expect(world.posts).toHaveLength(1)
    expect(world.posts[0]?.path).toMatch(/\/acknowledge$/)
    await page.keyboard.press('o')
    await page.waitForURL('**/journeys/3c7e*')
    await page.getByRole('region', { name: 'Eight questions' }).waitFor()
    await page.keyboard.press('n')
    await page.waitForFunction(() => document.activeElement?.hasAttribute('data-item'))
    await page.keyboard.press('ArrowLeft')
    await page.waitForFunction(() => document.activeElement?.hasAttribute('data-item'))
    await page.keyboard.press('g')
    await page.keyboard.press('f')
    await page.waitForURL('**/findings')
    expect(watched.complaints).toEqual([])
  })

  it('comes back from a finding to the row it left', async () => {
    const page = await open('/findings')
    await page.getByRole('link', { name: 'Paid 2 times for one order' }).first().waitFor()
    for (let step = 0; step < 3; step += 1) await page.keyboard.press('j')
    const row = await page.evaluate(() => document.activeElement?.getAttribute('data-row'))
    await page.keyboard.press('o')
    await page.waitForURL(`**/findings/${row}`)
    await page.getByRole('heading', { name: 'Expected and observed' }).waitFor()
    await page.keyboard.press('u')
    await page.waitForFunction((id) => document.activeElement?.getAttribute('data-row') === id, row)
  })
})

describe('the first load', () => {
  it('weighs at most 170 kB gzipped', async () => {
    watched = await openPage(browser)
    tabs.push(watched)
    const weights: Promise<number>[] = []
    watched.page.on('response', (response) => {
      if (!response.url().includes('/api/')) weights.push(response.body().then((body) => gzipSync(body).length))
    })
    await watched.page.goto(`${world.url}/findings`)
    await watched.page.getByRole('link', { name: 'Paid 2 times for one order' }).first().waitFor()
    const total = (await Promise.all(weights)).reduce((sum, weight) => sum + weight, 0)
    expect(total).toBeGreaterThan(20_000)
    expect(total).toBeLessThanOrEqual(170_000)
  })
})

describe('the list of findings', () => {
  it('keeps filters in the address and shows them as chips', async () => {
    const page = await open('/findings')
    await page.getByRole('link', { name: 'Paid 2 times for one order' }).first().waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('kind:drift severity:medium')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/findings?kind=drift&severity=medium')
    await page.getByRole('link', { name: 'Remove filter kind Drift' }).waitFor()
    expect(await page.getByRole('link', { name: 'Paid 2 times for one order' }).count()).toBe(0)
    await page.getByRole('link', { name: 'Clear all' }).click()
    await page.waitForURL('**/findings')
  })

  it('says “N new” and moves nothing until asked', async () => {
    const page = await open('/findings?sort=opened')
    await page.getByRole('link', { name: 'Paid 2 times for one order' }).first().waitFor()
    const order = () => page.locator('[data-row]').evaluateAll((links) => links.map((link) => link.getAttribute('data-row')))
    const before = await order()
    world.addFinding()
    const pill = page.getByRole('button', { name: '1 new' })
    await pill.waitFor()
    expect(await order()).toEqual(before)
    await pill.click()
    await page.waitForFunction((first) => document.querySelector('[data-row]')?.getAttribute('data-row') !== first, before[0])
  })

  it('tells kindly that someone else was first', async () => {
    const page = await open('/findings')
    await page.getByRole('link', { name: 'Paid 2 times for one order' }).first().waitFor()
    await page.keyboard.press('j')
    const row = await page.evaluate(() => document.activeElement?.getAttribute('data-row'))
    world.touch(row ?? '')
    await page.keyboard.press('a')
    await page.getByText('changed while you looked').waitFor()
  })

  it('acts on a selection and says what was refused and why', async () => {
    const page = await open('/findings?status=all&kind=late,gap')
    await page.getByRole('checkbox', { name: 'Select all findings shown' }).check()
    await page.getByRole('region', { name: 'Selected findings' }).getByRole('button', { name: 'Acknowledge' }).click()
    await page.getByText(/findings acknowledged/).waitFor()
    await page
      .getByText(/This finding has ended|Already acknowledged/)
      .first()
      .waitFor()
  })

  it('peeks beside the list and follows j and k', async () => {
    const page = await open('/findings')
    await page.getByRole('link', { name: 'Paid 2 times for one order' }).first().waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press(' ')
    const peek = page.getByRole('complementary', { name: 'Peek at the finding' })
    await peek.getByText('Why them').waitFor()
    expect(await axeViolations(page)).toEqual([])
    await page.keyboard.press('Escape')
    await peek.waitFor({ state: 'detached' })
  })
})

describe('menus', () => {
  it('filter by a choice with its count, and pass axe while open', async () => {
    const page = await open('/findings')
    await page.getByRole('button', { name: 'Kind' }).click()
    const choice = page.getByRole('menuitemcheckbox', { name: /Drift/ })
    await choice.waitFor()
    expect(await axeViolations(page)).toEqual([])
    await choice.click()
    await page.waitForURL('**/findings?kind=drift')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Preferences' }).click()
    expect(await axeViolations(page)).toEqual([])
    await page.getByRole('menuitemradio', { name: 'Dark' }).click()
    await page.waitForFunction(() => document.documentElement.dataset.theme === 'dark')
    await page.reload()
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark')
  })
})

describe('asking for a reason', () => {
  it('waives with a reason and a date, and refuses without the reason', async () => {
    const page = await open('/findings/f1d00000-5b1e-4c0a-9d2f-000000019919')
    await page.getByRole('button', { name: /^Waive/ }).waitFor()
    await page.keyboard.press('w')
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Waive' }).click()
    await dialog.getByText('A reason is needed').waitFor()
    expect(await axeViolations(page)).toEqual([])
    await dialog.getByRole('textbox', { name: 'Reason' }).fill('Confirmed by phone.')
    await dialog.getByRole('button', { name: 'Waive' }).click()
    await page.getByText('1 finding waived.').waitFor()
    expect(world.posts[0]?.body).toMatchObject({ reason: 'Confirmed by phone.', revision: 1 })
    await page.getByRole('button', { name: 'Acknowledge' }).and(page.locator('[aria-disabled="true"]')).waitFor()
  })
})

describe('keys', () => {
  it('shows the map, and single keys can be switched off', async () => {
    const page = await open('/findings')
    await page.getByRole('link', { name: 'Paid 2 times for one order' }).first().waitFor()
    await page.keyboard.press('?')
    const dialog = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
    await dialog.getByText('Next finding').waitFor()
    expect(await axeViolations(page)).toEqual([])
    await dialog.getByRole('checkbox').uncheck()
    await page.keyboard.press('Escape')
    await page.keyboard.press('j')
    expect(await page.evaluate(() => document.activeElement?.hasAttribute('data-row'))).toBe(false)
    await page.reload()
    await page.getByRole('link', { name: 'Paid 2 times for one order' }).first().waitFor()
    await page.keyboard.press('j')
    expect(await page.evaluate(() => document.activeElement?.hasAttribute('data-row'))).toBe(false)
  })

  it('leaves typing in a field alone', async () => {
    const page = await open('/findings')
    await page.getByRole('searchbox', { name: /Filter findings/ }).fill('')
    await page.getByRole('searchbox', { name: /Filter findings/ }).pressSequentially('jax?')
    expect(await page.getByRole('searchbox', { name: /Filter findings/ }).inputValue()).toBe('jax?')
    expect(world.posts).toEqual([])
  })
})

describe('when the API fails', () => {
  it('shows the request id and a retry that works', async () => {
    world.break('/api/v1/connections', { status: 500 })
    const page = await open('/connections')
    await page.getByText('req_fixture01').waitFor()
    expect(await axeViolations(page)).toEqual([])
    world.mend()
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('link', { name: 'Stripe', exact: true }).waitFor()
  })

  it('keeps what was read on the screen and says it may be old', async () => {
    const page = await open('/findings/f1d00000-5b1e-4c0a-9d2f-000000019919')
    await page.getByRole('button', { name: /^Acknowledge/ }).waitFor()
    world.break('/api/v1/findings/f1d00000-5b1e-4c0a-9d2f-000000019919', { status: 500 })
    await page.keyboard.press('c')
    await page.getByText('This may be old').waitFor()
    await page.getByRole('heading', { name: 'Expected and observed' }).waitFor()
  })

  it('never calls an empty list an all-clear while something is not read', async () => {
    await world.stop()
    world = await startFixture({ count: 0 })
    const page = await open('/findings')
    await page.getByRole('heading', { name: 'No finding, but not everything is read' }).waitFor()
    await page.getByText('2 connections of 4 are not up to date.').waitFor()
    await world.stop()
    world = await startFixture({ count: 0, notFresh: 0 })
    const calm = await open('/findings')
    await calm.getByRole('heading', { name: 'Nothing is falling through' }).waitFor()
    expect(await axeViolations(calm)).toEqual([])
  })

  it('shows a skeleton only when an answer takes long', async () => {
    world.break('/api/v1/journeys', { delayMs: 900 })
    const page = await open('/journeys')
    await page.getByText('Loading journeys').waitFor({ state: 'attached' })
    await page.getByRole('table', { name: /Journeys/ }).waitFor()
  })

  it('calls the picture stale when Throughline cannot be reached', async () => {
    world.break('/api/v1/status', { status: 500 })
    const page = await open('/findings')
    await page.getByText('This picture may be old.').waitFor()
    expect(await axeViolations(page)).toEqual([])
  })
})
