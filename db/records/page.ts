import type { SQL } from 'drizzle-orm'
import { sql } from 'drizzle-orm'

/** The sort values of the last row shown; the next page begins after them. */
export type Cursor = readonly (string | number)[]

export interface Page<T> {
  readonly rows: readonly T[]
  readonly next: Cursor | null
}

export interface SortKey {
  readonly by: SQL
  readonly order: 'asc' | 'desc'
  /** `instant`: a timestamptz, which stands in the cursor as epoch milliseconds. */
  readonly cast: 'float8' | 'int' | 'uuid' | 'text' | 'instant'
}

/** What the cursor keeps of a key. */
export const sortValue = ({ by, cast }: SortKey): SQL => (cast === 'instant' ? sql`round(date_part('epoch', ${by}) * 1000)` : by)

/**
 * Rows after the cursor: (a, b, c) > (x, y, z), spelled out because the keys may run in different directions. The bound on the first key
 * alone says nothing new, but an index can begin there.
 */
export function keysetAfter(keys: readonly SortKey[], cursor: Cursor): SQL {
  const value = (index: number) => {
    const cast = keys[index]?.cast ?? 'text'
    const given = sql`${cursor[index] ?? null}`
    return cast === 'instant' ? sql`to_timestamp(${given}::float8 / 1000)` : sql`${given}::${sql.raw(cast)}`
  }
  const branches = keys.map((key, index) => {
    const equal = keys.slice(0, index).map((earlier, at) => sql`${earlier.by} = ${value(at)}`)
    const beyond = key.order === 'asc' ? sql`${key.by} > ${value(index)}` : sql`${key.by} < ${value(index)}`
    return sql`(${sql.join([...equal, beyond], sql` and `)})`
  })
  const [first] = keys
  const bound = first && (first.order === 'asc' ? sql`${first.by} >= ${value(0)} and ` : sql`${first.by} <= ${value(0)} and `)
  return sql`${bound ?? sql``}(${sql.join(branches, sql` or `)})`
}

/** Cuts the one row read too many, which tells whether there is a next page. */
export function toPage<T>(rows: readonly { readonly row: T; readonly sortValues: unknown[] }[], limit: number): Page<T> {
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  return { rows: shown.map(({ row }) => row), next: last ? (last.sortValues as (string | number)[]) : null }
}
