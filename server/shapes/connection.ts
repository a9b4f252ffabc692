import { z } from '@hono/zod-openapi'
import type { ConnectionStatus } from '../../db/records/connections.ts'
import type { PassRow } from '../../db/schema/passes.ts'
import type { StreamRow } from '../../db/schema/streams.ts'
import { allowedShape, iso, isoTime, ownerShape } from './common.ts'

export const connectionStates = [
  'ok',
  'late',
  'blind',
  'auth_failed',
  'rate_limited',
  'failed',
  'schema_drift',
  'paused',
  'removed',
  'new',
] as const
export type ConnectionState = (typeof connectionStates)[number]
export const connectionStateShape = z.enum(connectionStates).openapi('ConnectionState')

const passShape = z.object({
  id: z.string(),
  mode: z.string(),
  startedAt: isoTime,
  endedAt: isoTime.nullable(),
  outcome: z.string(),
  message: z.string().nullable(),
  pages: z.int(),
  read: z.int(),
  changed: z.int(),
  quarantined: z.int(),
  /** Everything that changed between these times was read, by the tool's clock. */
  coveredFrom: isoTime.nullable(),
  coveredTo: isoTime.nullable(),
  /** What it asked of its tool; null: nothing over HTTP. */
  requests: z
    .object({ requests: z.int(), retries: z.int(), rateLimited: z.int(), waitedMs: z.int(), p50Ms: z.int(), p95Ms: z.int() })
    .nullable(),
})

const streamShape = z.object({
  stream: z.string(),
  title: z.string(),
  state: connectionStateShape,
  reason: z.string().nullable(),
  watermark: isoTime.nullable(),
  readTo: isoTime.nullable(),
  lagSeconds: z.int(),
  lastCompleteAt: isoTime.nullable(),
  lastSweepAt: isoTime.nullable(),
  retryAt: isoTime.nullable(),
  records: z.int(),
  quarantined: z.int(),
  /** The last day, oldest first, one letter for each five minutes: `o` read on time, `l` late, `e` failing, `n` not read yet. */
  strip: z.string(),
  passes: z.array(passShape),
})

export const connectionShape = z
  .object({
    id: z.string(),
    connector: z.string(),
    title: z.string(),
    state: connectionStateShape,
    message: z.string().nullable(),
    whatToDo: z.string().nullable(),
    /** Whether a person stopped reading it; what happens in it meanwhile is unknown. */
    paused: z.object({ since: isoTime, by: z.string(), reason: z.string() }).nullable(),
    owner: ownerShape.nullable(),
    pollSeconds: z.int(),
    blindAfterSeconds: z.int(),
    readTo: isoTime.nullable(),
    lastCompleteAt: isoTime.nullable(),
    checkedAt: isoTime.nullable(),
    records: z.int(),
    openFindings: z.int(),
    streams: z.array(streamShape),
  })
  .openapi('Connection')

const totalsShape = z.object({
  passes: z.int(),
  requests: z.int(),
  retries: z.int(),
  rateLimited: z.int(),
  waitedMs: z.int(),
  /** Of the slowest pass. */
  p95Ms: z.int().nullable(),
})

export const connectionDetailShape = connectionShape
  .extend({
    asOf: isoTime,
    can: z.object({ check: allowedShape, poll: allowedShape, pause: allowedShape, resume: allowedShape }),
    /** What the tool said when it was last asked whether it answers. */
    lastCheck: z.object({ at: isoTime, ok: z.boolean(), message: z.string() }).nullable(),
    /** What was asked of the tool since then. */
    budget: z.object({ since: isoTime, streams: z.array(totalsShape.extend({ stream: z.string(), clockSkewMs: z.number().nullable() })) }),
    /** The code that speaks to the tool; null where it is not known any more. */
    about: z
      .object({
        title: z.string(),
        version: z.string(),
        apiVersion: z.string(),
        /** Against what it was tried: the vendor's service, an emulator of others, or the specification only. */
        verified: z.enum(['real-service', 'outside-emulator', 'spec-only']),
        verifiedOn: z.string(),
        streams: z.array(
          z.object({
            stream: z.string(),
            cursor: z.string(),
            deletions: z.string(),
            overlapSeconds: z.int(),
            fullSweepSeconds: z.int().nullable(),
            kept: z.array(z.string()),
            hashed: z.array(z.string()),
            dropped: z.array(z.string()),
          }),
        ),
      })
      .nullable(),
    /** Promises in force that hang on it. */
    promises: z.array(
      z.object({
        program: z.string(),
        programTitle: z.string(),
        expectation: z.string(),
        title: z.string(),
        severity: z.string(),
        streams: z.array(z.object({ stream: z.string(), why: z.enum(['shows', 'starts']) })),
      }),
    ),
  })
  .openapi('ConnectionDetail')

