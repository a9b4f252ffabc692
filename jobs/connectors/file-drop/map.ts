import { seal } from '../../domain/plain.ts'
import type { Actor, ObjectRef, Ops } from '../../domain/facts.ts'
import type { PersonClaim, ReadEvent, ReadRecord } from '../connector.ts'
import type { FileSpec, TimeSetting } from './config.ts'
import { makeTimeReader } from './read-time.ts'
import type { TimeReader } from './read-time.ts'

/** A row that cannot be read as a record: why, in words that show nothing of what stands in it. `drift` names a column whose type changed. */
export interface Refused {
  readonly refused: string
  readonly drift?: string
}

export interface RowMapper {
  /** Columns the mapping reads; all must be there. */
  readonly columns: readonly string[]
  readonly hasId: boolean
  /** `cell(i)` is the text of `columns[i]`, empty when absent. `identity` is asked only where no id is mapped. */
  map(cells: readonly string[], row: { readonly seq: number; readonly suspicious: boolean }, identity: () => string): ReadRecord | Refused
}

const unknownActor: Actor = Object.freeze({ kind: 'unknown', id: null })
const noOps: Ops = Object.freeze({})
const noObjects: readonly ObjectRef[] = Object.freeze([])
// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is what is looked for.
export const invisible = /[\u0000\u200B\u200E\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/

type Cells = readonly string[]

/** Compiles the mapping of one file entry to a function of a row's cells. */
export function makeRowMapper(file: FileSpec): RowMapper {
  const columns: string[] = []
  const operational = new Set<number>()
  const at = (column: string, kept = true): number => {
    let index = columns.indexOf(column)
    if (index < 0) index = columns.push(column) - 1
    if (kept) operational.add(index)
    return index
  }
  const timeOf = (setting: TimeSetting) => {
    const spec = typeof setting === 'string' ? { column: setting } : setting
    const reader = makeTimeReader({ column: spec.column, format: spec.format ?? 'iso', zone: spec.zone ?? file.zone ?? null })
    return { index: at(spec.column), reader }
  }
  const idColumns =
    file.id === undefined || file.id === null ? [] : (Array.isArray(file.id) ? file.id : [file.id]).map((column) => at(column))
  const main = file.time === undefined ? null : timeOf(file.time)
  const milestones = (file.events ?? []).map((event) => ({ type: event.event, status: event.status ?? null, ...timeOf(event.time) }))
  const updated = file.updated === undefined ? null : timeOf(file.updated)
  const eventColumn = typeof file.event === 'object' ? at(file.event.column) : -1
  const eventName = typeof file.event === 'string' ? file.event : file.stream
  const statusColumn = file.status === undefined ? -1 : at(file.status)
  const readOps = compileFields(file, at)
  const readObjects = compileObjects(file, at)
  const readPerson = compilePerson(file, at)
  const readActor = compileActor(file, at)
  const kept = [...operational]
  /** Several rows per record, each an event with a state of its own: the record keeps the last, so each event keeps its own. */
  const stateAtEvent = idColumns.length > 0 && eventColumn >= 0

  return {
    columns,
    hasId: idColumns.length > 0,
    map(cells, { seq, suspicious }, identity) {
      if (suspicious) {
        const bad = kept.find((index) => invisible.test(cells[index]!) || !cells[index]!.isWellFormed())
        if (bad !== undefined)
          return { refused: `column ${columns[bad]} holds an invisible or broken character; remove it in the tool and export again` }
      }
      let externalId = ''
      for (let index = 0; index < idColumns.length; index += 1) {
        const part = cells[idColumns[index]!]!
        if (part === '') return { refused: `column ${columns[idColumns[index]!]} is empty; expected the id of the record` }
        externalId = index === 0 ? part : `${externalId}|${part}`
      }
      const status = statusColumn < 0 ? null : cells[statusColumn]! || null
      const ops = readOps(cells)
      if ('refused' in ops) return ops as Refused
      const actor = readActor(cells)
      const events: ReadEvent[] = []
      let newest = Number.NEGATIVE_INFINITY
      if (main !== null) {
        const text = cells[main.index]!
        const type = eventColumn < 0 ? eventName : cells[eventColumn]!
        if (type === '') return { refused: `column ${columns[eventColumn]} is empty; expected the name of what happened` }
        const event = readEvent(main.reader, text, type, status, stateAtEvent ? (ops as Ops) : null, actor, seq)
        if (event === null) return { refused: main.reader.explain(text) }
        events.push(event)
        newest = event.occurredAt
      }
      for (const milestone of milestones) {
        const text = cells[milestone.index]!
        if (text === '') continue
        const event = readEvent(milestone.reader, text, milestone.type, milestone.status ?? status, null, actor, seq)
        if (event === null) return { refused: milestone.reader.explain(text) }
        events.push(event)
        if (event.occurredAt > newest) newest = event.occurredAt
      }
      if (events.length === 0) return { refused: 'none of its time columns holds a time' }
      let updatedAt = newest
      if (updated !== null) {
        const text = cells[updated.index]!
        if (text !== '') {
          updatedAt = updated.reader.read(text)
          if (Number.isNaN(updatedAt)) return { refused: updated.reader.explain(text) }
        }
      }
      return {
        externalId: idColumns.length === 0 ? identity() : externalId,
        updatedAt,
        version: null,
        status,
        ops: ops as Ops,
        objects: readObjects(cells),
        person: readPerson(cells),
        events,
      }
    },
  }
}

/** A day without a time of day occurred somewhere within that day: an interval (semantics.md 3). */
function readEvent(
  reader: TimeReader,
  text: string,
  type: string,
  status: string | null,
  ops: Ops | null,
  actor: Actor,
  seq: number,
): ReadEvent | null {
  const occurredAt = reader.read(text)
  if (Number.isNaN(occurredAt)) return null
  if (reader.isDay(text)) return { type, occurredAt: reader.endOfDay(text), occurredAfter: occurredAt - 1, status, ops, actor, seq }
  return { type, occurredAt, status, ops, actor, seq }
}

type At = (column: string, kept?: boolean) => number

function compileFields(file: FileSpec, at: At): (cells: Cells) => Ops | Refused {
  const fields = Object.entries(file.fields ?? {}).map(([name, given]) => {
    const spec = typeof given === 'string' ? { type: given } : given
    const column = ('column' in spec ? spec.column : undefined) ?? name
    const zone = ('zone' in spec ? spec.zone : undefined) ?? file.zone ?? null
    const format = ('format' in spec ? spec.format : undefined) ?? 'iso'
    const reader = spec.type === 'time' ? makeTimeReader({ column, format, zone }) : null
    return { name, column, type: spec.type, index: at(column), reader }
  })
  if (fields.length === 0) return () => noOps
  return (cells) => {
    const ops: Record<string, string | number | boolean | null> = {}
    for (const { name, column, type, index, reader } of fields) {
      const text = cells[index]!
      if (text === '') {
        ops[name] = null
        continue
      }
      switch (type) {
        case 'text':
          ops[name] = text
          break
        case 'number': {
          const value = exactNumber(text)
          if (typeof value !== 'number') return { refused: `column ${column} ${value}`, drift: column }
          ops[name] = value
          break
        }
        case 'boolean': {
          const value = booleans.get(text.toLowerCase())
          if (value === undefined) return { refused: `column ${column} is neither true nor false`, drift: column }
          ops[name] = value
          break
        }
        case 'time': {
          const instant = reader!.read(text)
          if (Number.isNaN(instant)) return { refused: reader!.explain(text), drift: column }
          ops[name] = new Date(instant).toISOString()
        }
      }
    }
    return ops
  }
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['true', 't', 'yes', 'y', '1'].map((word) => [word, true] as const),
  ...['false', 'f', 'no', 'n', '0'].map((word) => [word, false] as const),
])

