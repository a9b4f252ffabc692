import { type FindingFilter, listFindings } from '../../db/records/findings.ts'
import type { Cursor } from '../../db/records/page.ts'
import type { FindingRow } from '../../db/schema/findings.ts'
import { findingStatuses } from '../../db/schema/words.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import { isOpen } from '../../jobs/domain/finding-lifecycle.ts'
import { withoutSite } from '../../jobs/domain/site.ts'
import type { Workspace } from '../../jobs/open-workspace.ts'
import type { ServerConfig } from '../config.ts'
import { parseFindingAddress, toFindingFilter } from '../finding-query.ts'
import { localOwner } from '../main.ts'
import { readExpectations } from '../read-expectations.ts'
import { iso } from '../shapes/common.ts'
import { sentenceOf } from '../shapes/finding.ts'
import { namesOf } from '../view-context.ts'
import { openConfigured, type OpenOptions } from './open-configured.ts'
import { table } from './table.ts'

export interface FindingsOptions extends OpenOptions {
  readonly format: 'json' | 'table'
  /** Ended ones too. */
  readonly all?: boolean
  /** Only those of this site; `none`: those without one. */
  readonly site?: string
  /** The address of a list in the console, as it stands after the question mark. */
  readonly filter?: string
}

const pageSize = 1000

export async function findings(config: ServerConfig, options: FindingsOptions, write: (text: string) => Promise<void>): Promise<number> {
  const opened = await openConfigured(config, options)
  try {
    const { workspace } = opened
    const filter: FindingFilter = {
      statuses: findingStatuses.filter(isOpen),
      ...(options.filter === undefined ? {} : await filterOf(workspace, options.filter)),
      ...(options.all ? { statuses: [], snooze: null } : {}),
      ...(options.site === undefined ? {} : { sites: [siteNamed(workspace, options.site)] }),
    }
    const rows = await readAll(workspace, filter)
    const expectations = await readExpectations(workspace)
    await write(options.format === 'json' ? toJson(workspace, rows, expectations) : toTable(workspace, rows, expectations))
    return 0
  } finally {
    await opened.close()
  }
}

/** As in the console: without a status what is snoozed is left out, and `status=all` shows the ended ones. */
async function filterOf(workspace: Workspace, address: string): Promise<FindingFilter> {
  const query = parseFindingAddress(address.replace(/^.*\?/, ''))
  if (query === null)
    throw new AppError('invalid_input', `The filter "${address}" is not understood. Copy it from the address of the list.`)
  return toFindingFilter({ workspace, wallNow: Date.now, me: localOwner }, query)
}

function siteNamed({ configuration }: Workspace, site: string): string | null {
  if (site === withoutSite) return null
  const keys = (configuration.sites ?? []).map(({ key }) => key)
  if (keys.includes(site)) return site
  throw new AppError(
    'invalid_input',
    `There is no site "${site}" in owners.yaml. It has ${keys.length === 0 ? 'no sites' : keys.join(', ')}.`,
  )
}

async function readAll(workspace: Workspace, filter: FindingFilter): Promise<FindingRow[]> {
  const rows: FindingRow[] = []
  let cursor: Cursor | null = null
  do {
    const page: Awaited<ReturnType<typeof listFindings>> = await listFindings(workspace.database.db, workspace.id, filter, {
      sort: 'occurred',
      cursor,
      limit: pageSize,
    })
    rows.push(...page.rows)
    cursor = page.next
  } while (cursor !== null)
  return rows
}

type Expectations = Awaited<ReturnType<typeof readExpectations>>

function toJson(workspace: Workspace, rows: readonly FindingRow[], expectations: Expectations): string {
  const names = namesOf(workspace)
  const output = {
    asOf: iso(workspace.clock.now()),
    workspace: workspace.key,
    findings: rows.map((row) => ({
      id: row.id,
      kind: row.kind,
      expectation: row.expectation,
      program: row.program,
      subject: row.subjectId,
      journey: row.journeyId,
      objects: row.objectType === null || row.objectId === null ? [] : [{ type: row.objectType, id: row.objectId }],
      status: row.status,
      severity: row.severity,
      site: row.site,
      owner: row.owner,
      ownerReason: row.ownerReason,
      sentence: sentenceOf(row, names(row.program)),
      dueAt: iso(row.dueAt),
      deadlineAt: iso(row.deadlineAt),
      occurredAt: iso(row.occurredAt),
      openedAt: iso(row.openedAt),
      closedAt: iso(row.closedAt),
      closedReason: row.closedReason,
      violations: row.violations,
      occurrences: row.occurrences,
      regressions: row.regressions,
      evidence: row.evidence.map((item) => {
        const [connection = item.stream, ...stream] = item.stream.split('.')
        return {
          role: item.role,
          connection,
          stream: stream.join('.'),
          externalId: item.externalId,
          eventType: item.eventType,
          status: item.status,
          occurredAt: iso(item.occurredAt),
          updatedAt: iso(item.updatedAt),
          observedAt: iso(item.observedAt),
          actor: item.actor,
        }
      }),
    })),
    expectations: expectations.map(({ program, expectation, activations, violations, journeys, states }) => ({
      program,
      expectation,
      activations,
      violations,
      journeys,
      states,
    })),
  }
  return `${JSON.stringify(output, null, 2)}\n`
}

function toTable(workspace: Workspace, rows: readonly FindingRow[], expectations: Expectations): string {
  const names = namesOf(workspace)
  const listed = table(
    ['id', 'kind', 'severity', 'status', 'owner', 'site', 'since', 'what'],
    rows.map((row) => [
      row.id,
      row.kind,
      row.severity,
      row.status,
      row.owner,
      row.site ?? '',
      iso(row.occurredAt ?? row.openedAt),
      sentenceOf(row, names(row.program)),
    ]),
  )
  const summary = table(
    ['promise', 'activations', 'violations', 'journeys'],
    expectations.map((one) => [`${one.program}/${one.expectation}`, one.activations, one.violations, one.journeys]),
  )
  return `${rows.length === 0 ? 'No findings.' : listed}\n\n${summary}\n`
}
