import type { Sql } from '../../db/records/bulk.ts'
import { failStream, openPass, readStreams, type StreamRow, type StreamState } from '../../db/records/streams.ts'
import { isDatabaseError } from '../../db/storage-error.ts'
import { type Connector, type PollContext, type PollPage, ToolError, type ToolErrorReason } from '../connectors/connector.ts'
import { hash128 } from '../domain/hash.ts'
import { failpoint } from '../failpoint.ts'
import { commitPage, FirstRead } from './observe.ts'
import type { Tokenise } from './observed.ts'

/** One configured, credentialed tool, ready to be read. */
export interface LiveConnection {
  readonly id: string
  readonly connector: Connector
  readonly config: unknown
  readonly http: PollContext['http']
}

export interface PollDeps {
  readonly workspaceId: number
  readonly tokenise: Tokenise
  /** Domain clock, epoch ms. */
  readonly now: () => number
  /** By which a tool's Retry-After is waited for (semantics.md 24), epoch ms. */
  readonly wallNow: () => number
  readonly pageSize: number
  readonly signal: AbortSignal
  readonly onPage?: (progress: {
    readonly connection: string
    readonly stream: string
    readonly read: number
    readonly changed: number
  }) => void | Promise<void>
}

export type StreamOutcome =
  | {
      readonly stream: string
      readonly kind: 'complete'
      readonly read: number
      readonly changed: number
      /** Records that could not be read and were set aside; `first` says where one stood and why. */
      readonly setAside: { readonly count: number; readonly first: { readonly where: string; readonly reason: string } | null }
      /** Why absence in the stream counts for nothing because of them, and what to do; null: it counts. */
      readonly withheld: string | null
    }
  | { readonly stream: string; readonly kind: 'failed'; readonly state: StreamState; readonly message: string }
  | { readonly stream: string; readonly kind: 'skipped'; readonly why: 'someone_else_has_it' | 'waiting' | 'stopped' }

const pagesAtMost = 1_000_000

/** Reads every stream of a connection to the end of a pass. A stream that fails says so and keeps its cursor; the others go on. */
export async function pollConnection(sql: Sql, deps: PollDeps, connection: LiveConnection): Promise<StreamOutcome[]> {
  const outcomes: StreamOutcome[] = []
  for (const stream of await readStreams(sql, deps.workspaceId, connection.id)) {
    if (stream.state === 'paused') continue
    if (deps.signal.aborted) outcomes.push({ stream: stream.name, kind: 'skipped', why: 'stopped' })
    else if (stream.retryAt !== null && stream.retryAt > deps.wallNow())
      outcomes.push({ stream: stream.name, kind: 'skipped', why: 'waiting' })
    else outcomes.push(await pollStream(sql, deps, connection, stream))
  }
  return outcomes
}

/** A sweep is due at first and whenever the last one is older than the stream allows; an interrupted pass is carried on. */
function modeOf(stream: StreamRow, now: number): 'incremental' | 'full' {
  if (stream.lastCompleteAt === null) return 'full'
  if (stream.fullSweepSeconds === null) return 'incremental'
  return stream.lastSweepAt === null || now - stream.lastSweepAt >= stream.fullSweepSeconds * 1000 ? 'full' : 'incremental'
}

