import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
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
}, 300_000)
afterAll(() => browser?.close())
afterEach(async () => {
  await watched?.page.context().close()
  await world?.stop()
})

async function open(
  path: string,
  options: Parameters<typeof openPage>[1] = {},
  how: Parameters<typeof startFixture>[0] = {},
): Promise<Page> {
  world = await startFixture(how)
  watched = await openPage(browser, options)
  await watched.page.goto(world.url + path)
  return watched.page
}

const password = 'river stone lamp nine'

describe.each(['light', 'dark'] as const)('in %s, axe finds nothing on', (theme) => {
  it('the way into the demo, at 320 pixels too', async () => {
    const page = await open('/sign-in', { theme, width: 320, height: 720 })
    await page.getByRole('button', { name: 'Enter the demo as Ada Marsh' }).waitFor()
    expect(await axeViolations(page)).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)
    expect(watched.complaints).toEqual([])
  })

  it('sign-in by password where nobody can yet', async () => {
    const page = await open('/sign-in', { theme }, { isNew: true })
    await page.getByText('Nobody can sign in yet.').waitFor()
    expect(await axeViolations(page)).toEqual([])
  })

  it('a link to join by, and one that opens nothing', async () => {
    const page = await open('/join#a-link-that-still-opens', { theme })
    await page.getByRole('heading', { name: 'Join Acme clinic' }).waitFor()
    expect(await axeViolations(page)).toEqual([])
    await page.goto(`${world.url}/sign-in`)
    await page.goto(`${world.url}/join#used`)
    await page.getByRole('heading', { name: 'This link opens nothing' }).waitFor()
    expect(await axeViolations(page)).toEqual([])
  })
})

it('who is not signed in comes back, after signing in, to the page they asked for', async () => {
  const page = await open('/sign-in')
  world.break('/api/v1/me', { status: 401 })
  await page.goto(`${world.url}/findings?kind=gap`)
  await page.waitForURL('**/sign-in?to=*')
  world.mend()
  await page.getByRole('button', { name: 'Enter the demo as Ada Marsh' }).focus()
  await page.keyboard.press('Enter')
  await page.waitForURL('**/findings?kind=gap')
  await page.getByRole('heading', { level: 1, name: 'Findings' }).waitFor()
})

it('S6: a link that someone sent leads to no other site', async () => {
  const page = await open(`/sign-in?to=${encodeURIComponent('//evil.example/x')}`)
  await page.getByRole('button', { name: 'Enter the demo as Ada Marsh' }).click()
  await page.waitForURL(`${world.url}/`)
})

it('signs in by password, then by the code it asks for', async () => {
  const page = await open('/sign-in', {}, { isNew: true })
  await page.getByLabel('E-mail').fill('ada@clinic.example')
  await page.getByLabel('Password').fill('wrong')
  await page.keyboard.press('Enter')
  await page.getByText('The e-mail or the password is wrong.').waitFor()
  await page.getByLabel('Password').fill(password)
  await page.keyboard.press('Enter')
  await page.getByLabel('Code of your authenticator').fill('123456')
  await page.keyboard.press('Enter')
  await page.waitForURL(`${world.url}/`)
  expect(world.posts.at(-1)?.body).toEqual({ email: 'ada@clinic.example', password, code: '123456' })
})

it('joins by a link, with the same password twice', async () => {
  const page = await open('/join#a-link-that-still-opens')
  await page.getByLabel('Your name').fill('Noor Haddad')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByLabel('The password again').fill('another one, mistyped')
  await page.getByRole('button', { name: 'Join' }).click()
  await page.getByText('The two passwords differ.').waitFor()
  await page.getByLabel('The password again').fill(password)
  await page.getByRole('button', { name: 'Join' }).click()
  await page.waitForURL(`${world.url}/`)
  expect(world.posts.at(-1)?.body).toEqual({ token: 'a-link-that-still-opens', name: 'Noor Haddad', password })
})

it('invites someone to roles, and shows the link once', async () => {
  const page = await open('/settings/people')
  await page.getByRole('button', { name: 'Invite' }).click()
  const dialog = page.getByRole('dialog', { name: 'Invite someone' })
  await dialog.getByLabel('E-mail they will sign in with').fill('noor@clinic.example')
  await dialog.getByRole('checkbox', { name: /^Operator/ }).check()
  await dialog.getByRole('button', { name: 'Make the link' }).click()
  await dialog.getByText('a-link-that-is-shown-once').waitFor()
  expect(await axeViolations(page)).toEqual([])
  expect(world.posts.at(-1)?.body).toEqual({ email: 'noor@clinic.example', roles: ['operator'] })
})

it('makes a token and shows it once', async () => {
  const page = await open('/settings/tokens')
  await page.getByRole('button', { name: 'Make a token' }).click()
  const dialog = page.getByRole('dialog', { name: 'Make a token' })
  await dialog.getByLabel('What is it for').fill('nightly')
  await dialog.getByRole('button', { name: 'Make it' }).click()
  await dialog.getByText('tl_xxx').waitFor()
  expect(world.posts.at(-1)?.body).toEqual({ name: 'nightly', role: 'viewer', days: 90 })
})
