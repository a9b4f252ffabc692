import { getTableColumns, getTableName, is } from 'drizzle-orm'
import { PgTable } from 'drizzle-orm/pg-core'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { withDatabase } from '../support/database.ts'

const { owner } = await withDatabase()
const folder = join(import.meta.dirname, '../../db/schema')

it('every table of db/schema is what the migrations made: columns, types, and which may be null', async () => {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ts'))
  let seen = 0
  for (const name of names) {
    for (const table of Object.values((await import(join(folder, name))) as Record<string, unknown>)) {
      if (!is(table, PgTable)) continue
      seen++
      const rows = await owner.sql<{ name: string; nullable: boolean; type: string }[]>`
        select attname as name, not attnotnull as nullable, format_type(atttypid, null) as type from pg_attribute
        where attrelid = ${getTableName(table)}::regclass and attnum > 0 and not attisdropped`
      const stored = new Map(rows.map((row) => [row.name, row]))
      for (const column of Object.values(getTableColumns(table))) {
        const found = stored.get(column.name)
        expect(found, `${getTableName(table)}.${column.name}`).toBeDefined()
        expect([column.name, found?.nullable]).toEqual([column.name, !column.notNull])
        expect([column.name, found?.type]).toEqual([column.name, written(column.getSQLType())])
      }
    }
  }
  expect(seen).toBeGreaterThan(5)
})

function written(type: string): string {
  return type.replace('timestamptz', 'timestamp with time zone')
}
