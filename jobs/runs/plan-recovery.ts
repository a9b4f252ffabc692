import { type ComponentRecord, readComponentRecords } from '../../db/records/component-records.ts'
import { readRunbooksInForce } from '../../db/records/runbooks.ts'
import type { FindingRow } from '../../db/schema/findings.ts'
import { actionsOfConnections, type ConfiguredRunbook } from '../configured-runbooks.ts'
import { connectors } from '../connectors/index.ts'
import { AppError } from '../domain/errors.ts'
import { type Answers, type Planning, type PlanRecord, type PlanSubject, planRun, questionsOf } from '../domain/plan-run.ts'
import { stepsOfExpectation, whyNotFor } from '../domain/runbook-scope.ts'
import type { AskedInput } from '../domain/runbook.ts'
import type { Workspace } from '../open-workspace.ts'

type Place = Pick<Workspace, 'id' | 'database' | 'configuration' | 'judging'>

/** A runbook as it can be run now: in force, and read by this process. */
export interface RunnableRunbook extends ConfiguredRunbook {
  readonly version: number
}

/** Those of the folder whose text is the version in force: what is not applied is not run. */
export async function readRunnable({ id, database, configuration }: Place): Promise<RunnableRunbook[]> {
  const versions = new Map((await readRunbooksInForce(database.sql, id)).map((row) => [row.runbook, row]))
  return (configuration.runbooks ?? []).flatMap((one) => {
    const inForce = versions.get(one.runbook.key)
    return inForce?.sourceHash === one.sourceHash ? [{ ...one, version: inForce.version }] : []
  })
}

export interface Offer {
  readonly key: string
  readonly title: string
  readonly purpose: string
  readonly version: number
  /** The promise of the finding names it. */
  readonly isSuggested: boolean
  /** What is asked of whoever runs it. */
  readonly asks: readonly AskedInput[]
  readonly asksApproval: boolean
}

/** The runbooks that may run on a finding, the suggested one first. */
export async function offerRunbooks(place: Place, finding: FindingRow): Promise<Offer[]> {
  const expectation = expectationOf(place, finding)
  const scoped = {
    kind: finding.kind,
    program: finding.program,
    expectation: finding.expectation,
    steps: expectation === undefined ? null : stepsOfExpectation(expectation),
  }
  return (await readRunnable(place))
    .filter(({ runbook }) => whyNotFor(runbook.for, scoped) === null)
    .map(({ runbook, version }) => ({
      key: runbook.key,
      title: runbook.title,
      purpose: runbook.purpose,
      version,
      isSuggested: expectation?.runbook === runbook.key,
      asks: questionsOf(runbook),
      asksApproval: runbook.approve !== null,
    }))
    .sort((a, b) => Number(b.isSuggested) - Number(a.isSuggested) || (a.title < b.title ? -1 : 1))
}

/** The exact steps a runbook would take on a finding, before any tool is looked at. @throws AppError not_found */
export async function planRecovery(place: Place, finding: FindingRow, key: string, answers: Answers): Promise<Planning> {
  const runnable = (await readRunnable(place)).find(({ runbook }) => runbook.key === key)
  if (runnable === undefined)
    throw new AppError(
      'not_found',
      `There is no runbook "${key}" in force as this Throughline has read it. Apply it, then start Throughline again.`,
    )
  const records = await readComponentRecords(place.database.sql, place.id, finding.componentId)
  const byId = new Map(records.map((record) => [record.id, record]))
  const expectation = expectationOf(place, finding)
  const subject: PlanSubject = {
    finding,
    steps: expectation === undefined ? null : stepsOfExpectation(expectation),
    evidence: finding.evidence.map((row): PlanRecord => {
      const record = byId.get(row.recordId)
      return {
        role: row.role,
        stream: row.stream,
        externalId: row.externalId,
        occurredAt: row.occurredAt,
        status: record?.status ?? row.status,
        ops: record?.ops ?? {},
      }
    }),
    journey: records.map((record) => ({ role: null, ...shown(record) })),
  }
  const actions = actionsOfConnections(place.configuration.connections, connectors)
  const planning = planRun({ runbook: runnable.runbook, version: runnable.version }, subject, answers, actions)
  // A run does not branch on what is answered in its middle: rather none than a step nobody chose.
  if (planning.ok && planning.plan.steps.some((step) => step.onlyIf.length > 0))
    throw new AppError(
      'conflict',
      `"${runnable.runbook.title}" decides on answers given during the run, which runs cannot do yet. Ask for them as inputs.`,
    )
  return planning
}

/** Who may run it, by the runbook itself. @throws AppError not_found */
export async function rolesOfRunbook(place: Place, key: string): Promise<readonly string[]> {
  const found = (await readRunnable(place)).find(({ runbook }) => runbook.key === key)
  if (found === undefined) throw new AppError('not_found', `There is no runbook "${key}" in force as this Throughline has read it.`)
  return found.runbook.roles
}

const shown = ({ stream, externalId, occurredAt, status, ops }: ComponentRecord) => ({ stream, externalId, occurredAt, status, ops })

function expectationOf({ judging }: Place, finding: Pick<FindingRow, 'program' | 'expectation'>) {
  return judging.programs
    .find(({ program }) => program.key === finding.program)
    ?.program.expectations.find(({ name }) => name === finding.expectation)
}
