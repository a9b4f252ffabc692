import { createHash } from 'node:crypto'

/** An audit row as it is hashed: times in whole microseconds since 1970, JSON as PostgreSQL prints a jsonb. */
export interface ChainRow {
  readonly workspaceId: number
  readonly id: string
  readonly at: string
  readonly recordedAt: string
  readonly actor: string
  readonly act: string
  readonly targetKind: string
  readonly targetId: string
  readonly reason: string | null
  readonly before: string | null
  readonly after: string | null
}

/** An entry of the chain; hashes are SHA-256 in lower-case hex. */
export interface ChainEntry {
  readonly seq: number
  /** Microseconds since 1970. */
  readonly sealedAt: string
  /** Those of its rows, one after the other. */
  readonly rowHashes: string
  readonly previous: string
  readonly hash: string
}

/** What was written outside about the chain: at that time entry `seq` had this hash. */
export interface Checkpoint {
  readonly seq: number
  readonly hash: string
}

export const chainProblemKinds = ['edited', 'deleted', 'inserted', 'reordered', 'truncated', 'fork'] as const
export interface ChainProblem {
  readonly kind: (typeof chainProblemKinds)[number]
  /** The first entry that is not what it was; null: rows that belong to none. */
  readonly seq: number | null
  /** The audit row, where one can be named. */
  readonly row: string | null
  readonly what: string
}

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')
const field = (value: string | null): string => (value === null ? '-' : `${Buffer.byteLength(value)}:${value}`)
const hashLength = 64
/** What the first entry continues. */
export const noEntry = '0'.repeat(hashLength)

/** No two rows have the same text: each value follows its length in bytes. The database says the same (0015_audit_chain.sql). */
export function encodeRow(row: ChainRow): string {
  return `throughline audit 1${[
    String(row.workspaceId),
    row.id,
    row.at,
    row.recordedAt,
    row.actor,
    row.act,
    row.targetKind,
    row.targetId,
    row.reason,
    row.before,
    row.after,
  ]
    .map(field)
    .join('')}`
}

export const hashRow = (row: ChainRow): string => sha256(encodeRow(row))

/** The digest of a transaction's rows. */
export const digestOf = (rowHashes: string): string => sha256(Buffer.from(rowHashes, 'hex'))

export function hashEntry(workspaceId: number, entry: Omit<ChainEntry, 'hash'>): string {
  return sha256(
    `throughline chain 1${[String(workspaceId), String(entry.seq), entry.previous, digestOf(entry.rowHashes), entry.sealedAt].map(field).join('')}`,
  )
}

/** A row as found: its id and the hash of what it holds now. */
export interface FoundRow {
  readonly id: string
  readonly hash: string
}

/**
 * Reads a chain entry by entry and says what is first wrong with it. It remembers one hash and the checkpoints, so it takes any length.
 * What was rewritten consistently to its end, or cut off there, shows only against checkpoints.
 */
export class ChainVerification {
  readonly #workspaceId: number
  readonly #checkpoints: ReadonlyMap<number, string>
  readonly #contradiction: number | undefined
  #last: { readonly seq: number; readonly hash: string }

  /** @param after where an earlier look ended; without it from the first entry on. */
  constructor(workspaceId: number, checkpoints: readonly Checkpoint[] = [], after?: Checkpoint) {
    this.#workspaceId = workspaceId
    this.#last = after ?? { seq: 0, hash: noEntry }
    const known = new Map<number, string>()
    for (const { seq, hash } of checkpoints) {
      if ((known.get(seq) ?? hash) !== hash) this.#contradiction = Math.min(seq, this.#contradiction ?? seq)
      known.set(seq, hash)
    }
    this.#checkpoints = known
  }

  /** The last entry that held. */
  get last(): Checkpoint {
    return this.#last
  }

  /** @param rows those of the entry's ticket, in the order they were written. Undefined: it holds. */
  read(entry: ChainEntry, rows: readonly FoundRow[]): ChainProblem | undefined {
    const problem = this.#link(entry) ?? lookAtRows(entry, rows) ?? this.#compare(entry)
    if (problem === undefined) this.#last = { seq: entry.seq, hash: entry.hash }
    return problem
  }

  /** Where a look goes on from. @param found the entry of that number now; undefined: it is gone, and `head` is the last there is. */
  begin(found: string | undefined, head: number): ChainProblem | undefined {
    const { seq, hash } = this.#last
    if (found === hash) return undefined
    if (found !== undefined) return { kind: 'fork', seq, row: null, what: rewritten(seq) }
    return { kind: 'truncated', seq: Math.min(seq, head + 1), row: null, what: cutOff(seq) }
  }

