import { readFile, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { z } from 'zod'
import type { Environment } from './configured-connection.ts'
import { parseFile, readSource } from './configuration-files.ts'
import { checkToolUrl, parseAllowList } from './connectors/guard.ts'
import { didYouMean } from './domain/closest-word.ts'
import { AppError } from './domain/errors.ts'
import { minutesOf } from './domain/report/report-day.ts'
import type { Problem, YamlSource } from './domain/yaml-source.ts'
import { Secrets } from './secrets.ts'

export const reportsFile = 'reports.yaml'

const secret = z
  .union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })])
  .describe('where the secret is kept, never the secret itself: { env: NAME_OF_VARIABLE } or { file: path/to/file }')
const address = z
  .string()
  .max(254)
  .regex(/^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/, { error: () => 'expected an e-mail address' })
  .describe('an e-mail address')

export const reportsFileSchema = z
  .strictObject({
    at: z
      .string()
      .refine((text) => minutesOf(text) !== null, { error: () => 'expected a time of the day such as "00:15", in quotes' })
      .optional()
      .describe('when the day before is closed, in the zone of the workspace, such as "00:15"'),
    console_url: z
      .string()
      .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), {
        error: () => 'expected an http or https address',
      })
      .optional()
      .describe('where people open the console, for the links of a mail'),
    mail: z
      .strictObject({
        smtp: secret.describe('where the address of the mail server is kept, as smtps://user:password@host:465: { env: SMTP_URL }'),
        from: address,
        to: z
          .record(z.string(), z.union([address, z.array(address).min(1).max(20)]))
          .describe('the addresses of each owner: { billing: [lead@example.org] }'),
      })
      .optional()
      .describe('a mail for each owner with something open: { smtp: { env: SMTP_URL }, from: …, to: {…} }'),
    webhooks: z
      .record(
        z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/),
        z
          .strictObject({ url: z.string().describe('an https address'), secret })
          .describe('a webhook: { url: https://…, secret: { env: NAME } }'),
      )
      .optional()
      .describe('a name for each address the report is posted to, with its signing secret'),
  })
  .describe('the keys at, console_url, mail and webhooks')

export interface ConfiguredReports {
  /** Minutes after midnight, in the workspace's zone, at which the day before is closed. */
  readonly atMinutes: number
  readonly consoleUrl: string | null
  readonly mail: {
    /** Its secret `smtp` is a URL. */
    readonly secrets: Secrets
    readonly from: string
    readonly to: ReadonlyMap<string, readonly string[]>
  } | null
  /** Each with its secret `secret`. */
  readonly webhooks: readonly { readonly name: string; readonly url: string; readonly secrets: Secrets }[]
}

export const defaultReports: ConfiguredReports = { atMinutes: 15, consoleUrl: null, mail: null, webhooks: [] }

/** reports.yaml, where there is one. What lacks its secret is left out, with a notice. */
export async function readReports(
  root: string,
  known: { readonly environment: Environment; readonly ownerKeys: ReadonlySet<string>; readonly egressAllow: readonly string[] },
  problems: Problem[],
  notices: string[],
): Promise<ConfiguredReports> {
  if (!(await stat(join(root, reportsFile)).catch(() => null))) return defaultReports
  const source = await readSource(root, reportsFile, 'at, mail, webhooks', problems)
  const file = source && parseFile(source, reportsFileSchema, problems, false)
  if (!source || !file) return defaultReports
  for (const owner of Object.keys(file.mail?.to ?? {})) {
    if (!known.ownerKeys.has(owner))
      problems.push(
        source.problem(
          ['mail', 'to', owner],
          `there is no owner "${owner}" in owners.yaml. ${didYouMean(owner, known.ownerKeys)}`.trim(),
          'key',
        ),
      )
  }
  for (const [name, { url }] of Object.entries(file.webhooks ?? {})) refuseUnsafe(source, name, url, known.egressAllow, problems)
  const secretsOf = async (what: string, name: string, from: z.output<typeof secret>): Promise<Secrets | null> => {
    const value = 'env' in from ? known.environment[from.env]?.trim() : await readText(root, from.file)
    if (value) return new Secrets(new Map([[name, value]]))
    notices.push(
      `${what} is left out, the rest goes on: ${'env' in from ? `set the environment variable ${from.env}` : `its file ${from.file} is empty or cannot be read`}, then start again.`,
    )
    return null
  }
  const smtp = file.mail && (await secretsOf('The mail of reports.yaml', 'smtp', file.mail.smtp))
  const webhooks = await Promise.all(
    Object.entries(file.webhooks ?? {}).map(async ([name, webhook]) => {
      const secrets = await secretsOf(`The webhook "${name}" of reports.yaml`, 'secret', webhook.secret)
      return secrets === null ? [] : [{ name, url: webhook.url, secrets }]
    }),
  )
  return {
    atMinutes: file.at === undefined ? defaultReports.atMinutes : (minutesOf(file.at) ?? defaultReports.atMinutes),
    consoleUrl: file.console_url?.replace(/\/+$/, '') ?? null,
    mail:
      file.mail && smtp
        ? { secrets: smtp, from: file.mail.from, to: new Map(Object.entries(file.mail.to).map(([owner, to]) => [owner, [to].flat()])) }
        : null,
    webhooks: webhooks.flat(),
  }
}

function refuseUnsafe(source: YamlSource, name: string, url: string, egressAllow: readonly string[], problems: Problem[]): void {
  try {
    const verdict = checkToolUrl(url, parseAllowList(egressAllow))
    if (!verdict.ok) problems.push(source.problem(['webhooks', name, 'url'], `this address ${verdict.why}`))
  } catch (error) {
    // A mistake of egress.allow is told where it stands.
    if (!(error instanceof AppError)) throw error
  }
}

async function readText(root: string, file: string): Promise<string | null> {
  return readFile(isAbsolute(file) ? file : join(root, file), 'utf8').then(
    (text) => text.trim(),
    () => null,
  )
}
