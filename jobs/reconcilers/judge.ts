import { commitLazily, partCount, type Sql, type Tx } from '../../db/records/bulk.ts'
import { tellJourneys } from '../../db/records/feed.ts'
import { markDirty } from '../../db/records/facts.ts'
import { readComponentFindings, type StoredFinding, wakeFindings, writeFindingChanges } from '../../db/records/finding-changes.ts'
import {
  aliasSubjects,
  forgetAbsorbed,
  type JourneyRow,
  lockComponents,
  readAbsorbed,
  readHotTokens,
  readJourneys,
  readSubjects,
  readVerdicts,
  replaceDue,
  replaceJourneys,
  replaceSubjects,
  replaceVerdicts,
  type SubjectRow,
  takeDirty,
  type VerdictRow,
  wakeDue,
} from '../../db/records/judgement.ts'
import { parkComponent, retryParked, unpark } from '../../db/records/parked.ts'
import { readStreams } from '../../db/records/streams.ts'
import { isDatabaseError, isRefusedValue } from '../../db/storage-error.ts'
import { decideFindings, fingerprintOf } from '../domain/decide-findings.ts'
import { type JudgeContext, type Verdict, verdictStates } from '../domain/expectations/expectation.ts'
import type { Finding, FindingChange, JudgedActivation, Routing } from '../domain/finding.ts'
import { kindOf } from '../domain/expectations/index.ts'
import { hash128 } from '../domain/hash.ts'
import type { Decision } from '../domain/identity/resolve.ts'
import type { RecordFact } from '../domain/facts.ts'
import { type ComponentFacts, type ComponentJudgement, type JudgedJourney, judgeComponent } from '../domain/judge-component.ts'
import { type ProgramInForce, versionOf } from '../domain/program-versions.ts'
import { noSites, siteFinder, type Sites } from '../domain/site.ts'
import { failpoint } from '../failpoint.ts'
import { loadComponents } from './load-component.ts'
import { addressOf, type LinkedBy, sightOf } from './sight.ts'

export interface JudgeDeps {
  readonly workspaceId: number
  readonly workspaceKey: string
  readonly programs: readonly ProgramInForce[]
  readonly routing: Routing
  readonly decisions: readonly Decision[]
  readonly linkedBy?: LinkedBy
  /** Where sites are stated; without it no finding has one. */
  readonly sites?: Sites
  readonly now: () => number
  readonly randomId: () => string
  readonly without?: JudgeContext['without']
  /** Told of a component that cannot be judged. */
  readonly warn?: (line: string) => void
}

type ComponentContext = ComponentFacts['context']

export interface JudgeCount {
  readonly components: number
  readonly findings: number
}

export const allParts: readonly [number, number] = [0, partCount - 1]
const marksPerBatch = 4_000
const wakesPerRound = 10_000
const wakeRounds = 100

/**
 * Judges everything that changed or fell due in a range of parts, batch by batch, until nothing is left. A batch that fails by itself is
 * judged in halves down to the component at fault, which is set apart; the others go on.
 */
export async function drainJudging(
  sql: Sql,
  deps: JudgeDeps,
  parts: readonly [number, number] = allParts,
  onBatch: (count: JudgeCount) => void = () => {},
): Promise<JudgeCount> {
  let components = 0
  let findings = 0
  await wakeFindings(sql, deps.workspaceId, deps.now())
  let limit = marksPerBatch
  for (let rounds = 0; ; ) {
    const batch = await judgeBatch(sql, deps, parts, limit).catch((error: unknown) => {
      if (error instanceof BatchFailed) return error
      throw error
    })
    if (batch instanceof BatchFailed) {
      limit = Math.max(1, Math.floor(batch.components.length / 2))
      const [culprit] = batch.components
      if (batch.components.length === 1 && culprit !== undefined) await park(sql, deps, culprit, batch.cause)
      continue
    }
    limit = Math.min(marksPerBatch, limit * 2)
    if (batch === undefined) {
      // What falls due while this runs is left to the next drain.
      if (++rounds > wakeRounds || (await wake(sql, deps, parts)) === 0) return { components, findings }
      continue
    }
    failpoint('judge.committed')
    components += batch.components
    findings += batch.findings
    onBatch({ components, findings })
  }
}

