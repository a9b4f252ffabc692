import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChainEntry, ChainProblem, ChainRow, Checkpoint } from '../../../jobs/domain/audit-chain.ts'
import { ChainVerification, encodeRow, hashEntry, hashRow, noEntry } from '../../../jobs/domain/audit-chain.ts'

const workspaceId = 7
interface Sealed {
  readonly entry: ChainEntry
  readonly rows: readonly ChainRow[]
}

function rowOf(id: number, of: Partial<ChainRow> = {}): ChainRow {
  return {
    workspaceId,
    id: `row-${id}`,
    at: '1767225600000000',
    recordedAt: String(1767225600000000 + id),
    actor: 'local-owner',
    act: 'finding.claim',
    targetKind: 'finding',
    targetId: 'f',
    reason: null,
    before: null,
    after: '{"status": "open"}',
    ...of,
  }
}

function seal(rows: readonly ChainRow[], before: Sealed | undefined): Sealed {
  const fields = {
    seq: (before?.entry.seq ?? 0) + 1,
    sealedAt: rows.at(-1)?.recordedAt ?? '0',
    rowHashes: rows.map(hashRow).join(''),
    previous: before?.entry.hash ?? noEntry,
  }
  return { entry: { ...fields, hash: hashEntry(workspaceId, fields) }, rows }
}

/** A chain whose entries have so many rows each. */
function chainOf(sizes: readonly number[], salt = ''): Sealed[] {
  const chain: Sealed[] = []
  let id = 0
  for (const size of sizes)
    chain.push(
      seal(
        Array.from({ length: size }, () => rowOf(++id, { reason: `${salt}${id}` })),
        chain.at(-1),
      ),
    )
  return chain
}

function verify(chain: readonly Sealed[], checkpoints: readonly Checkpoint[] = [], unsealed?: string): ChainProblem | undefined {
  const verification = new ChainVerification(workspaceId, checkpoints)
  for (const { entry, rows } of chain) {
    const problem = verification.read(
      entry,
      rows.map((row) => ({ id: row.id, hash: hashRow(row) })),
    )
    if (problem !== undefined) return problem
  }
  return verification.end(unsealed)
}

const checkpointOf = ({ entry: { seq, hash } }: Sealed): Checkpoint => ({ seq, hash })
const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 8 })
const value = fc.oneof(fc.constant(null), fc.string(), fc.constantFrom('-', '1:a', '0:', '3:-1:', 'é', '🙂'))

describe('S12: the canonical text of an audit row', () => {
  it('differs wherever any field differs, whatever the fields hold', () => {
    fc.assert(
      fc.property(fc.tuple(value, value, value), fc.tuple(value, value, value), (a, b) => {
        const text = ([reason, before, after]: typeof a) => encodeRow(rowOf(1, { reason, before, after }))
        expect(text(a) === text(b)).toBe(JSON.stringify(a) === JSON.stringify(b))
      }),
    )
  })

  it('counts bytes, not characters, and parts nothing from an empty text', () => {
    expect(encodeRow(rowOf(1, { reason: 'é', before: '', after: null }))).toMatch(/2:é0:-$/)
  })
})

