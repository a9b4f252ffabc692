import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { asksAttention, hrefOf, parseConnectionQuery, select } from '../../web/src/lib/connections/query.ts'
import { axeViolations, openPage, startBrowser, type Watched } from './browser.ts'
import { buildConsole } from './built.ts'
import { type Fixture, startFixture } from './fixture-api.ts'

vi.setConfig({ testTimeout: 120_000 })

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
const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '')
const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name })
const titles = (page: Page) => page.locator('[data-row]').allTextContents()

describe('the list of connections', () => {
  it('begins with the worst, and narrows by state and words in the address', async () => {
    const page = await show('/connections')
    await page.getByRole('link', { name: 'Twilio Messages', exact: true }).waitFor()
    expect(await titles(page)).toEqual([
      'Clinic EHR',
      'Twilio Messages',
      'Intake forms of the Hillside and Riverside clinics',
      'Cal.com',
      'Stripe',
    ])
    await page.getByRole('link', { name: 'Not up to date 3' }).click()
    await page.waitForURL('**/connections?state=attention')
    await page.getByText('3 of 5 connections').waitFor()
    await page.getByRole('searchbox', { name: /Filter connections/ }).fill('messages')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/connections?state=attention&q=messages')
    await page.getByText('1 of 5 connections').waitFor()
    expect(await titles(page)).toEqual(['Twilio Messages'])
    await page.reload()
    await page.getByText('1 of 5 connections').waitFor()
    expect(watched.complaints).toEqual([])
  })

  it('is walked by keys, and j and k go on through it on the page of one', async () => {
    const page = await show('/connections?sort=name')
    await page.getByRole('link', { name: 'Twilio Messages', exact: true }).waitFor()
    await page.keyboard.press('j')
    expect(await focused(page)).toBe('Cal.com')
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('k')
    expect(await focused(page)).toBe('Clinic EHR')
    await page.keyboard.press('o')
    await heading(page, 'Clinic EHR').waitFor()
    await page.getByRole('button', { name: /Read now/ }).waitFor()
    await page.keyboard.press('k')
    await heading(page, 'Cal.com').waitFor()
    await page.keyboard.press('u')
    await page.waitForURL('**/connections?sort=name')
  })

  it('links each number to the list behind it, and says why one is paused', async () => {
    const page = await show('/connections')
    const href = (name: string | RegExp) => page.getByRole('link', { name }).getAttribute('href')
    expect(await href('20 open findings of Stripe')).toBe('/findings?connection=billing')
    expect(await href('2 set aside')).toBe('/connections/ehr#set-aside')
    await page.getByText('“The forms move to a new account this week”').waitFor()
    await page.getByText('What happens in it meanwhile is unknown.').first().waitFor()
  })
})

