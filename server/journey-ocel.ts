import type { JourneyView } from './shapes/journey.ts'

interface Attribute {
  readonly name: string
  readonly value: string
}
interface Relationship {
  readonly objectId: string
  readonly qualifier: string
}
interface OcelObject {
  readonly id: string
  readonly type: string
  readonly attributes: readonly (Attribute & { readonly time: string })[]
  readonly relationships: readonly Relationship[]
}
interface OcelEvent {
  readonly id: string
  readonly type: string
  readonly time: string
  readonly attributes: readonly Attribute[]
  readonly relationships: readonly Relationship[]
}
type AttributeType = 'string' | 'time' | 'boolean'
interface OcelType {
  readonly name: string
  readonly attributes: readonly { readonly name: string; readonly type: AttributeType }[]
}

/** Names and types of the attributes; values are always text, as the published schema asks (ocel-standard.org/2.0). */
const eventAttributes: readonly (readonly [string, AttributeType])[] = [
  ['tool', 'string'],
  ['stream', 'string'],
  ['step', 'string'],
  ['status', 'string'],
  ['actor_kind', 'string'],
  ['actor', 'string'],
  ['undone', 'boolean'],
  ['occurred_after', 'time'],
  ['observed_at', 'time'],
]
const objectAttributes: Readonly<Record<string, readonly (readonly [string, AttributeType])[]>> = {
  journey: [
    ['program', 'string'],
    ['program_version', 'string'],
    ['stage', 'string'],
    ['ended', 'string'],
  ],
  finding: [
    ['kind', 'string'],
    ['expectation', 'string'],
    ['severity', 'string'],
    ['status', 'string'],
    ['owner', 'string'],
  ],
}

/**
 * A journey as an object-centric event log, OCEL 2.0 in JSON, piece by piece: its events, and as objects the journey, its subject (our
 * surrogate id), the tools' records and business objects by their ids as stored, and the findings whose evidence the events are.
 */
export function* writeOcel(journey: JourneyView): Generator<string> {
  const objects = objectsOf(journey)
  const types = (names: Iterable<string>, of: (name: string) => readonly (readonly [string, AttributeType])[]): OcelType[] =>
    [...new Set(names)].sort().map((name) => ({ name, attributes: of(name).map(([attribute, type]) => ({ name: attribute, type })) }))
  const eventTypes = types(
    journey.events.map((event) => event.type),
    () => eventAttributes,
  )
  const objectTypes = types(
    objects.map((object) => object.type),
    (name) => objectAttributes[name] ?? [],
  )
  yield `{"eventTypes":${JSON.stringify(eventTypes)},"objectTypes":${JSON.stringify(objectTypes)},"events":[`
  yield* rows(journey.events, (event) => toOcelEvent(event, journey))
  yield '],"objects":['
  yield* rows(objects, (object) => object)
  yield ']}\n'
}

const rowsAtOnce = 200
function* rows<T>(items: readonly T[], write: (item: T) => object): Generator<string> {
  for (let from = 0; from < items.length; from += rowsAtOnce) {
    const piece = items.slice(from, from + rowsAtOnce).map((item) => JSON.stringify(write(item)))
    yield (from === 0 ? '' : ',') + piece.join(',')
  }
}

type Event = JourneyView['events'][number]

const idOf = {
  journey: (journey: JourneyView) => `journey/${journey.id}`,
  subject: (id: string) => `subject/${id}`,
  record: (event: Pick<Event, 'stream' | 'externalId'>) => `${event.stream}/${event.externalId}`,
  object: (object: { readonly type: string; readonly id: string }) => `${object.type}/${object.id}`,
  finding: (id: string) => `finding/${id}`,
}

function toOcelEvent(event: Event, journey: JourneyView): OcelEvent {
  const values: Readonly<Record<string, string | null>> = {
    tool: event.connection,
    stream: event.stream,
    step: event.step,
    status: event.status,
    actor_kind: event.actor.kind,
    actor: event.actor.id,
    undone: event.step === null ? null : String(event.undone),
    occurred_after: event.occurredAfter,
    observed_at: event.observedAt,
  }
  const related = [
    { objectId: idOf.journey(journey), qualifier: 'part of' },
    ...(journey.subjectId === null ? [] : [{ objectId: idOf.subject(journey.subjectId), qualifier: 'about' }]),
    { objectId: idOf.record(event), qualifier: 'of record' },
    ...event.objects.map((object) => ({ objectId: idOf.object(object), qualifier: 'about' })),
    ...event.findings.map((id) => ({ objectId: idOf.finding(id), qualifier: 'evidence of' })),
  ]
  return {
    id: event.id,
    type: event.type,
    time: event.occurredAt,
    attributes: eventAttributes.flatMap(([name]) => (values[name] ? [{ name, value: values[name] }] : [])),
    relationships: distinct(related, ({ objectId, qualifier }) => `${qualifier} ${objectId}`),
  }
}

function objectsOf(journey: JourneyView): OcelObject[] {
  const plain = (id: string, type: string): OcelObject => ({ id, type, attributes: [], relationships: [] })
  const own: OcelObject = {
    id: idOf.journey(journey),
    type: 'journey',
    attributes: attributes([
      ['program', journey.program, journey.startedAt],
      ['program_version', String(journey.programVersion), journey.startedAt],
      ['stage', journey.stage, journey.lastEventAt],
      ['ended', journey.endReason, journey.endedAt ?? journey.lastEventAt],
    ]),
    relationships: [
      ...(journey.subjectId === null ? [] : [{ objectId: idOf.subject(journey.subjectId), qualifier: 'of' }]),
      ...(journey.object === null ? [] : [{ objectId: idOf.object(journey.object), qualifier: 'of' }]),
    ],
  }
  const shown = new Set(journey.events.flatMap((event) => event.findings))
  const findings = journey.findings.map(
    (finding): OcelObject => ({
      id: idOf.finding(finding.id),
      type: 'finding',
      attributes: attributes([
        ['kind', finding.kind, finding.openedAt],
        ['expectation', finding.expectation, finding.openedAt],
        ['severity', finding.severity, finding.changedAt],
        ['status', finding.status, finding.changedAt],
        ['owner', finding.owner.key, finding.changedAt],
      ]),
      relationships: [{ objectId: idOf.journey(journey), qualifier: 'found in' }],
    }),
  )
  const known = new Set(journey.findings.map((finding) => finding.id))
  return distinct(
    [
      own,
      ...(journey.subjectId === null ? [] : [plain(idOf.subject(journey.subjectId), 'subject')]),
      ...(journey.object === null ? [] : [plain(idOf.object(journey.object), journey.object.type)]),
      ...journey.events.flatMap((event) => [
        plain(idOf.record(event), event.stream),
        ...event.objects.map((object) => plain(idOf.object(object), object.type)),
      ]),
      ...findings,
      ...[...shown].filter((id) => !known.has(id)).map((id) => plain(idOf.finding(id), 'finding')),
    ],
    (object) => object.id,
  )
}

function attributes(list: readonly (readonly [string, string | null, string])[]): (Attribute & { readonly time: string })[] {
  return list.flatMap(([name, value, time]) => (value === null ? [] : [{ name, value, time }]))
}

function distinct<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()]
}
