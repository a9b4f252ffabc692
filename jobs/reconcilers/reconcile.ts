import { partCount } from '../../db/records/bulk.ts'
import { isPaused } from '../../db/records/connections.ts'
import { notePassRequests } from '../../db/records/passes.ts'
import { readAccepted } from '../../db/records/quarantine.ts'
import { metered, RequestMeter } from '../connectors/meter.ts'
import { holdToStanding } from '../connectors/set-aside.ts'
import type { Workspace } from '../open-workspace.ts'
import type { JudgeCount } from './judge.ts'
import { drainByProgramsInForce } from './judge-in-force.ts'
import { judgeStreams } from './judge-streams.ts'
import { type PollDeps, pollConnection, type StreamOutcome } from './poll.ts'

export type Progress =
  | { readonly phase: 'read'; readonly connection: string; readonly stream: string; readonly read: number }
  | { readonly phase: 'judge'; readonly components: number; readonly findings: number }

export interface ReconcileOptions {
  readonly pageSize?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
  /** Wall clock, by which a tool's Retry-After is waited for; default the system's. */
  readonly wallNow?: () => number
}

export interface ReconcileResult {
  readonly outcomes: readonly (StreamOutcome & { readonly connection: string })[]
  readonly judged: JudgeCount
}

/** Reads every stream of the workspace once to its end, then judges all that changed or fell due. Safe to run again: nothing new, nothing done. */
export async function reconcile(workspace: Workspace, options: ReconcileOptions = {}): Promise<ReconcileResult> {
  const outcomes = await pollAll(workspace, options)
  return { outcomes, judged: await judge(workspace, options) }
}

/** A few connections at a time: while one page is written the next is parsed and hashed, and few pages wait in memory. */
async function pollAll(workspace: Workspace, options: ReconcileOptions): Promise<ReconcileResult['outcomes']> {
  const ids = [...workspace.connections.keys()]
  const outcomes = new Map<string, ReconcileResult['outcomes']>()
  let next = 0
  const worker = async (): Promise<void> => {
    for (let id = ids[next++]; id !== undefined; id = ids[next++]) outcomes.set(id, await poll(workspace, id, options))
  }
  await Promise.all(Array.from({ length: connectionsAtOnce }, worker))
  return ids.flatMap((id) => outcomes.get(id) ?? [])
}

/** Reads one connection's streams. */
export async function poll(
  workspace: Workspace,
  connectionId: string,
  options: ReconcileOptions = {},
): Promise<(StreamOutcome & { connection: string })[]> {
  const connection = workspace.connections.get(connectionId)
  const { sql } = workspace.database
  if (connection === undefined || (await isPaused(sql, workspace.id, connectionId))) return []
  const accepted = await readAccepted(sql, workspace.id, connectionId)
  const meters = new Map<string, RequestMeter>()
  const meterOf = (stream: string): RequestMeter => {
    const known = meters.get(stream) ?? new RequestMeter()
    meters.set(stream, known)
    return known
  }
  const held = holdToStanding(connection.connector, (stream, rawHash) => accepted.get(stream)?.has(rawHash) ?? false)
  let pages = 0
  let statisticsAtPage = 5
  const deps: PollDeps = {
    workspaceId: workspace.id,
    tokenise: workspace.tokenise,
    now: () => workspace.clock.now(),
    wallNow: options.wallNow ?? Date.now,
    pageSize: options.pageSize ?? 4_000,
    signal: options.signal ?? new AbortController().signal,
    onPage: async ({ connection: id, stream, read }) => {
      options.onProgress?.({ phase: 'read', connection: id, stream, read })
      if (++pages !== statisticsAtPage) return
      statisticsAtPage *= 4
      await workspace.refreshStatistics()
    },
  }
  const outcomes = await pollConnection(sql, deps, { ...connection, connector: metered(held, meterOf) })
  for (const [stream, meter] of meters) {
    const counts = meter.counts()
    if (counts !== null) await notePassRequests(sql, workspace.id, connectionId, stream, counts)
  }
  return outcomes.map((outcome) => ({ ...outcome, connection: connectionId }))
}

/** Judges all that changed or fell due, our own sight included. Ranges of parts are judged side by side: one decides while another writes. */
export async function judge(workspace: Workspace, options: ReconcileOptions = {}, ranges = thirds): Promise<JudgeCount> {
  const { sql } = workspace.database
  await workspace.refreshStatistics()
  const counts = ranges.map((): JudgeCount => ({ components: 0, findings: 0 }))
  const total = (): JudgeCount => ({
    components: counts.reduce((sum, count) => sum + count.components, 0),
    findings: counts.reduce((sum, count) => sum + count.findings, 0),
  })
  await Promise.all(
    ranges.map((range, index) =>
      drainByProgramsInForce(sql, workspace.programs, workspace.judging, range, (count) => {
        counts[index] = count
        options.onProgress?.({ phase: 'judge', ...total() })
      }),
    ),
  )
  // One range may mark components of another that had ended already: by waking what is due, or by passing on the mark of an absorbed one.
  const [first, last] = [ranges[0], ranges.at(-1)]
  if (ranges.length > 1 && first !== undefined && last !== undefined) {
    counts.push(await drainByProgramsInForce(sql, workspace.programs, workspace.judging, [first[0], last[1]]))
  }
  const findings = await judgeStreams(sql, workspace.judging)
  return { components: total().components, findings: total().findings + findings }
}

const connectionsAtOnce = 3

const thirds: readonly (readonly [number, number])[] = [
  [0, Math.floor(partCount / 3) - 1],
  [Math.floor(partCount / 3), Math.floor((2 * partCount) / 3) - 1],
  [Math.floor((2 * partCount) / 3), partCount - 1],
]