async function pollStream(sql: Sql, deps: PollDeps, connection: LiveConnection, found: StreamRow): Promise<StreamOutcome> {
  let stream: StreamRow = found
  try {
    const opened = found.passMode === null ? await openPass(sql, deps.workspaceId, found, modeOf(found, deps.now()), deps.now()) : found
    if (opened === undefined) return { stream: found.name, kind: 'skipped', why: 'someone_else_has_it' }
    stream = opened
    const mode = stream.passMode ?? 'incremental'
    const ask = (cursor: unknown): Promise<PollPage> =>
      connection.connector.poll(
        { connection: connection.id, config: connection.config, http: connection.http, now: deps.now(), signal: deps.signal },
        stream.name,
        cursor,
        { pageSize: deps.pageSize, mode },
      )
    let read = 0
    let changed = 0
    let setAside: Extract<StreamOutcome, { kind: 'complete' }>['setAside'] = { count: 0, first: null }
    const cursors = new Set<string>()
    const firstRead = stream.records === 0 ? new FirstRead() : undefined
    let next = ask(stream.cursor)
    for (let pages = 0; ; pages++) {
      const page = await next
      failpoint('poll.fetched')
      if (!page.coverage.complete) {
        refuseCycle(connection.id, stream.name, cursors, page.cursor, pages)
        // The next page is fetched while this one is committed; it is dropped if the commit fails.
        next = ask(page.cursor)
        next.catch(() => {})
      }
      const outcome = await commitPage(sql, deps.workspaceId, stream, page, { tokenise: deps.tokenise, now: deps.now(), firstRead })
      if (outcome.kind === 'someone_else_has_it') return { stream: stream.name, kind: 'skipped', why: 'someone_else_has_it' }
      if (outcome.kind === 'suspicious_shrink') return await refuseShrink(sql, deps, stream, outcome)
      failpoint('poll.committed')
      stream = outcome.stream
      read += outcome.read
      changed += outcome.changed
      setAside = { count: setAside.count + page.quarantined.length, first: setAside.first ?? page.quarantined[0] ?? null }
      await deps.onPage?.({ connection: connection.id, stream: stream.name, read, changed })
      if (page.coverage.complete) {
        const { standing } = page
        return {
          stream: stream.name,
          kind: 'complete',
          read,
          changed,
          setAside: standing?.setAside ?? setAside,
          withheld: standing?.withheld ?? null,
        }
      }
      if (deps.signal.aborted) return { stream: stream.name, kind: 'skipped', why: 'stopped' }
    }
  } catch (error) {
    if (isDatabaseError(error) || (deps.signal.aborted && !(error instanceof ToolError))) throw error
    const { reason, message, retryAfterMs } = error instanceof ToolError ? error : ourFault(connection, stream, error)
    return fail(sql, deps, stream, {
      state: reason === 'auth' ? 'auth_failed' : reason,
      message,
      retryAt: retryAfterMs === null ? null : deps.wallNow() + retryAfterMs,
      restart: restarts.has(reason),
    })
  }
}

/** An error nobody foresaw stops its own stream only. Its message may hold content: ours names its kind. */
function ourFault(connection: LiveConnection, stream: StreamRow, error: unknown): ToolError {
  const kind = error instanceof Error ? error.name : 'not an error'
  return new ToolError(
    'bad_response',
    `Stream "${stream.name}" of connection "${connection.id}" could not be read: connector "${connection.connector.describe().id}" failed at an answer it does not foresee (${kind}). The other streams go on; this one is read again at the next poll. If it stays, report it.`,
  )
}

async function fail(
  sql: Sql,
  deps: PollDeps,
  stream: StreamRow,
  failure: { readonly state: StreamState; readonly message: string; readonly retryAt: number | null; readonly restart: boolean },
): Promise<StreamOutcome> {
  const { state, message, retryAt, restart } = failure
  const isOurs = await failStream(sql, deps.workspaceId, stream, { state, reason: message, retryAt, now: deps.now(), restart })
  return isOurs
    ? { stream: stream.name, kind: 'failed', state, message }
    : { stream: stream.name, kind: 'skipped', why: 'someone_else_has_it' }
}

/** Failures after which the pass begins again: its cursor leads nowhere. */
const restarts: ReadonlySet<ToolErrorReason> = new Set(['stuck_cursor', 'not_found'])

/** A tool that hands out the same cursor again (or never ends) would be read forever (P3). */
function refuseCycle(connection: string, stream: string, seen: Set<string>, cursor: unknown, pages: number): void {
  const key = hash128(JSON.stringify(cursor) ?? '')
  if (!seen.has(key) && pages < pagesAtMost) {
    seen.add(key)
    return
  }
  throw new ToolError(
    'stuck_cursor',
    `The pages of stream "${stream}" of connection "${connection}" go round in circles (page ${pages + 1} led back to one already read). Nothing was marked as missing; the stream is read from its start at the next poll.`,
  )
}

async function refuseShrink(
  sql: Sql,
  deps: PollDeps,
  stream: StreamRow,
  shrink: { readonly unseen: number; readonly live: number },
): Promise<StreamOutcome> {
  const message = `A full sweep of stream "${stream.name}" of connection "${stream.connection}" no longer saw ${shrink.unseen} of ${shrink.live} records. Nothing was marked as deleted. If they really are gone, run \`throughline poll ${stream.connection} --accept-shrink\` once; otherwise check the tool and the key's permissions.`
  return fail(sql, deps, stream, { state: 'suspicious_shrink', message, retryAt: null, restart: true })
}
