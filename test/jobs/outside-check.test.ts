import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { beatAll, readOutsideCheck } from '../../db/records/heartbeats.ts'
import { pingOutsideCheck } from '../../jobs/outside-check.ts'
import { rhythmsOf } from '../../jobs/rhythms.ts'
import { Secrets } from '../../jobs/secrets.ts'
import { withDatabase } from '../support/database.ts'
import { startPagedTool } from '../support/paged-tool.ts'
import { movedClock, openPagedWorkspace } from '../support/paged-workspace.ts'

const main = await withDatabase()
const now = Date.parse('2026-03-02T12:00:00Z')
const asked: string[] = []
let answer = 200
const check = createServer((request, response) => {
  asked.push(`${request.method} ${request.url}`)
  response.writeHead(answer, { location: 'http://127.0.0.1:1/' }).end('OK')
})
await new Promise<void>((resolve) => check.listen(0, '127.0.0.1', resolve))
const host = `127.0.0.1:${(check.address() as AddressInfo).port}`
const secretPath = 'c0ffee-canary'
const tool = await startPagedTool(now)
let failPath: string | null = '/fail'
let allowed = [host]
const opened = await openPagedWorkspace({ ownerUrl: await main.another(), clock: movedClock(now), tools: { booking: tool.url } })
afterAll(async () => {
  await opened.close()
  await tool.close()
  await new Promise((resolve) => check.close(resolve))
})
const { sql } = opened.database

const ping = () =>
  pingOutsideCheck(
    {
      ...opened,
      configuration: {
        ...opened.configuration,
        egressAllow: allowed,
        outsideCheck: { secrets: new Secrets(new Map([['url', `http://${host}/${secretPath}`]])), everyMs: 60_000, failPath },
      },
    },
    { speed: 1 },
  )
const told = async () => {
  const last = await readOutsideCheck(sql, opened.id)
  return last && { ok: last.ok, message: last.message }
}
const passMinute = () => sql`update heartbeats set wall_at = wall_at - interval '61 seconds' where job = 'outside-check'`
const stopWatch = () => sql`update heartbeats set wall_at = wall_at - interval '5 minutes' where job = 'watch'`

beforeEach(async () => {
  asked.length = 0
  answer = 200
  failPath = '/fail'
  allowed = [host]
  await sql`delete from heartbeats where workspace_id = ${opened.id}`
  await beatAll(
    sql,
    opened.id,
    rhythmsOf(opened.configuration, 1).map(({ job }) => job),
    now,
  )
})

describe('the check outside', () => {
  it('is told once per interval, by one of all processes', async () => {
    expect(await Promise.all([ping(), ping(), ping()])).toEqual(expect.arrayContaining([true, false, false]))
    expect(asked).toEqual([`GET /${secretPath}`])
    expect(await told()).toEqual({ ok: true, message: 'It was told that all is going on.' })
    expect(await ping()).toBe(false)
    await passMinute()
    expect(await ping()).toBe(true)
    expect(asked).toHaveLength(2)
  })

  it('is told of a job that stands still where it has a path for that', async () => {
    await stopWatch()
    await ping()
    expect(asked).toEqual([`GET /${secretPath}/fail`])
    expect(await told()).toEqual({
      ok: false,
      message: expect.stringContaining('It was told: The watch over unread tools stands still since'),
    })
  })

  it('hears nothing while a job stands still where it has none, so that it raises the alarm', async () => {
    failPath = null
    await stopWatch()
    expect(await ping()).toBe(false)
    expect(asked).toEqual([])
    expect(await told()).toEqual({ ok: false, message: expect.stringContaining('Nothing was sent: The watch') })
  })

  it.each([
    [500, 'The check outside: it answered 500.'],
    [302, 'The check outside: it redirected (302), which is not followed.'],
  ])('stops nothing when it answers %d, and that is shown without the address', async (status, message) => {
    answer = status
    expect(await ping()).toBe(true)
    expect(await told()).toEqual({ ok: false, message })
    expect(JSON.stringify([...(await sql`select detail from heartbeats`)])).not.toContain(secretPath)
  })

  it('is reached through the egress guard only', async () => {
    allowed = []
    await ping()
    expect(asked).toEqual([])
    expect(await told()).toMatchObject({ ok: false, message: expect.stringContaining('Nothing was sent.') })
  })

  it('is no sign of life of the engine', async () => {
    await sql`delete from heartbeats where job <> 'outside-check'`
    await ping()
    expect(asked).toEqual([`GET /${secretPath}/fail`])
  })
})
