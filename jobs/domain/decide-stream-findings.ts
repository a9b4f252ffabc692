import type { Evidence } from './expectations/expectation.ts'
import { changeOf } from './finding-change.ts'
import { isOpen, isWaiverOver } from './finding-lifecycle.ts'
import type { Finding, FindingChange, Routing } from './finding.ts'
import { hash128 } from './hash.ts'
import type { Severity } from './program.ts'
import { routeFinding } from './route-finding.ts'
import { settleWithinMs } from './settle-within.ts'
import { type FoundSite, siteOfConnection } from './site.ts'

/** How one stream stands, as the findings about not being able to see need it. Times are epoch ms of the domain clock. */
export interface StreamSight {
  readonly connection: string
  readonly connectionTitle: string
  readonly connectionOwner: string | null
  readonly connectionSite?: string | null
  /** `<connection>.<stream>` */
  readonly stream: string
  readonly blindAfterMs: number
  /** End of the last complete read; null: never. */
  readonly lastCompleteAt: number | null
  /** When we began to try; counts while nothing was ever read completely. */
  readonly knownSince: number
  readonly lastSweepAt: number | null
  /** A finished export, or a paused connection: not reading it is no fault. */
  readonly exempt: boolean
  readonly stateReason: string | null
  /** Why rows that are set aside make absence in it count for nothing, and since when. */
  readonly setAsideReason?: string | null
  readonly setAsideSince?: number | null
  /** Those that stand: one that a complete reading no longer met is not among them. */
  readonly drifts: readonly { readonly path: string; readonly what: string; readonly firstSeenAt: number; readonly lastSeenAt: number }[]
}

export interface StreamDecideOptions {
  readonly now: number
  readonly routing: Routing
  readonly workspaceKey: string
}

/** What is wrong with our sight of one connection or stream, before it meets what is known already. */
interface Sighting {
  readonly fingerprint: string
  readonly kind: 'blind' | 'schema_drift'
  readonly severity: Severity
  readonly connection: string
  readonly connectionOwner: string | null
  readonly site: FoundSite | null
  readonly streams: readonly string[]
  readonly occurredAt: number
  /** When it was last the case; a regression must have occurred after what closed it. */
  readonly contraryAt: number
  readonly count: number
  readonly detail: Finding['detail']
  readonly evidence: readonly Evidence[]
}

/** The findings about our own sight: one `blind` per connection with its streams named, one `schema_drift` per stream with paths only. */
export function decideStreamFindings(
  streams: readonly StreamSight[],
  existing: readonly Finding[],
  options: StreamDecideOptions,
): readonly FindingChange[] {
  const known = new Map(existing.map((finding) => [finding.fingerprint, finding]))
  const sightings = [...blindConnections(streams, options), ...driftingStreams(streams, options)]
  const seen = new Set(sightings.map((sighting) => sighting.fingerprint))
  const changes: FindingChange[] = []
  for (const sighting of sightings) {
    const finding = known.get(sighting.fingerprint)
    const change = finding ? again(finding, sighting, options.now) : opened(sighting, options)
    if (change) changes.push(change)
  }
  for (const finding of existing) {
    if (seen.has(finding.fingerprint) || !(isOpen(finding.status) || isWaiverOver(finding, options.now))) continue
    const change = finding.kind === 'blind' ? readAgain(finding, streams, options.now) : sweptClean(finding, streams, options.now)
    if (change) changes.push(change)
  }
  return changes
}

function isBlind(stream: StreamSight, now: number): boolean {
  return isWithheld(stream) || isUnread(stream, now)
}

function isUnread(stream: StreamSight, now: number): boolean {
  return !stream.exempt && now - (stream.lastCompleteAt ?? stream.knownSince) > stream.blindAfterMs
}

/** Read, and yet blind at once: what it does not show may be among the rows set aside. */
function isWithheld(stream: StreamSight): boolean {
  return (stream.setAsideReason ?? null) !== null
}

function blindSince(stream: StreamSight, now: number): number {
  return isUnread(stream, now)
    ? (stream.lastCompleteAt ?? stream.knownSince) + stream.blindAfterMs
    : (stream.setAsideSince ?? stream.lastCompleteAt ?? now)
}

