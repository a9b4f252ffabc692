import { afterAll, describe, expect, it } from 'vitest'
import { readStreams } from '../../../db/records/streams.ts'
import type { ReadRecord } from '../../../jobs/connectors/connector.ts'
import { seal } from '../../../jobs/domain/plain.ts'
import { decodeKeys } from '../../../jobs/reconcilers/fact-codec.ts'
import { commitPage } from '../../../jobs/reconcilers/observe.ts'
import { judge } from '../../../jobs/reconcilers/reconcile.ts'
import { withDatabase } from '../../support/database.ts'
import { movedClock, openPagedWorkspace, readOutcome } from '../../support/paged-workspace.ts'

const main = await withDatabase()
const start = Date.parse('2026-03-02T09:00:00Z')
const minute = 60_000
const opened: { close(): Promise<unknown> }[] = []
afterAll(async () => {
  for (const one of opened) await one.close()
})

const message = (at: number, status: string, template: string): ReadRecord => ({
  externalId: 'm1',
  updatedAt: at,
  version: null,
  status,
  ops: { template },
  objects: [{ type: 'appointment', id: 'a1' }],
  person: seal({ role: 'self', emails: ['ann@example.org'] }),
  events: [{ type: status, occurredAt: at, status, actor: { kind: 'unknown', id: null } }],
})
const reads: Record<string, ReadRecord> = {
  sent: message(start + minute, 'sent', 'draft'),
  delivered: message(start + 2 * minute, 'delivered', 'confirmation'),
  tombstone: {
    externalId: 'm1',
    updatedAt: start + 60 * minute,
    version: null,
    status: null,
    ops: {},
    objects: [],
    person: null,
    events: [],
    deleted: true,
  },
}

/** Each inner list is one page. */
async function readInOrder(pages: readonly (readonly string[])[]) {
  const workspace = await openPagedWorkspace({
    ownerUrl: await main.another(),
    clock: movedClock(start + 2 * 60 * minute),
    tools: { booking: 'http://127.0.0.1:9', texts: 'http://127.0.0.1:9' },
    program: `
program: visits
title: Visits
owner: care
journey: { per: subject, starts: booked, abandon_after: 90d }
steps:
  booked:    { stream: booking.rows, when: { status: accepted } }
  confirmed: { stream: texts.rows, when: { status: delivered }, where: { template: confirmation } }
expectations:
  booking-confirmed: { after: booked, expect: confirmed, within: 15m, severity: high }
`,
  })
  opened.push(workspace)
  const { sql } = workspace.database
  const commit = async (connection: string, records: readonly ReadRecord[]) => {
    const [stream] = await readStreams(sql, workspace.id, connection)
    if (stream === undefined) throw new Error('no stream')
    const outcome = await commitPage(
      sql,
      workspace.id,
      stream,
      {
        records,
        quarantined: [],
        drift: [],
        cursor: null,
        coverage: { from: 0, to: start + 2 * 60 * minute, complete: true },
      },
      { tokenise: workspace.tokenise, now: start + 2 * 60 * minute },
    )
    expect(outcome.kind).toBe('committed')
  }
  await commit('booking', [{ ...message(start, 'accepted', ''), externalId: 'b1' }])
  for (const page of pages)
    await commit(
      'texts',
      page.map((name) => reads[name] as ReadRecord),
    )
  await judge(workspace)
  const [row] = await sql<{ status: string; ops: unknown; objects: unknown; deleted: Date; keys: string }[]>`
    select status, ops, objects::json as objects, deleted_at as deleted, keys, role from records where workspace_id = ${workspace.id} and external_id = 'm1'`
  return { row, outcome: await readOutcome(workspace) }
}

describe('semantics 21: a tombstone says when a record was deleted, and takes nothing back that it stated', () => {
  it('keeps the newest statement before it, whatever the order and the pages', { timeout: 60_000 }, async () => {
    const expected = await readInOrder([['sent'], ['delivered'], ['tombstone']])
    expect(expected.row).toMatchObject({
      status: 'delivered',
      ops: { template: 'confirmation' },
      objects: [['appointment', 'a1']],
      deleted: new Date(start + 60 * minute),
    })
    expect(decodeKeys(expected.row?.keys ?? null)).toHaveLength(1)
    for (const pages of [
      [['tombstone'], ['delivered'], ['sent']],
      [['tombstone'], ['sent'], ['delivered']],
      [['delivered'], ['tombstone'], ['sent']],
      [['sent'], ['tombstone'], ['delivered'], ['tombstone']],
      [['tombstone', 'delivered', 'sent']],
      [['sent'], ['delivered', 'tombstone']],
    ])
      expect(await readInOrder(pages), JSON.stringify(pages)).toEqual(expected)
  })
})
