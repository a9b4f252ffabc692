import type { Socket } from 'node:net'
import { connect } from 'node:net'
import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'

export type Sql = postgres.Sql
export type TransactionSql = postgres.TransactionSql
export type Db = PostgresJsDatabase
/** What an operation inside `db.transaction` is given. */
export type DbTransaction = Parameters<Parameters<Db['transaction']>[0]>[0]

export interface OpenOptions {
  /** Connects as the application: row-level security shows this workspace only. Without it, as the owner (migrations, engine, set-up). */
  readonly workspaceId?: number
  /** Connections at most, in each of the two pools. */
  readonly max?: number
}

export interface Database {
  readonly url: string
  readonly workspaceId: number | null
  /** postgres.js for volume: `unnest`, JSON batches, COPY. Dates come as `Date`, bigint and numeric as text. */
  readonly sql: Sql
  /** Drizzle for the rest, on connections of its own, because drizzle changes its client's date parsers. */
  readonly db: Db
  close(): Promise<void>
}

export function openDatabase(url: string, options: OpenOptions = {}): Database {
  const { workspaceId, max = 8 } = options
  surviveLostConnections()
  const settings: postgres.Options<Record<string, never>> & { socket: typeof openSocket } = {
    socket: openSocket,
    max,
    idle_timeout: 60,
    connect_timeout: 15,
    onnotice: () => {},
    connection: {
      application_name: 'throughline',
      TimeZone: 'UTC',
      // A plan made while a table was empty would be kept for as long as the connection lives.
      plan_cache_mode: 'force_custom_plan',
      random_page_cost: '1.1',
      ...(workspaceId === undefined ? {} : { role: 'throughline_app', 'throughline.workspace': String(workspaceId) }),
    },
  }
  const sql = postgres(url, settings)
  const rest = postgres(url, settings)
  return {
    url,
    workspaceId: workspaceId ?? null,
    sql,
    db: drizzle(rest),
    close: async () => {
      await Promise.all([sql.end({ timeout: 5 }), rest.end({ timeout: 5 })])
    },
  }
}

/**
 * postgres.js leaves Nagle's algorithm on, which makes a page of writes wait 40 ms at a time for delayed acknowledgements.
 * The socket is handed over before it is connected: its failure must reach postgres.js as an event, or the connection is never given back.
 */
function openSocket({ host, port, path }: { host: string[]; port: number[]; path?: string | false }): Socket {
  return path ? connect(path) : connect({ host: host[0] ?? 'localhost', port: port[0] ?? 5432, noDelay: true })
}

let isSurviving = false

/** Whether this is postgres.js writing the rollback of a transaction whose connection is gone. The transaction itself has been rejected. */
export function isLostWrite(error: unknown): boolean {
  const { name, message, stack } = error as { name?: string; message?: string; stack?: string }
  return name === 'TypeError' && /null \(reading 'write'\)/.test(message ?? '') && /postgres\/src\/connection\.js/.test(stack ?? '')
}

/** postgres.js 3.4 throws that write where nobody can catch it; a database that restarts must not end this process. */
function surviveLostConnections(): void {
  if (isSurviving) return
  isSurviving = true
  process.on('uncaughtException', (error) => {
    if (isLostWrite(error) || process.listenerCount('uncaughtException') > 1) return
    process.stderr.write(`${error.stack ?? error}\n`)
    process.exit(1)
  })
}
