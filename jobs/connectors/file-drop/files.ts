import { createHash, hash } from 'node:crypto'
import { glob, open, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { readFully } from './scan.ts'

export interface FoundFile {
  /** As configured or matched, relative to the configuration folder: what messages and the cursor call it. */
  readonly name: string
  readonly path: string
  readonly size: number
  readonly mtimeMs: number
  /** Changes whenever the file was written, replaced or restored. */
  readonly stamp: string
}

/** The files a pattern names, in the order of their names. */
export async function findFiles(pattern: string, directory: string): Promise<FoundFile[]> {
  const exact = await statFile(pattern, directory)
  if (exact !== null) return [exact]
  if (!/[*?[{]/.test(pattern)) return []
  const names: string[] = []
  for await (const name of glob(pattern, { cwd: directory })) names.push(name)
  const found = await Promise.all(names.sort().map((name) => statFile(name, directory)))
  return found.filter((file) => file !== null)
}

export async function statFile(name: string, directory: string): Promise<FoundFile | null> {
  const path = isAbsolute(name) ? name : resolve(join(directory, name))
  try {
    const found = await stat(path, { bigint: true })
    if (!found.isFile()) return null
    const stamp = hash('sha256', `${found.size} ${found.mtimeNs} ${found.ctimeNs} ${found.ino}`, 'base64url').slice(0, 12)
    return { name, path, size: Number(found.size), mtimeMs: Number(found.mtimeNs / 1_000_000n), stamp }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
}

/** Content hashes of the first `size` bytes and, where given, of the first `prefix` of them. Reads a megabyte at a time. */
export async function hashFile(
  path: string,
  size: number,
  prefix: number | null,
  signal: AbortSignal,
): Promise<{ whole: string; prefix: string | null }> {
  return withFile(path, async (handle) => {
    const running = createHash('sha256')
    let prefixHash: string | null = prefix === 0 ? digest(running) : null
    for (let at = 0; at < size; ) {
      signal.throwIfAborted()
      const stop = prefix !== null && at < prefix ? Math.min(prefix, size) : size
      const bytes = await readFully(handle, at, Math.min(1_048_576, stop - at))
      running.update(bytes)
      at += bytes.length
      if (at === prefix) prefixHash = digest(running)
    }
    return { whole: digest(running), prefix: prefixHash }
  })
}

function digest(running: ReturnType<typeof createHash>): string {
  return running.copy().digest('base64url').slice(0, 22)
}

export async function withFile<T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path, 'r')
  try {
    return await use(handle)
  } finally {
    await handle.close()
  }
}
