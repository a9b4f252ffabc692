import { commitLazily, type Sql, type Tx } from '../../db/records/bulk.ts'
import {
  appendEvents,
  countUnseen,
  createComponents,
  deleteUnseen,
  type EventRow,
  forgetSweep,
  lockGrouping,
  markAllDirty,
  markDirty,
  mergeComponents,
  noteSeen,
  type RecordRow,
  readIdentifiers,
  readVersions,
  restateRecords,
  type StoredVersion,
  type Version,
  writeIdentifiers,
  writeRecords,
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
  deps: { readonly tokenise: Tokenise; readonly now: number },
): Promise<PageOutcome> {
  const address = `${stream.connection}.${stream.name}`
  const observed = page.records.map((read) => observe(address, read, deps.tokenise))
  const newest = keepNewest(observed)
  const stating = keepNewest(observed.filter((row) => !isTombstone(row)))
  return sql
    .begin(async (tx): Promise<PageOutcome> => {
      await commitLazily(tx)
      const versions = await readVersions(tx, workspaceId, [...newest.keys()])
      const created = [...newest.values()].filter((row) => !versions.has(row.id))
      const changed = [...newest.values()].filter((row) => supersedes(row, versions.get(row.id)))

      // 1. Who else has this stream? The row lock taken here serialises its writers.
      const readTo = page.coverage.complete && page.coverage.to > 0 ? page.coverage.to : null
      const sweeping = page.sweep !== undefined && stream.sweepId !== null
      const advanced = await advanceStream(tx, workspaceId, stream.id, {
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
      })
      if (!advanced) return { kind: 'someone_else_has_it' }
      failpoint('poll.cursor')

      // 2. Events: also those of versions that lost, they happened all the same.
      const events = observed.flatMap((row) => (isNews(row, versions) ? toEventRows(row) : []))
      await appendEvents(tx, workspaceId, deps.now, dedupeEvents(events))

      // 3. Records, grouped with those they share a key with. Where a known one stands is read under the lock: a merge may have moved it meanwhile.
      const dirty = new Set<string>()
      const news = observed.filter((row) => isNews(row, versions))
      if (news.length > 0) {
        await lockGrouping(tx, workspaceId)
        const known = [...new Set(news.map((row) => row.id))].filter((id) => versions.has(id))
        const placed = known.length > 0 ? await readVersions(tx, workspaceId, known) : versions
        for (const id of known) dirty.add(placed.get(id)?.componentId ?? id)
        // Versions that lost count too: whether a key is hot must not depend on which of them was read first.
        const written = new Set([...created, ...changed])
        const lost = news.filter((row) => !written.has(row))
        for (const component of await writeGrouped(tx, workspaceId, stream.id, deps.now, { created, changed, lost, stating }, placed))
          dirty.add(component)
      }
      failpoint('poll.upserted')

      // 4. A full sweep that saw everything finds what is gone.
      if (sweeping && stream.sweepId !== null) {
        await noteSeen(tx, workspaceId, stream.id, stream.sweepId, [...newest.keys()].sort())
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
      await markDirty(tx, workspaceId, [...dirty].sort())
      await noteQuarantined(tx, workspaceId, stream.id, deps.now, page.quarantined)
      await noteDrifts(tx, workspaceId, stream.id, stream.passId, deps.now, page.drift)
      if (page.standing !== undefined) {
        await noteDrifts(tx, workspaceId, stream.id, stream.passId, deps.now, page.standing.drift)
        await settleDriftsBut(tx, workspaceId, stream.id, page.standing.drift)
        // Journeys that a final file ends wait for no time: all are judged again once nothing is missing from it.
        if (stream.final && stream.setAsideReason !== null && page.standing.withheld === null) await markAllDirty(tx, workspaceId)
      } else if (page.coverage.complete && stream.passMode === 'full' && stream.passId !== null) {
        await settleDriftsUnseen(tx, workspaceId, stream.id, stream.passId)
      }
      const changes = created.length + changed.length
      if (stream.passId !== null) {
        await notePage(tx, workspaceId, stream.passId, deps.now, {
          read: page.records.length,
          changed: changes,
          quarantined: page.quarantined.length,
          ...page.coverage,
          to: readTo,
        })
      }
      return {
        kind: 'committed',
        stream: { ...stream, epoch: stream.epoch + 1, cursor: page.cursor, records: stream.records + created.length },
        read: page.records.length,
        changed: changes,
        dirty: dirty.size,
      }
    })
    .catch((error: unknown): PageOutcome => {
      if (error instanceof SuspiciousShrink) return { kind: 'suspicious_shrink', unseen: error.unseen, live: error.live }
      throw error
    }) as Promise<PageOutcome>
}

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

/** Under the grouping lock. `placed`: where the known ones stand now. */
async function writeGrouped(
  tx: Tx,
  workspaceId: number,
  streamId: number,
  now: number,
  {
    created,
    changed,
    lost,
    stating,
  }: { readonly [kind in 'created' | 'changed' | 'lost']: readonly Observed[] } & { readonly stating: ReadonlyMap<string, Observed> },
  placed: ReadonlyMap<string, StoredVersion>,
): Promise<readonly string[]> {
  const groupables = [...created, ...changed, ...lost].map((row) => ({
    id: row.id,
    keys: row.keys,
    objects: row.read.objects,
    componentId: placed.get(row.id)?.componentId ?? null,
  }))
  const tokens = new Set<string>()
  for (const groupable of groupables) for (const token of linkingTokens(groupable)) tokens.add(token)
  const plan = groupRecords(groupables, await readIdentifiers(tx, workspaceId, [...tokens]))
  await createComponents(tx, workspaceId, plan.createdComponents)
  await mergeComponents(tx, workspaceId, plan.merges)
  await writeIdentifiers(tx, workspaceId, plan.newIdentifiers, plan.changedIdentifiers)
  const toRow = (row: Observed): RecordRow => {
    const stated = isTombstone(row) ? statementFor(stating.get(row.id), placed.get(row.id)) : { row, version: null }
    return {
      id: row.id,
      componentId: plan.componentOf.get(row.id) ?? row.id,
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
  await writeRecords(tx, workspaceId, streamId, now, created.map(toRow), changed.map(toRow))
  const written = new Set([...created, ...changed].map((row) => row.id))
  const restated = [...stating.values()].flatMap((row) => {
    const known = placed.get(row.id)?.stated ?? null
    if (written.has(row.id) || known === null || compareVersions(versionOf(row), known) <= 0) return []
    return [{ id: row.id, ...toStatement(row), stated: versionOf(row) }]
  })
  await restateRecords(tx, workspaceId, restated)
  return plan.dirty
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
