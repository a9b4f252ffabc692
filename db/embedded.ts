import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import type { RunAs } from './embedded-files.ts'
import { clusterFolder, clusterPassword, databaseUser, own, usableBinaries, writeOwned } from './embedded-files.ts'
import { isRunning, withProcessLock } from './process-lock.ts'
import { StorageError } from './storage-error.ts'

const database = 'throughline'
const lease = 'throughline-lease'
const lockWaitMs = 60_000

export interface EmbeddedOptions {
  /** Our data folder; made when missing. The cluster stands in `postgres` below it. */
  readonly dataDir: string
  /** False for tests only: nothing is flushed to disk. */
  readonly durable?: boolean
}

export interface EmbeddedDatabase {
  /** The owner's connection URL of the `throughline` database; give a name for another database of the cluster. */
  url(name?: string): string
  /** Ends this process's use. The last process to leave stops PostgreSQL. */
  stop(): Promise<void>
  /** Stops and deletes the cluster, wherever it stands, and its password: for databases of a test or a trial. */
  destroy(): Promise<void>
}

interface Cluster {
  readonly folder: string
  readonly bin: string
  readonly runAs: RunAs
  readonly password: string
  readonly durable: boolean
}

/**
 * The PostgreSQL that comes with npm install. The first process that asks starts it, later ones and those after a crash adopt the one
 * that runs; it is nobody's child, so killing any of them leaves the others their database.
 */
export async function startEmbedded({ dataDir, durable = true }: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const home = resolve(dataDir)
  const runAs = databaseUser()
  const made = await mkdir(home, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new StorageError(
      'invalid_configuration',
      `The data folder ${home} cannot be made (${error.code}). Set THROUGHLINE_DATA_DIR to a folder you can write.`,
      { cause: error },
    )
  })
  if (made !== undefined) await chmod(home, runAs ? 0o711 : 0o700)
  const lock = join(home, 'postgres.lock')

  const { cluster, port, client } = await withProcessLock(lock, lockWaitMs, async () => {
    const folder = await clusterFolder(home, runAs)
    const bin = await usableBinaries(home, runAs)
    const cluster: Cluster = { folder, bin, runAs, durable, password: await clusterPassword(home, existsSync(folder)) }
    if (!existsSync(folder)) await initialise(cluster)
    const port = (await adopt(cluster)) ?? (await launch(cluster))
    const client = connect(cluster, port)
    await client`select 1`
    return { cluster, port, client }
  })

  let stopped: Promise<void> | undefined
  const leave = () =>
    withProcessLock(lock, lockWaitMs, async () => {
      const [row] = await client<{ others: number }[]>`
        select count(*)::int as others from pg_stat_activity where application_name = ${lease} and pid <> pg_backend_pid()`.catch(() => [
        { others: 0 },
      ])
      await client.end({ timeout: 1 }).catch(() => {})
      if (row?.others === 0 && postmasterPid(cluster.folder) !== null)
        await pgCtl(cluster, ['stop', '-m', durable ? 'fast' : 'immediate', '-w', '-t', '60'])
    })
  const stop = () => {
    stopped ??= leave()
    return stopped
  }
  return {
    url: (name = database) => urlOf(cluster, port, name),
    stop,
    destroy: async () => {
      await stop()
      for (const path of [cluster.folder, join(home, 'postgres'), join(home, 'postgres-password')])
        await rm(path, { recursive: true, force: true })
    },
  }
}

function urlOf(cluster: Cluster, port: number, name: string): string {
  return `postgres://throughline:${cluster.password}@127.0.0.1:${port}/${name}`
}

function connect(cluster: Cluster, port: number) {
  return postgres(urlOf(cluster, port, database), {
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: 5,
    connection: { application_name: lease },
    onnotice: () => {},
  })
}

async function initialise(cluster: Cluster): Promise<void> {
  const partial = `${cluster.folder}.new`
  await rm(partial, { recursive: true, force: true })
  await mkdir(partial, { recursive: true, mode: 0o700 })
  await own(partial, cluster.runAs)
  const secret = await mkdtemp(join(tmpdir(), 'throughline-'))
  try {
    await own(secret, cluster.runAs)
    await writeOwned(join(secret, 'password'), cluster.password, cluster.runAs)
    const flags = [
      '--username=throughline',
      '--auth=scram-sha-256',
      `--pwfile=${join(secret, 'password')}`,
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
    ]
    const { status, output } = await run(cluster, 'initdb', [
      `--pgdata=${partial}`,
      ...flags,
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
      ...(cluster.durable ? [] : ['--no-sync']),
    ])
    if (status !== 0)
      throw new StorageError('unavailable', `PostgreSQL could not make its database in ${cluster.folder}: ${lastLine(output)}`)
  } finally {
    await rm(secret, { recursive: true, force: true })
  }
  await writeOwned(join(partial, 'postgresql.conf'), "include = 'throughline.conf'\n", cluster.runAs)
  await rename(partial, cluster.folder)
}

/** The port of the PostgreSQL that already serves this folder, or null when none does. One that does not answer is stopped. */
async function adopt(cluster: Cluster): Promise<number | null> {
  const pid = postmasterPid(cluster.folder)
  if (pid === null) return null
  const port = Number(readFileSync(join(cluster.folder, 'postmaster.pid'), 'utf8').split('\n')[3])
  for (const until = Date.now() + 15_000; Date.now() < until && postmasterPid(cluster.folder) === pid; await delay(100)) {
    const client = connect(cluster, port)
    try {
      await client`select 1`
      return port
    } catch (error) {
      const code = (error as { code?: string }).code
      if (code === '28P01') {
        throw new StorageError(
          'invalid_configuration',
          `The database in ${cluster.folder} refuses the password kept beside it. Put the postgres-password file it was made with back.`,
        )
      }
      if (code === '3D000') {
        await makeDatabase(cluster, port)
        return port
      }
    } finally {
      await client.end({ timeout: 1 }).catch(() => {})
    }
  }
  if (postmasterPid(cluster.folder) !== null) await pgCtl(cluster, ['stop', '-m', 'immediate', '-w', '-t', '30'])
  return null
}

