import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import { StorageError } from './storage-error.ts'

const folder = fileURLToPath(new URL('./migrations', import.meta.url))
const oldestServer = 15

interface Migration {
  readonly name: string
  readonly source: string
  readonly checksum: string
}

export async function readMigrations(from: string = folder): Promise<Migration[]> {
  const names = (await readdir(from)).filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name)).sort()
  return Promise.all(
    names.map(async (name) => {
      const source = await readFile(join(from, name), 'utf8')
      return { name, source, checksum: createHash('sha256').update(source).digest('hex') }
    }),
  )
}

/**
 * Brings the database to this code's version, one transaction per file, one process at a time. Returns the names applied now.
 * @throws StorageError when the server is too old, the database is newer than the code, or an applied file was edited.
 */
export async function migrate(ownerUrl: string, migrations?: readonly Migration[]): Promise<string[]> {
  const wanted = migrations ?? (await readMigrations())
  const sql = postgres(ownerUrl, {
    max: 1,
    connect_timeout: 15,
    onnotice: () => {},
    connection: { application_name: 'throughline-migrate' },
  })
  try {
    const [server] = await sql<{ version: number }[]>`select current_setting('server_version_num')::int / 10000 as version`.catch(
      (error: Error) => {
        throw new StorageError('unavailable', `The database cannot be reached: ${error.message}. Check DATABASE_URL.`, { cause: error })
      },
    )
    if ((server?.version ?? 0) < oldestServer) {
      throw new StorageError(
        'invalid_configuration',
        `PostgreSQL ${server?.version} is too old: Throughline needs ${oldestServer} or newer.`,
      )
    }
    await sql`select pg_advisory_lock(hashtextextended('throughline migrations', 0))`
    await sql`create table if not exists migrations (name text primary key, checksum text not null, applied_at timestamptz not null default now())`
    const applied = new Map(
      (await sql<{ name: string; checksum: string }[]>`select name, checksum from migrations`).map((row) => [row.name, row.checksum]),
    )
    checkHistory(applied, wanted)
    const missing = wanted.filter((migration) => !applied.has(migration.name))
    for (const migration of missing) {
      await apply(sql, migration).catch((error: Error & { code?: string }) => {
        const advice =
          error.code === '42501'
            ? 'The user of DATABASE_URL must own the database and be allowed to create roles (alter role … createrole).'
            : ''
        throw new StorageError(
          'invalid_configuration',
          `Migration ${migration.name} failed and left nothing behind: ${error.message}. ${advice}`.trim(),
          {
            cause: error,
          },
        )
      })
    }
    return missing.map((migration) => migration.name)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

/** Roles belong to the whole server, our lock to one database: two databases migrating at once may collide there, and then one tries again. */
async function apply(sql: postgres.Sql, { name, source, checksum }: Migration): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await sql.begin(async (tx) => {
        await tx.unsafe(source)
        await tx`insert into migrations (name, checksum) values (${name}, ${checksum})`
      })
      return
    } catch (error) {
      const collided = ['XX000', '23505', '42710'].includes((error as { code?: string }).code ?? '')
      if (!collided || attempt === 5) throw error
      await delay(50 * attempt)
    }
  }
}

function checkHistory(applied: ReadonlyMap<string, string>, wanted: readonly Migration[]): void {
  const known = new Map(wanted.map((migration) => [migration.name, migration.checksum]))
  const newer = [...applied.keys()].filter((name) => !known.has(name)).sort()
  if (newer.length > 0) {
    throw new StorageError(
      'invalid_configuration',
      `The database is newer than this Throughline: it has ${newer.join(', ')}. Update Throughline, or open a database of its own version.`,
    )
  }
  const edited = [...applied].filter(([name, checksum]) => known.get(name) !== checksum).map(([name]) => name)
  if (edited.length > 0) {
    throw new StorageError(
      'invalid_configuration',
      `Migration ${edited.join(', ')} was edited after it was applied. Restore the file and put the change into a new migration.`,
    )
  }
}
