import { afterAll, expect, it } from 'vitest'
import { failStream, openPass, readStreams } from '../../../db/records/streams.ts'
import { type Connector, ToolError } from '../../../jobs/connectors/connector.ts'
import { reconcile } from '../../../jobs/reconcilers/reconcile.ts'
import { withDatabase } from '../../support/database.ts'
import { pagedConnector, startPagedTool } from '../../support/paged-tool.ts'
import { movedClock, openPagedWorkspace } from '../../support/paged-workspace.ts'

const main = await withDatabase()
const now = Date.parse('2026-03-02T12:00:00Z')
const tool = await startPagedTool(now)
const clock = movedClock(now)
let failure: Error | undefined
let asked = 0
const connector: Connector = {
  ...(pagedConnector as Connector),
  poll: async (ctx, stream, cursor, budget) => {
    if (ctx.connection === 'booking') {
      asked++
      if (failure !== undefined) throw failure
    }
    return (pagedConnector as Connector).poll(ctx, stream, cursor, budget)
  },
}
const workspace = await openPagedWorkspace({
  ownerUrl: await main.another(),
  clock,
  tools: { booking: tool.url, texts: tool.url },
  connector,
})
afterAll(async () => {
  await workspace.close()
  await tool.close()
})
const { sql } = workspace.database
const bookingRows = async () => {
  const [stream] = await readStreams(sql, workspace.id, 'booking')
  if (stream === undefined) throw new Error('no stream')
  return stream
}

it('an error a connector did not foresee fails its own stream in our words, and the others are read', async () => {
  failure = new TypeError('Cannot read ann@example.org of undefined')
  const { outcomes } = await reconcile(workspace)
  expect(outcomes).toMatchObject([
    { connection: 'booking', kind: 'failed', state: 'bad_response' },
    { connection: 'texts', kind: 'complete' },
  ])
  const stream = await bookingRows()
  expect(stream).toMatchObject({ state: 'bad_response' })
  expect(stream.stateReason).toContain('(TypeError)')
  expect(stream.stateReason).not.toContain('example.org')
})

it('an error of the database is passed on', async () => {
  failure = Object.assign(new Error('write CONNECTION_CLOSED'), { code: 'CONNECTION_CLOSED' })
  await expect(reconcile(workspace)).rejects.toThrow('CONNECTION_CLOSED')
})

it('semantics 24: Retry-After is waited for in wall time, whatever the domain clock does', async () => {
  let wall = Date.parse('2030-01-01T00:00:00Z')
  const read = async () => (await reconcile(workspace, { wallNow: () => wall })).outcomes.find((one) => one.connection === 'booking')
  failure = new ToolError('rate_limited', 'Too many.', { retryAfterMs: 30_000 })
  expect(await read()).toMatchObject({ kind: 'failed', state: 'rate_limited' })
  expect((await bookingRows()).retryAt).toBe(wall + 30_000)

  failure = undefined
  const before = asked
  clock.at += 3_600_000
  wall += 29_000
  expect(await read()).toMatchObject({ kind: 'skipped', why: 'waiting' })
  expect(asked).toBe(before)
  wall += 1_000
  expect(await read()).toMatchObject({ kind: 'complete' })
})

it('a failure of a worker that lost the stream changes nothing for the one who reads it now', async () => {
  const stale = await bookingRows()
  const reading = await openPass(sql, workspace.id, stale, 'incremental', now)
  expect(reading).toBeDefined()
  const late = { state: 'stuck_cursor', reason: 'late', retryAt: null, now, restart: true } as const
  const before = await bookingRows()
  expect(await failStream(sql, workspace.id, stale, late)).toBe(false)
  expect(await bookingRows()).toEqual(before)
  expect(await failStream(sql, workspace.id, before, late)).toBe(true)
  expect(await bookingRows()).toMatchObject({ state: 'stuck_cursor', cursor: null, passMode: null })
})
