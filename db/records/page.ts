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
  readonly cast: 'float8' | 'int' | 'uuid' | 'text'
}

/** Rows after the cursor: (a, b, c) > (x, y, z), spelled out because the keys may run in different directions. */
export function keysetAfter(keys: readonly SortKey[], cursor: Cursor): SQL {
  const value = (index: number) => sql`${cursor[index] ?? null}::${sql.raw(keys[index]?.cast ?? 'text')}`
  const branches = keys.map((key, index) => {
    const equal = keys.slice(0, index).map((earlier, at) => sql`${earlier.by} = ${value(at)}`)
    const beyond = key.order === 'asc' ? sql`${key.by} > ${value(index)}` : sql`${key.by} < ${value(index)}`
    return sql`(${sql.join([...equal, beyond], sql` and `)})`
  })
  return sql`(${sql.join(branches, sql` or `)})`
}

/** Cuts the one row read too many, which tells whether there is a next page. */
export function toPage<T>(rows: readonly { readonly row: T; readonly sortValues: unknown[] }[], limit: number): Page<T> {
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  return { rows: shown.map(({ row }) => row), next: last ? (last.sortValues as (string | number)[]) : null }
}