  /** After the last entry. @param unsealed a row that no entry holds, if there is one. */
  end(unsealed?: string): ChainProblem | undefined {
    const beyond = [...this.#checkpoints.keys()].filter((seq) => seq > this.#last.seq)
    if (beyond.length > 0)
      return {
        kind: 'truncated',
        seq: this.#last.seq + 1,
        row: null,
        what: `The chain ends with entry ${this.#last.seq}. ${cutOff(beyond.reduce((a, b) => Math.max(a, b)))}`,
      }
    if (unsealed !== undefined)
      return {
        kind: 'inserted',
        seq: null,
        row: unsealed,
        what: 'An audit row belongs to no entry: it was inserted past the chain, or its entry was deleted.',
      }
    return undefined
  }

  #link(entry: ChainEntry): ChainProblem | undefined {
    const { seq, hash } = this.#last
    const expected = seq + 1
    const at = (kind: ChainProblem['kind'], where: number, what: string) => ({ kind, seq: where, row: null, what })
    if (entry.seq > expected) return at('deleted', expected, `Entry ${expected} is missing: entry ${entry.seq} follows entry ${seq}.`)
    if (entry.seq < expected) return at('fork', entry.seq, `Entry ${entry.seq} stands there more than once.`)
    if (hashEntry(this.#workspaceId, entry) !== entry.hash) {
      const original = this.#numberOf(entry)
      return original === undefined
        ? at('edited', entry.seq, `Entry ${entry.seq} was edited: its hash is not that of what it holds.`)
        : at('reordered', entry.seq, `What stands as entry ${entry.seq} was written as entry ${original}.`)
    }
    if (entry.previous !== hash)
      return at(
        'fork',
        entry.seq,
        `Entry ${entry.seq} does not continue entry ${seq}: one of them was replaced, or belongs to another chain.`,
      )
    return undefined
  }

  /** The number an entry was written under, if it is near. */
  #numberOf(entry: ChainEntry): number | undefined {
    for (let step = 1; step <= 1000; step++) {
      for (const seq of [entry.seq - step, entry.seq + step]) if (hashEntry(this.#workspaceId, { ...entry, seq }) === entry.hash) return seq
    }
    return undefined
  }

  #compare(entry: ChainEntry): ChainProblem | undefined {
    const known = this.#checkpoints.get(entry.seq)
    if (entry.seq === this.#contradiction)
      return { kind: 'fork', seq: entry.seq, row: null, what: `The checkpoints themselves tell of two different entries ${entry.seq}.` }
    if (known === undefined || known === entry.hash) return undefined
    return {
      kind: 'fork',
      seq: entry.seq,
      row: null,
      what: rewritten(entry.seq),
    }
  }
}

const cutOff = (seq: number) => `A checkpoint tells of entry ${seq}, which is gone: the tail was cut off, or an older copy was restored.`
const rewritten = (seq: number) =>
  `Entry ${seq} is not the one of its checkpoint: history was rewritten, or an older copy was restored and written on.`

function lookAtRows(entry: ChainEntry, rows: readonly FoundRow[]): ChainProblem | undefined {
  const sealed = entry.rowHashes.match(/.{64}/g) ?? []
  const first = sealed.findIndex((hash, i) => rows[i]?.hash !== hash)
  if (first === -1 && rows.length === sealed.length) return undefined
  const at = (kind: ChainProblem['kind'], row: string | null, what: string): ChainProblem => ({ kind, seq: entry.seq, row, what })
  const place = (i: number) => (sealed.length === 1 ? 'Its row' : `Row ${i + 1} of its ${sealed.length}`)
  const i = first === -1 ? sealed.length : first
  const found = rows[i]
  if (rows.length > sealed.length)
    return at(
      'inserted',
      found?.id ?? null,
      `Entry ${entry.seq} was written over ${sealed.length} audit ${sealed.length === 1 ? 'row' : 'rows'} and has ${rows.length}.`,
    )
  if (rows.length < sealed.length)
    return at('deleted', null, `${place(i)} of entry ${entry.seq} is missing: ${sealed.length - rows.length} of ${sealed.length} are gone.`)
  const isSame =
    [...sealed].sort().join() ===
    rows
      .map(({ hash }) => hash)
      .sort()
      .join()
  return isSame
    ? at('reordered', found?.id ?? null, `The audit rows of entry ${entry.seq} stand in another order than they were written in.`)
    : at('edited', found?.id ?? null, `${place(i)} of entry ${entry.seq} was edited: it does not hold what was written.`)
}
