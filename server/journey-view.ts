import type { FindingRow } from '../db/schema/findings.ts'
import type { JourneyRow } from '../db/schema/journeys.ts'
import type { Verdict } from '../jobs/domain/expectations/expectation.ts'
import { deadline, earliest, field, inFullWords, type Names, spoken, times } from '../jobs/domain/finding-kinds/words.ts'
import type { Expectation, Program } from '../jobs/domain/program.ts'
import { answerQuestions } from './journey-answers.ts'
import { foldEvents } from './journey-window.ts'
import type { JudgedJourneyView } from './judged-journey.ts'
import { iso } from './shapes/common.ts'
import type { ConnectionView } from './shapes/connection.ts'
import type { ViewContext } from './shapes/finding.ts'
import { connectionOf, toFindingView } from './shapes/finding.ts'
import type { GhostView, JourneyEventView, JourneyView } from './shapes/journey.ts'

export interface JourneyViewInput {
  readonly row: JourneyRow
  readonly judged: JudgedJourneyView
  readonly findings: readonly FindingRow[]
  readonly connections: readonly ConnectionView[]
  readonly now: number
  readonly context: ViewContext
}

/** The whole journey, with all of its events. */
export function toJourneyView({ row, judged, findings, connections, now, context }: JourneyViewInput): JourneyView {
  const { program, journey } = judged
  const names = context.names(program.key)
  const events = toEventViews(judged, findings, context)
  const ghosts = journey.verdicts.flatMap((verdict) => toGhost(judged, verdict, findings, names) ?? [])
  const view: Omit<JourneyView, 'questions'> = {
    asOf: iso(now),
    id: row.id,
    program: program.key,
    programTitle: program.title,
    programVersion: row.programVersion,
    subjectId: row.subjectId,
    object: journey.object,
    stage: journey.stage,
    stageTitle: names.step(journey.stage),
    startedAt: iso(journey.startedAt),
    lastEventAt: iso(journey.lastEventAt),
    endedAt: iso(journey.endedAt),
    endReason: journey.endReason,
    lanes: toLanes([...events, ...ghosts], connections),
    events,
    ghosts,
    verdicts: journey.verdicts.map((verdict) => ({
      expectation: verdict.expectation,
      title: titleOf(program, verdict.expectation, names),
      state: verdict.state,
      kind: verdict.kind,
      dueAt: iso(verdict.dueAt),
      occurredAt: iso(verdict.occurredAt),
      readTo: iso(verdict.unread?.readTo ?? null),
      unreadStream: verdict.unread?.stream ?? null,
      ...(verdict.unread?.setAside === true ? { rowsSetAside: true } : {}),
    })),
    findings: findings.map((finding) => toFindingView(finding, context)),
    links: judged.links.flatMap((link) => {
      const record = judged.records.get(link.recordId)
      const via = link.via === null ? undefined : judged.records.get(link.via)
      return record === undefined
        ? []
        : {
            connection: connectionOf(record.stream),
            stream: record.stream,
            externalId: record.externalId,
            rule: link.rule,
            via: via === undefined ? null : `${via.stream} ${via.externalId}`,
            inferred: link.inferred,
          }
    }),
  }
  return { ...view, questions: answerQuestions(view), eventCount: events.length }
}

/** As much of it as is sent at once. */
export function foldJourney(view: JourneyView): JourneyView {
  const folded = foldEvents(view.events)
  return folded.clusters.length === 0 ? view : { ...view, ...folded }
}

export function toEventViews(
  { program, events }: JudgedJourneyView,
  findings: readonly FindingRow[],
  context: Pick<ViewContext, 'names' | 'linkOf'>,
): JourneyEventView[] {
  const names = context.names(program.key)
  const evidenceOf = Map.groupBy(
    findings.flatMap((finding) =>
      finding.evidence.map((evidence) => ({ key: `${evidence.recordId} ${evidence.occurredAt}`, id: finding.id })),
    ),
    (one) => one.key,
  )
  return events.map(({ id, record, event, occurrences }) => {
    const standing = occurrences.find((occurrence) => occurrence.undoneAt === null) ?? occurrences[0]
    return {
      id,
      connection: connectionOf(record.stream),
      stream: record.stream,
      externalId: record.externalId,
      type: event.type,
      step: standing?.step ?? null,
      // Without the noun that its lane already says: `booking.accepted` is "Accepted".
      title: standing ? names.step(standing.step) : spoken(event.type.slice(event.type.indexOf('.') + 1)),
      status: event.status,
      occurredAt: iso(event.occurredAt),
      occurredAfter: iso(event.occurredAfter),
      observedAt: iso(event.observedAt),
      actor: { kind: event.actor.kind, id: event.actor.id },
      objects: record.objects.map((object) => ({ type: object.type, id: object.id })),
      undone: standing !== undefined && standing.undoneAt !== null,
      deepLink: context.linkOf(record.stream, record.externalId),
      findings: [...new Set(evidenceOf.get(`${record.id} ${event.occurredAt}`)?.map((one) => one.id))],
    }
  })
}

