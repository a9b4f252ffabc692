import { z } from 'zod'
import { countQuarantined, readConnection } from '../db/records/connections.ts'
import { readRequestTotals } from '../db/records/passes.ts'
import { readQuarantined } from '../db/records/quarantine.ts'
import type { ConnectionRow } from '../db/schema/connections.ts'
import { connectors } from '../jobs/connectors/index.ts'
import { standingIn } from '../jobs/connectors/set-aside.ts'
import { AppError } from '../jobs/domain/errors.ts'
import { neededStreams } from '../jobs/domain/promise.ts'
import { whyNotAccepted } from './commands/accept-quarantined.ts'
import type { AppDeps } from './deps.ts'
import { titleOf } from './journey-view.ts'
import { readConnectionViews } from './read-connections.ts'
import { iso } from './shapes/common.ts'
import type { ConnectionDetailView, QuarantineView } from './shapes/connection.ts'
import { connectionOf } from './shapes/finding.ts'
import { namesOf } from './view-context.ts'

const passesShown = 60
const quarantineAtMost = 200
const dayMs = 24 * 3_600_000

const absent = (id: string) => new AppError('not_found', `There is no connection ${id}.`)
/** As `checkConnection` stored it. */
const checkSchema = z.object({ ok: z.boolean(), message: z.string() })

/** Everything the page of one connection shows beyond its line in the list. @throws AppError not_found */
export async function readConnectionDetail(deps: AppDeps, id: string): Promise<ConnectionDetailView> {
  const { database, id: workspaceId, clock } = deps.workspace
  const now = clock.now()
  const [[view], status] = await Promise.all([
    readConnectionViews(deps, { passes: passesShown, only: id }),
    readConnection(database.db, workspaceId, id),
  ])
  if (!view || !status) throw absent(id)
  const since = now - dayMs
  const totals = await readRequestTotals(
    database.sql,
    workspaceId,
    status.streams.map((stream) => stream.id),
    since,
  )
  return {
    ...view,
    asOf: iso(now),
    can: allowedOn(status.connection),
    lastCheck: lastCheckOf(status.connection),
    budget: {
      since: iso(since),
      streams: status.streams.map((stream) => {
        const { streamId: _, ...counts } = totals.find(({ streamId }) => streamId === stream.id) ?? { ...nothing, streamId: stream.id }
        return { stream: stream.name, clockSkewMs: stream.clockSkewMs, ...counts }
      }),
    },
    about: aboutOf(deps, status.connection),
    promises: promisesOn(deps, id),
  }
}

const nothing = { passes: 0, requests: 0, retries: 0, rateLimited: 0, waitedMs: 0, p95Ms: null }

function allowedOn({ enabled, pausedAt }: ConnectionRow): ConnectionDetailView['can'] {
  const ok = { ok: true as const }
  const no = (why: string) => ({ ok: false as const, why })
  if (!enabled) {
    const removed = no('The configuration no longer names this connection.')
    return { check: removed, poll: removed, pause: removed, resume: removed }
  }
  return pausedAt === null
    ? { check: ok, poll: ok, pause: ok, resume: no('It is not paused.') }
    : { check: ok, poll: no('It is paused: resume it, then it is read at once.'), pause: no('It is paused already.'), resume: ok }
}

function lastCheckOf({ checkedAt, checkResult }: ConnectionRow): ConnectionDetailView['lastCheck'] {
  const said = checkSchema.safeParse(checkResult)
  return checkedAt === null || !said.success ? null : { at: iso(checkedAt), ...said.data }
}

function aboutOf({ workspace }: AppDeps, connection: ConnectionRow): ConnectionDetailView['about'] {
  const code = connectors.find((one) => one.describe().id === connection.connector)
  if (code === undefined) return null
  const { name, version, apiVersion, verified, verifiedOn, streams } = code.describe()
  const specs = workspace.configuration.connections.find(({ id }) => id === connection.id)?.streams ?? streams
  return {
    title: name,
    version,
    apiVersion,
    verified,
    verifiedOn,
    streams: specs.map((spec) => ({
      stream: spec.name,
      cursor: spec.cursor,
      deletions: spec.deletions,
      overlapSeconds: spec.overlapSeconds,
      fullSweepSeconds: spec.fullSweepSeconds,
      kept: [...spec.fields.ops],
      hashed: [...spec.fields.keys],
      dropped: [...spec.fields.dropped],
    })),
  }
}

function promisesOn({ workspace }: AppDeps, id: string): ConnectionDetailView['promises'] {
  return workspace.judging.programs.flatMap(({ program }) =>
    program.expectations.flatMap((expectation) => {
      const streams = neededStreams(program, expectation).filter(({ stream }) => connectionOf(stream) === id)
      if (streams.length === 0) return []
      const title = titleOf(program, expectation.name, namesOf(workspace)(program.key))
      const { name, severity } = expectation
      return { program: program.key, programTitle: program.title, expectation: name, title, severity, streams }
    }),
  )
}

/** Records of a connection that were set aside, those met last first. @throws AppError not_found */
export async function readQuarantine(deps: AppDeps, id: string): Promise<QuarantineView> {
  const { database, id: workspaceId, clock } = deps.workspace
  const [status, rows, counts] = await Promise.all([
    readConnection(database.db, workspaceId, id),
    readQuarantined(database.sql, workspaceId, id, quarantineAtMost),
    countQuarantined(database.db, workspaceId),
  ])
  if (!status) throw absent(id)
  const streams = new Map(status.streams.map((stream) => [stream.name, { stream, standing: standingIn(stream.cursor) }] as const))
  const items = rows.map(({ acceptedAt, acceptedBy, acceptedReason, firstSeenAt, lastSeenAt, ...row }) => {
    const { stream, standing } = streams.get(row.stream) ?? {}
    const isStanding = (stream?.setAside ?? 0) > 0 && (standing?.has(row.rawHash) ?? true)
    const state = acceptedAt !== null ? ('accepted' as const) : isStanding ? ('stands' as const) : ('gone' as const)
    const why = {
      accepted: 'It is accepted already.',
      gone: 'It no longer stands in the way.',
      stands: whyNotAccepted(deps, id, row.stream),
    }[state]
    return {
      ...row,
      streamTitle: stream?.title ?? row.stream,
      firstSeenAt: iso(firstSeenAt),
      lastSeenAt: iso(lastSeenAt),
      state,
      accepted: acceptedAt === null ? null : { at: iso(acceptedAt), by: acceptedBy ?? '', reason: acceptedReason ?? '' },
      can: { accept: why === null ? { ok: true as const } : { ok: false as const, why } },
    }
  })
  const total = counts
    .filter(({ streamId }) => status.streams.some(({ id: own }) => own === streamId))
    .reduce((sum, row) => sum + row.count, 0)
  return { asOf: iso(clock.now()), total, next: null, items }
}
