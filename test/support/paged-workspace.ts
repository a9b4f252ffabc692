import type { Configuration } from '../../jobs/configuration.ts'
import type { Connector } from '../../jobs/connectors/connector.ts'
import type { Clock } from '../../jobs/domain/clock.ts'
import { parseProgram } from '../../jobs/domain/parse-program.ts'
import type { Workspace } from '../../jobs/open-workspace.ts'
import { openWorkspace } from '../../jobs/open-workspace.ts'
import { Secrets } from '../../jobs/secrets.ts'
import { pagedConnector } from './paged-tool.ts'

export const visitProgram = `
program: visits
title: Visits
owner: care
journey: { per: subject, starts: booked, abandon_after: 90d }
steps:
  booked:    { stream: booking.rows, when: { status: accepted } }
  confirmed: { stream: texts.rows, when: { status: delivered } }
  seen:      { stream: booking.rows, when: { status: seen } }
expectations:
  booking-confirmed: { after: booked, expect: confirmed, within: 15m, severity: high }
  one-confirmation:  { at_most: 1, of: confirmed, window: 24h }
  one-booking:       { at_most: 1, of: booked, window: 24h }
  confirmed-first:   { first: confirmed, then: seen }
`

/** A clock that tests move by hand. */
export interface MovedClock extends Clock {
  at: number
}

export function movedClock(at: string | number): MovedClock {
  const clock = { at: typeof at === 'number' ? at : Date.parse(at), now: () => clock.at }
  return clock
}

export interface PagedWorkspaceOptions {
  readonly ownerUrl: string
  readonly clock: Clock
  /** Connection id → URL of its paged tool. */
  readonly tools: Readonly<Record<string, string>>
  readonly program?: string
  readonly key?: string
  /** Instead of the paged one; its streams are the same. */
  readonly connector?: Connector
  /** Changes the configuration before it is opened. */
  readonly configure?: (configuration: Configuration) => Configuration
}

/** A workspace over paged tools, judged by a small program: the whole pipeline with nothing stubbed but the vendor. */
export async function openPagedWorkspace({
  ownerUrl,
  clock,
  tools,
  program = visitProgram,
  key = 'test',
  connector = pagedConnector,
  configure = (configuration) => configuration,
}: PagedWorkspaceOptions): Promise<Workspace> {
  const parsed = parseProgram(program, 'visits.yaml')
  if (!parsed.ok) throw new Error(parsed.problems.map((problem) => problem.message).join('\n'))
  const configuration = configure({
    directory: '/',
    workspace: { key, title: 'Test', timeZone: 'UTC', defaultCountry: 'US' },
    connections: Object.entries(tools).map(([id, url]) => ({
      id,
      connector: 'paged',
      title: id,
      config: { url },
      secrets: new Secrets(new Map()),
      streams: pagedConnector.describe().streams,
      pollSeconds: 60,
      blindAfterSeconds: 3600,
      owner: null,
      disabled: null,
    })),
    owners: [{ key: 'care', title: 'Care' }],
    routing: { routes: [], default: 'care' },
    programs: [{ file: 'visits.yaml', source: program, sourceHash: program, program: parsed.program }],
    egressAllow: [],
  })
  return openWorkspace({ configuration, connectors: [connector], ownerUrl, workspaceKey: Buffer.alloc(32, 7), clock, actor: 'test' })
}

/** What must not depend on order, batching, redelivery or restarts (semantics.md 19). */
export async function readOutcome(
  workspace: Workspace,
): Promise<{ subjects: string[]; journeys: string[]; verdicts: string[]; violated: string[] }> {
  const { sql } = workspace.database
  const list = async (rows: PromiseLike<readonly { row: string }[]>): Promise<string[]> => (await rows).map(({ row }) => row).sort()
  return {
    subjects: await list(sql<{ row: string }[]>`select fingerprint::text as row from subjects where workspace_id = ${workspace.id}`),
    journeys: await list(sql<
      { row: string }[]
    >`select concat_ws('|', id, program, object_id, started_at, last_event_at, ended_at, stage, events) as row
      from journeys where workspace_id = ${workspace.id}`),
    verdicts: await list(sql<
      { row: string }[]
    >`select concat_ws('|', journey_id, expectation, activation, state, kind, violations, due_at, occurred_at) as row
      from verdicts where workspace_id = ${workspace.id}`),
    violated: await list(sql<
      { row: string }[]
    >`select concat_ws('|', fingerprint, kind) as row from findings where workspace_id = ${workspace.id}
      and status in ('open', 'acknowledged', 'acting', 'verifying', 'verification_failed', 'waived')`),
  }
}
