import type { Sql, Tx } from '../../db/records/bulk.ts'
import { hexOf } from '../../db/records/bulk.ts'
import { type EventValues, type RecordValues, readFacts } from '../../db/records/facts.ts'
import type { EventFact, Ops, RecordFact } from '../domain/facts.ts'
import { actorKindOf, decodeKeys, decodeObjects, roleOf } from './fact-codec.ts'

/** All facts of one component: what every rule about it is judged from. */
export interface ComponentFacts {
  readonly records: RecordFact[]
  readonly events: Map<string, EventFact[]>
}

const noOps: Ops = Object.freeze({})
const unknownActor = Object.freeze({ kind: 'unknown' as const, id: null })
const msOf = (value: number): number => Math.round(value)
const msOrNull = (value: number | null): number | null => (value === null ? null : Math.round(value))

/** Loads the facts of these components. `addressOf` names a stream id as `<connection>.<stream>`. */
export async function loadComponents(
  sql: Sql | Tx,
  workspaceId: number,
  components: readonly string[],
  addressOf: (streamId: number) => string,
): Promise<Map<string, ComponentFacts>> {
  const { records, events } = await readFacts(sql, workspaceId, components)
  const byComponent = new Map<string, ComponentFacts>()
  const ownEvents = new Map<string, EventFact[]>()
  for (const row of records) {
    const record = toRecord(row, addressOf)
    const component = hexOf(row[1])
    let facts = byComponent.get(component)
    if (facts === undefined) byComponent.set(component, (facts = { records: [], events: new Map() }))
    facts.records.push(record)
    const own: EventFact[] = []
    facts.events.set(record.id, own)
    ownEvents.set(record.id, own)
  }
  for (const row of events) {
    const event = toEvent(row)
    ownEvents.get(event.recordId)?.push(event)
  }
  return byComponent
}

/** One component, for a page that shows how it was judged. */
export async function loadComponent(
  sql: Sql | Tx,
  workspaceId: number,
  componentId: string,
  addressOf: (streamId: number) => string,
): Promise<ComponentFacts> {
  return (await loadComponents(sql, workspaceId, [componentId], addressOf)).get(componentId) ?? { records: [], events: new Map() }
}

function toRecord(row: RecordValues, addressOf: (streamId: number) => string): RecordFact {
  return {
    id: hexOf(row[0]),
    stream: addressOf(row[2]),
    externalId: row[3],
    updatedAt: msOf(row[4]),
    observedAt: msOf(row[5]),
    status: row[6],
    ops: row[7] ?? noOps,
    objects: decodeObjects(row[8]),
    role: roleOf(row[9]),
    keys: decodeKeys(row[10]),
    deletedAt: msOrNull(row[11]),
  }
}

function toEvent(row: EventValues): EventFact {
  return {
    recordId: hexOf(row[0]),
    type: row[1],
    occurredAt: msOf(row[2]),
    occurredAfter: msOrNull(row[3]),
    observedAt: msOf(row[4]),
    status: row[5],
    ops: row[6],
    actor: row[7] === 0 && row[8] === null ? unknownActor : { kind: actorKindOf(row[7]), id: row[8] },
    seq: row[9],
  }
}
