import { createHash } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import postgres from 'postgres'
import { startEmbedded } from '../../db/embedded.ts'
import { migrate } from '../../db/migrate.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import type { ServerConfig } from '../config.ts'

export interface OpenRecord {
  readonly ownerUrl: string
  close(): Promise<void>
}

/**
 * The database of one configuration, brought to this code's version. The embedded PostgreSQL keeps one per configuration folder,
 * so that two configurations never meet; a database of the user's own is used as it is.
 */
export async function openRecord(
  config: ServerConfig,
  directory: string | null,
  options: { readonly fresh?: boolean } = {},
): Promise<OpenRecord> {
  if (config.databaseUrl !== null) {
    if (options.fresh)
      throw new AppError(
        'invalid_configuration',
        '--fresh is refused with DATABASE_URL: it would drop a database of your own. Empty it yourself, or unset DATABASE_URL to use the embedded PostgreSQL.',
      )
    await migrate(config.databaseUrl)
    return { ownerUrl: config.databaseUrl, close: async () => {} }
  }
  const cluster = await startEmbedded({ dataDir: config.dataDir })
  try {
    const name = await databaseName(directory)
    await ensureDatabase(cluster.url('postgres'), name, options.fresh ?? false)
    await migrate(cluster.url(name))
    return { ownerUrl: cluster.url(name), close: () => cluster.stop() }
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

async function databaseName(directory: string | null): Promise<string> {
  if (directory === null) return 'demo'
  const path = await realpath(directory).catch(() => directory)
  return `configuration_${createHash('sha256').update(path).digest('hex').slice(0, 16)}`
}

async function ensureDatabase(adminUrl: string, name: string, fresh: boolean): Promise<void> {
  const admin = postgres(adminUrl, { max: 1, onnotice: () => {} })
  try {
    if (fresh) await admin`drop database if exists ${admin(name)} with (force)`
    const [found] = await admin`select from pg_database where datname = ${name}`
    if (!found) await admin`create database ${admin(name)}`.catch(ignoreExisting)
  } finally {
    await admin.end()
  }
}

/** Another process may make it at the same moment. */
function ignoreExisting(error: { readonly code?: string }): void {
  if (error.code !== '42P04' && error.code !== '23505') throw error
}