describe('the page of a connection', () => {
  it('tells how far each stream was read, what was asked, how it was verified and what hangs on it', async () => {
    const page = await show('/connections/billing')
    await heading(page, 'Stripe').waitFor()
    await page.getByRole('img', { name: /^Payments, last 1 d: read on time/ }).waitFor()
    await page.getByRole('row', { name: /Payments 288 1,296 34 17 1 min 1,900 ms/ }).waitFor()
    await page.getByText('Against an emulator, 2026-11-20').waitFor()
    await page.getByText('None: every record that was read could be understood.').waitFor()
    expect(await page.getByRole('link', { name: 'Booking confirmed by text' }).getAttribute('href')).toBe(
      '/expectations/virtual-care/booking-confirmed',
    )
    await page.getByText('Payments 5 kept, 2 hashed, 3 dropped').click()
    await page.getByText('receipt_email').first().waitFor()
    expect(await page.getByRole('link', { name: /^All \d+ open findings of Stripe|Show them as a list/ }).getAttribute('href')).toBe(
      '/findings?connection=billing',
    )
    expect(watched.complaints).toEqual([])
  })

  it('pauses for a reason only, says what that means, and resumes', async () => {
    const page = await show('/connections/billing')
    await page.getByRole('button', { name: /Pause…/ }).waitFor()
    await page.keyboard.press('p')
    const dialog = page.getByRole('dialog', { name: 'Pause Stripe' })
    await dialog.waitFor()
    await dialog.getByRole('button', { name: 'Pause', exact: true }).click()
    await dialog.getByText('A reason is needed').waitFor()
    expect(await axeViolations(page)).toEqual([])
    expect(world.posts).toEqual([])
    await dialog.getByRole('textbox', { name: 'Reason' }).fill('The vendor migrates')
    await dialog.getByRole('button', { name: 'Pause', exact: true }).click()
    await dialog.waitFor({ state: 'hidden' })
    await page.getByText('by you: “The vendor migrates”.').waitFor()
    await page.getByText('What happens in it meanwhile is unknown').first().waitFor()
    expect(await page.getByRole('button', { name: /Read now/ }).getAttribute('aria-disabled')).toBe('true')
    await page.keyboard.press('p')
    await page.getByRole('button', { name: /Pause…/ }).waitFor()
    expect(world.posts).toEqual([
      { path: '/api/v1/connections/billing/pause', body: { reason: 'The vendor migrates' } },
      { path: '/api/v1/connections/billing/resume', body: {} },
    ])
  })

  it('accepts a record that stands set aside, with the reason', async () => {
    const page = await show('/connections/ehr')
    await page.getByRole('button', { name: 'Accept as it is… appt-4417' }).click()
    const dialog = page.getByRole('dialog', { name: 'Accept appt-4417 as it is' })
    await dialog.getByRole('textbox', { name: 'Reason' }).fill('A test patient')
    await dialog.getByRole('button', { name: 'Accept', exact: true }).click()
    await dialog.waitFor({ state: 'hidden' })
    await page.getByText('“A test patient”').waitFor()
    expect(await page.getByRole('button', { name: /^Accept as it is… appt/ }).count()).toBe(1)
    expect(world.posts).toEqual([
      {
        path: '/api/v1/connections/ehr/quarantine/accept',
        body: { stream: 'appointments', rawHash: '0'.repeat(64), reason: 'A test patient' },
      },
    ])
  })

  it('keeps what was typed when the API refuses, and says why', async () => {
    const page = await show('/connections/billing')
    await page.getByRole('button', { name: /Pause…/ }).click()
    const dialog = page.getByRole('dialog', { name: 'Pause Stripe' })
    world.break('/api/v1/connections/billing/pause', { status: 500 })
    await dialog.getByRole('textbox', { name: 'Reason' }).fill('The vendor migrates')
    await dialog.getByRole('button', { name: 'Pause', exact: true }).click()
    await expect.poll(() => dialog.getByRole('alert').textContent(), { timeout: 30_000 }).not.toBe('')
    expect(await dialog.getByRole('textbox', { name: 'Reason' }).inputValue()).toBe('The vendor migrates')
  })
})

describe('the address of the list', () => {
  const rows = (['ok', 'paused', 'removed', 'auth_failed'] as const).map((state, index) => ({ id: state, title: `t${index}`, state }))

  it('falls back to what is usual where it is garbage', () => {
    const query = parseConnectionQuery(new URLSearchParams('sort=nonsense&state=&q='))
    expect(query).toEqual({ state: '', q: '', sort: 'worst' })
    expect(hrefOf(query)).toBe('/connections')
    expect(hrefOf(query, { sort: 'name', q: 'a b' })).toBe('/connections?q=a%20b&sort=name')
    expect(select([], { ...query, state: 'nonsense' })).toEqual([])
  })

  it('counts a paused one among those that are not up to date, and one that is not configured not', () => {
    expect(rows.filter(asksAttention).map(({ id }) => id)).toEqual(['paused', 'auth_failed'])
  })
})