function blindConnections(streams: readonly StreamSight[], { now, workspaceKey }: StreamDecideOptions): Sighting[] {
  const blind = Map.groupBy(
    streams.filter((stream) => isBlind(stream, now)),
    (stream) => stream.connection,
  )
  return [...blind].map(([connection, its]) => {
    const setAside = its.flatMap((stream) => stream.setAsideReason ?? []).join(' ')
    const isRead = its.every((stream) => !isUnread(stream, now))
    return {
      fingerprint: hash128('finding', workspaceKey, '', 'blind', connection),
      kind: 'blind',
      severity: 'high',
      connection,
      connectionOwner: its[0]?.connectionOwner ?? null,
      site: siteOfConnection(connection, its[0]?.connectionSite),
      streams: its.map((stream) => stream.stream).sort(),
      occurredAt: Math.min(...its.map((stream) => blindSince(stream, now))),
      contraryAt: Math.max(...its.map((stream) => blindSince(stream, now))),
      count: 1,
      detail: {
        connection,
        streams: its
          .map((stream) => stream.stream)
          .sort()
          .join(', '),
        blindAfterMs: Math.min(...its.map((stream) => stream.blindAfterMs)),
        reason: its.find((stream) => stream.stateReason !== null)?.stateReason ?? (setAside === '' ? null : setAside),
        ...(isRead ? { setAside } : {}),
      },
      evidence: its.map((stream) => readEvidence(stream)),
    }
  })
}

function driftingStreams(streams: readonly StreamSight[], { workspaceKey }: StreamDecideOptions): Sighting[] {
  return streams
    .filter((stream) => stream.drifts.length > 0)
    .map((stream) => {
      const { drifts } = stream
      const paths = drifts.map((drift) => `${drift.path} (${drift.what})`).sort()
      return {
        fingerprint: hash128('finding', workspaceKey, '', 'schema_drift', stream.stream),
        kind: 'schema_drift',
        severity: 'medium',
        connection: stream.connection,
        connectionOwner: stream.connectionOwner,
        site: siteOfConnection(stream.connection, stream.connectionSite),
        streams: [stream.stream],
        occurredAt: Math.min(...drifts.map((drift) => drift.firstSeenAt)),
        contraryAt: Math.max(...drifts.map((drift) => drift.lastSeenAt)),
        count: paths.length,
        detail: { stream: stream.stream, count: paths.length, paths: paths.slice(0, 20).join(', ') },
        evidence: [readEvidence(stream)],
      }
    })
}

function opened(sighting: Sighting, { now, routing }: StreamDecideOptions): FindingChange {
  const routed = routeFinding(routing, {
    kind: sighting.kind,
    program: null,
    expectation: sighting.kind,
    severity: sighting.severity,
    connections: [sighting.connection],
    site: sighting.site,
    expectationOwner: null,
    connectionOwner: sighting.connectionOwner,
    programOwner: null,
  })
  const finding: Finding = {
    id: sighting.fingerprint,
    fingerprint: sighting.fingerprint,
    aliases: [],
    program: null,
    programVersion: null,
    expectation: sighting.kind,
    kind: sighting.kind,
    severity: sighting.severity,
    status: 'open',
    owner: routed.owner,
    ownerReason: routed.reason,
    subjectId: null,
    journeyId: null,
    objectType: null,
    objectId: null,
    site: sighting.site?.key ?? null,
    streams: sighting.streams,
    openedAt: now,
    occurredAt: sighting.occurredAt,
    deadlineAt: null,
    dueAt: now + settleWithinMs(sighting.severity),
    changedAt: now,
    closedAt: null,
    closedReason: null,
    closingEvidenceAt: null,
    closingEvidence: null,
    waivedUntil: null,
    snoozedUntil: null,
    claimedBy: null,
    claimedUntil: null,
    violations: sighting.count,
    occurrences: 1,
    regressions: 0,
    detail: sighting.detail,
    evidence: sighting.evidence,
    revision: 1,
  }
  return changeOf('finding.open', null, finding, routed.reason)
}

