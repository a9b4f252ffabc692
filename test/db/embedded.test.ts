import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { openDatabase } from '../../db/client.ts'
import type { EmbeddedDatabase } from '../../db/embedded.ts'
import { startEmbedded } from '../../db/embedded.ts'
import { migrate } from '../../db/migrate.ts'
import { isRunning, withProcessLock } from '../../db/process-lock.ts'
import { postmasterOf } from '../support/cluster.ts'

const home = await mkdtemp(join(tmpdir(), 'throughline embedded '))
await chmod(home, 0o711)
const script = fileURLToPath(new URL('../support/database-process.ts', import.meta.url))
const children: ChildProcess[] = []
let folders = 0
const freshFolder = () => join(home, `data ${folders++}`)

afterAll(async () => {
  for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  for (let n = 0; n < folders; n++) {
    const pidFile = join(home, `data ${n}`, 'postgres', 'postmaster.pid')
    if (existsSync(pidFile)) process.kill(postmasterOf(join(home, `data ${n}`)), 'SIGQUIT')
  }
  await rm(home, { recursive: true, force: true })
})

async function startUser(dataDir: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [script, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, url: line.toString().trim() }
}

async function ask<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return await work(sql)
  } finally {
    await sql.end()
  }
}

const isGone = (pid: number) => vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: 10_000 })

describe('the embedded PostgreSQL', () => {
  it('keeps its data between starts, with a password only its owner can read', async () => {
    const dataDir = freshFolder()
    const first = await startEmbedded({ dataDir })
    await ask(first.url(), (sql) => sql`create table kept as select 42 as n`)
    const pid = postmasterOf(dataDir)
    await first.stop()
    await isGone(pid)
    const second = await startEmbedded({ dataDir })
    expect(await ask(second.url(), (sql) => sql`select n from kept`)).toEqual([{ n: 42 }])
    expect(statSync(join(dataDir, 'postgres-password')).mode & 0o777).toBe(0o600)
    const [auth] = await ask(second.url(), (sql) => sql`select rolpassword from pg_authid where rolname = 'throughline'`)
    expect(auth?.rolpassword).toMatch(/^SCRAM-SHA-256/)
    await second.stop()
  })

  it('is shared by the processes of one folder, outlives each of them, and stops with the last', async () => {
    const dataDir = freshFolder()
    const [first, second] = await Promise.all([startUser(dataDir), startUser(dataDir)])
    expect(first.url).toBe(second.url)
    const pid = postmasterOf(dataDir)
    first.child.kill('SIGKILL')
    await once(first.child, 'exit')
    expect(await ask(second.url, (sql) => sql`select 1 as one`)).toEqual([{ one: 1 }])
    second.child.kill('SIGTERM')
    await once(second.child, 'exit')
    await isGone(pid)
  })

  it('adopts the one that a killed process left behind', async () => {
    const dataDir = freshFolder()
    const killed = await startUser(dataDir)
    const pid = postmasterOf(dataDir)
    killed.child.kill('SIGKILL')
    await once(killed.child, 'exit')
    const next = await startEmbedded({ dataDir })
    expect(postmasterOf(dataDir)).toBe(pid)
    await next.stop()
    await isGone(pid)
  })

  it('recovers what was committed when PostgreSQL itself is killed', async () => {
    const dataDir = freshFolder()
    const first = await startEmbedded({ dataDir })
    await ask(first.url(), (sql) => sql`create table committed as select generate_series(1, 1000) as n`)
    const pid = postmasterOf(dataDir)
    process.kill(pid, 'SIGKILL')
    await isGone(pid)
    const second = await startEmbedded({ dataDir })
    expect(await ask(second.url(), (sql) => sql`select count(*)::int as rows from committed`)).toEqual([{ rows: 1000 }])
    await first.stop()
    await second.stop()
  })

  it('starts beside a pid file whose number belongs to another program now', async () => {
    const dataDir = freshFolder()
    await (await startEmbedded({ dataDir })).stop()
    await writeFile(join(dataDir, 'postgres', 'postmaster.pid'), `${process.ppid}\n${dataDir}\n1\n5432\n\n127.0.0.1\n`)
    const next = await startEmbedded({ dataDir })
    expect(await ask(next.url(), (sql) => sql`select 1 as one`)).toEqual([{ one: 1 }])
    await next.stop()
  })

  it('moves to another port when somebody has taken its own', async () => {
    const dataDir = freshFolder()
    const first = await startEmbedded({ dataDir })
    const port = Number(new URL(first.url()).port)
    await first.stop()
    const taken = createServer().listen(port, '127.0.0.1')
    await once(taken, 'listening')
    let second: EmbeddedDatabase | undefined
    try {
      second = await startEmbedded({ dataDir })
      expect(new URL(second.url()).port).not.toBe(String(port))
    } finally {
      await second?.stop()
      taken.close()
    }
  })

  it('says what to do when the password file is missing', async () => {
    const dataDir = freshFolder()
    await (await startEmbedded({ dataDir })).stop()
    await rm(join(dataDir, 'postgres-password'))
    await expect(startEmbedded({ dataDir })).rejects.toThrow(/postgres-password is missing.*Put it back/)
  })

  it('says which folder cannot be made', async () => {
    await writeFile(join(home, 'file'), '')
    const dataDir = join(home, 'file', 'data')
    await expect(startEmbedded({ dataDir })).rejects.toThrow(/data folder .*file\/data cannot be made \(ENOTDIR\).*THROUGHLINE_DATA_DIR/)
  })

  it('writes no statement and no value to its log', async () => {
    const dataDir = freshFolder()
    const database = await startEmbedded({ dataDir })
    await ask(database.url(), async (sql) => {
      await sql`create table people (name text primary key)`
      await sql`insert into people values ('canary-jane')`
      await expect(sql`insert into people values ('canary-jane')`).rejects.toThrow(/duplicate key/)
    })
    await database.stop()
    const log = await readFile(join(dataDir, 'postgres', 'throughline.log'), 'utf8')
    expect(log).toContain('duplicate key')
    expect(log).not.toContain('canary')
  })
})

