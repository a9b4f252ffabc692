import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { StorageError } from './storage-error.ts'

/** The fields of /proc/<pid>/stat from the state on; empty where there is none. */
function statFields(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}

/** When a process started, in kernel ticks: tells a recycled pid from the process that wrote it. Empty where /proc does not exist. */
function startTicks(pid: number): string {
  return statFields(pid)[19] ?? ''
}

/** A dead process that its container's first process never reaps still has its number; it does not count. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return statFields(pid)[0] !== 'Z'
}

function isHeld(content: string): boolean {
  const [pid, ticks] = content.split(' ')
  return isRunning(Number(pid)) && startTicks(Number(pid)) === ticks
}

/** Runs `work` while no other living process runs under the same lock file. A lock left by a dead process is taken over. */
export async function withProcessLock<T>(path: string, waitMs: number, work: () => Promise<T>): Promise<T> {
  const mine = `${process.pid} ${startTicks(process.pid)} ${randomUUID()}`
  const until = Date.now() + waitMs
  for (;;) {
    try {
      await writeFile(path, mine, { flag: 'wx', mode: 0o600 })
      break
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code !== 'EEXIST')
        throw new StorageError('unavailable', `Cannot write ${path} (${code}). Make its folder writable.`, { cause: error })
    }
    const holder = await readFile(path, 'utf8').catch(() => '')
    if (holder !== '' && !isHeld(holder)) await removeStale(path, holder)
    else if (Date.now() > until) {
      throw new StorageError(
        'unavailable',
        `Process ${holder.split(' ')[0]} has been starting or stopping the database for ${Math.round(waitMs / 1000)} s and still holds ${path}. Wait for it or end it, then start again.`,
      )
    } else await delay(25)
  }
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

async function removeStale(path: string, holder: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`
  try {
    await rename(path, aside)
  } catch {
    return
  }
  const moved = await readFile(aside, 'utf8')
  // Between reading and renaming another process may have taken over: its lock goes back.
  if (moved !== holder) await rename(aside, path)
  else await rm(aside, { force: true })
}
