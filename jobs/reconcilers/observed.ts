import { setImmediate } from 'node:timers/promises'
import type { EventRow, RecordRow, restateRecords, StoredVersion, Version } from '../../db/records/facts.ts'
import type { PersonClaim, ReadEvent, ReadRecord } from '../connectors/connector.ts'
import type { IdentityKey, IdentityRole } from '../domain/facts.ts'
import { hash128 } from '../domain/hash.ts'
import type { Plain } from '../domain/plain.ts'
import { actorKindNumber, encodeKeys, encodeObjects, roleNumber } from './fact-codec.ts'

export type Tokenise = (claim: Plain<PersonClaim>) => { readonly role: IdentityRole; readonly keys: readonly IdentityKey[] }

/** A record ready to be compared and written: nothing identifying is left in it. */
export interface Observed {
  readonly id: string
  readonly read: ReadRecord
  readonly role: IdentityRole
  readonly keys: readonly IdentityKey[]
  readonly ops: string | null
  readonly objects: string | null
  readonly storedKeys: string | null
  readonly contentHash: string
}

/** Hashing a page takes long: whoever holds the grouping lock meanwhile is let through again and again. */
export async function observeAll(address: string, reads: readonly ReadRecord[], tokenise: Tokenise): Promise<Observed[]> {
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

export function keepNewest(rows: readonly Observed[]): Map<string, Observed> {
  const newest = new Map<string, Observed>()
  for (const row of rows) {
    const other = newest.get(row.id)
    if (other === undefined || compareVersions(versionOf(row), versionOf(other)) > 0) newest.set(row.id, row)
  }
  return newest
}

export function supersedes(row: Observed, stored: StoredVersion | undefined): boolean {
  if (stored === undefined) return false
  const order = compareVersions(versionOf(row), stored)
  return order > 0 || (order === 0 && stored.deleted && row.read.deleted !== true)
}

/** Whether the row may bring an event we do not have: anything but the very version that is stored. */
export function isNews(row: Observed, versions: ReadonlyMap<string, StoredVersion>): boolean {
  const stored = versions.get(row.id)
  return stored === undefined || compareVersions(versionOf(row), stored) !== 0 || stored.deleted
}

export function toEventRows(row: Observed): EventRow[] {
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
export function dedupeEvents(rows: readonly EventRow[]): EventRow[] {
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

/** `stored`: what is known of the record, under the grouping lock. */
export function toRecordRow(row: Observed, stating: ReadonlyMap<string, Observed>, stored: StoredVersion | undefined): RecordRow {
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
export function restatementsOf(
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
export function isTombstone({ read, ops, objects, storedKeys }: Observed): boolean {
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