const ghostStates: Readonly<Partial<Record<Verdict['state'], GhostView['state']>>> = {
  pending: 'pending',
  at_risk: 'at_risk',
  unknown: 'unknown',
  violated: 'missing',
  satisfied_late: 'late',
}

/** What a promise still waits for, missed, or got too late. Promises about anything but a step that must come have no ghost. */
export function toGhost(
  { program, streams }: JudgedJourneyView,
  verdict: Verdict,
  findings: readonly FindingRow[],
  names: Names,
): GhostView | undefined {
  const expectation = program.expectations.find((one) => one.name === verdict.expectation)
  const state = ghostStates[verdict.state]
  if (expectation?.kind !== 'follows' || state === undefined) return undefined
  if (verdict.state === 'violated' && verdict.kind !== 'gap') return undefined
  const stream = program.steps.get(expectation.expect)?.stream ?? 'unknown'
  const read = streams.get(stream)
  const readTo = read === undefined || read.watermark === null ? null : read.watermark - read.lagMs
  const finding = findings.find((one) => one.expectation === verdict.expectation && isOf(one, verdict))
  return {
    id: `${verdict.expectation} ${verdict.activation}`,
    expectation: verdict.expectation,
    step: expectation.expect,
    title: names.step(expectation.expect),
    connection: connectionOf(stream),
    state,
    from: iso(verdict.anchorAt),
    dueAt: iso(verdict.dueAt),
    ...(state === 'late' ? { cameAt: iso(verdict.evidenceAt) } : {}),
    readTo: iso(verdict.unread === null ? readTo : verdict.unread.readTo),
    findingId: finding?.id ?? null,
  }
}

function isOf(finding: FindingRow, verdict: Verdict): boolean {
  const anchors = new Set(verdict.evidence.filter((item) => item.role === 'anchor').map((item) => item.recordId))
  return finding.evidence.some((item) => item.role === 'anchor' && anchors.has(item.recordId))
}

function toLanes(shown: readonly { readonly connection: string }[], connections: readonly ConnectionView[]): JourneyView['lanes'] {
  const order = [...new Set(shown.map((one) => one.connection))]
  return order.map((id) => {
    const connection = connections.find((one) => one.id === id)
    return {
      connection: id,
      title: connection?.title ?? id,
      connector: connection?.connector ?? 'unknown',
      readTo: connection?.readTo ?? null,
      state: connection?.state ?? 'new',
    }
  })
}

export function titleOf(program: Program, name: string, names: Names): string {
  const expectation = program.expectations.find((one) => one.name === name)
  return expectation?.title ?? promiseOf(expectation, names) ?? spoken(name.replaceAll('-', ' '))
}

/** A promise of the program file in words. */
export function promiseOf(expectation: Expectation | undefined, names: Names): string | null {
  const step = (name: string) => `“${names.step(name)}”`
  switch (expectation?.kind) {
    case undefined:
      return null
    case 'follows':
      return `${step(expectation.expect)}${deadline(
        { after: expectation.after, withinMs: expectation.within?.offsetMs ?? null, withinField: expectation.within?.field ?? null },
        names,
      )}${expectation.notBefore === null ? '' : `, not before ${earliest(expectation.notBefore)}`}`
    case 'at_most':
      return `${step(expectation.of)} at most ${times(expectation.limit)}`
    case 'order':
      return `${step(expectation.first)} before ${step(expectation.then)}`
    case 'never':
      return expectation.after === null
        ? `Never ${step(expectation.never)}`
        : `Never ${step(expectation.never)} after ${step(expectation.after)}`
    case 'agree': {
      const sides = expectation.sides.map((side) => field(`${side.stream}.${side.field}`, names))
      return `${[...new Set(sides.map(({ tool, field: name }) => (name === null ? tool : `${name} of ${tool}`)))].join(' and ')} agree`
    }
    case 'stuck':
      return `Something happens at least every ${inFullWords(expectation.afterMs)}`
    case 'belongs':
      return `${step(expectation.step)} belongs to a journey`
  }
}