function again(finding: Finding, sighting: Sighting, now: number): FindingChange | undefined {
  const shown: Finding = {
    ...finding,
    streams: sighting.streams,
    site: sighting.site?.key ?? null,
    violations: sighting.count,
    detail: sighting.detail,
    evidence: sighting.evidence,
    changedAt: now,
  }
  const isExpired = isWaiverOver(finding, now)
  if (isOpen(finding.status)) {
    if (finding.snoozedUntil !== null && finding.snoozedUntil <= now) {
      return changeOf('finding.wake', finding, { ...shown, snoozedUntil: null }, 'The time it was snoozed until has come.')
    }
    const isSame =
      finding.streams.join() === sighting.streams.join() &&
      finding.site === (sighting.site?.key ?? null) &&
      finding.detail.paths === sighting.detail.paths &&
      finding.detail.setAside === sighting.detail.setAside
    return isSame ? undefined : changeOf('finding.update', finding, shown, 'Other streams or paths are concerned.')
  }
  const reopened: Finding = {
    ...shown,
    status: 'open',
    occurredAt: sighting.occurredAt,
    dueAt: now + settleWithinMs(finding.severity),
    closedAt: null,
    closedReason: null,
    closingEvidenceAt: null,
    closingEvidence: null,
    waivedUntil: null,
  }
  if (isExpired) return changeOf('finding.reopen', finding, reopened, 'Its waiver ran out.')
  if (finding.status === 'waived') return undefined
  // A person who closed a change of shape meant these paths; only another one opens it again.
  const isAccepted = finding.kind === 'schema_drift' && finding.status === 'false_alarm' && finding.detail.paths === sighting.detail.paths
  if (isAccepted || sighting.contraryAt <= (finding.closingEvidenceAt ?? finding.closedAt ?? now)) return undefined
  return changeOf(
    'finding.regress',
    finding,
    { ...reopened, regressions: finding.regressions + 1 },
    'It happened again after it had been closed.',
  )
}

function readAgain(finding: Finding, streams: readonly StreamSight[], now: number): FindingChange | undefined {
  const its = streams.filter((stream) => stream.connection === finding.detail.connection)
  // A finished export whose rows were mended is read again; one with rows still set aside is read no more.
  const isMended = typeof finding.detail.setAside === 'string' && its.every((stream) => (stream.setAsideSince ?? null) === null)
  if (its.length === 0 || (its.every((stream) => stream.exempt) && !isMended))
    return closed(finding, 'withdrawn', 'connection_removed', null, [], now)
  const evidence = its.filter((stream) => finding.streams.includes(stream.stream)).map((stream) => readEvidence(stream))
  const readAt = Math.max(...its.map((stream) => stream.lastCompleteAt ?? 0))
  return closed(finding, 'verified', 'read_again', readAt, evidence, now)
}

function sweptClean(finding: Finding, streams: readonly StreamSight[], now: number): FindingChange | undefined {
  const stream = streams.find((candidate) => candidate.stream === finding.detail.stream)
  if (!stream) return closed(finding, 'withdrawn', 'connection_removed', null, [], now)
  return closed(finding, 'verified', 'swept_clean', stream.lastCompleteAt, [readEvidence(stream)], now)
}

const closingSentences = {
  read_again: 'Every stream of the connection was read completely again.',
  swept_clean: 'A complete reading no longer met it.',
  connection_removed: 'The connection is no longer read.',
} as const

function closed(
  finding: Finding,
  status: 'verified' | 'withdrawn',
  closedReason: keyof typeof closingSentences,
  closingEvidenceAt: number | null,
  closingEvidence: readonly Evidence[],
  now: number,
): FindingChange {
  const after: Finding = {
    ...finding,
    status,
    closedReason,
    closedAt: now,
    changedAt: now,
    closingEvidenceAt,
    closingEvidence: closingEvidence.length > 0 ? closingEvidence : null,
    waivedUntil: null,
    snoozedUntil: null,
    claimedBy: null,
    claimedUntil: null,
  }
  return changeOf('finding.close', finding, after, closingSentences[closedReason])
}

function readEvidence(stream: StreamSight): Evidence {
  return {
    role: 'read',
    stream: stream.stream,
    externalId: '',
    recordId: '',
    eventType: null,
    status: null,
    occurredAt: null,
    updatedAt: stream.lastCompleteAt,
    observedAt: stream.lastCompleteAt,
    actor: null,
  }
}