/** Marks components whose deadline the clock or a watermark has passed, and those set apart whose time has come to be tried again. */
export async function wake(sql: Sql, deps: JudgeDeps, parts: readonly [number, number] = allParts): Promise<number> {
  const streams = await readStreams(sql, deps.workspaceId)
  const passed = [{ gate: 0, until: deps.now() }]
  const sight = sightOf(streams, deps.linkedBy ?? new Map())
  for (const stream of streams) {
    const read = sight.get(addressOf(stream))
    if (read === undefined || read.watermark === null) continue
    // A final file that was read hides nothing, whatever its lag.
    passed.push({ gate: stream.id, until: read.final ? deps.now() : read.watermark - read.lagMs })
  }
  const retried = await retryParked(sql, deps.workspaceId, parts)
  return retried + (await wakeDue(sql, deps.workspaceId, parts, passed, wakesPerRound))
}

/**
 * One judging transaction (semantics.md 11): takes marks, locks the touched components in id order, reads their facts and writes subjects,
 * journeys, verdicts, findings and wake-up times together. Undefined: nothing was marked.
 */
async function judgeBatch(sql: Sql, deps: JudgeDeps, parts: readonly [number, number], limit: number): Promise<JudgeCount | undefined> {
  return sql.begin(async (tx) => {
    await commitLazily(tx)
    const marked = await takeDirty(tx, deps.workspaceId, parts, limit)
    if (marked.length === 0) return undefined
    return judgeMarked(tx, deps, marked).catch((error: unknown) => {
      throw isDatabaseError(error) && !isRefusedValue(error) ? error : new BatchFailed(marked, error)
    })
  }) as Promise<JudgeCount | undefined>
}

/** Thrown to roll a batch back whose facts or rules, not the database, made it fail. */
class BatchFailed extends Error {
  readonly components: readonly string[]
  constructor(components: readonly string[], cause: unknown) {
    super('A batch could not be judged', { cause })
    this.components = components
  }
}

async function park(sql: Sql, deps: JudgeDeps, component: string, cause: unknown): Promise<void> {
  const reason = placeOf(cause)
  await parkComponent(sql, deps.workspaceId, component, reason)
  deps.warn?.(`Component ${component} could not be judged (${reason}). It is set apart and tried again later; the others go on.`)
}