describe('a data folder that the database user cannot enter', () => {
  it('holds a link to a cluster that stands elsewhere, when root has locked it; an ordinary user has it in place', async () => {
    const dataDir = freshFolder()
    await mkdir(dataDir, { mode: 0o700 })
    const database = await startEmbedded({ dataDir })
    expect(await ask(database.url(), (sql) => sql`select 1 as one`)).toEqual([{ one: 1 }])
    await database.stop()
    const link = await readlink(join(dataDir, 'postgres')).catch(() => null)
    expect(link === null).toBe(process.getuid?.() !== 0)
    if (link !== null) expect(statSync(link).mode & 0o777).toBe(0o700)
    await (await startEmbedded({ dataDir })).destroy()
    expect(existsSync(link ?? join(dataDir, 'postgres'))).toBe(false)
  })
})

describe('a PostgreSQL of the user’s own', () => {
  it('is brought up to date and opened by an owner who is no superuser but may create roles', async () => {
    const dataDir = freshFolder()
    const server = await startEmbedded({ dataDir })
    await ask(server.url(), async (sql) => {
      await sql`create role plain login createrole password 'secret'`
      await sql`create database theirs owner plain`
    })
    const url = new URL(server.url('theirs'))
    url.username = 'plain'
    url.password = 'secret'
    await migrate(url.href)
    await ask(url.href, (sql) => sql`insert into workspaces (key, title) values ('a', 'A')`)
    const database = openDatabase(url.href, { workspaceId: 1 })
    expect(await database.sql`select current_user::text as "user", (select count(*)::int from findings) as findings`).toEqual([
      { user: 'throughline_app', findings: 0 },
    ])
    await database.close()
    await server.stop()
  })
})

describe('the process lock', () => {
  it('is taken over from a dead process and names the living one that holds it', async () => {
    const path = join(home, 'lock')
    await writeFile(path, '999999999 0 left-behind')
    expect(await withProcessLock(path, 1000, async () => 'mine')).toBe('mine')
    await withProcessLock(path, 1000, async () => {
      await expect(withProcessLock(path, 100, async () => {})).rejects.toThrow(
        new RegExp(`Process ${process.pid} has been starting or stopping`),
      )
    })
  })
})
