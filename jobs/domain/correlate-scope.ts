import type { FoundRecord, OpenOccurrence } from './correlate.ts'
import type { Journey } from './correlate-journeys.ts'
import type { Ambiguous } from './correlate-messages.ts'
import type { ObjectId } from './correlate-objects.ts'
import type { Occurrence, Scope } from './expectations/expectation.ts'
import type { EventFact, RecordFact } from './facts.ts'

export interface ComparedRecord {
  readonly record: RecordFact
  readonly events: readonly EventFact[]
}

const nothing: readonly never[] = []

/** What expectations see of a journey, of an object in it, or of what lies outside of all (`journey` null). */
export class FoundScope implements Scope {
  readonly key: string
  readonly isOutside: boolean
  readonly object: ObjectId | null
  readonly endedAt: Scope['endedAt']
  readonly endReason: Scope['endReason']
  readonly endUnread: Scope['endUnread']
  readonly startedAt: number
  readonly lastEventAt: number
  readonly #last: EventFact | null
  readonly #found: readonly FoundRecord[]
  records: ComparedRecord[] = []
  readonly #occurrences: readonly OpenOccurrence[]
  readonly #ambiguous: readonly Ambiguous[]

  constructor(
    key: string,
    object: ObjectId | null,
    occurrences: readonly OpenOccurrence[],
    ambiguous: readonly Ambiguous[],
    journey: Journey | null,
    found: readonly FoundRecord[],
  ) {
    this.key = key
    this.isOutside = journey === null
    this.object = object
    this.#occurrences = occurrences
    this.#ambiguous = ambiguous
    this.endedAt = journey?.endedAt ?? null
    this.endReason = journey?.endReason ?? null
    this.endUnread = journey?.endUnread ?? nothing
    this.startedAt = journey?.startedAt ?? 0
    this.lastEventAt = journey?.lastEventAt ?? 0
    this.#last = journey?.lastEvent ?? null
    this.#found = found
  }

  get lastEvent(): Scope['lastEvent'] {
    const event = this.#last
    const found = event === null ? undefined : this.#found.find((one) => one.record.id === event.recordId)
    return event === null || found === undefined ? null : { record: found.record, event }
  }

  get stage(): string {
    return this.#occurrences.findLast((one) => one.undoneAt === null)?.step ?? this.#occurrences[0]?.step ?? ''
  }

  of(step: string): readonly Occurrence[] {
    let list: Occurrence[] | null = null
    for (const one of this.#occurrences) {
      if (one.step !== step) continue
      if (list === null) list = [one]
      else list.push(one)
    }
    return list ?? nothing
  }

  ambiguous(step: string): readonly Occurrence[] {
    if (this.#ambiguous.length === 0) return nothing
    return this.#ambiguous.filter((one) => one.occurrence.step === step).map((one) => one.occurrence)
  }
}
