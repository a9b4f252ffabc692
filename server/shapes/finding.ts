import { z } from '@hono/zod-openapi'
import type { EvidenceRow, FindingRow } from '../../db/schema/findings.ts'
import { findingKindByName } from '../../jobs/domain/finding-kinds/index.ts'
import type { Names } from '../../jobs/domain/finding-kinds/words.ts'
import { personActs, whatOneCanDo } from '../../jobs/domain/finding-lifecycle.ts'
import { actorShape, allowedShape, iso, isoTime, objectShape, ownerShape, severityShape, siteShape, statusShape } from './common.ts'

const actionNames = ['acknowledge', 'assign', 'claim', 'release', 'snooze', 'unsnooze', 'waive', 'comment', 'false-alarm'] as const

export const findingShape = z
  .object({
    id: z.string(),
    kind: z.string(),
    sentence: z.string(),
    program: z.string().nullable(),
    expectation: z.string(),
    severity: severityShape,
    status: statusShape,
    owner: ownerShape,
    subjectId: z.string().nullable(),
    journeyId: z.string().nullable(),
    object: objectShape.nullable(),
    site: siteShape.nullable(),
    tools: z.array(z.string()),
    openedAt: isoTime,
    occurredAt: isoTime.nullable(),
    deadlineAt: isoTime.nullable(),
    dueAt: isoTime,
    changedAt: isoTime,
    lastEvidenceAt: isoTime.nullable(),
    closedAt: isoTime.nullable(),
    closedReason: z.string().nullable(),
    snoozedUntil: isoTime.nullable(),
    waivedUntil: isoTime.nullable(),
    claimedBy: z.string().nullable(),
    claimedUntil: isoTime.nullable(),
    violations: z.int(),
    occurrences: z.int(),
    regressions: z.int(),
    revision: z.int(),
    can: z.object(
      Object.fromEntries(actionNames.map((name) => [name, allowedShape])) as Record<(typeof actionNames)[number], typeof allowedShape>,
    ),
  })
  .openapi('Finding')
export type FindingView = z.output<typeof findingShape>

export const evidenceShape = z
  .object({
    role: z.string(),
    connection: z.string(),
    stream: z.string(),
    externalId: z.string(),
    eventType: z.string().nullable(),
    status: z.string().nullable(),
    occurredAt: isoTime.nullable(),
    updatedAt: isoTime.nullable(),
    observedAt: isoTime.nullable(),
    actor: actorShape.nullable(),
    deepLink: z.string().nullable(),
  })
  .openapi('Evidence')
export type EvidenceView = z.output<typeof evidenceShape>

export interface ViewContext {
  readonly ownerTitles: ReadonlyMap<string, string>
  readonly siteTitles: ReadonlyMap<string, string>
  readonly actor: string
  readonly wallNow: number
  /** What the steps of a program and the tools are called. */
  readonly names: (program: string | null) => Names
  /** The address of a record in its tool. */
  readonly linkOf: (stream: string, externalId: string) => string | null
}

export function toFindingView(finding: FindingRow, context: ViewContext): FindingView {
  const can = whatOneCanDo(finding, context.actor, context.wallNow)
  const isClaimed = finding.claimedBy !== null && (finding.claimedUntil ?? 0) > context.wallNow
  return {
    id: finding.id,
    kind: finding.kind,
    sentence: sentenceOf(finding, context.names(finding.program)),
    program: finding.program,
    expectation: finding.expectation,
    severity: finding.severity,
    status: finding.status,
    owner: { key: finding.owner, title: context.ownerTitles.get(finding.owner) ?? finding.owner },
    subjectId: finding.subjectId,
    journeyId: finding.journeyId,
    object: finding.objectType !== null && finding.objectId !== null ? { type: finding.objectType, id: finding.objectId } : null,
    site: finding.site === null ? null : { key: finding.site, title: context.siteTitles.get(finding.site) ?? finding.site },
    tools: connectionsOf(finding.streams),
    openedAt: iso(finding.openedAt),
    occurredAt: iso(finding.occurredAt),
    deadlineAt: iso(finding.deadlineAt),
    dueAt: iso(finding.dueAt),
    changedAt: iso(finding.changedAt),
    lastEvidenceAt: iso(lastEvidenceAt(finding.evidence)),
    closedAt: iso(finding.closedAt),
    closedReason: finding.closedReason,
    snoozedUntil: iso(finding.snoozedUntil),
    waivedUntil: iso(finding.waivedUntil),
    claimedBy: isClaimed ? finding.claimedBy : null,
    claimedUntil: isClaimed ? iso(finding.claimedUntil) : null,
    violations: finding.violations,
    occurrences: finding.occurrences,
    regressions: finding.regressions,
    revision: finding.revision,
    can: Object.fromEntries(personActs.map((act) => [act.replace('_', '-'), can[act]])) as FindingView['can'],
  }
}

export function toEvidenceView(evidence: EvidenceRow, { linkOf }: Pick<ViewContext, 'linkOf'>): EvidenceView {
  return {
    role: evidence.role,
    connection: connectionOf(evidence.stream),
    stream: evidence.stream,
    externalId: evidence.externalId,
    eventType: evidence.eventType,
    status: evidence.status,
    occurredAt: iso(evidence.occurredAt),
    updatedAt: iso(evidence.updatedAt),
    observedAt: iso(evidence.observedAt),
    actor: evidence.actor,
    deepLink: linkOf(evidence.stream, evidence.externalId),
  }
}

/** No sentence is longer, whatever a tool put into a state: it is a heading, a row and a title. */
const longestSentence = 400

export function sentenceOf(finding: Pick<FindingRow, 'kind' | 'detail' | 'expectation'>, names: Names): string {
  const sentence = findingKindByName.get(finding.kind)?.sentence(finding.detail, names) ?? `${finding.expectation} does not hold.`
  return sentence.length > longestSentence ? `${sentence.slice(0, longestSentence - 1)}…` : sentence
}

export function connectionOf(stream: string): string {
  return stream.split('.')[0] ?? stream
}

export function connectionsOf(streams: readonly string[]): string[] {
  return [...new Set(streams.map(connectionOf))]
}

function lastEvidenceAt(evidence: readonly EvidenceRow[]): number | null {
  const times = evidence.flatMap((item) => item.observedAt ?? [])
  return times.length === 0 ? null : Math.max(...times)
}