/** What kind of error and where in our code, without its message, which may hold content. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'not an error'
  const code = (error as { code?: unknown }).code
  const kind = typeof code === 'string' && /^\w{1,40}$/.test(code) ? `${error.name} ${code}` : error.name
  const place = /(?:jobs|db)\/[\w/.-]+\.[tj]s:\d+/.exec(error.stack?.slice(error.stack.indexOf('\n    at ')) ?? '')?.[0]
  return place === undefined ? kind : `${kind} at ${place}`
}

async function judgeMarked(tx: Tx, deps: JudgeDeps, marked: readonly string[]): Promise<JudgeCount> {
  const now = deps.now()

  // 1. Lock; a component that was absorbed passes its mark on to its survivor.
  const { live, survivors } = await lockComponents(tx, deps.workspaceId, marked)
  await markDirty(tx, deps.workspaceId, survivors)
  const absorbed = await readAbsorbed(tx, deps.workspaceId, live)
  const all = [...live, ...absorbed.keys()]

  // 2. Load: watermarks first, so that no fact they promise can be missing.
  const streams = await readStreams(tx, deps.workspaceId)
  const addressById = new Map(streams.map((stream) => [stream.id, addressOf(stream)]))
  const gateOf = new Map(streams.map((stream) => [addressOf(stream), stream.id]))
  const context: ComponentContext = {
    now,
    streams: sightOf(streams, deps.linkedBy ?? new Map()),
    ...(deps.without === undefined ? {} : { without: deps.without }),
  }
  const hotTokens = await readHotTokens(tx, deps.workspaceId)
  const facts = await loadComponents(tx, deps.workspaceId, live, (id) => addressById.get(id) ?? `unknown.${id}`)
  const survivorOf = (component: string): string => absorbed.get(component) ?? component
  const before = {
    subjects: groupBy(await readSubjects(tx, deps.workspaceId, all), (row) => survivorOf(row.componentId)),
    journeys: groupBy(await readJourneys(tx, deps.workspaceId, all), (row) => survivorOf(row.componentId)),
    verdicts: groupBy(await readVerdicts(tx, deps.workspaceId, all), (row) => survivorOf(row.componentId)),
    findings: groupBy((await readComponentFindings(tx, deps.workspaceId, all)).map(toFinding), (row) => survivorOf(row.componentId)),
  }

  failpoint('judge.loaded')
  // 3. Decide, component by component; pure.
  const promises = new Set([
    'null\0@identity',
    ...deps.programs.flatMap(({ program }) => program.expectations.map((one) => `${program.key}\0${one.name}`)),
  ])
  const writes = new Writes()
  for (const component of live) {
    const judgement = judgeComponent({
      records: facts.get(component)?.records ?? [],
      events: facts.get(component)?.events ?? new Map(),
      hotTokens,
      decisions: deps.decisions,
      programs: deps.programs,
      context,
    })
    const subjects = matchSubjects(component, judgement, before.subjects.get(component) ?? [], deps.randomId)
    writes.subjects(before.subjects.get(component) ?? [], subjects.rows, subjects.aliases)
    writes.journeys(before.journeys.get(component) ?? [], toJourneyRows(component, judgement, subjects.rows))
    writes.verdicts(before.verdicts.get(component) ?? [], toVerdictRows(component, judgement))
    writes.findings(
      component,
      before.findings.get(component) ?? [],
      decideFindings(
        before.findings.get(component)?.map((row) => row.finding) ?? [],
        toActivations(deps, judgement, subjects.rows, facts.get(component)?.records ?? []),
        {
          now,
          routing: deps.routing,
          promises,
          subjects: new Set(subjects.rows.map((row) => row.id)),
        },
      ),
    )
    writes.due(component, judgement, gateOf)
  }

  // 4. Apply.
  await writes.apply(tx, deps.workspaceId, live, now)
  await replaceDue(tx, deps.workspaceId, [...absorbed.keys()], [])
  await forgetAbsorbed(tx, deps.workspaceId, [...absorbed.keys()])
  await unpark(tx, deps.workspaceId, [...new Set([...marked, ...all])])
  failpoint('judge.written')
  return { components: live.length, findings: writes.findingCount }
}

/** Evidence and detail were written by us from the domain's own types. */
function toFinding(row: { readonly componentId: string; readonly finding: StoredFinding }): { componentId: string; finding: Finding } {
  return { componentId: row.componentId, finding: row.finding as unknown as Finding }
}

function groupBy<T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const row of rows) {
    const key = keyOf(row)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  return groups
}

/** Collects what differs from the stored rows, so that judging an unchanged component writes nothing. */
class Writes {
  readonly #goneSubjects: SubjectRow[] = []
  readonly #subjects: SubjectRow[] = []
  readonly #aliases: { alias: string; subject: string; cause: string }[] = []
  readonly #goneJourneys: JourneyRow[] = []
  readonly #journeys: JourneyRow[] = []
  readonly #goneVerdicts: VerdictRow[] = []
  readonly #verdicts: VerdictRow[] = []
  readonly #due: { componentId: string; gate: number; at: number }[] = []
  readonly #findings: { componentId: string; change: FindingChange }[] = []
  readonly #moved: { componentId: string; findingId: string; from: string }[] = []

  get findingCount(): number {
    return this.#findings.length
  }

  subjects(
    before: readonly SubjectRow[],
    after: readonly SubjectRow[],
    aliases: readonly { alias: string; subject: string; cause: string }[],
  ): void {
    const rowKey = (row: SubjectRow) => `${row.componentId}${row.id}`
    const kept = new Map(before.map((row) => [rowKey(row), row]))
    for (const row of after) {
      const old = kept.get(rowKey(row))
      kept.delete(rowKey(row))
      if (old === undefined || old.fingerprint !== row.fingerprint || JSON.stringify(old.links) !== JSON.stringify(row.links))
        this.#subjects.push(row)
    }
    this.#goneSubjects.push(...kept.values())
    this.#aliases.push(...aliases)
  }

