import { afterAll, beforeAll, expect, it } from 'vitest'
import { readFeed, readFeedEnd } from '../../db/records/feed.ts'
import { readPosition, writePosition } from '../../server/routes/feed.ts'
import { withDatabase } from '../support/database.ts'
import { headers, type ServedClinic, serveClinic } from './served-clinic.ts'

const main = await withDatabase()
let clinic: ServedClinic
beforeAll(async () => {
  clinic = await serveClinic(await main.another())
})
afterAll(() => clinic.close())

interface Told {
  readonly event: string
  readonly id: string
  readonly data: string
}

/** Reads the feed until an event fits, then goes. */
async function readUntil(
  fits: (told: Told) => boolean,
  lastEventId?: string,
  onBeat: () => Promise<unknown> = async () => {},
): Promise<Told[]> {
  const abort = new AbortController()
  const response = await clinic.app.request('/api/v1/feed', {
    headers: { ...headers, ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) },
    signal: abort.signal,
  })
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
  const told: Told[] = []
  let text = ''
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  for (;;) {
    const { value, done } = await reader.read()
    if (done) break
    text += value
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      if (told.length === 0) await onBeat()
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? ''
      told.push({ event: field('event'), id: field('id'), data: field('data') })
    }
    if (told.some(fits)) break
  }
  await reader.cancel()
  abort.abort()
  return told
}

const note = (ref: string) => clinic.workspace.database.sql`
  insert into feed (workspace_id, topic, ref, at) values (${clinic.workspace.id}, 'finding', ${ref}, now())`

it('begins with a sign of life and then tells what changes', async () => {
  const told = await readUntil(
    ({ data }) => data.includes('"f-1"'),
    undefined,
    () => note('f-1'),
  )
  expect(told[0]?.event).toBe('beat')
  expect(told.at(-1)).toMatchObject({ event: 'finding' })
})

it('U4: replays after Last-Event-ID what was missed, once and in order', async () => {
  const before = writePosition(await readFeedEnd(clinic.workspace.database.sql, clinic.workspace.id))
  await note('f-2')
  await note('f-3')
  const told = (await readUntil(({ data }) => data.includes('f-3'), before)).filter(({ event }) => event === 'finding')
  expect(told.map(({ data }) => JSON.parse(data).ref)).toEqual(['f-2', 'f-3'])
  const rest = await Promise.all([readUntil(({ data }) => data.includes('f-4'), told[0]?.id), note('f-4')])
  expect(rest[0].filter(({ event }) => event === 'finding').map(({ data }) => JSON.parse(data).ref)).toEqual(['f-3', 'f-4'])
})

it('shows no row before every transaction that could still come before it has ended', async () => {
  const { sql } = clinic.workspace.database
  const end = await readFeedEnd(sql, clinic.workspace.id)
  const refs = async () => (await readFeed(sql, clinic.workspace.id, end, 100)).map((row) => row.ref)
  await sql.begin(async (slow) => {
    await slow`insert into feed (workspace_id, topic, ref, at) values (${clinic.workspace.id}, 'finding', 'slow', now())`
    await note('quick')
    expect(await refs()).toEqual([])
  })
  expect(await refs()).toEqual(['slow', 'quick'])
})

it('says reset when what was missed is no longer kept', async () => {
  const told = await readUntil(({ event }) => event === 'beat', '1-1')
  expect(told.map(({ event }) => event)).toContain('reset')
})

it('says reset to a reader whose position another database gave: nothing would ever come after it', async () => {
  const told = await readUntil(({ event }) => event === 'beat', '999999999-1')
  expect(told.map(({ event }) => event)).toContain('reset')
})

it('a position that is none is no position', () => {
  for (const text of ['', 'x', '1', '1-', '-1-1', '1-1-1', '99999999999999999999-1']) expect(readPosition(text)).toBeNull()
  expect(readPosition('12-34')).toEqual({ txid: '12', n: '34' })
})

it('names each journey a judging changed, all of them in one word beyond a hundred, and none where nothing changed', async () => {
  const { sql } = clinic.workspace.database
  const journeys = async () =>
    (
      await sql<{ ref: string }[]>`select ref from feed where workspace_id = ${clinic.workspace.id} and topic = 'journey' order by txid, n`
    ).map(({ ref }) => ref)
  const known = (await (await clinic.client.api.v1.journeys.$get({ query: {} })).json()).items.map(({ id }) => id)
  expect(new Set(await journeys())).toEqual(new Set(known))
  const before = (await journeys()).length
  await clinic.reconcile()
  expect(await journeys()).toHaveLength(before)
  const at = clinic.clock.at
  clinic.booking.rows = [
    ...clinic.booking.rows,
    ...Array.from({ length: 600 }, (_, n) => ({ id: `b-${n}`, email: `p${n}@example.org`, status: 'accepted', at, updatedAt: at })),
  ]
  clinic.clock.at += 60_000
  await clinic.reconcile()
  expect((await journeys()).slice(before)).toContain('*')
})
