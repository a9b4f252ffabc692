import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { didYouMean } from '../jobs/domain/closest-word.ts'
import { AppError } from '../jobs/domain/errors.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Beside the code, whatever folder a command is run from: a start and a `findings` elsewhere mean the same record. */
const defaultDataDir = join(import.meta.dirname, '..', '.throughline')

const schema = z.object({
  THROUGHLINE_HOST: z.string().default('127.0.0.1'),
  THROUGHLINE_PORT: z.coerce.number().int().min(0).max(65_535).default(4400),
  THROUGHLINE_DATA_DIR: z.string().min(1).default(defaultDataDir),
  THROUGHLINE_PUBLIC_URL: z
    .url({ protocol: /^https$/, error: 'expected an address such as https://throughline.example' })
    .transform((text) => new URL(text))
    .refine((url) => url.href === `${url.origin}/`, 'expected no path: Throughline is served at the root of its name')
    .optional(),
  THROUGHLINE_TRUSTED_PROXY: z
    .string()
    .transform((text) => text.split(',').map((each) => each.trim()))
    .refine((each) => each.every(isNetwork), 'expected addresses or networks such as 10.0.0.7 or 10.1.0.0/24, separated by commas')
    .default([]),
  THROUGHLINE_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'expected postgres://user:password@host:port/database')
    .optional(),
})

/** Names others read: the workspace key, tests, and tools of development. */
const readElsewhere = [
  'THROUGHLINE_MASTER_KEY',
  'THROUGHLINE_MASTER_KEY_FILE',
  'THROUGHLINE_CHROMIUM',
  'THROUGHLINE_FULL',
  'THROUGHLINE_FAILPOINT',
  'THROUGHLINE_API_URL',
]
const withFile = [
  'DATABASE_URL',
  'THROUGHLINE_HOST',
  'THROUGHLINE_PORT',
  'THROUGHLINE_PUBLIC_URL',
  'THROUGHLINE_TRUSTED_PROXY',
  'THROUGHLINE_DATA_DIR',
  'THROUGHLINE_LOG_LEVEL',
] as const

export interface ServerConfig {
  readonly host: string
  readonly port: number
  /** Where people reach it, https, by a proxy that ends TLS; null: on this machine only. */
  readonly publicUrl: URL | null
  /** Addresses and networks of that proxy. */
  readonly trustedProxies: readonly string[]
  /** Absolute. */
  readonly dataDir: string
  readonly logLevel: string
  /** Null: the PostgreSQL that comes with npm install. */
  readonly databaseUrl: string | null
}

/**
 * This process's environment, read once. Each setting may stand in a file named by `<NAME>_FILE`.
 * @throws AppError invalid_configuration, naming every setting that is unknown or does not fit; values are never shown.
 */
export function readServerConfig(env: Environment): ServerConfig {
  const known = [...withFile, ...withFile.map((name) => `${name}_FILE`), ...readElsewhere]
  const unknown = Object.keys(env).filter((name) => name.startsWith('THROUGHLINE_') && !known.includes(name))
  if (unknown.length > 0) {
    const told = unknown.map((name) => `${name} (${didYouMean(name, known) || 'see .env.example'})`)
    throw new AppError(
      'invalid_configuration',
      `The environment has settings Throughline does not know: ${told.join(', ')}. Correct or unset them.`,
    )
  }
  const parsed = schema.safeParse(Object.fromEntries(withFile.flatMap((name) => entry(env, name))))
  if (!parsed.success) {
    const told = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new AppError('invalid_configuration', `The environment does not fit. ${told.join('; ')}. See .env.example.`)
  }
  const { data } = parsed
  const { THROUGHLINE_PUBLIC_URL: publicUrl = null, THROUGHLINE_TRUSTED_PROXY: trustedProxies } = data
  requireTls(data.THROUGHLINE_HOST, publicUrl, trustedProxies)
  return {
    host: data.THROUGHLINE_HOST,
    port: data.THROUGHLINE_PORT,
    publicUrl,
    trustedProxies,
    dataDir: resolve(data.THROUGHLINE_DATA_DIR),
    logLevel: data.THROUGHLINE_LOG_LEVEL,
    databaseUrl: data.DATABASE_URL ?? null,
  }
}

const loopback: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost'])

/** Passwords and sessions never cross a network unencrypted: beyond this machine only behind a proxy that ends TLS. */
function requireTls(host: string, publicUrl: URL | null, trustedProxies: readonly string[]): void {
  const missing = [
    ...(publicUrl === null ? ['THROUGHLINE_PUBLIC_URL=https://… (where people reach it)'] : []),
    ...(trustedProxies.length === 0 ? ['THROUGHLINE_TRUSTED_PROXY=… (the address of the proxy that ends TLS)'] : []),
  ]
  if (missing.length === 0 || (loopback.has(host) && missing.length === 2)) return
  if (loopback.has(host))
    throw new AppError(
      'invalid_configuration',
      `A public address needs a proxy that ends TLS, and the other way round. Set ${missing.join(' and ')}, or unset both.`,
    )
  throw new AppError(
    'invalid_configuration',
    `Throughline refuses to listen on ${host} without TLS before it. Set ${missing.join(' and ')}; or unset THROUGHLINE_HOST, and to reach it from elsewhere use an SSH tunnel.`,
  )
}

function isNetwork(text: string): boolean {
  return text.includes('/') ? ipaddr.isValidCIDR(text) : ipaddr.isValid(text)
}

function entry(env: Environment, name: (typeof withFile)[number]): [string, string][] {
  const value = env[name]?.trim()
  const file = env[`${name}_FILE`]?.trim()
  if (value && file) throw new AppError('invalid_configuration', `Both ${name} and ${name}_FILE are set. Keep one.`)
  if (value) return [[name, value]]
  if (!file) return []
  try {
    return [[name, readFileSync(file, 'utf8').trim()]]
  } catch (cause) {
    throw new AppError(
      'invalid_configuration',
      `${name}_FILE names ${file}, which cannot be read. Give this user read access or correct the name.`,
      { cause },
    )
  }
}
