import { commitLazily, partCount, type Sql, type Tx } from '../../db/records/bulk.ts'
import { markDirty } from '../../db/records/marks.ts'
import { readComponentFindings, type StoredFinding, wakeFindings } from '../../db/records/finding-changes.ts'
import { forgetAbsorbed, lockComponents, readAbsorbed, readHotTokens } from '../../db/records/components.ts'
import { readJourneys, readSubjects, readVerdicts } from '../../db/records/judgement.ts'
import { replaceDue, takeDirty, wakeDue } from '../../db/records/marks.ts'
import { parkComponent, retryParked, unpark } from '../../db/records/parked.ts'
import { readStreams } from '../../db/records/streams.ts'
import { isDatabaseError, isRefusedValue } from '../../db/storage-error.ts'
import { decideFindings } from '../domain/decide-findings.ts'
import type { JudgeContext } from '../domain/expectations/expectation.ts'
import type { Finding, Routing } from '../domain/finding.ts'
import type { Decision } from '../domain/identity/resolve.ts'
import { type ComponentFacts, judgeComponent } from '../domain/judge-component.ts'
import type { ProgramInForce } from '../domain/program-versions.ts'
import type { Sites } from '../domain/site.ts'
import { failpoint } from '../failpoint.ts'
import { loadComponents } from './load-component.ts'
import { addressOf, type LinkedBy, sightOf } from './sight.ts'
import { matchSubjects, toActivations, toJourneyRows, toVerdictRows } from './judgement-rows.ts'
import { Writes } from './judgement-writes.ts'

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
