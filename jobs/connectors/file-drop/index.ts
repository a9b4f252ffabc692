import type { CheckResult, Connector, PollBudget, PollContext, PollPage, StreamSpec } from '../connector.ts'
import { ToolError } from '../connector.ts'
import { fileDropConfigSchema } from './config.ts'
import type { FileDropConfig, FileSpec } from './config.ts'
import { readPage } from './read.ts'
import type { Session, StreamFiles } from './read.ts'

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** CSV and NDJSON files, mapped to streams by YAML; read once, or followed as they change. */
export function makeFileDrop(): Connector<FileDropConfig> {
  const sessions = new Map<string, Session>()
  return {
    describe: () => ({
      id: 'file-drop',
      name: 'File drop',
      version: '1',
      apiVersion: 'RFC 4180, NDJSON',
      verified: 'real-service',
      verifiedOn: '2026-11-21',
      configSchema: fileDropConfigSchema,
      secrets: [],
      streams: [],
      actions: [],
    }),
    streams: (config) => [...groupByStream(config)].map(([name, entries]) => toStreamSpec(name, entries)),
    resolvePaths: (config, directory) => ({ ...config, directory: config.directory ?? directory }),
    check: (ctx) => check(ctx),
    poll: (ctx, stream, cursor, budget) => poll(ctx, stream, cursor, budget, sessions),
  }
}

export const fileDrop: Connector<FileDropConfig> = makeFileDrop()

function groupByStream(config: FileDropConfig): Map<string, FileSpec[]> {
  const streams = new Map<string, FileSpec[]>()
  for (const file of config.files) streams.set(file.stream, [...(streams.get(file.stream) ?? []), file])
  return streams
}

function toStreamSpec(name: string, entries: readonly FileSpec[]): StreamSpec {
  const keys = new Set<string>()
  const ops = new Set<string>()
  let lagSeconds = 0
  for (const { subject, fields, lag } of entries) {
    for (const key of Object.keys(subject ?? {})) if (key !== 'role') keys.add(key)
    for (const field of Object.keys(fields ?? {})) ops.add(field)
    if (lag !== undefined) lagSeconds = Math.max(lagSeconds, Number.parseInt(lag, 10) * unitSeconds[lag.at(-1)!]!)
  }
  return {
    name,
    title: entries.find((entry) => entry.title !== undefined)?.title ?? name,
    cursor: 'file',
    deletions: 'none',
    lagSeconds,
    overlapSeconds: 0,
    fullSweepSeconds: null,
    fields: { keys: [...keys], ops: [...ops], dropped: ['every column the mapping does not name'] },
    statuses: null,
    final: entries.every((entry) => entry.final === true),
  }
}

function filesOf(ctx: PollContext<FileDropConfig>, stream: string): StreamFiles {
  const entries = groupByStream(ctx.config).get(stream)
  if (entries === undefined)
    throw new ToolError(
      'not_found',
      `Connection "${ctx.connection}" has no file for stream "${stream}". Add one to its files in connections.yaml.`,
    )
  return { connection: ctx.connection, stream, entries, directory: ctx.config.directory ?? process.cwd() }
}

async function poll(
  ctx: PollContext<FileDropConfig>,
  stream: string,
  cursor: unknown,
  budget: PollBudget,
  sessions: Map<string, Session>,
): Promise<PollPage> {
  return readPage(filesOf(ctx, stream), cursor, { now: ctx.now, pageSize: budget.pageSize, signal: ctx.signal }, sessions)
}

/** Reads the first rows of every stream and throws them away. */
async function check(ctx: PollContext<FileDropConfig>): Promise<CheckResult> {
  const streams: { name: string; ok: boolean; message: string }[] = []
  for (const stream of groupByStream(ctx.config).keys()) streams.push(await checkStream(ctx, stream))
  const failed = streams.filter((stream) => !stream.ok)
  if (failed.length === streams.length)
    return { ok: false, reason: 'bad_response', message: failed.map((stream) => stream.message).join(' ') }
  return { ok: true, streams, clockSkewMs: null }
}

async function checkStream(ctx: PollContext<FileDropConfig>, name: string): Promise<{ name: string; ok: boolean; message: string }> {
  try {
    const sessions = new Map<string, Session>()
    const page = await poll(ctx, name, null, { pageSize: 100, mode: 'incremental' }, sessions)
    const { blocked } = page.cursor as { blocked: string | null }
    if (blocked !== null) return { name, ok: false, message: blocked }
    const [first] = page.quarantined
    const read = `${page.records.length} of the first ${page.records.length + page.quarantined.length} rows can be read`
    return { name, ok: true, message: first === undefined ? `${read}.` : `${read}; ${first.where}: ${first.reason}.` }
  } catch (error) {
    if (error instanceof ToolError) return { name, ok: false, message: error.message }
    throw error
  }
}
