import type { DbTransaction } from '../db/client.ts'
import type { CheckResult } from '../jobs/connectors/connector.ts'
import type { Workspace } from '../jobs/open-workspace.ts'
import type { RunDeps } from '../jobs/runs/actions.ts'
import type { Vault } from '../jobs/vault.ts'

export interface Person {
  readonly id: string
  readonly title: string
}

/** How people and machines prove who they are. */
export interface SignIn {
  readonly vault: Vault
  /** Where people reach this server, https; null: on this machine only. */
  readonly publicUrl: URL | null
  /** Addresses and networks whose word on a client's address is taken. */
  readonly trustedProxies: readonly string[]
  /** The demo's people may be entered with one click. */
  readonly isDemo: boolean
  /** How often an open stream looks whether its reader is still signed in; default two seconds. */
  readonly lookAgainMs?: number
}

export interface ServerLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** What the API stands on. Everything that differs between a test, the demo and a real start comes in here. */
export interface AppDeps {
  readonly workspace: Pick<Workspace, 'id' | 'key' | 'title' | 'timeZone' | 'database' | 'clock' | 'configuration' | 'judging' | 'programs'>
  /** Who acts: within a request whoever signed in, outside of one whoever may use this machine. */
  readonly me: Person
  /** Undefined: nobody signs in, and whoever reaches the server acts as `me`, an administrator. For tests. */
  readonly signIn?: SignIn
  readonly wallNow: () => number
  /** The speed of the demo's clock, or null outside the demo. */
  readonly demo: () => { readonly speed: number } | null
  readonly check: (connection: string) => Promise<CheckResult>
  /** Asks the engine to read a connection soon: once the transaction commits, or never. */
  readonly poll: (connection: string, tx: DbTransaction) => Promise<void>
  /** What runs of runbooks stand on, and how one is handed to the engine; undefined where no engine runs. */
  readonly recovery?: { readonly runs: RunDeps; readonly advance: (runId: string, tx: DbTransaction) => Promise<void> }
  /** Runs by queue and state; empty where no engine runs. */
  readonly queueDepths: () => Promise<readonly { readonly queue: string; readonly status: string; readonly runs: number }[]>
  /** A job is not taken to stand still before this long; default a minute. */
  readonly quietMs?: number
  readonly log: ServerLog
  /** Folder of the built console, or null: the API alone. */
  readonly consoleRoot: string | null
}

/** Set by the first middleware of every request. */
export interface AppEnv {
  Variables: { requestId: string }
}