/** A number that means exactly what the text says, or why there is none. Text that must come back byte for byte is mapped as text. */
function exactNumber(text: string): number | string {
  if (!/^-?\d+(?:\.\d+)?$/.test(text)) return 'is no plain number (such as 12 or 19.90); map it as text'
  const digits = text.replace(/^-?0*/, '').replace('.', '')
  if (digits.length > 15) return 'has more digits than a number keeps exactly; map it as text'
  const value = Number(text)
  return value === 0 ? 0 : value
}

function compileObjects(file: FileSpec, at: At): (cells: Cells) => readonly ObjectRef[] {
  const objects = Object.entries(file.objects ?? {}).map(([type, given]) => {
    const spec = typeof given === 'string' ? { column: given } : given
    return { type, index: at(spec.column), root: 'root' in spec && spec.root !== undefined ? at(spec.root) : -1 }
  })
  if (objects.length === 0) return () => noObjects
  return (cells) => {
    const found: ObjectRef[] = []
    for (const { type, index, root } of objects) {
      const id = cells[index]!
      if (id === '') continue
      const rootId = root < 0 ? '' : cells[root]!
      found.push(rootId === '' || rootId === id ? { type, id } : { type, id, root: rootId })
    }
    return found
  }
}

function compilePerson(file: FileSpec, at: At): (cells: Cells) => ReadRecord['person'] {
  const subject = file.subject
  if (subject === undefined) return () => null
  const role = subject.role ?? 'self'
  const externals = (subject.external === undefined ? [] : Array.isArray(subject.external) ? subject.external : [subject.external]).map(
    (external) => ({
      system: external.system ?? external.column,
      index: at(external.column),
    }),
  )
  const index = (column: string | undefined) => (column === undefined ? -1 : at(column, false))
  const [reference, email, phone] = [index(subject.reference), index(subject.email), index(subject.phone)]
  const [given, family, full] = [index(subject.given_name), index(subject.family_name), index(subject.full_name)]
  const birth = index(subject.birth_date)
  const onlyExternal = reference < 0 && email < 0 && phone < 0 && given < 0 && family < 0 && full < 0 && birth < 0
  const cell = (cells: Cells, position: number): string | null => (position < 0 ? null : cells[position]!.trim() || null)
  return (cells) => {
    const external: { system: string; value: string }[] = []
    for (const { system, index: position } of externals) {
      const value = cells[position]!
      if (value !== '') external.push({ system, value })
    }
    if (onlyExternal) return external.length === 0 ? null : seal<PersonClaim>({ role, external })
    const claim = { reference: cell(cells, reference), email: cell(cells, email), phone: cell(cells, phone) }
    const name = { given: cell(cells, given), family: cell(cells, family), full: cell(cells, full) }
    const birthDate = cell(cells, birth)
    const named = name.given !== null || name.family !== null || name.full !== null
    if (external.length === 0 && !named && claim.reference === null && claim.email === null && claim.phone === null) return null
    return seal<PersonClaim>({
      role,
      reference: claim.reference,
      external,
      emails: [claim.email],
      phones: [claim.phone],
      name: named ? name : null,
      birthDate,
    })
  }
}

function compileActor(file: FileSpec, at: At): (cells: Cells) => Actor {
  const actor = file.actor
  if (actor === undefined) return () => unknownActor
  if (typeof actor === 'string') {
    const fixed: Actor = { kind: actor, id: null }
    return () => fixed
  }
  const [kind, column] = 'automation' in actor ? (['automation', actor.automation] as const) : (['agent', actor.agent] as const)
  const index = at(column)
  return (cells) => (cells[index] === '' ? unknownActor : { kind, id: cells[index]! })
}
