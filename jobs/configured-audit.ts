import { readFile, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { z } from 'zod'
import { parseFile, readSource } from './configuration-files.ts'
import type { Environment } from './configured-connection.ts'
import { checkToolUrl, parseAllowList } from './connectors/guard.ts'
import { durationMeaning, durationPattern, explainDuration, parseDuration } from './domain/duration.ts'
import { AppError } from './domain/errors.ts'
import type { Problem } from './domain/yaml-source.ts'
import { Secrets } from './secrets.ts'

export const auditFile = 'audit.yaml'

const secret = z
  .union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })])
  .describe('where the secret is kept, never the secret itself: { env: NAME_OF_VARIABLE } or { file: path/to/file }')

export const auditFileSchema = z
  .strictObject({
    every: z
      .string()
      .regex(durationPattern, { error: (issue) => explainDuration(String(issue.input)) })
      .optional()
      .describe(`how long a new entry may wait for its checkpoint, ${durationMeaning}`),
    every_entries: z
      .number()
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .describe('how many new entries make a checkpoint at once, such as 1000'),
    file: z
      .string()
      .min(1)
      .optional()
      .describe('the file that checkpoints are appended to, best on another disk, such as /mnt/evidence/throughline.jsonl'),
    webhooks: z
      .record(
        z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/),
        z
          .strictObject({ url: z.string().describe('an https address'), secret })
          .describe('a webhook: { url: https://…, secret: { env: NAME } }'),
      )
      .optional()
      .describe('a name for each address that checkpoints are posted to, with its signing secret'),
  })
  .describe('the keys every, every_entries, file and webhooks')

/** Where the checkpoints of the audit chain are written outside the database. */
export interface ConfiguredAudit {
  readonly everyMs: number
  readonly everyEntries: number
  /** Null: beside the database's data (jobs/audit/checkpoint-file.ts). */
  readonly file: string | null
  /** Each with its secret `secret`. */
  readonly webhooks: readonly { readonly name: string; readonly url: string; readonly secrets: Secrets }[]
}

export const defaultAudit: ConfiguredAudit = { everyMs: 3_600_000, everyEntries: 1000, file: null, webhooks: [] }

/** audit.yaml, where there is one. A webhook that lacks its secret is left out, with a notice. */
export async function readAudit(
  root: string,
  known: { readonly environment: Environment; readonly egressAllow: readonly string[] },
  problems: Problem[],
  notices: string[],
): Promise<ConfiguredAudit> {
  if (!(await stat(join(root, auditFile)).catch(() => null))) return defaultAudit
  const source = await readSource(root, auditFile, 'every, every_entries, file, webhooks', problems)
  const file = source && parseFile(source, auditFileSchema, problems, false)
  if (!source || !file) return defaultAudit
  const webhooks: ConfiguredAudit['webhooks'][number][] = []
  for (const [name, { url, secret: from }] of Object.entries(file.webhooks ?? {})) {
    const why = whyRefused(url, known.egressAllow)
    if (why !== null) problems.push(source.problem(['webhooks', name, 'url'], `this address ${why}`))
    const value =
      'env' in from
        ? known.environment[from.env]?.trim()
        : await readFile(isAbsolute(from.file) ? from.file : join(root, from.file), 'utf8').then(
            (text) => text.trim(),
            () => '',
          )
    if (value) webhooks.push({ name, url, secrets: new Secrets(new Map([['secret', value]])) })
    else
      notices.push(
        `The webhook "${name}" of ${auditFile} is left out, the rest goes on: ${'env' in from ? `set the environment variable ${from.env}` : `its file ${from.file} is empty or cannot be read`}, then start again.`,
      )
  }
  return {
    everyMs: file.every === undefined ? defaultAudit.everyMs : Math.max(1000, parseDuration(file.every) ?? defaultAudit.everyMs),
    everyEntries: file.every_entries ?? defaultAudit.everyEntries,
    file: file.file === undefined ? null : isAbsolute(file.file) ? file.file : join(root, file.file),
    webhooks,
  }
}

function whyRefused(url: string, egressAllow: readonly string[]): string | null {
  try {
    const verdict = checkToolUrl(url, parseAllowList(egressAllow))
    return verdict.ok ? null : verdict.why
  } catch (error) {
    // A mistake of egress.allow is told where it stands.
    if (error instanceof AppError) return null
    throw error
  }
}
