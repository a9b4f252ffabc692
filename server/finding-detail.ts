import { z } from '@hono/zod-openapi'
import { readActs } from '../db/records/audit.ts'
import { readComments } from '../db/records/comments.ts'
import { readJourneyFindings } from '../db/records/findings.ts'
import { readJourney } from '../db/records/journeys.ts'
import { readStreams } from '../db/records/streams.ts'
import type { AuditRow } from '../db/schema/audit.ts'
import type { CommentRow } from '../db/schema/comments.ts'
import type { FindingRow } from '../db/schema/findings.ts'
import type { StreamRead } from '../jobs/domain/expectations/expectation.ts'
import { findingKindByName } from '../jobs/domain/finding-kinds/index.ts'
import { versionOf } from '../jobs/domain/program-versions.ts'
import type { AppDeps } from './deps.ts'
import { sayOwnerReason } from './finding-owner-reason.ts'
import { sideShape, sidesOf } from './finding-sides.ts'
import { judgeJourneyAnew } from './judged-journey.ts'
import { promiseOf, titleOf, toEventViews, toGhost } from './journey-view.ts'
import { iso, isoTime } from './shapes/common.ts'
import { evidenceShape, findingShape, sentenceOf, toEvidenceView, toFindingView } from './shapes/finding.ts'
import { ghostShape, journeyEventShape } from './shapes/journey.ts'
import { viewContext } from './view-context.ts'

const activityShape = z
  .object({
    id: z.string(),
    /** Domain time. */
    at: isoTime,
    /** Wall time. */
    recordedAt: isoTime,
    actor: z.string(),
    act: z.string(),
    reason: z.string().nullable(),
    body: z.string().nullable(),
    from: z.string().nullable(),
    to: z.string().nullable(),
  })
  .openapi('Activity')
type Activity = z.output<typeof activityShape>

export const findingDetailShape = findingShape
  .extend({
    asOf: isoTime,
    meaning: z.string(),
    promise: z.object({
      title: z.string(),
      sentence: z.string(),
      ifItFails: z.string().nullable(),
      programTitle: z.string().nullable(),
      programVersion: z.int().nullable(),
    }),
    ownerReason: z.string(),
    sides: z.array(sideShape),
    evidence: z.array(evidenceShape),
    activity: z.array(activityShape),
    closing: evidenceShape.nullable(),
    slice: z
      .object({
        id: z.string(),
        program: z.string(),
        stage: z.string(),
        stageTitle: z.string(),
        startedAt: isoTime,
        endedAt: isoTime.nullable(),
        events: z.array(journeyEventShape),
        ghosts: z.array(ghostShape),
      })
      .nullable(),
  })
  .openapi('FindingDetail')
export type FindingDetail = z.output<typeof findingDetailShape>

const eventsAround = 25

export async function readFindingDetail(deps: AppDeps, finding: FindingRow): Promise<FindingDetail> {
  const { database, id: workspaceId, clock, judging } = deps.workspace
  const [acts, comments, streams, slice] = await Promise.all([
    readActs(database.db, workspaceId, 'finding', finding.id),
    readComments(database.db, workspaceId, finding.id),
    readStreams(database.sql, workspaceId),
    readSlice(deps, finding),
  ])
  const program = versionOf(judging.programs, finding.program, finding.programVersion)?.program
  const expectation = program?.expectations.find((one) => one.name === finding.expectation)
  const kind = findingKindByName.get(finding.kind)
  const context = viewContext(deps)
  const names = context.names(finding.program)
  const closing = finding.closingEvidence?.findLast((item) => item.role === 'expected') ?? finding.closingEvidence?.at(-1)
  return {
    ...toFindingView(finding, context),
    asOf: iso(clock.now()),
    meaning: kind?.meaning ?? '',
    promise: {
      title: program ? titleOf(program, finding.expectation, names) : (kind?.title ?? finding.expectation),
      sentence: promiseOf(expectation, names) ?? sentenceOf(finding, names),
      ifItFails: expectation?.ifItFails ?? null,
      programTitle: program?.title ?? null,
      programVersion: finding.programVersion,
    },
    ownerReason: sayOwnerReason(finding.ownerReason, {
      expectation: (key) => (program ? titleOf(program, key, names) : (findingKindByName.get(finding.kind)?.title ?? key)),
      program: (key) => judging.programs.find((one) => one.program.key === key)?.program.title ?? key,
      tool: names.tool,
    }),
    sides: sidesOf({
      finding,
      program,
      expectation,
      streams: new Map<string, StreamRead>(
        streams.map((stream) => [
          `${stream.connection}.${stream.name}`,
          { watermark: stream.watermark, lagMs: stream.lagSeconds * 1000, final: stream.final },
        ]),
      ),
      names,
    }),
    evidence: finding.evidence.map((item) => toEvidenceView(item, context)),
    activity: toActivity(acts, comments),
    closing: finding.closedAt !== null && closing ? toEvidenceView(closing, context) : null,
    slice,
  }
}

