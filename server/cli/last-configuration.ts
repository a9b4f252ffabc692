import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

const shape = z.object({
  /** Null: the demo. */
  directory: z.string().nullable(),
  /** The clock it was last judged at, epoch ms; null: the running clock. */
  now: z.number().nullable(),
})
export type LastConfiguration = z.output<typeof shape>

const fileIn = (dataDir: string) => join(dataDir, 'last-configuration.json')

/** What was opened last in this data folder: what `findings` and `journey` mean when nothing else is said. */
export async function readLastConfiguration(dataDir: string): Promise<LastConfiguration> {
  const text = await readFile(fileIn(dataDir), 'utf8').catch(() => null)
  const parsed = text === null ? null : shape.safeParse(parseJson(text))
  return parsed?.success ? parsed.data : { directory: null, now: null }
}

export async function writeLastConfiguration(dataDir: string, last: LastConfiguration): Promise<void> {
  await mkdir(dataDir, { recursive: true })
  await writeFile(fileIn(dataDir), `${JSON.stringify(last)}\n`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
