import { setImmediate } from 'node:timers/promises'
import { commitLazily, Pipeline, type Sql, type Tx } from '../../db/records/bulk.ts'
import {
  appendEvents,
  countUnseen,
  createComponents,
  deleteUnseen,
  type EventRow,
  forgetSweep,
  insertEvents,
  insertRecords,
  lockGrouping,
  markAllDirty,
  markDirty,
  mergeComponents,
  noteSeen,
  type RecordRow,
  readIdentifiers,
  readVersions,
  restateRecords,
  type StoredIdentifier,
  type StoredVersion,
  stageRecords,
  updateRecords,
  type Version,
  writeIdentifiers,
} from '../../db/records/facts.ts'
import {
  advanceStream,
  noteDrifts,
  notePage,
  noteQuarantined,
  settleDriftsBut,
  settleDriftsUnseen,
  type StreamRow,
} from '../../db/records/streams.ts'
import type { PersonClaim, PollPage, ReadEvent, ReadRecord } from '../connectors/connector.ts'
import type { IdentityKey, IdentityRole } from '../domain/facts.ts'
import { failpoint } from '../failpoint.ts'
import { groupRecords, linkingTokens } from '../domain/group-records.ts'
import { hash128 } from '../domain/hash.ts'
import type { Plain } from '../domain/plain.ts'
import { actorKindNumber, encodeKeys, encodeObjects, roleNumber } from './fact-codec.ts'

export type Tokenise = (claim: Plain<PersonClaim>) => { readonly role: IdentityRole; readonly keys: readonly IdentityKey[] }

/** A share of vanished records above which a sweep asks a person instead of deleting (P9). */
const suspiciousShrink = 0.3
const suspiciousShrinkFloor = 20

export type PageOutcome =
  | { readonly kind: 'committed'; readonly stream: StreamRow; readonly read: number; readonly changed: number; readonly dirty: number }
  | { readonly kind: 'someone_else_has_it' }
  | { readonly kind: 'suspicious_shrink'; readonly unseen: number; readonly live: number }

/** A record ready to be compared and written: nothing identifying is left in it. */
interface Observed {
  readonly id: string
  readonly read: ReadRecord
  readonly role: IdentityRole
  readonly keys: readonly IdentityKey[]
  readonly ops: string | null
  readonly objects: string | null
  readonly storedKeys: string | null
  readonly contentHash: string
}

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

/** Hashing a page takes long: whoever holds the grouping lock meanwhile is let through again and again. */
async function observeAll(address: string, reads: readonly ReadRecord[], tokenise: Tokenise): Promise<Observed[]> {
  const observed: Observed[] = []
  for (const read of reads) {
    if (observed.length % observedAtOnce === observedAtOnce - 1) await setImmediate()
    observed.push(observe(address, read, tokenise))
  }
  return observed
}
const observedAtOnce = 250

function observe(address: string, read: ReadRecord, tokenise: Tokenise): Observed {
  const { role, keys } = read.person === null ? { role: 'contact' as const, keys: [] } : tokenise(read.person)
  const ops = isEmpty(read.ops) ? null : stableJson(read.ops)
  const objects = encodeObjects(read.objects)
  const storedKeys = encodeKeys(keys)
  return {
    id: recordId(address, read.externalId),
    read,
    role,
    keys,
    ops,
    objects,
    storedKeys,
    contentHash: hash128(
      read.status ?? '',
      ops ?? '',
      objects ?? '',
      storedKeys ?? '',
      role,
      read.deleted === true ? 1 : 0,
      statedIn(read.events),
    ),
  }
}

/** What the events say, for the content hash: of two readings within one second, one may tell an event the other does not. */
function statedIn(events: readonly ReadEvent[]): string {
  let stated = ''
  for (const { type, occurredAt, occurredAfter, status, ops } of events) {
    // The bounds of a change seen only between two reads are our own: they differ at each read.
    if (occurredAfter === undefined || occurredAfter === null)
      stated += `${type}\0${occurredAt}\0${status ?? ''}\0${ops ? stableJson(ops) : ''}\0`
  }
  return stated
}

/** The id of a record: hash(connection.stream, external id), 32 hex digits. */
export function recordId(address: string, externalId: string): string {
  return hash128('record', address, externalId)
}

function isEmpty(value: object): boolean {
  for (const _ in value) return false
  return true
}

function stableJson(value: Readonly<Record<string, unknown>>): string {
  const keys = Object.keys(value)
  for (let i = 1; i < keys.length; i++) {
    if ((keys[i] ?? '') < (keys[i - 1] ?? '')) return JSON.stringify(Object.fromEntries(keys.sort().map((key) => [key, value[key]])))
  }
  return JSON.stringify(value)
}