describe('S12: a chain', () => {
  it('holds as it was written, with every checkpoint of it', () => {
    fc.assert(
      fc.property(sizes, (of) => {
        const chain = chainOf(of)
        expect(verify(chain)).toBeUndefined()
        expect(verify(chain, chain.map(checkpointOf))).toBeUndefined()
      }),
    )
  })

  it('goes on from where an earlier look ended', () => {
    const chain = chainOf([1, 2, 1])
    const verification = new ChainVerification(workspaceId, [], checkpointOf(chain[0]!))
    for (const { entry, rows } of chain.slice(1))
      expect(
        verification.read(
          entry,
          rows.map((row) => ({ id: row.id, hash: hashRow(row) })),
        ),
      ).toBeUndefined()
    expect(verification.last).toEqual(checkpointOf(chain[2]!))
  })

  const change = (chain: readonly Sealed[], at: number, rows: (rows: readonly ChainRow[]) => readonly ChainRow[]) =>
    chain.map((one, i) => (i === at ? { ...one, rows: rows(one.rows) } : one))

  it('names the entry and the row whose any field was edited', () => {
    const edits: Partial<ChainRow>[] = [
      { actor: 'nobody' },
      { act: 'finding.waive' },
      { at: '1' },
      { recordedAt: '1' },
      { targetKind: 'view' },
      { targetId: 'g' },
      { reason: null },
      { before: '{}' },
      { after: null },
      { workspaceId: 8 },
      { id: 'another' },
    ]
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), fc.constantFrom(...edits), (of, k, r, edit) => {
        const at = k % of.length
        const row = r % (of[at] ?? 1)
        const chain = change(chainOf(of), at, (rows) => rows.map((one, i) => (i === row ? { ...one, ...edit } : one)))
        expect(verify(chain)).toMatchObject({ kind: 'edited', seq: at + 1, row: chain[at]?.rows[row]?.id })
      }),
    )
  })

  it('names the entry of a row that was deleted, inserted or moved', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), (of, k) => {
        const at = k % of.length
        const chain = chainOf(of)
        expect(verify(change(chain, at, (rows) => rows.slice(1)))).toMatchObject({ kind: 'deleted', seq: at + 1 })
        expect(verify(change(chain, at, (rows) => [...rows, rowOf(999)]))).toMatchObject({ kind: 'inserted', seq: at + 1, row: 'row-999' })
        if ((of[at] ?? 0) > 1)
          expect(verify(change(chain, at, (rows) => [...rows].reverse()))).toMatchObject({ kind: 'reordered', seq: at + 1 })
      }),
    )
  })

  it('names the entry that was deleted, edited, or exchanged with another', () => {
    fc.assert(
      fc.property(fc.array(fc.constant(1), { minLength: 3, maxLength: 8 }), fc.nat(), (of, k) => {
        const chain = chainOf(of)
        const at = k % (of.length - 1)
        expect(verify(chain.filter((_, i) => i !== at))).toMatchObject({ kind: 'deleted', seq: at + 1 })
        const edited = chain.map((one, i) => (i === at ? { ...one, entry: { ...one.entry, sealedAt: '1' } } : one))
        expect(verify(edited)).toMatchObject({ kind: 'edited', seq: at + 1 })
        const [a, b] = [chain[at]!, chain[at + 1]!]
        const exchanged = chain.map((one, i) => {
          if (i === at) return { ...b, entry: { ...b.entry, seq: a.entry.seq } }
          return i === at + 1 ? { ...a, entry: { ...a.entry, seq: b.entry.seq } } : one
        })
        expect(verify(exchanged)).toMatchObject({ kind: 'reordered', seq: at + 1 })
        expect(verify([...chain.slice(0, at + 1), a, ...chain.slice(at + 1)])).toMatchObject({ kind: 'fork', seq: at + 1 })
      }),
    )
  })

  it('tells an entry of another chain by what it continues', () => {
    expect(verify([...chainOf([1, 1]), ...chainOf([1, 1, 1], 'other').slice(2)])).toMatchObject({ kind: 'fork', seq: 3 })
  })

  it('finds a tail that was cut off by any checkpoint after the cut, and says where it is missing', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), (of, k) => {
        const chain = chainOf(of)
        const kept = k % of.length
        const cut = chain.slice(0, kept)
        expect(verify(cut)).toBeUndefined()
        expect(verify(cut, chain.map(checkpointOf))).toMatchObject({ kind: 'truncated', seq: kept + 1 })
      }),
    )
  })

  it('finds a history written anew from any entry on, at the first checkpoint after it', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), (of, k, c) => {
        const chain = chainOf(of)
        const from = k % of.length
        const rewritten = chain.slice(0, from)
        for (const { rows } of chain.slice(from))
          rewritten.push(
            seal(
              rows.map((row) => ({ ...row, actor: 'nobody' })),
              rewritten.at(-1),
            ),
          )
        expect(verify(rewritten)).toBeUndefined()
        const checkpoint = from + (c % (of.length - from))
        expect(verify(rewritten, [checkpointOf(chain[checkpoint]!)])).toMatchObject({ kind: 'fork', seq: checkpoint + 1 })
      }),
    )
  })

  it('names a row past the chain, and checkpoints that contradict each other', () => {
    const chain = chainOf([1, 1])
    expect(verify(chain, [], 'planted')).toMatchObject({ kind: 'inserted', seq: null, row: 'planted' })
    expect(verify(chain, [checkpointOf(chain[0]!), { seq: 1, hash: noEntry }])).toMatchObject({ kind: 'fork', seq: 1 })
  })
})
