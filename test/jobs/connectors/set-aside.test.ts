import { describe, expect, it } from 'vitest'
import type { Connector, Drift, PollBudget, PollPage, Quarantined, ReadRecord } from '../../../jobs/connectors/connector.ts'
import { holdToStanding } from '../../../jobs/connectors/set-aside.ts'
import { pagedConnector } from '../../support/paged-tool.ts'

const record = (externalId: string, status: string | null = 'delivered'): ReadRecord => ({
  externalId,
  updatedAt: 1,
  version: null,
  status,
  ops: {},
  objects: [],
  person: null,
  events: [],
})
const broken = (where: string): Quarantined => ({ rawHash: `hash of ${where}`, where, reason: 'status is missing' })

interface Given {
  readonly good?: readonly ReadRecord[]
  readonly broken?: readonly Quarantined[]
  readonly drift?: readonly Drift[]
  readonly complete?: boolean
  readonly mode?: PollBudget['mode']
}

/** A stream that shows what it is told to, pass after pass, as the engine reads it. */
function stream(accepted: ReadonlySet<string> = new Set()) {
  let cursor: unknown = null
  let given: Given = {}
  const seenCursors: unknown[] = []
  const [spec] = pagedConnector.describe().streams
  const connector: Connector = {
    ...(pagedConnector as Connector),
    describe: () => ({ ...pagedConnector.describe(), streams: spec ? [{ ...spec, statuses: ['sent', 'delivered'] }] : [] }),
    poll: async (_ctx, _stream, own): Promise<PollPage> => {
      seenCursors.push(own)
      return {
        records: given.good ?? [],
        quarantined: given.broken ?? [],
        drift: given.drift ?? [],
        cursor: { at: seenCursors.length },
        coverage: { from: 0, to: 1000, complete: given.complete ?? true },
      }
    },
  }
  const held = holdToStanding(connector, (_, hash) => accepted.has(hash))
  return {
    seenCursors,
    read: async (next: Given) => {
      given = next
      if (next.mode === 'full' && (next.complete ?? true)) cursor = null
      const page = await held.poll({ connection: 'texts', config: {} } as never, 'rows', cursor, {
        pageSize: 10,
        mode: next.mode ?? 'incremental',
      })
      cursor = page.cursor
      return { to: page.coverage.to, standing: page.standing, quarantined: page.quarantined }
    },
  }
}

describe('what stands set aside', () => {
  it('holds the watermark until the record is read well, not only while a pass meets it', async () => {
    const texts = stream()
    expect(await texts.read({ broken: [broken('m1')] })).toMatchObject({
      to: 0,
      standing: {
        setAside: { count: 1 },
        withheld: expect.stringContaining('1 record of texts.rows was set aside (m1: status is missing)'),
      },
    })
    expect((await texts.read({ good: [record('m2')] })).to).toBe(0)
    const mended = await texts.read({ good: [record('m1')] })
    expect(mended).toMatchObject({ to: 1000, standing: { setAside: { count: 0, first: null }, withheld: null } })
    expect((await texts.read({ good: [record('m3')] })).standing).toBeUndefined()
  })

  it('is over when a reading of everything no longer meets it', async () => {
    const texts = stream()
    await texts.read({ broken: [broken('m1'), broken('item 3 of its page')] })
    expect(await texts.read({ mode: 'full', good: [record('m2')] })).toMatchObject({ to: 1000, standing: { withheld: null } })
  })

  it('is over when a person accepts it, and then it holds nothing up again', async () => {
    const accepted = new Set<string>()
    const texts = stream(accepted)
    await texts.read({ broken: [broken('m1')] })
    accepted.add('hash of m1')
    expect(await texts.read({})).toMatchObject({ to: 1000, standing: { withheld: null } })
    expect((await texts.read({ mode: 'full', broken: [broken('m1')] })).to).toBe(1000)
    expect((await texts.read({ broken: [{ ...broken('m1'), rawHash: 'it changed' }] })).to).toBe(0)
  })

  it('counts a record whose state nobody knows, though the record itself is kept', async () => {
    const texts = stream()
    const page = await texts.read({ good: [record('m1', 'unknown:teleported'), record('m2')] })
    expect(page).toMatchObject({ to: 0, quarantined: [{ where: 'm1', reason: 'its state teleported is not one that is known' }] })
    expect((await texts.read({ good: [record('m1', 'delivered')] })).to).toBe(1000)
  })

  it('keeps the drift of earlier passes with it, so that standing tells all there is', async () => {
    const texts = stream()
    await texts.read({ drift: [{ path: 'tag', what: 'new' }] })
    const { standing } = await texts.read({ broken: [broken('m1')], drift: [{ path: 'status', what: 'missing' }] })
    expect(standing?.drift).toEqual([
      { path: 'tag', what: 'new' },
      { path: 'status', what: 'missing' },
    ])
  })

  it('never shows its notes to the connector', async () => {
    const texts = stream()
    await texts.read({ broken: [broken('m1')] })
    await texts.read({})
    expect(texts.seenCursors).toEqual([null, { at: 1 }])
  })

  it('keeps a bounded list and counts the rest', async () => {
    const texts = stream()
    const many = Array.from({ length: 400 }, (_, n) => broken(`m${n}`))
    expect((await texts.read({ broken: many })).standing?.setAside.count).toBe(400)
    expect((await texts.read({ good: many.slice(0, 10).map(({ where }) => record(where)) })).standing?.setAside.count).toBe(390)
    expect((await texts.read({ mode: 'full' })).standing?.setAside.count).toBe(0)
  })
})
