import { partCount, type Sql, type Tx } from '../db/records/bulk.ts'
import { readHotTokens } from '../db/records/components.ts'
import { readComponentPage } from '../db/records/programs.ts'
import { readStreams } from '../db/records/streams.ts'
import { BackTest, type PreviewedExpectation, type ProgramDraft } from './domain/back-test.ts'
import { judgeComponent } from './domain/judge-component.ts'
import type { JudgeDeps } from './reconcilers/judge.ts'
import { loadComponents } from './reconcilers/load-component.ts'
import { addressOf, sightOf } from './reconcilers/sight.ts'

export interface BackTestRequest {
  readonly programs: readonly ProgramDraft[]
  /** How far back, in days of the domain clock. */
  readonly days: number
  /** So many findings are listed per promise and side. */
  readonly listAtMost?: number
  /** It stops after this long and says how much it has seen; null: it goes to the end. */
  readonly timeLimitMs: number | null
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: BackTestProgress) => void
  /** Monotonic, milliseconds. */
  readonly elapsed?: () => number
}

export interface BackTestProgress {
  /** Groups of records judged so far. */
  readonly judged: number
  /** How much of all of them was looked at, 0 to 1. */
  readonly share: number
}

export interface BackTestResult {
  /** Epoch ms of the domain clock. */
  readonly since: number
  readonly until: number
  readonly expectations: readonly PreviewedExpectation[]
  /** Groups of records with something in that time. */
  readonly judged: number
  /** 1 when all were looked at; less when the time was up first: the counts are then of a fair sample. */
  readonly share: number
  readonly tookMs: number
}

const dayMs = 86_400_000
const componentsPerPage = 2_000
const componentsPerBatch = 250

/**
 * Judges the history of the last days by the programs in force and by their drafts, over the same facts, and tells which findings would
 * appear and vanish. One read-only transaction on one snapshot: nothing is written, whatever happens.
 */
export async function backTest(sql: Sql, deps: JudgeDeps, request: BackTestRequest): Promise<BackTestResult> {
  const elapsed = request.elapsed ?? (() => performance.now())
  const began = elapsed()
  const now = deps.now()
  const since = now - request.days * dayMs
  const test = new BackTest(request.programs, {
    workspaceKey: deps.workspaceKey,
    routing: deps.routing,
    since,
    now,
    listAtMost: request.listAtMost ?? 200,
  })
  const isOver = () => request.timeLimitMs !== null && elapsed() - began >= request.timeLimitMs
  const seen = await (sql.begin('isolation level repeatable read read only', (tx) =>
    judgeAll(tx, deps, { test, since, now, isOver, request }),
  ) as Promise<BackTestProgress>)
  return { since, until: now, expectations: test.result(), ...seen, tookMs: Math.round(elapsed() - began) }
}

interface Judging {
  readonly test: BackTest
  readonly since: number
  readonly now: number
  readonly isOver: () => boolean
  readonly request: BackTestRequest
}

async function judgeAll(tx: Tx, deps: JudgeDeps, { test, since, now, isOver, request }: Judging): Promise<BackTestProgress> {
  const streams = await readStreams(tx, deps.workspaceId)
  const addressById = new Map(streams.map((stream) => [stream.id, addressOf(stream)]))
  const hotTokens = await readHotTokens(tx, deps.workspaceId)
  const context = {
    now,
    streams: sightOf(streams, deps.linkedBy ?? new Map()),
    ...(deps.without === undefined ? {} : { without: deps.without }),
  }
  let judged = 0
  let share = 0
  let last: { part: number; id: string } | null = null
  for (;;) {
    const page = await readComponentPage(tx, deps.workspaceId, last, since, componentsPerPage)
    if (page.length === 0) return { judged, share: 1 }
    const recent = page.filter(({ isRecent }) => isRecent)
    for (let from = 0; from < recent.length; from += componentsPerBatch) {
      request.signal?.throwIfAborted()
      if (isOver()) return { judged, share }
      const batch = recent.slice(from, from + componentsPerBatch)
      const ids = batch.map(({ id }) => id.replaceAll('-', ''))
      const facts = await loadComponents(tx, deps.workspaceId, ids, (id) => addressById.get(id) ?? `unknown.${id}`)
      for (const id of ids) {
        const own = facts.get(id)
        if (own === undefined) continue
        test.add(judgeComponent({ ...own, hotTokens, decisions: deps.decisions, programs: test.programs, context }))
        judged++
      }
      share = shareBefore(batch.at(-1))
      request.onProgress?.({ judged, share })
    }
    last = page.at(-1) ?? null
    share = shareBefore(last ?? undefined)
  }
}

/** Ids are hashes, spread evenly over the parts and within each. */
function shareBefore(component: { readonly part: number; readonly id: string } | undefined): number {
  if (component === undefined) return 0
  return (component.part + Number.parseInt(component.id.slice(0, 8), 16) / 2 ** 32) / partCount
}
