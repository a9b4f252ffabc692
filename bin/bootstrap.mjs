// Makes a fresh clone ready: packages, Node 24, the built console and, for tests, Chromium. Runs on Node 20 before anything is
// installed, so it has no dependencies and stays plain JavaScript. When all is in place it costs some milliseconds.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const at = (...parts) => join(root, ...parts)
const say = (text) => process.stderr.write(`${text}\n`)

function giveUp(text) {
  say(`\n${text}`)
  process.exit(1)
}

const lockHash = () =>
  createHash('sha256')
    .update(readFileSync(at('package-lock.json')))
    .digest('hex')
const installedStamp = () => at('node_modules', '.throughline-lock')

/** Installed by us from this very lock, or by hand with nothing missing. */
function packagesAreCurrent() {
  try {
    if (existsSync(installedStamp()) && readFileSync(installedStamp(), 'utf8') === lockHash()) return true
    const wanted = JSON.parse(readFileSync(at('package-lock.json'), 'utf8')).packages
    const there = JSON.parse(readFileSync(at('node_modules', '.package-lock.json'), 'utf8')).packages
    return Object.entries(wanted).every(
      ([path, { version, optional, extraneous }]) =>
        path === '' || extraneous || there[path]?.version === version || (optional && !there[path]),
    )
  } catch {
    return false
  }
}

function installPackages() {
  say('Installing packages (once; about a minute) ...')
  const args = ['ci', '--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const npm = process.env.npm_execpath
  const { status, error } = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (status !== 0) {
    giveUp(
      `npm ci did not finish${error ? ` (${error.message})` : ''}. Its message is above; it needs the npm registry and a folder you can write.`,
    )
  }
  writeFileSync(installedStamp(), lockHash())
}

function provideNode() {
  const bundled = at('node_modules', '.bin', 'node')
  if (existsSync(bundled)) return
  if (Number(process.versions.node.split('.')[0]) < 24) {
    giveUp(
      `The npm registry has no Node 24 for ${process.platform} ${process.arch}, and this is ${process.version}. Install Node 24 and start again.`,
    )
  }
  symlinkSync(process.execPath, bundled)
}

/** A hash of everything the built console is made from. */
function consoleSource() {
  const hash = createHash('sha256').update(readFileSync(at('package-lock.json')))
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (['build', '.svelte-kit', 'node_modules'].includes(entry.name)) continue
      const path = join(folder, entry.name)
      if (entry.isDirectory()) walk(path)
      else if (entry.isFile()) hash.update(relative(root, path)).update('\0').update(readFileSync(path)).update('\0')
    }
  }
  walk(at('web'))
  return hash.digest('hex')
}

function consoleIsCurrent() {
  const stamp = at('web', 'build', '.source')
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === consoleSource()
}

function buildConsole() {
  say('Building the console ...')
  const node = at('node_modules', '.bin', 'node')
  const { status, stdout, stderr } = spawnSync(node, [at('node_modules', 'vite', 'bin', 'vite.js'), 'build'], {
    cwd: at('web'),
    encoding: 'utf8',
    env: { ...process.env, NODE_ENV: 'production', PATH: `${at('node_modules', '.bin')}:${process.env.PATH}` },
  })
  if (status !== 0) giveUp(`${stdout}${stderr}\nThe console could not be built; the reason is above.`)
  writeFileSync(at('web', 'build', '.source'), consoleSource())
}

function findChromium() {
  const { THROUGHLINE_CHROMIUM, PATH = '' } = process.env
  if (THROUGHLINE_CHROMIUM) return existsSync(THROUGHLINE_CHROMIUM)
  return ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].some((name) =>
    PATH.split(':').some((folder) => existsSync(join(folder, name))),
  )
}

function provideChromium() {
  if (findChromium()) return
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  const apt = (...args) => {
    const [command, ...rest] = [...asRoot, 'apt-get', '-q', '-y', ...args]
    return spawnSync(command, rest, { stdio: ['ignore', 2, 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }).status === 0
  }
  if (existsSync('/usr/bin/apt-get')) {
    say('Installing Chromium for the browser tests ...')
    if (apt('install', '--no-install-recommends', 'chromium') || (apt('update') && apt('install', '--no-install-recommends', 'chromium')))
      return
  }
  giveUp(
    'The browser tests need Chromium, which could not be installed from here. Install it (Debian: sudo apt-get install chromium) or set THROUGHLINE_CHROMIUM to its path, then start again.',
  )
}

/** Two first starts at once would install over each other. */
function oneAtATime(work) {
  const lock = at('.bootstrap-lock')
  const wait = new Int32Array(new SharedArrayBuffer(4))
  for (;;) {
    try {
      mkdirSync(lock)
      break
    } catch (error) {
      if (error.code !== 'EEXIST') giveUp(`${root} cannot be written (${error.code}): Throughline is set up there at its first start.`)
    }
    let holder = 0
    try {
      holder = Number(readFileSync(join(lock, 'pid'), 'utf8'))
      process.kill(holder, 0)
    } catch (error) {
      if (holder && error.code === 'ESRCH') rmSync(lock, { recursive: true, force: true })
    }
    Atomics.wait(wait, 0, 0, 250)
  }
  writeFileSync(join(lock, 'pid'), String(process.pid))
  process.on('exit', () => rmSync(lock, { recursive: true, force: true }))
  work()
}

if (Number(process.versions.node.split('.')[0]) < 20)
  giveUp(`Throughline needs Node 20 or newer to set itself up; this is ${process.version}.`)
const hasConsole = existsSync(at('web', 'vite.config.ts'))
const withConsole = hasConsole && !process.argv.includes('--no-console')
const ready = () => packagesAreCurrent() && existsSync(at('node_modules', '.bin', 'node')) && (!withConsole || consoleIsCurrent())
if (!ready()) {
  oneAtATime(() => {
    if (!packagesAreCurrent()) installPackages()
    provideNode()
    if (withConsole && !consoleIsCurrent()) buildConsole()
  })
}
if (process.argv.includes('--browser')) provideChromium()
