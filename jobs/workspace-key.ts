import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { AppError } from './domain/errors.ts'

const keyFile = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('generated'), version: z.literal(1), key: z.string() }),
  z.object({ kind: z.literal('wrapped'), version: z.literal(1), nonce: z.string(), wrapped: z.string(), tag: z.string() }),
])
type KeyFile = z.infer<typeof keyFile>

const associated = Buffer.from('throughline workspace key v1')
const makeOne = 'Make one with: openssl rand -hex 32'

export interface WorkspaceKeyPlace {
  readonly dataDir: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * The key under which every identifier of this workspace is hashed: 32 random bytes, made at the first start and kept in
 * `<dataDir>/workspace.key` (0600). With THROUGHLINE_MASTER_KEY or THROUGHLINE_MASTER_KEY_FILE it is stored wrapped (AES-256-GCM);
 * without, as it is, and the data folder must be guarded. Losing it means reading every tool again under a new one.
 * @throws AppError invalid_configuration when it cannot be opened with the master key given.
 */
export async function loadWorkspaceKey({ dataDir, env }: WorkspaceKeyPlace): Promise<Buffer> {
  const path = join(dataDir, 'workspace.key')
  const masterKey = await readMasterKey(env)
  const stored = await readKeyFile(path)
  if (stored) {
    const key = open(stored, masterKey, path)
    if (stored.kind === 'generated' && masterKey) await replaceKeyFile(path, wrap(key, masterKey))
    return key
  }

  const key = randomBytes(32)
  await mkdir(dataDir, { recursive: true })
  const file: KeyFile = masterKey ? wrap(key, masterKey) : { kind: 'generated', version: 1, key: key.toString('base64') }
  if (await createKeyFile(path, file)) return key
  const first = await readKeyFile(path)
  if (!first) throw new AppError('invalid_configuration', `The workspace key ${path} vanished while it was being read. Start again.`)
  return open(first, masterKey, path)
}

/** Two processes may start at once: the file appears whole, and the second one takes the first one's. */
async function createKeyFile(path: string, file: KeyFile): Promise<boolean> {
  const draft = await writeDraft(path, file)
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  } finally {
    await unlink(draft)
  }
}

async function replaceKeyFile(path: string, file: KeyFile): Promise<void> {
  await rename(await writeDraft(path, file), path)
}

async function writeDraft(path: string, file: KeyFile): Promise<string> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  await writeFile(draft, `${JSON.stringify(file)}\n`, { mode: 0o600, flag: 'wx' })
  return draft
}

async function readKeyFile(path: string): Promise<KeyFile | null> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw new AppError('invalid_configuration', `The workspace key ${path} cannot be read. Give this user read access to it.`, {
      cause: error,
    })
  }
  try {
    return keyFile.parse(JSON.parse(text))
  } catch {
    throw new AppError(
      'invalid_configuration',
      `The workspace key ${path} is damaged. Restore it from a backup; a new one would orphan every identifier stored.`,
    )
  }
}

async function readMasterKey(env: WorkspaceKeyPlace['env']): Promise<Buffer | null> {
  const direct = env.THROUGHLINE_MASTER_KEY?.trim() || null
  const file = env.THROUGHLINE_MASTER_KEY_FILE?.trim() || null
  if (direct && file)
    throw new AppError('invalid_configuration', 'Both THROUGHLINE_MASTER_KEY and THROUGHLINE_MASTER_KEY_FILE are set. Keep one.')
  if (direct) return decodeMasterKey(direct, 'THROUGHLINE_MASTER_KEY')
  if (!file) return null
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new AppError(
      'invalid_configuration',
      `The master key file ${file} (THROUGHLINE_MASTER_KEY_FILE) cannot be read. ${makeOne} > ${file}`,
      { cause: error },
    )
  }
  return decodeMasterKey(text.trim(), file)
}

function decodeMasterKey(text: string, from: string): Buffer {
  const bytes = Buffer.from(text, /^[0-9a-f]{64}$/i.test(text) ? 'hex' : 'base64')
  if (bytes.length !== 32)
    throw new AppError('invalid_configuration', `The master key in ${from} is not 32 bytes as hex or base64. ${makeOne}`)
  return bytes
}

function wrap(key: Buffer, masterKey: Buffer): KeyFile {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', masterKey, nonce).setAAD(associated)
  const wrapped = Buffer.concat([cipher.update(key), cipher.final()])
  return {
    kind: 'wrapped',
    version: 1,
    nonce: nonce.toString('base64'),
    wrapped: wrapped.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
  }
}

function open(file: KeyFile, masterKey: Buffer | null, path: string): Buffer {
  if (file.kind === 'generated') return Buffer.from(file.key, 'base64')
  if (!masterKey) {
    throw new AppError(
      'invalid_configuration',
      `The workspace key ${path} is wrapped, and no master key was given. Set THROUGHLINE_MASTER_KEY or THROUGHLINE_MASTER_KEY_FILE.`,
    )
  }
  try {
    const decipher = createDecipheriv('aes-256-gcm', masterKey, Buffer.from(file.nonce, 'base64')).setAAD(associated)
    decipher.setAuthTag(Buffer.from(file.tag, 'base64'))
    return Buffer.concat([decipher.update(Buffer.from(file.wrapped, 'base64')), decipher.final()])
  } catch {
    const print = hash('sha256', masterKey, 'hex').slice(0, 8)
    throw new AppError(
      'invalid_configuration',
      `The master key given (fingerprint ${print}) does not open the workspace key ${path}. Give the one it was wrapped with.`,
    )
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