/** Versions win by (updatedAt, version, content hash), never by arrival. */
function compareVersions(
  a: { readonly updatedAt: number; readonly version: string; readonly contentHash: string },
  b: { readonly updatedAt: number; readonly version: string; readonly contentHash: string },
): number {
  if (a.updatedAt !== b.updatedAt) return a.updatedAt - b.updatedAt
  if (a.version !== b.version) return a.version < b.version ? -1 : 1
  return a.contentHash < b.contentHash ? -1 : a.contentHash > b.contentHash ? 1 : 0
}

const versionOf = (row: Observed) => ({ updatedAt: row.read.updatedAt, version: row.read.version ?? '', contentHash: row.contentHash })

function keepNewest(rows: readonly Observed[]): Map<string, Observed> {
  const newest = new Map<string, Observed>()
  for (const row of rows) {
    const other = newest.get(row.id)
    if (other === undefined || compareVersions(versionOf(row), versionOf(other)) > 0) newest.set(row.id, row)
  }
  return newest
}

function supersedes(row: Observed, stored: StoredVersion | undefined): boolean {
  if (stored === undefined) return false
  const order = compareVersions(versionOf(row), stored)
  return order > 0 || (order === 0 && stored.deleted && row.read.deleted !== true)
}

/** Whether the row may bring an event we do not have: anything but the very version that is stored. */
function isNews(row: Observed, versions: ReadonlyMap<string, StoredVersion>): boolean {
  const stored = versions.get(row.id)
  return stored === undefined || compareVersions(versionOf(row), stored) !== 0 || stored.deleted
}

function toEventRows(row: Observed): EventRow[] {
  return row.read.events.map((event) => ({
    recordId: row.id,
    occurredAt: event.occurredAt,
    type: event.type,
    occurredAfter: event.occurredAfter ?? null,
    updatedAt: row.read.updatedAt,
    status: event.status,
    ops: event.ops ? stableJson(event.ops) : null,
    actorKind: actorKindNumber(event.actor.kind),
    actorId: event.actor.id,
    seq: event.seq ?? 0,
  }))
}

/** One statement per event key: of several versions in one page, the newest one's. */
function dedupeEvents(rows: readonly EventRow[]): EventRow[] {
  const byKey = new Map<string, EventRow>()
  for (const row of rows) {
    const key = `${row.recordId}${row.occurredAt}\0${row.type}`
    const other = byKey.get(key)
    if (other === undefined || eventRank(row) > eventRank(other)) byKey.set(key, row)
  }
  return [...byKey.values()]
}

function eventRank(row: EventRow): string {
  return `${String(row.updatedAt).padStart(16, '0')}\0${row.status ?? ''}\0${row.ops ?? ''}\0${row.actorKind}\0${row.actorId ?? ''}`
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

/** `stored`: what is known of the record, under the grouping lock. */
function toRecordRow(row: Observed, stating: ReadonlyMap<string, Observed>, stored: StoredVersion | undefined): RecordRow {
  const stated = isTombstone(row) ? statementFor(stating.get(row.id), stored) : { row, version: null }
  return {
    id: row.id,
    externalId: row.read.externalId,
    updatedAt: row.read.updatedAt,
    version: row.read.version,
    contentHash: row.contentHash,
    ...toStatement(stated.row ?? row),
    deletedAt: row.read.deleted === true ? row.read.updatedAt : null,
    stated: stated.version,
    isStatedAlready: stated.row === undefined,
  }
}

/** Statements older than a tombstone that is stored already, newer than the one it keeps. */
function restatementsOf(
  stating: ReadonlyMap<string, Observed>,
  written: ReadonlySet<string>,
  placed: ReadonlyMap<string, StoredVersion>,
): Parameters<typeof restateRecords>[2] {
  return [...stating.values()].flatMap((row) => {
    const known = placed.get(row.id)?.stated ?? null
    if (written.has(row.id) || known === null || compareVersions(versionOf(row), known) <= 0) return []
    return [{ id: row.id, ...toStatement(row), stated: versionOf(row) }]
  })
}

const toStatement = (row: Observed) => ({
  status: row.read.status,
  ops: row.ops,
  objects: row.objects,
  role: roleNumber(row.role),
  keys: row.storedKeys,
})

/** A deletion that states nothing else: what the record was, its newest other version says, whichever of them is read first. */
function isTombstone({ read, ops, objects, storedKeys }: Observed): boolean {
  return read.deleted === true && read.status === null && ops === null && objects === null && storedKeys === null
}

/** Older than any version: nothing has been stated yet. */
const unstated: Version = { updatedAt: 0, version: '', contentHash: '0'.repeat(32) }

/** Which statement a tombstone keeps: the page's or, with `row` undefined, the one that is stored. */
function statementFor(read: Observed | undefined, stored: StoredVersion | undefined): { row: Observed | undefined; version: Version } {
  const known = stored === undefined ? unstated : (stored.stated ?? stored)
  return read !== undefined && compareVersions(versionOf(read), known) > 0
    ? { row: read, version: versionOf(read) }
    : { row: undefined, version: known }
}
