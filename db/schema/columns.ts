import { customType } from 'drizzle-orm/pg-core'

/** A 128-bit hash: `uuid` in the database, 32 hex digits everywhere else. */
export const hash = customType<{ data: string; driverData: string }>({
  dataType: () => 'uuid',
  fromDriver: (value) => value.replaceAll('-', ''),
})

/** `timestamptz` in the database, epoch milliseconds everywhere else. */
export const instant = customType<{ data: number; driverData: string }>({
  dataType: () => 'timestamptz',
  fromDriver: (value) => new Date(value).getTime(),
  toDriver: (value) => new Date(value).toISOString(),
})