/** The living postmaster of a cluster. A pid file left by a crash, whose number may belong to someone else by now, counts as none. */
function postmasterPid(folder: string): number | null {
  const pid = Number(readIfThere(join(folder, 'postmaster.pid')).split('\n')[0])
  if (!pid || !isRunning(pid)) return null
  const command = readIfThere(`/proc/${pid}/cmdline`)
  return command === '' || command.includes('postgres') ? pid : null
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

async function launch(cluster: Cluster): Promise<number> {
  await rm(join(cluster.folder, 'postmaster.pid'), { force: true })
  const log = join(cluster.folder, 'throughline.log')
  if ((await stat(log).catch(() => null))?.size ?? 0 > 10_000_000) await rename(log, `${log}.1`)
  let output = ''
  for (let attempt = 0; attempt < 5; attempt++) {
    const port = await freePort(attempt === 0 ? lastPort(cluster) : 0)
    await writeOwned(join(cluster.folder, 'throughline.conf'), await settings(cluster, port), cluster.runAs)
    const from = (await stat(log).catch(() => null))?.size ?? 0
    if ((await pgCtl(cluster, ['start', '-w', '-t', '120', '-l', log])) === 0) {
      await makeDatabase(cluster, port)
      return port
    }
    output = (await readFile(log, 'utf8').catch(() => '')).slice(from)
    if (!/in use|could not create any TCP/i.test(output)) break
    await delay(200)
  }
  throw new StorageError('unavailable', `PostgreSQL did not start in ${cluster.folder}: ${lastLine(output)} Its log is ${log}.`)
}

function lastPort(cluster: Cluster): number {
  return Number(/^port = (\d+)$/m.exec(readIfThere(join(cluster.folder, 'throughline.conf')))?.[1] ?? 0)
}

function freePort(wanted: number): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.once('error', () =>
      wanted === 0 ? fail(new StorageError('unavailable', 'No free port on 127.0.0.1 for PostgreSQL.')) : done(freePort(0)),
    )
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => done(port))
    })
  })
}

/** A sixteenth of the memory, between 128 MB and 1 GB: the keys of a million records are looked up and written at random. */
function bufferMegabytes(): number {
  return Math.max(128, Math.min(1024, Math.floor(totalmem() / 16 / 1_048_576)))
}

async function settings(cluster: Cluster, port: number): Promise<string> {
  const shm = process.platform === 'linux' ? await statfs('/dev/shm').catch(() => null) : null
  // Containers often give /dev/shm 64 MB, less than one parallel query may ask for.
  const smallShm = shm !== null && shm.blocks * shm.bsize < 512 * 1024 * 1024
  const lines = [
    "listen_addresses = '127.0.0.1'",
    "unix_socket_directories = ''",
    `port = ${port}`,
    'max_connections = 200',
    "password_encryption = 'scram-sha-256'",
    `shared_buffers = '${cluster.durable ? bufferMegabytes() : 128}MB'`,
    "max_wal_size = '4GB'",
    "checkpoint_timeout = '15min'",
    'jit = off',
    "timezone = 'UTC'",
    "log_timezone = 'UTC'",
    // No statement, parameter or row value may reach the log.
    "log_min_messages = 'warning'",
    "log_min_error_statement = 'panic'",
    "log_error_verbosity = 'terse'",
    'log_parameter_max_length = 0',
    ...(smallShm ? ["dynamic_shared_memory_type = 'sysv'"] : []),
    ...(cluster.durable ? [] : ['fsync = off', 'synchronous_commit = off', 'full_page_writes = off', 'autovacuum_naptime = 10min']),
  ]
  return `${lines.join('\n')}\n`
}

async function makeDatabase(cluster: Cluster, port: number): Promise<void> {
  const admin = postgres(urlOf(cluster, port, 'postgres'), { max: 1, connect_timeout: 5, onnotice: () => {} })
  try {
    const there = await admin`select from pg_database where datname = ${database}`
    if (there.length === 0) await admin`create database ${admin(database)}`
  } finally {
    await admin.end({ timeout: 1 })
  }
}

async function pgCtl(cluster: Cluster, args: string[]): Promise<number> {
  return (await run(cluster, 'pg_ctl', ['-D', cluster.folder, ...args])).status
}

function run(cluster: Cluster, program: string, args: readonly string[]): Promise<{ status: number; output: string }> {
  return new Promise((done, fail) => {
    const env = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }
    const child = spawn(join(cluster.bin, program), args, { ...cluster.runAs, cwd: '/', env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.once('error', fail)
    // Not `close`: a started postmaster inherits the pipes and keeps them open.
    child.once('exit', (code) => {
      child.stdout.destroy()
      child.stderr.destroy()
      done({ status: code ?? 1, output })
    })
  })
}

function lastLine(output: string): string {
  return (
    output
      .trim()
      .split('\n')
      .findLast((line) => /FATAL|PANIC|ERROR|error:/.test(line)) ??
    output.trim().split('\n').at(-1) ??
    ''
  )
}
