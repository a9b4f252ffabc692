// The server restarting on change, and the console with hot reload in front of it. Not node --watch: its messages to the
// processes it watches would reach the demo's tools.
import { spawn } from 'node:child_process'
import { watch } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const settleMs = 300
let stopping = false
let changed = null
let server = null

function startServer() {
  changed = null
  const child = spawn(process.execPath, [join(root, 'server', 'cli', 'main.ts'), 'start', ...process.argv.slice(2)], { stdio: 'inherit' })
  child.once('exit', () => {
    server = null
    if (stopping) return
    if (changed) startServer()
    else process.stderr.write('The server has ended; it starts again with the next change.\n')
  })
  server = child
}

function onChange() {
  clearTimeout(changed)
  changed = setTimeout(() => {
    if (server) server.kill('SIGTERM')
    else if (!stopping) startServer()
  }, settleMs)
}

for (const room of ['server', 'jobs', 'db']) watch(join(root, room), { recursive: true }, onChange)
startServer()
const apiUrl = `http://127.0.0.1:${process.env.THROUGHLINE_PORT ?? 4400}`
const frontend = spawn(process.execPath, [join(root, 'node_modules', 'vite', 'bin', 'vite.js'), '--host', '127.0.0.1'], {
  cwd: join(root, 'web'),
  stdio: 'inherit',
  env: { ...process.env, THROUGHLINE_API_URL: apiUrl },
})
frontend.once('exit', stop)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop)

function stop() {
  stopping = true
  frontend.kill('SIGTERM')
  if (!server) process.exit()
  server.once('exit', () => process.exit())
  server.kill('SIGTERM')
}
