import { tellJourney } from './journey.ts'
import type { Person } from './people.ts'
import { personOf } from './people.ts'
import type { Plan } from './plan.ts'
import { arrivalsOn, historyDays, planner } from './plan.ts'
import { randomFrom } from './random.ts'
import { day, minute, second } from './times.ts'
import type { Truth } from './truth.ts'
import type { Collection, Resource, Write } from './writes.ts'
import { collections, visibleWithinMs } from './writes.ts'

/** The current version of one object as its tool shows it. */
export interface Stored {
  readonly id: string
  readonly updatedAt: number
  readonly body: Resource
}

export interface WorldOptions {
  readonly seed: number
  /** When the history begins, epoch ms; the live part begins thirty days later. */
  readonly startAt: number
}

/** A clinic that lives on: the same seed and start always give the same objects, versions and faults at the same time. */
export class World {
  readonly seed: number
  readonly startAt: number
  readonly liveAt: number
  /** From when on bookings carry a field that no connector knows. */
  readonly newFieldFrom: number
  readonly people: Person[] = []
  readonly truths: Truth[] = []
  /** What callers of the tools brought about, beside what was told; in order. */
  readonly acts: Write[] = []
  /** Told of each act, so that it outlives this process. */
  onAct: () => void = () => {}
  readonly #planOf: (index: number) => Plan
  readonly #stores = new Map<Collection, Map<string, Stored>>(collections.map((name) => [name, new Map()]))
  #pending: Write[] = []
  #nextDay = 0
  #now = Number.NEGATIVE_INFINITY

  constructor({ seed, startAt }: WorldOptions) {
    this.seed = seed
    this.startAt = Math.floor(startAt / second) * second
    this.liveAt = this.startAt + historyDays * day
    this.newFieldFrom = this.startAt + 24 * day
    this.#planOf = planner(seed)
  }

  /** Lets everything happen that is visible by `now`. Going back is ignored. */
  advance(now: number): void {
    if (now <= this.#now) return
    this.#now = now
    while (this.startAt + this.#nextDay * day <= now) this.#tellDay(this.#nextDay++)
    const due = this.#pending.filter((write) => write.visibleAt <= now)
    if (due.length === 0) return
    this.#pending = this.#pending.filter((write) => write.visibleAt > now)
    for (const write of due) this.put(write)
  }

  /** Stores a version unless a newer one stands. */
  put(write: Write): void {
    const store = this.all(write.collection)
    const stands = store.get(write.id)
    if (stands === undefined || stands.updatedAt <= write.updatedAt)
      store.set(write.id, { id: write.id, updatedAt: write.updatedAt, body: write.body })
  }

  /** What a caller of a tool brings about: at once, or when it becomes visible. */
  act(write: Write): void {
    this.acts.push(write)
    if (write.visibleAt <= this.#now) this.put(write)
    else {
      this.#pending.push(write)
      this.#pending.sort((a, b) => a.visibleAt - b.visibleAt || a.updatedAt - b.updatedAt)
    }
    this.onAct()
  }

  all(collection: Collection): Map<string, Stored> {
    const store = this.#stores.get(collection)
    if (store === undefined) throw new Error(`No collection ${collection}.`)
    return store
  }

  planOf(index: number): Plan {
    return this.#planOf(index)
  }

  /** Messages on their way at `at`: while there are some, the newest facts about texts are not final. */
  hasOpenMessages(): boolean {
    return [...this.all('twilio.messages').values()].some(({ body }) => body.status === 'queued' || body.status === 'sent')
  }

  #tellDay(dayIndex: number): void {
    const arrivals = arrivalsOn(dayIndex)
    for (let n = 0; n < arrivals; n++) {
      const index = this.people.length
      const person = personOf(this.seed, index)
      const random = randomFrom(this.seed, 'journey', index)
      const arrivesAt = this.startAt + dayIndex * day + Math.floor(((n + random.next()) / arrivals) * (day / second)) * second
      const told = tellJourney({ person, plan: this.#planOf(index), random, arrivesAt, newFieldFrom: this.newFieldFrom })
      this.people.push(person)
      for (const write of told.writes) this.#pending.push(write)
      this.truths.push(...told.truths)
    }
    const showsField = this.#pending.filter((write) => write.collection === 'calcom.bookings' && 'attendanceMode' in write.body)
    if (showsField.length > 0 && !this.truths.some((truth) => truth.kind === 'schema_drift')) {
      const from = Math.min(...showsField.map((write) => write.visibleAt))
      this.truths.push({
        kind: 'schema_drift',
        expectation: null,
        person: null,
        records: [{ stream: 'booking.bookings', externalId: 'attendanceMode' }],
        from,
        cameAt: null,
        until: null,
      })
    }
    this.#pending.sort((a, b) => a.visibleAt - b.visibleAt || a.updatedAt - b.updatedAt)
  }
}

/** Longer than any change takes to show in any tool. */
export const quietMs = Math.max(...Object.values(visibleWithinMs)) + minute
