import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../db/client.ts'
import { sealing, writeActs } from '../../db/records/audit.ts'
import { readHead } from '../../db/records/audit-chain.ts'
import { verifyChain } from '../../jobs/audit/verify-chain.ts'
import { writeCheckpoints } from '../../jobs/audit/write-checkpoints.ts'
import { act, actOf } from '../support/audit.ts'
import { withDatabase } from '../support/database.ts'
import { headers, type ServedClinic, serveClinic } from './served-clinic.ts'

const main = await withDatabase()
let clinic: ServedClinic
let url: string
beforeAll(async () => {
  url = await main.another()
  clinic = await serveClinic(url)
  await clinic.reconcile()
  const { database, id } = clinic.workspace
  for (let n = 0; n < 30; n++) await act(database.sql, id, n, 5)
})
afterAll(() => clinic.close())

const list = async (query: Record<string, string> = {}) => (await clinic.client.api.v1.audit.$get({ query })).json()
const chain = async () => (await clinic.client.api.v1.audit.chain.$get()).json()

describe('who did what to what', () => {
  it('is listed newest first, with both times, the reason, what differs, and its entry of the chain', async () => {
    const { items, total, isMore, words } = await list()
    expect(items[0]).toMatchObject({
      actor: { id: 'local-owner', title: 'Local owner' },
      act: 'finding.claim',
      target: { kind: 'finding', id: 'finding-294' },
      reason: 'reason 294',
      before: { status: 'open' },
      after: { status: 'acknowledged', n: 294 },
      at: '2026-01-01T00:00:00.294Z',
    })
    const head = await readHead(clinic.workspace.database.sql, clinic.workspace.id)
    expect(items[0]?.entry).toBe(head?.seq)
    expect(items.every(({ entry }) => entry !== null)).toBe(true)
    expect([...items].sort((a, b) => b.recordedAt.localeCompare(a.recordedAt))).toEqual(items)
    expect([total > 150, isMore]).toEqual([true, false])
    expect(words.actors).toEqual([
      { id: 'throughline', title: 'Throughline' },
      { id: 'local-owner', title: 'Local owner' },
      { id: 'test', title: 'test' },
    ])
    expect(words.acts).toEqual(expect.arrayContaining(['finding.claim', 'finding.open', 'program.apply']))
    expect(words.targets).toEqual(expect.arrayContaining(['finding', 'program']))
  })

  it('comes in pages that miss and repeat nothing, though rows share their millisecond', async () => {
    const { items, total } = await list({ limit: '200' })
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<typeof list>> = await list({ limit: '7', ...(cursor === null ? {} : { cursor }) })
      seen.push(...page.items.map(({ id }) => id))
      cursor = page.next
    } while (cursor !== null)
    expect(seen).toHaveLength(total)
    expect(new Set(seen).size).toBe(total)
    expect(seen.slice(0, items.length)).toEqual(items.map(({ id }) => id))
  })

  it('is filtered by actor, act, target, row and time', async () => {
    const ours = await list({ actor: 'throughline', limit: '200' })
    expect(ours.items.length).toBeGreaterThan(0)
    expect(ours.items.every(({ actor, act }) => actor.id === 'throughline' && act.startsWith('finding.'))).toBe(true)
    expect((await list({ actor: 'test', act: 'program.apply' })).items.map(({ act }) => act)).toEqual(['program.apply'])
    expect((await list({ actor: 'nobody' })).items).toEqual([])
    const one = await list({ kind: 'finding', target: 'finding-12' })
    expect(one.items.map(({ reason }) => reason)).toEqual(['reason 12'])
    const [row] = one.items
    expect((await list({ row: row?.id ?? '' })).items).toEqual([row])
    const since = await list({ recorded: `${row?.recordedAt}..`, limit: '200' })
    expect(since.items.every(({ recordedAt }) => recordedAt >= (row?.recordedAt ?? ''))).toBe(true)
    expect(since.items.map(({ id }) => id)).toContain(row?.id)
    const before = await list({ recorded: `..${row?.recordedAt}`, limit: '200' })
    expect(before.total + since.total).toBe((await list()).total)
  })

  it('refuses what it does not understand', async () => {
    for (const query of ['recorded=yesterday', 'row=x', 'cursor=x', 'limit=0']) {
      const response = await clinic.app.request(`/api/v1/audit?${query}`, { headers })
      expect([query, response.status]).toEqual([query, 400])
    }
  })

  it('S16: is taken out as a file that is inert in spreadsheets, and the taking is an act itself', async () => {
    const { database, id } = clinic.workspace
    await sealing(database.sql, (tx) =>
      writeActs(tx, id, [actOf(9_000, { act: 'finding.waive', targetId: '=cmd', reason: '+15551234567, "x"\n=1', before: null })]),
    )
    const response = await clinic.app.request('/api/v1/audit/export?act=finding.waive,audit.export', { headers })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^text\/csv/)
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="audit-[\dT-]+\.csv"$/)
    const text = await response.text()
    const [names, ...rows] = text.split('\r\n')
    expect(names).toBe('recorded_at,at,actor,act,target_kind,target_id,reason,before,after,entry,id')
    expect(rows[0]).toMatch(/Local owner,audit\.export,export,[0-9a-f]{32},,,/)
    expect(text).toContain(`finding.waive,finding,"'=cmd","'+15551234567, ""x""\n'=1",,`)
    const { items } = await list({ act: 'audit.export' })
    expect(items[0]?.after).toEqual({ format: 'csv', filter: 'act=finding.waive,audit.export' })
  })
})

describe('the chain, as shown', () => {
  it('says that nobody verified it, then that it holds, and what a checkpoint covers', async () => {
    const { database, id, key } = clinic.workspace
    expect(await chain()).toMatchObject({ state: 'unverified', verifiedTo: 0, lastLook: null, lastWhole: null, checkpoints: [] })
    const seen = await verifyChain(database.sql, id, { by: 'test' })
    const held = await chain()
    expect(held).toMatchObject({
      state: 'holds',
      verifiedTo: seen.to,
      head: { entry: seen.to, hash: seen.hash },
      lastWhole: { by: 'test', from: 1, to: seen.to, problem: null, checkpoint: null },
    })
    expect(held.entries[0]).toMatchObject({ entry: seen.to, rows: 1, isVerified: true })
    await act(database.sql, id, 800)
    expect((await chain()).entries.slice(0, 2).map(({ isVerified }) => isVerified)).toEqual([false, true])
    const file = `/nowhere\0`
    await writeCheckpoints({ id, key, database, configuration: { egressAllow: [] } }, { file })
    expect((await chain()).checkpoints).toMatchObject([{ target: 'file', entry: 0, writtenAt: null, attempts: 1, behind: seen.to + 1 }])
  })

  it('says what is first wrong with it', async () => {
    const { database, id } = clinic.workspace
    const owner = openDatabase(url, { max: 1 })
    await owner.sql`update audit set actor = 'nobody' where target_id = 'finding-12'`
    await owner.close()
    await verifyChain(database.sql, id, { by: 'test' })
    const [row] = (await list({ target: 'finding-12' })).items
    const broken = await chain()
    expect(broken).toMatchObject({ state: 'broken', lastLook: { problem: { kind: 'edited', entry: row?.entry, act: row?.id } } })
    expect(broken.verifiedTo).toBe((row?.entry ?? 0) - 1)
  })
})
