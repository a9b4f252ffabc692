#!/usr/bin/env node
// Runs the command line on Node 24, which executes TypeScript as it stands; an older Node only starts it.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const main = join(root, 'server', 'cli', 'main.ts')

if (existsSync(join(root, 'package-lock.json'))) {
  const { status } = spawnSync(process.execPath, [join(root, 'bin', 'bootstrap.mjs')], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
if (Number(process.versions.node.split('.')[0]) >= 24) {
  await import(main)
} else {
  const child = spawn(join(root, 'node_modules', '.bin', 'node'), [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.once('exit', (code, signal) => process.exit(signal ? 128 + 15 : (code ?? 1)))
}
