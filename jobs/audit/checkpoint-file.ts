import { mkdir, open, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../domain/errors.ts'

/** One line of the file and the body of the webhook. Times are wall times, ISO 8601. */
const checkpointSchema = z.object({
  type: z.literal('audit.checkpoint'),
  workspace: z.string(),
  seq: z.number().int().min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  sealedAt: z.string(),
  writtenAt: z.string(),
})
export type WrittenCheckpoint = z.output<typeof checkpointSchema>

/** Where checkpoints go that no audit.yaml sends elsewhere: in the data folder, a file per database. */
export function defaultCheckpointFile(dataDir: string, ownerUrl: string): string {
  const name = decodeURIComponent(new URL(ownerUrl).pathname.slice(1)).replace(/[^\w-]/g, '_')
  return join(dataDir, 'audit', `${name || 'default'}.checkpoints.jsonl`)
}

/** On disk when it returns. @throws the file system's error. */
export async function appendCheckpoint(path: string, checkpoint: WrittenCheckpoint): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const file = await open(path, 'a', 0o600)
  try {
    await file.write(`${JSON.stringify(checkpoint)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
}

/**
 * Every checkpoint of this workspace in a file: a line each, or the body of one webhook. Undefined: there is no such file.
 * A last line that was cut off in the middle of writing counts for nothing; any other that cannot be read is an error.
 */
export async function readCheckpointFile(path: string, workspace: string): Promise<WrittenCheckpoint[] | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new AppError('invalid_input', `The checkpoints ${path} cannot be read (${error.code}).`, { cause: error })
  })
  if (text === undefined) return undefined
  const whole = parse(text)
  const lines = whole === undefined ? text.split('\n').filter((line) => line.trim() !== '') : []
  const isCut = !text.endsWith('\n')
  const read = whole === undefined ? lines.map(parse) : [whole]
  const wrong = read.findIndex((one, i) => one === undefined && !(isCut && i === read.length - 1))
  if (wrong !== -1) throw new AppError('invalid_input', `Line ${wrong + 1} of the checkpoints ${path} is none. Was the file edited?`)
  return read.filter((one) => one !== undefined).filter((one) => one.workspace === workspace)
}

function parse(text: string): WrittenCheckpoint | undefined {
  try {
    return checkpointSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
