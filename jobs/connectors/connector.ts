import type { z } from 'zod'
import type { Actor, IdentityRole, ObjectRef, Ops } from '../domain/facts.ts'
import type { Plain } from '../domain/plain.ts'
import type { ToolEndpoint, ToolHttp } from './http.ts'

/** How a stream finds what changed. */
export type CursorKind = 'updated-since' | 'newest-first' | 'sync-token' | 'event-log' | 'window' | 'file'

/** How a deletion shows: as a record that says so, as an absence only a full sweep finds, or never. */
export type DeletionKind = 'seen' | 'tombstone' | 'invisible' | 'none'

export interface StreamSpec {
  readonly name: string
  readonly title: string
  readonly cursor: CursorKind
  readonly deletions: DeletionKind
  /** Backdating and eventual consistency of the tool, seconds: absence counts only this long after the deadline. */
  readonly lagSeconds: number
  /** How far each incremental pass reads back again, seconds. */
  readonly overlapSeconds: number
  /** A full sweep is due this long after the last complete one, seconds; null when the stream never needs one. */
  readonly fullSweepSeconds: number | null
  /** The field map: what is hashed, what is kept, what is dropped on purpose. What is not named is never stored or logged. */
  readonly fields: { readonly keys: readonly string[]; readonly ops: readonly string[]; readonly dropped: readonly string[] }
  /** Streams of the same connection that say who its records are about: until they are read, a record here links to nobody. */
  readonly linkedBy?: readonly string[]
  /** Operational fields of its records by our names, as programs write them. Absent: those of `fields.ops`. */
  readonly shows?: readonly string[]
  /** The operational states we know; another one is kept as `unknown:<raw>` and raises schema_drift. Null where statuses are free. */
  readonly statuses: readonly string[] | null
  /** An export of a finished period: its journeys end at the clock it is judged at (semantics.md 8). */
  readonly final?: boolean
}

/** What an action reaches: money is always approved; a message reaches a person and cannot be called back. */
export type ActionReach = 'money' | 'message' | 'record'

/** How a lost answer is settled: by asking again with the same key, by looking for the effect, or by neither, which a person decides. */
export interface ActionRepeat {
  /** For how long the tool answers the same key with the same effect, hours; null: it knows no keys. */
  readonly keyHours: number | null
  readonly lookUp: boolean
}

export interface ActionSpec {
  /** As runbooks write it after the connection: `refund`. */
  readonly name: string
  readonly title: string
  /** One sentence: what changes in the tool, and for whom. */
  readonly does: string
  readonly reach: ActionReach
  readonly repeat: ActionRepeat
  /** Of its input: ids, amounts and words of closed lists, nothing that names a person; published as JSON Schema. */
  readonly input: z.ZodType
  /** The stream and time in which a later poll must show the effect. */
  readonly verifyBy: { readonly stream: string; readonly withinSeconds: number }
}

export interface ConnectorDescription {
  readonly id: string
  readonly name: string
  readonly version: string
  readonly apiVersion: string
  readonly verified: 'real-service' | 'outside-emulator' | 'spec-only'
  readonly verifiedOn: string
  /** Non-secret settings; published as JSON Schema by the catalogue. */
  readonly configSchema: z.ZodType
  /** Names of the secrets a connection must supply, e.g. `api_key`. */
  readonly secrets: readonly string[]
  readonly streams: readonly StreamSpec[]
  readonly actions: readonly ActionSpec[]
}

/** Who a record is about, in clear. Lives in memory between `map.ts` and the tokeniser only. */
export interface PersonClaim {
  readonly role: IdentityRole
  readonly reference?: string | null
  readonly external?: readonly { readonly system: string; readonly value: string }[]
  readonly emails?: readonly (string | null | undefined)[]
  readonly phones?: readonly (string | null | undefined)[]
  readonly name?: { readonly given?: string | null; readonly family?: string | null; readonly full?: string | null } | null
  /** ISO date, or whatever the tool gives. */
  readonly birthDate?: string | null
}

/** One event as a connector states it. Times are epoch milliseconds. */
export interface ReadEvent {
  readonly type: string
  readonly occurredAt: number
  readonly occurredAfter?: number | null
  readonly status: string | null
  readonly ops?: Ops | null
  readonly actor: Actor
  readonly seq?: number
}

