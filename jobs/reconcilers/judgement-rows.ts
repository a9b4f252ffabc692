import type { JourneyRow, SubjectRow, VerdictRow } from '../../db/records/judgement.ts'
import { fingerprintOf } from '../domain/decide-findings.ts'
import { type Verdict, verdictStates } from '../domain/expectations/expectation.ts'
import type { JudgedActivation } from '../domain/finding.ts'
import { kindOf } from '../domain/expectations/index.ts'
import { hash128 } from '../domain/hash.ts'
import type { RecordFact } from '../domain/facts.ts'
import type { ComponentJudgement, JudgedJourney } from '../domain/judge-component.ts'
import { versionOf } from '../domain/program-versions.ts'
import { noSites, siteFinder } from '../domain/site.ts'
import type { JudgeDeps } from './judge.ts'

/**
 * A cluster inherits the id of the old subject that contributed most of its records (ties: the smallest id); a subject that lost all its
 * records to another becomes its alias.
 */
export function matchSubjects(
  component: string,
  judgement: ComponentJudgement,
  before: readonly SubjectRow[],
  randomId: () => string,
): { rows: SubjectRow[]; aliases: { alias: string; subject: string; cause: string }[] } {
  const oldOf = new Map<string, SubjectRow>()
  for (const row of before) for (const [record] of row.links) oldOf.set(record, row)
  const claims: { cluster: number; old: SubjectRow; records: number }[] = []
  judgement.subjects.forEach((subject, cluster) => {
    const counts = new Map<SubjectRow, number>()
    for (const record of subject.recordIds) {
      const old = oldOf.get(record)
      if (old !== undefined) counts.set(old, (counts.get(old) ?? 0) + 1)
    }
    for (const [old, records] of counts) claims.push({ cluster, old, records })
  })
  claims.sort((a, b) => b.records - a.records || (a.old.id < b.old.id ? -1 : a.old.id > b.old.id ? 1 : a.cluster - b.cluster))
  const idOf = new Map<number, string>()
  const taken = new Set<string>()
  for (const claim of claims) {
    if (idOf.has(claim.cluster) || taken.has(claim.old.id)) continue
    idOf.set(claim.cluster, claim.old.id)
    taken.add(claim.old.id)
  }
  const rows = judgement.subjects.map(
    (subject, cluster): SubjectRow => ({
      id: idOf.get(cluster) ?? randomId(),
      componentId: component,
      links: subject.links.map((link) => [link.recordId, link.rule, link.via, link.inferred ? 1 : 0] as const),
      fingerprint: subject.fingerprint,
    }),
  )
  const aliases: { alias: string; subject: string; cause: string }[] = []
  for (const old of before) {
    if (taken.has(old.id)) continue
    const heir = claims.find((claim) => claim.old.id === old.id)
    const subject = heir === undefined ? undefined : rows[heir.cluster]
    if (subject !== undefined) aliases.push({ alias: old.id, subject: subject.id, cause: 'merged' })
  }
  return { rows, aliases }
}

export function toJourneyRows(component: string, judgement: ComponentJudgement, subjects: readonly SubjectRow[]): JourneyRow[] {
  return judgement.journeys.map((journey) => ({
    id: journey.key,
    componentId: component,
    program: journey.program,
    programVersion: journey.programVersion,
    subjectId: journey.subjectIndex === null ? null : (subjects[journey.subjectIndex]?.id ?? null),
    objectType: journey.object?.type ?? null,
    objectId: journey.object?.id ?? null,
    startedAt: journey.startedAt,
    lastEventAt: journey.lastEventAt,
    endedAt: journey.endedAt,
    endReason: journey.endReason,
    stage: journey.stage,
    events: journey.events,
  }))
}

export function toVerdictRows(component: string, judgement: ComponentJudgement): VerdictRow[] {
  const rows: VerdictRow[] = []
  const push = (program: string, journeyId: string | null, verdict: Verdict): void => {
    rows.push({
      componentId: component,
      journeyId,
      program,
      expectation: verdict.expectation,
      activation: hash128(verdict.activation),
      state: verdictStates.indexOf(verdict.state),
      kind: verdict.kind,
      activations: verdict.activations ?? 1,
      violations: verdict.violations,
      dueAt: verdict.dueAt,
      occurredAt: verdict.occurredAt,
      evidenceAt: verdict.evidenceAt,
      unreadStream: verdict.unread?.stream ?? null,
      readTo: verdict.unread?.readTo ?? null,
    })
  }
  for (const journey of judgement.journeys) for (const verdict of journey.verdicts) push(journey.program, journey.key, verdict)
  for (const verdict of judgement.loose) push(verdict.program ?? '', null, verdict)
  return rows
}

export function toActivations(
  deps: JudgeDeps,
  judgement: ComponentJudgement,
  subjects: readonly SubjectRow[],
  records: readonly RecordFact[],
): JudgedActivation[] {
  const activations: JudgedActivation[] = []
  const siteOf = siteFinder(deps.sites ?? noSites, records)
  const push = (
    programKey: string | null,
    version: number | null,
    subjectIndex: number | null,
    journey: JudgedJourney | null,
    verdict: Verdict,
  ): void => {
    const entry = versionOf(deps.programs, programKey, version)
    const expectation = entry?.program.expectations.find((one) => one.name === verdict.expectation)
    activations.push({
      fingerprint: fingerprintOf(deps.workspaceKey, programKey ?? '', verdict.expectation, verdict.activation),
      ...(expectation?.renamedFrom
        ? { formerFingerprints: [fingerprintOf(deps.workspaceKey, programKey ?? '', expectation.renamedFrom, verdict.activation)] }
        : {}),
      program: programKey,
      programVersion: entry?.version ?? null,
      subjectId: subjectIndex === null ? null : (subjects[subjectIndex]?.id ?? null),
      journeyId: journey?.key ?? null,
      severity: expectation?.severity ?? 'medium',
      expectationOwner: expectation?.owner ?? null,
      programOwner: entry?.program.owner ?? null,
      ...(entry && expectation && verdict.kind !== null ? { streams: kindOf(expectation).streams(expectation, entry.program.steps) } : {}),
      ...(verdict.kind === null ? {} : { site: siteOf(verdict.evidence, journey) }),
      verdict,
    })
  }
  for (const journey of judgement.journeys)
    for (const verdict of journey.verdicts) push(journey.program, journey.programVersion, journey.subjectIndex, journey, verdict)
  for (const verdict of judgement.loose) push(verdict.program, verdict.programVersion, verdict.subjectIndex, null, verdict)
  return activations
}
