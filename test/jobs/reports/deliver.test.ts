import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { listDeliveries } from '../../../db/records/report-deliveries.ts'
import { deliverReports } from '../../../jobs/reports/deliver.ts'
import { runReports, waitsForReports } from '../../../jobs/reports/run-reports.ts'
import { withDatabase } from '../../support/database.ts'
import {
  type HookServer,
  type MailServer,
  openReportWorld,
  reportsTo,
  type ReportWorld,
  startHookServer,
  startMailServer,
  startVanishingMailServer,
} from '../../support/report-world.ts'

const main = await withDatabase()
const minute = 60_000
let mail: MailServer
let hook: HookServer
beforeAll(async () => {
  mail = await startMailServer()
  hook = await startHookServer()
})
afterAll(async () => {
  await mail.close()
  await hook.close()
})
beforeEach(() => {
  mail.mails.length = 0
  hook.posts.length = 0
  mail.onContent = async () => {}
  mail.onRecipient = async () => {}
  hook.status = 204
})

const refusal = (code: number, text: string) => Object.assign(new Error(text), { responseCode: code })
const states = async (world: ReportWorld, day: string) =>
  Object.fromEntries(
    (await listDeliveries(world.workspace.database.sql, world.workspace.id, day)).map(({ channel, target, state }) => [
      `${channel} ${target}`,
      state,
    ]),
  )
const send = (world: ReportWorld, wall: number) => deliverReports(world.workspace, { wallNow: () => wall, timeoutMs: 60_000 })

async function withWorld(
  reports: Parameters<typeof reportsTo>[0],
  work: (world: ReportWorld, url: string) => Promise<void>,
  allow?: readonly string[],
) {
  const url = await main.another()
  const world = await openReportWorld(url, reportsTo(reports), allow ?? [`127.0.0.1:${mail.port}`, new URL(hook.url).host])
  try {
    await work(world, url)
  } finally {
    await world.close()
  }
}

describe('the mail of a report', () => {
  it('goes once to each owner with something open, and to nobody else', async () => {
    await withWorld({ mailPort: mail.port }, async (world) => {
      await world.record('messaging', 3)
      await world.record('quiet', 2, true)
      await world.record('nobody-to-write-to', 1)
      await world.closeNextDay()
      expect(await send(world, minute)).toEqual({ sent: 1, failed: 0 })
      expect(await send(world, 600 * minute)).toEqual({ sent: 0, failed: 0 })
      expect(mail.mails.map(({ to }) => to)).toEqual([['lead@care.example', 'second@care.example']])
      expect(mail.mails[0]?.raw).toContain('3 findings open')
      expect(mail.mails[0]?.raw).toMatch(/^Message-ID: <[0-9a-f]{32}@throughline\.example>/m)
      expect(await states(world, '2026-03-02')).toEqual({ 'mail messaging': 'sent', 'mail nobody-to-write-to': 'no_address' })
    })
  })

  it('is sent once when several processes try at the same time', async () => {
    await withWorld({ mailPort: mail.port }, async (world) => {
      await world.record('messaging', 1)
      await world.closeNextDay()
      await Promise.all([1, 2, 3, 4].map(() => send(world, minute)))
      expect(mail.mails).toHaveLength(1)
    })
  })

  it('is tried again after a refusal, shown meanwhile, and loses nothing; no address is stored or told', async () => {
    await withWorld({ mailPort: mail.port }, async (world) => {
      await world.record('messaging', 1)
      await world.closeNextDay()
      mail.onRecipient = async (address) => {
        throw refusal(451, `greylisted ${address}`)
      }
      expect(await send(world, minute)).toEqual({ sent: 0, failed: 1 })
      const [failed] = await listDeliveries(world.workspace.database.sql, world.workspace.id, '2026-03-02')
      expect(failed).toMatchObject({ state: 'waiting', attempts: 1, nextAt: 2 * minute, reason: expect.stringContaining('451') })
      mail.onRecipient = async () => {}
      mail.onContent = async () => {
        throw refusal(554, 'no lead@care.example here')
      }
      expect(await send(world, minute)).toEqual({ sent: 0, failed: 0 })
      expect(await send(world, 2 * minute)).toEqual({ sent: 0, failed: 1 })
      mail.onContent = async () => {}
      expect(await send(world, 4 * minute)).toEqual({ sent: 1, failed: 0 })
      expect(mail.mails).toHaveLength(1)
      for (const table of ['report_deliveries', 'reports', 'audit', 'feed', 'workspaces']) {
        const rows = await world.workspace.database.sql.unsafe(`select coalesce(string_agg(t::text, ' '), '') as text from ${table} t`)
        expect(rows[0]?.text).not.toMatch(/care\.example|throughline\.example/)
      }
    })
  })

  it('is given up after its last attempt', async () => {
    await withWorld({ mailPort: mail.port }, async (world) => {
      await world.record('messaging', 1)
      await world.closeNextDay()
      await world.workspace.database.sql`update report_deliveries set attempts = 29`
      mail.onRecipient = async () => {
        throw refusal(550, 'no')
      }
      await send(world, minute)
      expect(await states(world, '2026-03-02')).toEqual({ 'mail messaging': 'given_up' })
      expect(await waitsForReports(world.workspace, 999_999 * minute)).toBe(false)
    })
  })

  it('is not sent again where the answer to its content was lost', async () => {
    const vanishing = await startVanishingMailServer()
    const toIt = async (world: ReportWorld) => {
      await world.record('messaging', 1)
      await world.closeNextDay()
      await send(world, minute)
      expect(vanishing.contents).toBe(1)
      expect(await states(world, '2026-03-02')).toEqual({ 'mail messaging': 'unknown' })
      expect(await send(world, 600 * minute)).toEqual({ sent: 0, failed: 0 })
      expect(vanishing.contents).toBe(1)
    }
    await withWorld({ mailPort: vanishing.port }, toIt, [`127.0.0.1:${vanishing.port}`])
    await vanishing.close()
  })

  it('refuses to speak in clear to a server the configuration does not list, and to reach inside the network', async () => {
    await withWorld(
      { mailPort: mail.port },
      async (world) => {
        await world.record('messaging', 1)
        await world.closeNextDay()
        await send(world, minute)
        const [failed] = await listDeliveries(world.workspace.database.sql, world.workspace.id, '2026-03-02')
        expect(failed?.reason).toContain('private or reserved address')
        expect(mail.mails).toEqual([])
      },
      [],
    )
  })
})