/** One record as a connector read it: operational fields only, the person still in clear but sealed. */
export interface ReadRecord {
  readonly externalId: string
  readonly updatedAt: number
  /** The tool's own version or etag, else null. */
  readonly version: string | null
  readonly status: string | null
  readonly ops: Ops
  readonly objects: readonly ObjectRef[]
  readonly person: Plain<PersonClaim> | null
  readonly events: readonly ReadEvent[]
  readonly deleted?: boolean
}

/** A record that could not be read; the rest of its page goes on. */
export interface Quarantined {
  /** SHA-256 of the raw bytes, hex. */
  readonly rawHash: string
  /** Where it stood: an id, a line number. Never content. */
  readonly where: string
  readonly reason: string
}

/** A shape the connector did not expect; the path only, never the value. */
export interface Drift {
  readonly path: string
  readonly what: 'missing' | 'new' | 'type' | 'value'
}

/** What is wrong with a stream as it stands now: replaces what earlier passes said of it. */
export interface Standing {
  readonly setAside: { readonly count: number; readonly first: { readonly where: string; readonly reason: string } | null }
  /** Why absence in the stream counts for nothing because of rows set aside, and what to do; null: it counts. */
  readonly withheld: string | null
  readonly drift: readonly Drift[]
}

export interface PollPage {
  readonly records: readonly ReadRecord[]
  readonly quarantined: readonly Quarantined[]
  readonly drift: readonly Drift[]
  /** Opaque to the engine, at most 64 kB as JSON; stored with the page. */
  readonly cursor: unknown
  /** What this pass has read once this page is committed. `complete` on the last page only: everything changed in [from, to) has been read. */
  readonly coverage: { readonly from: number | null; readonly to: number; readonly complete: boolean }
  /** Ids seen by a full sweep, to find deletions; absent on an incremental page. */
  readonly sweep?: { readonly id: string; readonly lastPage: boolean }
  /** On the last page of a connector that knows what is wrong with its stream as a whole, whichever pass read it. */
  readonly standing?: Standing
  /** Tool clock minus ours, milliseconds, from the Date header. */
  readonly clockSkewMs?: number | null
}

export interface PollContext<Config = unknown> {
  readonly connection: string
  readonly config: Config
  readonly http: ToolHttp
  /** Domain time (the tools' clock), epoch ms. */
  readonly now: number
  readonly signal: AbortSignal
}

export interface PollBudget {
  /** Rows wanted per page; a connector may give fewer. */
  readonly pageSize: number
  /** 'incremental' reads what changed; 'full' reads everything and finds deletions. */
  readonly mode: 'incremental' | 'full'
  /** A pass with more pages than this is stuck; default 100,000. */
  readonly maxPages?: number
}

export type CheckResult =
  | {
      readonly ok: true
      readonly streams: readonly { readonly name: string; readonly ok: boolean; readonly message: string }[]
      readonly clockSkewMs: number | null
    }
  | { readonly ok: false; readonly reason: ToolErrorReason; readonly message: string }

/** A record of the same connection, as the tool names it. */
export interface EvidenceRef {
  readonly stream: string
  readonly externalId: string
}

/** One line of what will be sent or was seen, for people: never a name, an address, a number or a message's text. */
export interface ShownField {
  readonly label: string
  readonly value: string
}

/** What an action finds when it looks before it acts. */
export type Preflight =
  | {
      readonly kind: 'ready'
      /** Exactly what will be sent, in words that may be shown and stored; what is withheld says so. */
      readonly sends: readonly ShownField[]
      /** What the tool shows now and the decision rests on: an approval is void when it changes. */
      readonly sees: readonly ShownField[]
      /** Of an action that reaches money: minor units and ISO 4217 code. */
      readonly amount: { readonly minor: number; readonly currency: string } | null
    }
  /** The tool already shows what the action would bring about: nothing is sent. */
  | { readonly kind: 'already'; readonly message: string; readonly evidence: EvidenceRef | null }
  /** It must not be done: what is in the way, and what to do. */
  | { readonly kind: 'refused'; readonly message: string }

