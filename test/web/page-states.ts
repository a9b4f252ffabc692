import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { axeViolations, openPage, startBrowser, type Watched } from './browser.ts'
import { buildConsole } from './built.ts'
import { type Fixture, startFixture } from './fixture-api.ts'
import type { PageUnderTest } from './fixtures/area.ts'
import { areas } from './fixtures/index.ts'

const isAboutAnAnswer = (complaint: string) => /Failed to load resource: the server responded with a status of (403|500)/.test(complaint)

interface State {
  name: string
  path: string
  /** What the world is like. */
  in?: Parameters<typeof startFixture>[0]
  breaks?: { path: string; how: Parameters<Fixture['break']>[1] }
  shows: (string | RegExp)[]
}

/** The states every page must have; a page without a list has no empty ones. */
function statesOf(page: PageUnderTest): State[] {
  const { path, reads = '' } = page
  const failing = (states: State[]): State[] => (page.reads === undefined ? [] : states)
  return [
    { name: 'full', path, shows: [page.shows] },
    ...(page.whenNew === undefined ? [] : [{ name: 'empty because new', path, in: { isNew: true }, shows: [page.whenNew] }]),
    ...(page.filtered === undefined ? [] : [{ name: 'empty because filtered', path: page.filtered.path, shows: [page.filtered.shows] }]),
    ...failing([{ name: 'loading', path, breaks: { path: reads, how: { delayMs: 8_000 } }, shows: [/^Loading /] }]),
    {
      name: 'stale',
      path,
      breaks: { path: '/api/v1/status', how: { status: 500 } },
      shows: ['This picture may be old.', page.shows],
    },
    ...failing([
      { name: 'error', path, breaks: { path: reads, how: { status: 500 } }, shows: [/req_fixture01/] },
      { name: 'no permission', path, breaks: { path: reads, how: { status: 403 } }, shows: ['You may not see this'] },
    ]),
  ]
}

/** Colours pass over in steps, a parent's before its children's: what is measured between them is no theme at all. */
function settled(tab: Page): Promise<void> {
  return tab.evaluate(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve))
    do {
      for (let frames = 0; frames < 3; frames += 1) await frame()
    } while (document.getAnimations().some((each) => each instanceof CSSTransition))
  })
}

/** Tests of every `of`-th page, from the `share`-th on: in each of its states, light and dark, at 320 pixels and at 200 %. One file per share. */
export function testPages(share: number, of: number): void {
  vi.setConfig({ testTimeout: 120_000 })
  let browser: Browser
  let world: Fixture | undefined
  let watched: Watched | undefined

  beforeAll(async () => {
    await buildConsole()
    browser = await startBrowser()
  }, 120_000)
  afterAll(() => browser?.close())
  afterEach(async () => {
    await watched?.page.context().close()
    await world?.stop()
  })

  async function show(state: State, options: NonNullable<Parameters<typeof openPage>[1]>): Promise<Watched> {
    world = await startFixture(state.in)
    if (state.breaks) world.break(state.breaks.path, state.breaks.how)
    watched = await openPage(browser, options)
    await watched.page.goto(world.url + state.path)
    for (const text of state.shows)
      await watched.page
        .getByText(text)
        .first()
        .waitFor({ state: state.name === 'loading' ? 'attached' : 'visible' })
    return watched
  }

  const pages = areas.flatMap((area) => area.pages).filter((_, n) => n % of === share)
  for (const page of pages) {
    describe(page.path, () => {
      for (const state of statesOf(page)) {
        it(`${state.name}, light and dark: axe finds nothing, nothing is logged, no policy is broken`, async () => {
          const { page: tab, complaints } = await show(state, {})
          expect(await axeViolations(tab)).toEqual([])
          await tab.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' })
          await tab.locator('html[data-theme="dark"]').waitFor({ state: 'attached' })
          await settled(tab)
          expect(await axeViolations(tab)).toEqual([])
          expect(complaints.filter((each) => state.breaks === undefined || !isAboutAnAnswer(each))).toEqual([])
        })
      }

      // 1280 pixels at 200 % are 640.
      it('fits 320 and 640 pixels without scrolling sideways', async () => {
        const { page: tab } = await show({ name: 'full', path: page.path, shows: [page.shows] }, { width: 320, height: 720 })
        for (const width of [320, 640]) {
          await tab.setViewportSize({ width, height: 720 })
          await settled(tab)
          await expect.poll(() => tab.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)
          expect(await axeViolations(tab)).toEqual([])
        }
      })
    })
  }
}