/** stands: absence in its stream counts for nothing meanwhile. gone: it was read well since, or is no longer met. */
export const quarantinedStates = ['stands', 'gone', 'accepted'] as const
export const quarantineShape = z
  .object({
    asOf: isoTime,
    /** Beyond those shown too. */
    total: z.int(),
    next: z.null(),
    items: z.array(
      z.object({
        stream: z.string(),
        streamTitle: z.string(),
        rawHash: z.string(),
        /** An id or a line, never content. */
        location: z.string(),
        reason: z.string(),
        firstSeenAt: isoTime,
        lastSeenAt: isoTime,
        times: z.int(),
        state: z.enum(quarantinedStates),
        accepted: z.object({ at: isoTime, by: z.string(), reason: z.string() }).nullable(),
        can: z.object({ accept: allowedShape }),
      }),
    ),
  })
  .openapi('Quarantine')

export type ConnectionDetailView = z.output<typeof connectionDetailShape>
export type QuarantineView = z.output<typeof quarantineShape>

export type ConnectionView = z.output<typeof connectionShape>

export interface ConnectionContext {
  readonly now: number
  readonly ownerTitles: ReadonlyMap<string, string>
  readonly passes: readonly (PassRow & { readonly stream: string; readonly connection: string })[]
  readonly quarantined: ReadonlyMap<number, number>
  /** Streams with a standing change of shape, as `<connection>.<stream>`. */
  readonly drifting: ReadonlySet<string>
  readonly openFindings: number
  /** By stream; left out: no strip. */
  readonly strips?: ReadonlyMap<number, string>
}

export function toConnectionView({ connection, streams }: ConnectionStatus, context: ConnectionContext): ConnectionView {
  const views = streams.map((stream) => {
    const { state, reason } = streamState(connection, stream, context)
    return {
      stream: stream.name,
      title: stream.title,
      state,
      reason,
      watermark: iso(stream.watermark),
      readTo: iso(readToOf(stream)),
      lagSeconds: stream.lagSeconds,
      lastCompleteAt: iso(stream.lastCompleteAt),
      lastSweepAt: iso(stream.lastSweepAt),
      retryAt: iso(stream.retryAt),
      records: stream.records,
      quarantined: stream.setAside ?? context.quarantined.get(stream.id) ?? 0,
      strip: context.strips?.get(stream.id) ?? '',
      passes: context.passes
        .filter((pass) => pass.connection === connection.id && pass.stream === stream.name)
        .reverse()
        .map(toPassView),
    }
  })
  // One the configuration dropped says nothing about the others.
  const read = streams.filter((stream) => stream.state !== 'paused')
  const paused = pauseOf(connection)
  const worst = paused ?? worstOf(read.length === 0 ? views : views.filter((_, index) => streams[index]?.state !== 'paused'))
  return {
    id: connection.id,
    connector: connection.connector,
    title: connection.title,
    state: worst.state,
    message: worst.reason,
    // What was set aside says itself what to do.
    whatToDo: streams.some(({ setAsideReason }) => setAsideReason !== null && setAsideReason === worst.reason)
      ? null
      : whatToDo[worst.state],
    paused:
      connection.pausedAt === null || paused === null
        ? null
        : { since: iso(connection.pausedAt), by: connection.pausedBy ?? '', reason: connection.pausedReason ?? '' },
    owner:
      connection.owner === null ? null : { key: connection.owner, title: context.ownerTitles.get(connection.owner) ?? connection.owner },
    pollSeconds: connection.pollSeconds,
    blindAfterSeconds: connection.blindAfterSeconds,
    readTo: iso(leastOf(read.map(readToOf))),
    lastCompleteAt: iso(leastOf(read.map((stream) => stream.lastCompleteAt))),
    checkedAt: iso(connection.checkedAt),
    records: streams.reduce((sum, stream) => sum + stream.records, 0),
    openFindings: context.openFindings,
    streams: views,
  }
}

/** How bad a state is; the connection is as bad as its worst stream. */
const badness: Readonly<Record<ConnectionState, number>> = {
  auth_failed: 8,
  failed: 7,
  blind: 6,
  rate_limited: 5,
  schema_drift: 4,
  late: 3,
  paused: 2,
  removed: 2,
  new: 1,
  ok: 0,
}

