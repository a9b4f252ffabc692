import { readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, vi } from 'vitest'
import type { EmbeddedDatabase } from '../../db/embedded.ts'
import { startEmbedded } from '../../db/embedded.ts'
import { migrate } from '../../db/migrate.ts'
import { isRunning } from '../../db/process-lock.ts'

export interface TestCluster {
  readonly dataDir: string
  /** Stays the same over restarts, as long as nobody takes the port. */
  url(): string
  /** Stops PostgreSQL at once, as a crash of its host would: what was not on disk is gone. */
  crash(): Promise<void>
  restart(): Promise<void>
}

/** A migrated PostgreSQL of this test file's own, durable, to be crashed and restarted. Removed at the end. */
export async function withCluster(): Promise<TestCluster> {
  const dataDir = await mkdtemp(join(tmpdir(), 'throughline cluster '))
  await chmod(dataDir, 0o711)
  let database: EmbeddedDatabase = await startEmbedded({ dataDir })
  await migrate(database.url())
  afterAll(async () => {
    await database.destroy()
    await rm(dataDir, { recursive: true, force: true })
  })
  return {
    dataDir,
    url: () => database.url(),
    crash: async () => {
      const pid = postmasterOf(dataDir)
      process.kill(pid, 'SIGQUIT')
      await vi.waitFor(
        () => {
          if (isRunning(pid)) throw new Error('still running')
        },
        { timeout: 15_000 },
      )
    },
    restart: async () => {
      database = await startEmbedded({ dataDir })
    },
  }
}

export function postmasterOf(dataDir: string): number {
  return Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0])
}
