import type postgres from 'postgres'

/** The volume path: a postgres.js client or a transaction of one. drizzle never touches it, so its parsers stay ours. */
export type Sql = postgres.Sql
export type Tx = postgres.TransactionSql

export type Cell = string | number | boolean | null

/** Columns of rows on their way in: name → SQL type, or `ms` for a timestamptz given as epoch milliseconds. */
export type Columns = Readonly<Record<string, string>>

/** SQL types whose values as we write them hold nothing an array literal would need quotes for. */
const plainTypes: ReadonlySet<string> = new Set(['uuid', 'smallint', 'integer', 'boolean', 'ms'])
const needsEscape = /["\\]/

function literal(cell: Cell): string {
  if (cell === null) return 'NULL'
  if (typeof cell !== 'string') return String(cell)
  return needsEscape.test(cell) ? `"${cell.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"` : `"${cell}"`
}

/**
 * A FROM item named `s` of rows given as one array per column: one round trip, one plan, no staging table. (COPY is no faster at a
 * thousand rows, row-level security forbids it into the real tables, and postgres.js never settles one whose connection is lost.)
 * @param first number of the first parameter these arrays take, 1-based.
 */
export function fromArrays(columns: Columns, first: number): string {
  const list = Object.entries(columns)
  const arrays = list.map(([, type], i) => `$${first + i}::${type.endsWith('[]') ? 'text' : type === 'ms' ? 'float8' : type}[]`)
  const casts = list.map(([name, type]) =>
    type.endsWith('[]') ? `${name}::${type} as ${name}` : type === 'ms' ? `to_timestamp(${name} / 1000) as ${name}` : name,
  )
  return `(select ${casts.join(', ')} from unnest(${arrays.join(', ')}) as u (${list.map(([name]) => name).join(', ')})) s`
}

/** The rows as the parameters of `fromArrays`: one array literal per column. */
export function toArrays(columns: Columns, rows: readonly (readonly Cell[])[]): string[] {
  return Object.values(columns).map((type, column) => {
    const isPlain = plainTypes.has(type)
    let text = ''
    let isEmpty = true
    for (let row = 0; row < rows.length; row++) {
      const cell = rows[row]?.[column] ?? null
      if (cell !== null) isEmpty = false
      text += `${row === 0 ? '{' : ','}${isPlain ? (cell ?? 'NULL') : literal(cell)}`
    }
    // unnest() makes up for a shorter array with NULL: a column nobody states costs nothing.
    return isEmpty ? '{}' : `${text}}`
  })
}

/** Runs one prepared statement over rows; `$1` is the workspace, the rows' arrays come after `more`. `text` gets the FROM item. */
export async function runOverRows(
  tx: Sql | Tx,
  workspaceId: number,
  columns: Columns,
  rows: readonly (readonly Cell[])[],
  text: (from: string) => string,
  more: readonly (string | number | null)[] = [],
): Promise<number> {
  if (rows.length === 0) return 0
  const from = fromArrays(columns, 2 + more.length)
  const result = await tx.unsafe(text(from), [workspaceId, ...more, ...toArrays(columns, rows)], { prepare: true })
  return result.count
}

/**
 * Statements of one transaction sent one after the other without waiting for each answer: PostgreSQL works through them while we do
 * something else. An answer may be awaited by itself; `settle` waits for all. Once one failed, all later ones throw what it said.
 */
export class Pipeline {
  readonly #sent: Promise<unknown>[] = []
  #failed: { readonly cause: unknown } | undefined

  send<T>(statement: Promise<T>): Promise<T> {
    const answer = statement.catch((cause: unknown): never => {
      this.#failed ??= { cause }
      throw this.#failed.cause
    })
    // Heard in settle(), or the transaction is being rolled back for another reason.
    answer.catch(() => {})
    this.#sent.push(answer)
    return answer
  }

  async settle(): Promise<void> {
    await Promise.all(this.#sent.splice(0))
  }
}

/**
 * Does not wait for the disk at commit. Safe for what can be read or judged again: facts commit with their cursor and judgements with
 * their marks, so a crash of the machine takes both back together. Never for what a person did.
 */
export async function commitLazily(tx: Tx): Promise<void> {
  await tx`set local synchronous_commit = off`
}

/*
 * Look-ups by a batch of keys are written `from unnest(…) k cross join lateral (select … where <key of k> offset 0) r`: the planner must
 * take the index once per key. Left to itself it scans whole tables while they have no statistics, and cost follows what is stored.
 */

/** A one-dimensional array literal of values that hold no quotes, commas or braces: uuids and numbers. */
export function arrayOf(values: readonly (string | number)[]): string {
  return `{${values.join(',')}}`
}

/** Epoch milliseconds as a timestamp PostgreSQL reads. */
export function instant(ms: number | null): string | null {
  if (ms === null) return null
  // One record states the same time several times over.
  if (ms !== lastMs) {
    lastText = new Date(ms).toISOString()
    lastMs = ms
  }
  return lastText
}
let lastMs = 0
let lastText = '1970-01-01T00:00:00.000Z'

/** A time column as epoch milliseconds. */
export const msOf = (column: string): string => `round(date_part('epoch', ${column}) * 1000)`

/** 32 hex digits of a uuid as the database prints it. */
export function hexOf(uuid: string): string {
  return uuid.length === 36 ? uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24) : uuid
}

const parts = 64
/** The part of a row whose key is `hex`: its first byte, folded. */
export function partOf(hex: string): number {
  return Number.parseInt(hex.slice(0, 2), 16) % parts
}
export const partCount = parts
