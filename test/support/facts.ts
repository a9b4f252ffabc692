import type { Verdict } from '../../jobs/domain/expectations/expectation.ts'
import type { Actor, EventFact, IdentityKey, ObjectRef, Ops, RecordFact } from '../../jobs/domain/facts.ts'
import { hash128 } from '../../jobs/domain/hash.ts'
import { judgeComponent } from '../../jobs/domain/judge-component.ts'
import type { ComponentFacts, ComponentJudgement } from '../../jobs/domain/judge-component.ts'
import type { Program } from '../../jobs/domain/program.ts'

/** `at('09:15')` on the day of the scenes, or any ISO time. */
export function at(time: string): number {
  const text = /^\d\d:\d\d/.test(time) ? `2026-03-02T${time.length === 5 ? `${time}:00` : time}Z` : time
  const value = Date.parse(text)
  if (Number.isNaN(value)) throw new TypeError(`"${time}" is no time`)
  return value
}

export interface EventGiven {
  readonly at: string | number
  readonly after?: string | number
  readonly type?: string
  readonly status?: string | null
  readonly ops?: Ops
  readonly actor?: string | Actor
  readonly seq?: number
}

export interface RecordGiven {
  readonly person?: string | null
  readonly status?: string | null
  readonly ops?: Ops
  readonly objects?: readonly ObjectRef[]
  readonly deletedAt?: string
  readonly events?: readonly EventGiven[]
}

export interface Fact {
  readonly record: RecordFact
  readonly events: readonly EventFact[]
}

const time = (value: string | number): number => (typeof value === 'number' ? value : at(value))

/** A record of a person (`ada` unless told) with its events; its status is that of the last event. */
export function aRecord(stream: string, externalId: string, given: RecordGiven = {}): Fact {
  const id = hash128('record', ...stream.split('.'), externalId)
  const events = (given.events ?? []).map((event): EventFact => {
    const actor = event.actor ?? { kind: 'unknown', id: null }
    return {
      recordId: id,
      type: event.type ?? event.status ?? 'seen',
      occurredAt: time(event.at),
      occurredAfter: event.after === undefined ? null : time(event.after),
      observedAt: time(event.at) + 1000,
      status: event.status ?? null,
      ops: event.ops ?? null,
      actor: typeof actor === 'string' ? { kind: 'automation', id: actor } : actor,
      seq: event.seq ?? 0,
    }
  })
  const last = events.reduce((latest, event) => Math.max(latest, event.occurredAt), 0)
  const status = given.status === undefined ? (events.toSorted((a, b) => a.occurredAt - b.occurredAt).at(-1)?.status ?? null) : given.status
  const person = given.person === undefined ? 'ada' : given.person
  const keys: IdentityKey[] = person === null ? [] : [{ kind: 'reference', system: 'person', token: hash128('person', person) }]
  return {
    record: {
      id,
      stream,
      externalId,
      updatedAt: last,
      observedAt: last + 1000,
      status,
      ops: given.ops ?? {},
      objects: given.objects ?? [],
      role: 'self',
      keys,
      deletedAt: given.deletedAt === undefined ? null : at(given.deletedAt),
    },
    events,
  }
}

/** One event that is all a record tells: a message, a row of a log. */
export function happened(
  stream: string,
  externalId: string,
  when: string | number,
  given: (RecordGiven & EventGiven) | Omit<EventGiven & RecordGiven, 'at'> = {},
): Fact {
  const { status, after, type, actor, seq, ...record } = given
  const event: EventGiven = {
    at: when,
    status: status ?? 'done',
    ...(after !== undefined && { after }),
    ...(type !== undefined && { type }),
    ...(actor !== undefined && { actor }),
    ...(seq !== undefined && { seq }),
  }
  return aRecord(stream, externalId, { ...record, status: status ?? 'done', events: [event] })
}

export interface SceneGiven {
  readonly program: Program | readonly Program[]
  readonly facts: readonly Fact[]
  readonly now: string | number
  /** How far each stream is read; those not named are read to `now`. Null: never. */
  readonly readTo?: Readonly<Record<string, string | number | null>>
  readonly lagMs?: number
  readonly final?: boolean
  readonly without?: ComponentFacts['context']['without']
}

export function judge(scene: SceneGiven): ComponentJudgement {
  return judgeComponent(factsOf(scene))
}

export function factsOf(scene: SceneGiven): ComponentFacts {
  const programs = Array.isArray(scene.program) ? (scene.program as readonly Program[]) : [scene.program as Program]
  const now = time(scene.now)
  const names = new Set(scene.facts.map(({ record }) => record.stream))
  for (const program of programs) {
    for (const step of program.steps.values()) names.add(step.stream)
    for (const one of program.expectations) if (one.kind === 'agree') for (const side of one.sides) names.add(side.stream)
  }
  const streams = new Map(
    [...names].map((name) => {
      const told = scene.readTo?.[name]
      const watermark = told === null ? null : told === undefined ? now : time(told)
      return [name, { watermark, lagMs: scene.lagMs ?? 0, final: scene.final ?? false }] as const
    }),
  )
  return {
    records: scene.facts.map(({ record }) => record),
    events: new Map(scene.facts.map(({ record, events }) => [record.id, events])),
    hotTokens: new Set(),
    decisions: [],
    programs: programs.map((program) => ({ program, version: 1 })),
    context: { now, streams, ...(scene.without && { without: scene.without }) },
  }
}

export function verdictsOf(judgement: ComponentJudgement, expectation?: string): readonly Verdict[] {
  return [...judgement.journeys.flatMap((journey) => journey.verdicts), ...judgement.loose].filter(
    (verdict) => expectation === undefined || verdict.expectation === expectation,
  )
}

export function violationsOf(judgement: ComponentJudgement): readonly string[] {
  return verdictsOf(judgement)
    .filter((verdict) => verdict.state === 'violated')
    .map((verdict) => verdict.kind ?? '')
    .sort()
}
