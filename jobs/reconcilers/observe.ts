import { setImmediate } from 'node:timers/promises'
import { commitLazily, Pipeline, type Sql, type Tx } from '../../db/records/bulk.ts'
import {
  createComponents,
  lockGrouping,
  mergeComponents,
  readIdentifiers,
  type StoredIdentifier,
  writeIdentifiers,
} from '../../db/records/components.ts'
import {
  appendEvents,
  insertEvents,
  insertRecords,
  readVersions,
  restateRecords,
  type StoredVersion,
  stageRecords,
  updateRecords,
} from '../../db/records/facts.ts'
import { markAllDirty, markDirty } from '../../db/records/marks.ts'
import { countUnseen, deleteUnseen, forgetSweep, noteSeen } from '../../db/records/sweeps.ts'
import {
  advanceStream,
  noteDrifts,
  notePage,
  noteQuarantined,
  settleDriftsBut,
  settleDriftsUnseen,
  type StreamRow,
} from '../../db/records/streams.ts'
import type { PollPage } from '../connectors/connector.ts'
import { failpoint } from '../failpoint.ts'
import { groupRecords, linkingTokens } from '../domain/group-records.ts'
import {
  type Tokenise,
  type Observed,
  observeAll,
  keepNewest,
  supersedes,
  isNews,
  toEventRows,
  dedupeEvents,
  toRecordRow,
  restatementsOf,
  isTombstone,
} from './observed.ts'

/** A share of vanished records above which a sweep asks a person instead of deleting (P9). */
const suspiciousShrink = 0.3

const suspiciousShrinkFloor = 20

export type PageOutcome =
  | { readonly kind: 'committed'; readonly stream: StreamRow; readonly read: number; readonly changed: number; readonly dirty: number }
  | { readonly kind: 'someone_else_has_it' }
  | { readonly kind: 'suspicious_shrink'; readonly unseen: number; readonly live: number }

/**
 * Commits one page: facts, groups, dirty marks, coverage and watermark together, or nothing (semantics.md 10).
 * Redelivery changes nothing; an older version never replaces a newer one (semantics.md 2).
 */
