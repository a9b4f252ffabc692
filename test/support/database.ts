import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { afterAll, inject } from 'vitest'
import type { Database } from '../../db/client.ts'
import { openDatabase } from '../../db/client.ts'

export interface TestDatabase extends Database {
  readonly workspaceId: number
  /** The same database as its owner: no row-level security, may alter tables. */
  readonly owner: Database
  /** URL of a fresh database cloned from any of ours, or an empty one: for tests that need several. */
  another(from?: 'template' | 'empty'): Promise<string>
}

/**
 * A database of this test file's own, cloned from the migrated template with one workspace in it, dropped at the end.
 * Use it at the top of the file: `const { sql, db, url, workspaceId } = await withDatabase()`.
 */
export async function withDatabase(): Promise<TestDatabase> {
  const admin = postgres(inject('databaseUrl'), { max: 1, onnotice: () => {} })
  const made: string[] = []
  const another = async (from: 'template' | 'empty' = 'template') => {
    const name = `test_${randomUUID().replaceAll('-', '')}`
    await admin`create database ${admin(name)} template ${admin(from === 'template' ? 'throughline_template' : 'template0')}`
    made.push(name)
    const url = new URL(inject('databaseUrl'))
    url.pathname = `/${name}`
    return url.href
  }
  const url = await another()
  const owner = openDatabase(url, { max: 4 })
  const [workspace] = await owner.sql<{ id: number }[]>`select id from workspaces where key = 'test'`
  const workspaceId = workspace?.id ?? 0
  const application = openDatabase(url, { workspaceId, max: 4 })
  afterAll(async () => {
    await Promise.all([application.close(), owner.close()])
    for (const name of made) await admin`drop database if exists ${admin(name)} with (force)`
    await admin.end()
  })
  return { ...application, workspaceId, owner, another }
}
