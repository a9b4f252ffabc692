import { execFile } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '../..')
const web = join(root, 'web')

/** Builds the console when its sources are newer than what was built last. */
export async function buildConsole(): Promise<void> {
  const builtAt = await stat(join(web, 'build/200.html')).then(
    (file) => file.mtimeMs,
    () => 0,
  )
  const names = await readdir(join(web, 'src'), { recursive: true })
  const changedAt = await Promise.all(
    [...names.map((name) => join(web, 'src', name)), join(web, 'vite.config.ts')].map((path) => stat(path).then((file) => file.mtimeMs)),
  )
  if (builtAt > Math.max(...changedAt)) return
  await promisify(execFile)(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build'], {
    cwd: web,
    env: { ...process.env, NODE_ENV: 'production' },
  })
}