export interface Intent {
  /** Stored before the first attempt and the same in every later one. */
  readonly idempotencyKey: string
  /** Tool clock of the first attempt, epoch ms: an effect is looked for from here. */
  readonly since: number
}

export type ActOutcome = 'done' | 'already_done' | 'refused' | 'unknown'
export interface ActResult {
  /** `unknown`: it was sent and no answer came, so it may have happened. `refused`: the tool said no and did nothing. */
  readonly outcome: ActOutcome
  readonly message: string
  /** The record that shows the effect, once it is read. */
  readonly evidence: EvidenceRef | null
  /** Of a refusal that may pass (the tool was not reached, or asked to slow down): the same may be sent again no sooner than this, ms. */
  readonly againAfterMs?: number
}

/** Whether an earlier attempt took effect; null: the tool could not say. */
export type LookUp = { readonly isDone: true; readonly evidence: EvidenceRef } | { readonly isDone: false } | null

/** A record as a poll stored it. */
export interface StoredRecord {
  readonly stream: string
  readonly externalId: string
  readonly status: string | null
  readonly ops: Ops
  readonly isDeleted: boolean
  /** When the tool says it last changed, epoch ms. */
  readonly updatedAt: number
}

/** Something a connector can do, one file each. Every method reads or writes through `ctx.http` and nothing else. */
export interface ToolAction<Config = unknown, Input = unknown> extends ActionSpec {
  /** A fresh read before anything is sent. @throws ToolError */
  preflight(ctx: ActContext<Config>, input: Input): Promise<Preflight>
  /** Sends it once; never tries again by itself. Never throws for what the tool answers or fails to. */
  perform(ctx: ActContext<Config>, input: Input, intent: Intent): Promise<ActResult>
  /** Present where `repeat.lookUp`. @throws ToolError */
  lookUp?(ctx: ActContext<Config>, input: Input, intent: Intent): Promise<LookUp>
  /** Whether this record, read after the effect, shows it. Pure. */
  shows(record: StoredRecord, input: Input, evidence: EvidenceRef | null): boolean
}

export interface ActContext<Config = unknown> {
  readonly connection: string
  readonly config: Config
  readonly http: ToolHttp
  /** Domain time, epoch ms. */
  readonly now: number
  readonly signal: AbortSignal
}

/** A tool, spoken to. `poll` gives one page at a time; the engine commits it before asking for the next. */
export interface Connector<Config = unknown> {
  describe(): ConnectorDescription
  /** How the tool is reached; absent where nothing is reached over HTTP. The answer goes into `openToolHttp` and nowhere else: it holds secrets. */
  endpoint?(config: Config, secrets: Readonly<Record<string, string>>): ToolEndpoint
  /** The streams of this connection, where they depend on its configuration (file drop); else those of `describe()`. */
  streams?(config: Config): readonly StreamSpec[]
  /** Where a person opens a record of this stream in the tool, `{id}` standing for its external id; null where this configuration tells no such place. */
  recordUrl?(config: Config, stream: string): string | null
  /** The configuration with its paths made absolute; `directory` is the folder of connections.yaml. */
  resolvePaths?(config: Config, directory: string): Config
  /** Never throws. */
  check(ctx: PollContext<Config>): Promise<CheckResult>
  /** @throws ToolError */
  poll(ctx: PollContext<Config>, stream: string, cursor: unknown | null, budget: PollBudget): Promise<PollPage>
  /** What it can do beyond reading; `describe().actions` tells of the same. */
  readonly actions?: readonly ToolAction<Config>[]
}

export const toolErrorReasons = [
  'auth',
  'rate_limited',
  'not_found',
  'bad_response',
  'timeout',
  'network',
  'refused_address',
  'budget',
  'stuck_cursor',
] as const
export type ToolErrorReason = (typeof toolErrorReasons)[number]

/** A tool that could not be read. The message is ours: what happened, to what, what to do; never a body, a header or a person. */
export class ToolError extends Error {
  readonly reason: ToolErrorReason
  readonly retryAfterMs: number | null
  constructor(reason: ToolErrorReason, message: string, options?: { cause?: unknown; retryAfterMs?: number | null }) {
    super(message, options)
    this.name = 'ToolError'
    this.reason = reason
    this.retryAfterMs = options?.retryAfterMs ?? null
  }
}
