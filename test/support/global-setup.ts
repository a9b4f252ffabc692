import { chmod, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import type { TestProject } from 'vitest/node'
import { startEmbedded } from '../../db/embedded.ts'
import { migrate } from '../../db/migrate.ts'
import { isRunning } from '../../db/process-lock.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the cluster's maintenance database, as its owner. */
    databaseUrl: string
  }
}

export const templateName = 'throughline_template'

/** One private cluster for the run, nothing flushed to disk, with a migrated template that each test file clones. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shelf = join(tmpdir(), `throughline-tests-${userInfo().username}`)
  await mkdir(shelf, { recursive: true })
  await chmod(shelf, 0o711)
  await removeRunsOfTheDead(shelf)
  const dataDir = join(shelf, String(process.pid))
  const cluster = await startEmbedded({ dataDir, durable: false })
  const admin = postgres(cluster.url('postgres'), { max: 1, onnotice: () => {} })
  await admin`create database ${admin(templateName)}`
  await migrate(cluster.url(templateName))
  const template = postgres(cluster.url(templateName), { max: 1 })
  await template`insert into workspaces (key, title) values ('test', 'Test')`
  await template.end()
  await admin.end()
  project.provide('databaseUrl', cluster.url('postgres'))
  return async () => {
    await cluster.destroy()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function removeRunsOfTheDead(shelf: string): Promise<void> {
  for (const name of await readdir(shelf)) {
    if (isRunning(Number(name))) continue
    const pid = Number((await readFile(join(shelf, name, 'postgres', 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[0])
    // Only a postmaster whose folder still names it: its own pid file is the proof.
    if (pid > 0 && (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes(join(shelf, name)))
      process.kill(pid, 'SIGQUIT')
    await rm(join(shelf, name), { recursive: true, force: true })
  }
}