export async function commitPage(
  sql: Sql,
  workspaceId: number,
  stream: StreamRow,
  page: PollPage,
  deps: { readonly tokenise: Tokenise; readonly now: number; readonly firstRead?: FirstRead | undefined },
): Promise<PageOutcome> {
  const address = `${stream.connection}.${stream.name}`
  const observed = await observeAll(address, page.records, deps.tokenise)
  const newest = keepNewest(observed)
  const stating = keepNewest(observed.filter((row) => !isTombstone(row)))
  return sql
    .begin(async (tx): Promise<PageOutcome> => {
      const pipeline = new Pipeline()
      pipeline.send(commitLazily(tx))
      const versions = deps.firstRead?.hasNone(newest.keys())
        ? new Map<string, StoredVersion>()
        : await pipeline.send(readVersions(tx, workspaceId, [...newest.keys()]))
      const created = [...newest.values()].filter((row) => !versions.has(row.id))
      const changed = [...newest.values()].filter((row) => supersedes(row, versions.get(row.id)))
      const news = observed.filter((row) => isNews(row, versions))

      // 1. Who else has this stream? The row lock taken here serialises its writers.
      const readTo = page.coverage.complete && page.coverage.to > 0 ? page.coverage.to : null
      const sweeping = page.sweep !== undefined && stream.sweepId !== null
      const advancing = pipeline.send(
        advanceStream(tx, workspaceId, stream.id, {
          cursor: page.cursor,
          epoch: stream.epoch,
          complete: page.coverage.complete,
          completeTo: readTo,
          setAside: page.standing === undefined ? null : { count: page.standing.setAside.count, reason: page.standing.withheld },
          passMode: page.coverage.complete ? null : stream.passMode,
          now: deps.now,
          addedRecords: created.length,
          clockSkewMs: page.clockSkewMs ?? null,
          sweepDone: page.coverage.complete && stream.passMode === 'full',
        }),
      )

      // 2. Events: also those of versions that lost, they happened all the same.
      const isKnown = (row: Observed): boolean => versions.has(row.id)
      const isNew = (row: Observed): boolean => !isKnown(row)
      pipeline.send(insertEvents(tx, workspaceId, deps.now, dedupeEvents(news.filter(isNew).flatMap(toEventRows))))
      pipeline.send(appendEvents(tx, workspaceId, deps.now, dedupeEvents(news.filter(isKnown).flatMap(toEventRows))))

      // 3. Records, grouped with those they share a key with. Where a known one stands is read under the lock: a merge may have moved it meanwhile.
      const dirty = new Set<string>()
      const known = [...new Set(news.map((row) => row.id))].filter((id) => versions.has(id))
      const groupables = news.map((row) => ({ row, tokens: linkingTokens({ keys: row.keys, objects: row.read.objects }) }))
      const reading = news.length > 0 ? pipeline.send(readUnderLock(tx, workspaceId, pipeline, known, groupables)) : undefined
      await setImmediate()
      const staged = stageRecords(created.map((row) => toRecordRow(row, stating, undefined)))
      if (!(await advancing)) throw new SomeoneElseHasIt()
      failpoint('poll.cursor')
      if (reading !== undefined) {
        const { placed, identifiers } = await reading
        for (const id of known) dirty.add(placed.get(id)?.componentId ?? id)
        // Versions that lost count too: whether a key is hot must not depend on which of them was read first.
        const plan = groupRecords(
          groupables.map(({ row, tokens }) => ({
            id: row.id,
            keys: row.keys,
            tokens,
            componentId: placed.get(row.id)?.componentId ?? null,
          })),
          identifiers,
        )
        for (const component of plan.dirty) dirty.add(component)
        const componentOf = (id: string): string => plan.componentOf.get(id) ?? id
        if (plan.merges.length > 0) await mergeComponents(tx, workspaceId, plan.merges)
        pipeline.send(createComponents(tx, workspaceId, plan.createdComponents))
        pipeline.send(writeIdentifiers(tx, workspaceId, plan.newIdentifiers, plan.changedIdentifiers))
        pipeline.send(insertRecords(tx, workspaceId, stream.id, deps.now, staged, componentOf))
        const rewritten = stageRecords(changed.map((row) => toRecordRow(row, stating, placed.get(row.id))))
        pipeline.send(updateRecords(tx, workspaceId, deps.now, rewritten, componentOf))
        const written = new Set([...created, ...changed].map((row) => row.id))
        pipeline.send(restateRecords(tx, workspaceId, restatementsOf(stating, written, placed)))
      }

      // 4. A full sweep that saw everything finds what is gone.
      if (sweeping && stream.sweepId !== null) {
        pipeline.send(noteSeen(tx, workspaceId, stream.id, stream.sweepId, [...newest.keys()].sort()))
        if (page.coverage.complete) {
          const { unseen, live } = await countUnseen(tx, workspaceId, stream.id, stream.sweepId)
          if (unseen > suspiciousShrinkFloor && unseen > live * suspiciousShrink && !stream.shrinkAllowed) {
            throw new SuspiciousShrink(unseen, live)
          }
          await lockGrouping(tx, workspaceId)
          for (const component of await deleteUnseen(tx, workspaceId, stream.id, stream.sweepId, deps.now)) dirty.add(component)
          await forgetSweep(tx, workspaceId, stream.id)
        }
      }

      // 5. What was odd, and how far this got.
      pipeline.send(markDirty(tx, workspaceId, [...dirty].sort()))
      pipeline.send(noteQuarantined(tx, workspaceId, stream.id, deps.now, page.quarantined))
      pipeline.send(noteDrifts(tx, workspaceId, stream.id, stream.passId, deps.now, page.drift))
      if (page.standing !== undefined) {
        pipeline.send(noteDrifts(tx, workspaceId, stream.id, stream.passId, deps.now, page.standing.drift))
        pipeline.send(settleDriftsBut(tx, workspaceId, stream.id, page.standing.drift))
        // Journeys that a final file ends wait for no time: all are judged again once nothing is missing from it.
        if (stream.final && stream.setAsideReason !== null && page.standing.withheld === null) pipeline.send(markAllDirty(tx, workspaceId))
      } else if (page.coverage.complete && stream.passMode === 'full' && stream.passId !== null) {
        await pipeline.settle()
        await settleDriftsUnseen(tx, workspaceId, stream.id, stream.passId)
      }
      const changes = created.length + changed.length
      if (stream.passId !== null) {
        const read = { read: page.records.length, changed: changes, quarantined: page.quarantined.length, ...page.coverage, to: readTo }
        pipeline.send(notePage(tx, workspaceId, stream.passId, deps.now, read))
      }
      await pipeline.settle()
      failpoint('poll.upserted')
      return {
        kind: 'committed',
        stream: { ...stream, epoch: stream.epoch + 1, cursor: page.cursor, records: stream.records + created.length },
        read: page.records.length,
        changed: changes,
        dirty: dirty.size,
      }
    })
    .then((outcome: PageOutcome): PageOutcome => {
      deps.firstRead?.add(newest.keys())
      return outcome
    })
    .catch((error: unknown): PageOutcome => {
      if (error instanceof SuspiciousShrink) return { kind: 'suspicious_shrink', unseen: error.unseen, live: error.live }
      if (error instanceof SomeoneElseHasIt) return { kind: 'someone_else_has_it' }
      throw error
    }) as Promise<PageOutcome>
}