describe('kill -9 while a mail is sent', () => {
  async function killed(url: string): Promise<void> {
    const child = spawn(process.execPath, [join(import.meta.dirname, '../../support/report-process.ts'), url, String(mail.port)], {
      stdio: 'ignore',
    })
    await expect.poll(() => reached, { timeout: 120_000 }).toBe(true)
    const ended = once(child, 'close')
    child.kill('SIGKILL')
    await ended
  }
  let reached = false
  beforeEach(() => {
    reached = false
  })
  const hang = () => {
    reached = true
    return new Promise<void>(() => {})
  }

  it('before its content left: it is sent by whoever comes next, once', { timeout: 300_000 }, async () => {
    await withWorld({ mailPort: mail.port }, async (world, url) => {
      await world.record('messaging', 1)
      await world.closeNextDay()
      mail.onRecipient = hang
      await killed(url)
      mail.onRecipient = async () => {}
      expect(await send(world, minute)).toEqual({ sent: 0, failed: 0 })
      expect(await send(world, 10 * minute)).toEqual({ sent: 1, failed: 0 })
      expect(mail.mails).toHaveLength(1)
    })
  })

  it('after its content left: it is not sent again, and shown as not known', { timeout: 300_000 }, async () => {
    await withWorld({ mailPort: mail.port }, async (world, url) => {
      await world.record('messaging', 1)
      await world.closeNextDay()
      mail.onContent = hang
      await killed(url)
      mail.onContent = async () => {}
      await send(world, 10 * minute)
      expect(mail.mails).toEqual([])
      expect(await states(world, '2026-03-02')).toEqual({ 'mail messaging': 'unknown' })
    })
  })
})

describe('the webhook of a report', () => {
  it('posts the JSON of the report, signed so that another secret, body or time does not fit', async () => {
    await withWorld({ hookUrl: hook.url }, async (world) => {
      await world.record('messaging', 2)
      await world.closeNextDay()
      await send(world, Date.parse('2026-03-03T00:20:00Z'))
      const [post] = hook.posts
      const signed = (secret: string, time: unknown, body: string) =>
        `v1=${createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')}`
      const time = post?.headers['throughline-timestamp']
      expect(time).toBe(String(Date.parse('2026-03-03T00:20:00Z') / 1000))
      const signature = post?.headers['throughline-signature']
      expect(signature).toBe(signed('a-shared-secret', time, post?.body ?? ''))
      for (const wrong of [
        signed('another-secret', time, post?.body ?? ''),
        signed('a-shared-secret', Number(time) + 1, post?.body ?? ''),
        signed('a-shared-secret', time, `${post?.body} `),
      ])
        expect(wrong).not.toBe(signature)
      expect(JSON.parse(post?.body ?? '')).toMatchObject({ day: '2026-03-02', total: { opened: 2, closing: 2 } })
    })
  })

  it('is posted until it is taken, under one delivery id, and never follows a redirect', async () => {
    await withWorld({ hookUrl: hook.url }, async (world) => {
      await world.record('messaging', 1)
      await world.closeNextDay()
      for (const [status, wall] of [
        [500, 1],
        [302, 10],
        [204, 100],
        [204, 1000],
      ] as const) {
        hook.status = status
        await send(world, wall * minute)
      }
      expect(hook.posts).toHaveLength(3)
      expect(new Set(hook.posts.map(({ headers }) => headers['throughline-delivery'])).size).toBe(1)
      expect(new Set(hook.posts.map(({ body }) => body)).size).toBe(1)
      expect(await states(world, '2026-03-02')).toEqual({ 'webhook ops': 'sent' })
    })
  })

  it('says why it did not arrive, and reaches nothing inside the network unless it is listed', async () => {
    await withWorld(
      { hookUrl: hook.url },
      async (world) => {
        await world.record('messaging', 1)
        await world.closeNextDay()
        await send(world, minute)
        const [failed] = await listDeliveries(world.workspace.database.sql, world.workspace.id, '2026-03-02')
        expect(failed).toMatchObject({ state: 'waiting', reason: expect.stringContaining('Webhook ops: its address is not encrypted') })
        expect(hook.posts).toEqual([])
      },
      [],
    )
  })
})

it('of several days that were missed, each is posted and only the last is mailed', async () => {
  await withWorld({ mailPort: mail.port, hookUrl: hook.url }, async (world) => {
    await world.record('messaging', 1)
    world.clock.at = Date.parse('2026-03-05T01:00:00Z')
    expect(await waitsForReports(world.workspace)).toBe(true)
    expect(await runReports(world.workspace)).toEqual({ closed: 3, sent: 4, failed: 0 })
    expect(hook.posts.map(({ body }) => JSON.parse(body).day)).toEqual(['2026-03-02', '2026-03-03', '2026-03-04'])
    expect(mail.mails).toHaveLength(1)
    expect(await waitsForReports(world.workspace)).toBe(false)
  })
})