async function readSlice(deps: AppDeps, finding: FindingRow): Promise<FindingDetail['slice']> {
  if (finding.journeyId === null) return null
  const { database, id: workspaceId } = deps.workspace
  const row = await readJourney(database.db, workspaceId, finding.journeyId)
  const judged = row && (await judgeJourneyAnew(deps, row))
  if (!row || !judged) return null
  const findings = await readJourneyFindings(database.db, workspaceId, row.id)
  const context = viewContext(deps)
  const names = context.names(row.program)
  const events = toEventViews(judged, findings, context)
  const own = events.flatMap((event, index) => (event.findings.includes(finding.id) ? [index] : []))
  const from = Math.max(0, (own[0] ?? events.length) - eventsAround)
  return {
    id: row.id,
    program: row.program,
    stage: judged.journey.stage,
    stageTitle: names.step(judged.journey.stage),
    startedAt: iso(judged.journey.startedAt),
    endedAt: iso(judged.journey.endedAt),
    events: events.slice(from, (own.at(-1) ?? events.length) + eventsAround),
    ghosts: judged.journey.verdicts.flatMap((verdict) => toGhost(judged, verdict, findings, names) ?? []),
  }
}

const pastTense: Readonly<Record<string, string>> = {
  open: 'opened',
  update: 'updated',
  close: 'closed',
  amend: 'amended',
  regress: 'regressed',
  reopen: 'reopened',
  wake: 'woken',
  move: 'moved',
  acknowledge: 'acknowledged',
  assign: 'assigned',
  claim: 'claimed',
  release: 'released',
  snooze: 'snoozed',
  unsnooze: 'taken back from snooze',
  waive: 'waived',
}

/** What was done, oldest first; a comment stands with its text. */
function toActivity(acts: readonly AuditRow[], comments: readonly CommentRow[]): Activity[] {
  const shown = acts
    .filter((row) => row.act !== 'finding.comment')
    .map((row): Activity => {
      const act = row.act.replace(/^finding\./, '')
      const change = ['status', 'owner', 'kind'].find((field) => row.before?.[field] !== undefined && row.after?.[field] !== undefined)
      return {
        id: row.id,
        at: iso(row.at),
        recordedAt: iso(row.recordedAt),
        actor: row.actor,
        act: pastTense[act] ?? act,
        reason: row.reason,
        body: null,
        from: change === undefined ? null : String(row.before?.[change]),
        to: change === undefined ? null : String(row.after?.[change]),
      }
    })
  const written = comments.map(
    (row): Activity => ({
      id: row.id,
      at: iso(row.createdAt),
      recordedAt: iso(row.createdAt),
      actor: row.author,
      act: 'comment',
      reason: null,
      body: row.body,
      from: null,
      to: null,
    }),
  )
  return [...shown, ...written].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.recordedAt < b.recordedAt ? -1 : 1))
}