  journeys(before: readonly JourneyRow[], after: readonly JourneyRow[]): void {
    const rowKey = (row: JourneyRow) => `${row.componentId}${row.id}`
    const kept = new Map(before.map((row) => [rowKey(row), row]))
    for (const row of after) {
      const old = kept.get(rowKey(row))
      kept.delete(rowKey(row))
      if (old === undefined || !sameFields(old, row)) this.#journeys.push(row)
    }
    this.#goneJourneys.push(...kept.values())
  }

  verdicts(before: readonly VerdictRow[], after: readonly VerdictRow[]): void {
    const rowKey = (row: VerdictRow) => `${row.componentId}${row.activation}${row.program}\0${row.expectation}`
    const kept = new Map(before.map((row) => [rowKey(row), row]))
    for (const row of after) {
      const old = kept.get(rowKey(row))
      kept.delete(rowKey(row))
      if (old === undefined || !sameFields(old, row)) this.#verdicts.push(row)
    }
    this.#goneVerdicts.push(...kept.values())
  }

  findings(
    component: string,
    before: readonly { readonly componentId: string; readonly finding: Finding }[],
    changes: readonly FindingChange[],
  ): void {
    for (const change of changes) this.#findings.push({ componentId: component, change })
    for (const row of before) {
      if (row.componentId !== component) this.#moved.push({ componentId: component, findingId: row.finding.id, from: row.componentId })
    }
  }

  due(component: string, judgement: ComponentJudgement, gateOf: ReadonlyMap<string, number>): void {
    const earliest = new Map<number, number>()
    for (const { stream, at } of judgement.wakes) {
      const gate = stream === null ? 0 : gateOf.get(stream)
      if (gate === undefined) continue
      const known = earliest.get(gate)
      if (known === undefined || at < known) earliest.set(gate, at)
    }
    // A stream is never read past the clock: a later wake of a stream is set anew when the clock's has passed.
    const clock = earliest.get(0) ?? Number.POSITIVE_INFINITY
    for (const [gate, at] of earliest) if (gate === 0 || at < clock) this.#due.push({ componentId: component, gate, at })
  }

  /** Those whose page shows something else now: their own row, or how one of their promises stands. */
  #changedJourneys(): ReadonlySet<string> {
    const changed = new Set<string>()
    for (const { id } of this.#goneJourneys) changed.add(id)
    for (const { id } of this.#journeys) changed.add(id)
    for (const { journeyId } of this.#goneVerdicts) if (journeyId !== null) changed.add(journeyId)
    for (const { journeyId } of this.#verdicts) if (journeyId !== null) changed.add(journeyId)
    return changed
  }

  async apply(tx: Tx, workspaceId: number, components: readonly string[], now: number): Promise<void> {
    await replaceSubjects(tx, workspaceId, this.#goneSubjects, this.#subjects)
    await aliasSubjects(tx, workspaceId, this.#aliases, now)
    await replaceJourneys(tx, workspaceId, this.#goneJourneys, this.#journeys)
    await replaceVerdicts(tx, workspaceId, this.#goneVerdicts, this.#verdicts)
    await replaceDue(tx, workspaceId, components, this.#due)
    await writeFindingChanges(tx, workspaceId, this.#moved, this.#findings, now)
    await tellJourneys(tx, workspaceId, this.#changedJourneys(), now)
  }
}

function sameFields<T extends object>(a: T, b: T): boolean {
  for (const key of Object.keys(b) as (keyof T)[]) if (a[key] !== b[key]) return false
  return true
}

/**
 * A cluster inherits the id of the old subject that contributed most of its records (ties: the smallest id); a subject that lost all its
 * records to another becomes its alias.
 */
function matchSubjects(
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

function toJourneyRows(component: string, judgement: ComponentJudgement, subjects: readonly SubjectRow[]): JourneyRow[] {
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

function toVerdictRows(component: string, judgement: ComponentJudgement): VerdictRow[] {
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

function toActivations(
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