/**
 * Which records of a stream are stored, known without asking: the stream had none when this reading began, and every page since was
 * committed by this reading (a page of another process moves the stream's epoch, which refuses ours). 52 bits of an id are kept: two
 * that agree in them make us ask, never miss.
 */
export class FirstRead {
  readonly #stored = new Set<number>()

  hasNone(ids: Iterable<string>): boolean {
    if (this.#stored.size > rememberedAtMost) return false
    for (const id of ids) if (this.#stored.has(beginningOf(id))) return false
    return true
  }

  add(ids: Iterable<string>): void {
    if (this.#stored.size <= rememberedAtMost) for (const id of ids) this.#stored.add(beginningOf(id))
  }
}

const rememberedAtMost = 2_000_000

const beginningOf = (id: string): number => Number.parseInt(id.slice(0, 13), 16)

/** Thrown to roll the page back: another process committed a page of this stream meanwhile. */
class SomeoneElseHasIt extends Error {}

/** Thrown to roll the page back: a sweep that lost this much is more likely a broken tool than a clean-up. */
class SuspiciousShrink extends Error {
  readonly unseen: number
  readonly live: number
  constructor(unseen: number, live: number) {
    super('suspicious shrink')
    this.unseen = unseen
    this.live = live
  }
}

/** What grouping must know, read under its lock: where known records stand now and who holds the tokens. */
async function readUnderLock(
  tx: Tx,
  workspaceId: number,
  pipeline: Pipeline,
  known: readonly string[],
  groupables: readonly { readonly tokens: readonly string[] }[],
): Promise<{ placed: ReadonlyMap<string, StoredVersion>; identifiers: ReadonlyMap<string, StoredIdentifier> }> {
  pipeline.send(lockGrouping(tx, workspaceId))
  const [placed, identifiers] = await Promise.all([
    pipeline.send(readVersions(tx, workspaceId, known)),
    pipeline.send(readIdentifiers(tx, workspaceId, [...new Set(groupables.flatMap(({ tokens }) => tokens))])),
  ])
  return { placed, identifiers }
}
