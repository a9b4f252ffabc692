import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { z } from 'zod'
import type { connectionsFileSchema } from './configuration-schema.ts'
import type { Environment } from './configured-connection.ts'
import { parseDuration } from './domain/duration.ts'
import { Secrets } from './secrets.ts'

/** Someone outside who raises the alarm when we no longer report (healthchecks.io and the like). */
export interface ConfiguredOutsideCheck {
  /** Its secret `url` is the address, which whoever knows it may ping. */
  readonly secrets: Secrets
  readonly everyMs: number
  /** Added to the path while something stands still; null: then nothing is sent. */
  readonly failPath: string | null
}

type DeadMan = NonNullable<z.output<typeof connectionsFileSchema>['dead_man']>

/** `dead_man` of connections.yaml. Without its address it is left out, with a notice. */
export async function readOutsideCheck(
  root: string,
  deadMan: DeadMan | undefined,
  environment: Environment,
  notices: string[],
): Promise<ConfiguredOutsideCheck | null> {
  if (deadMan === undefined) return null
  const { url: from } = deadMan
  const value =
    'env' in from
      ? environment[from.env]?.trim()
      : await readFile(isAbsolute(from.file) ? from.file : join(root, from.file), 'utf8').then(
          (text) => text.trim(),
          () => '',
        )
  if (!value) {
    notices.push(
      `Nobody outside is told that Throughline runs, the rest goes on: ${'env' in from ? `set the environment variable ${from.env}` : `the file ${from.file} is empty or cannot be read`} to the address of dead_man, then start again.`,
    )
    return null
  }
  return {
    secrets: new Secrets(new Map([['url', value]])),
    everyMs: deadMan.every === undefined ? 60_000 : Math.max(1000, parseDuration(deadMan.every) ?? 60_000),
    failPath: deadMan.fail_path ?? null,
  }
}