function worstOf(streams: readonly { readonly state: ConnectionState; readonly reason: string | null }[]): {
  state: ConnectionState
  reason: string | null
} {
  const [first, ...rest] = streams
  if (!first) return { state: 'new', reason: 'Nothing of it has been read yet.' }
  return rest.reduce((worst, stream) => (badness[stream.state] > badness[worst.state] ? stream : worst), first)
}

export function streamState(
  connection: ConnectionStatus['connection'],
  stream: StreamRow,
  { now, drifting }: Pick<ConnectionContext, 'now' | 'drifting'>,
): { state: ConnectionState; reason: string | null } {
  if (!connection.enabled) return { state: 'removed', reason: 'The configuration no longer names this connection.' }
  if (stream.state === 'paused') return { state: 'removed', reason: stream.stateReason }
  const paused = pauseOf(connection)
  if (paused !== null) return paused
  if (stream.state === 'auth_failed' || stream.state === 'missing_secret') return { state: 'auth_failed', reason: stream.stateReason }
  if (stream.state === 'rate_limited') return { state: 'rate_limited', reason: stream.stateReason }
  if (stream.state !== 'ok' && stream.state !== 'new') return { state: 'failed', reason: stream.stateReason }
  if (stream.lastCompleteAt === null) return { state: 'new', reason: null }
  if (stream.setAsideReason !== null) return { state: 'blind', reason: stream.setAsideReason }
  if (stream.final) return { state: 'ok', reason: null }
  const ageMs = now - stream.lastCompleteAt
  const since = new Date(stream.lastCompleteAt).toISOString()
  if (ageMs > connection.blindAfterSeconds * 1000) return { state: 'blind', reason: `Not read completely since ${since}.` }
  if (drifting.has(`${connection.id}.${stream.name}`))
    return { state: 'schema_drift', reason: 'It answers in a shape its connector does not know.' }
  if (ageMs > connection.pollSeconds * 3000) return { state: 'late', reason: `Last read completely at ${since}, later than its schedule.` }
  return { state: 'ok', reason: null }
}

/** Paused is not well: it is what a person decided, and what happens in the tool meanwhile is unknown. */
function pauseOf({ enabled, pausedAt }: ConnectionStatus['connection']): { state: 'paused'; reason: string } | null {
  if (!enabled || pausedAt === null) return null
  return { state: 'paused', reason: `Nothing of it is read since ${new Date(pausedAt).toISOString()}: it was paused.` }
}

const whatToDo: Readonly<Record<ConnectionState, string | null>> = {
  ok: null,
  new: 'Wait for the first complete read.',
  late: 'Nothing yet: it is tried again on schedule.',
  blind: 'Check the connection; nothing that depends on it is judged meanwhile.',
  auth_failed: 'Replace the key named in connections.yaml and check the connection.',
  rate_limited: 'Nothing: it waits for as long as the tool asked.',
  failed: 'Check the connection; reading goes on from the last committed page.',
  schema_drift: 'Read the schema_drift finding: it names the paths, never their values.',
  paused: 'Resume it to read on from where it stopped; until then what happens in it is unknown, and nothing in it is called missing.',
  removed: null,
}

/** How far a stream tells what did not happen: its watermark less its lag. */
export function readToOf(stream: Pick<StreamRow, 'watermark' | 'lagSeconds'>): number | null {
  return stream.watermark === null ? null : stream.watermark - stream.lagSeconds * 1000
}

/** The least of all; null when one of them is not known. */
export function leastOf(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null)
  return known.length < times.length || known.length === 0 ? null : Math.min(...known)
}

function toPassView(pass: PassRow) {
  return {
    id: String(pass.id),
    mode: pass.mode,
    startedAt: iso(pass.startedAt),
    endedAt: iso(pass.endedAt),
    outcome: pass.outcome,
    message: pass.message,
    pages: pass.pages,
    read: pass.read,
    changed: pass.changed,
    quarantined: pass.quarantined,
    coveredFrom: iso(pass.coveredFrom),
    coveredTo: iso(pass.coveredTo),
    requests:
      pass.requests === null
        ? null
        : {
            requests: pass.requests,
            retries: pass.retries ?? 0,
            rateLimited: pass.rateLimited ?? 0,
            waitedMs: pass.waitedMs ?? 0,
            p50Ms: pass.p50Ms ?? 0,
            p95Ms: pass.p95Ms ?? 0,
          },
  }
}
