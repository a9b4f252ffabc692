const dayMs = 86_400_000
const quarterHourMs = 900_000

/** Turns wall-clock times of one zone into instants. Offsets are remembered per day, so that Intl is asked about once per day read. */
export class Zone {
  readonly #format: Intl.DateTimeFormat
  readonly #byDay = new Map<number, number | null>()
  readonly #byQuarter = new Map<number, number>()

  constructor(name: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  }

  /**
   * `localMs` is the wall clock read as if it were UTC. An hour that occurs twice means its first pass;
   * an hour that was skipped means the instant the clock would have shown without the change.
   */
  toInstant(localMs: number): number {
    const before = this.#offsetAt(localMs - dayMs)
    const after = this.#offsetAt(localMs + dayMs)
    if (before === after) return localMs - before
    const first = localMs - before
    if (this.#offsetAt(first) === before) return first
    const second = localMs - after
    return this.#offsetAt(second) === after ? second : first
  }

  #offsetAt(instant: number): number {
    const day = Math.floor(instant / dayMs)
    let known = this.#byDay.get(day)
    if (known === undefined) {
      const start = this.#ask(day * dayMs)
      known = start === this.#ask((day + 1) * dayMs) ? start : null
      this.#byDay.set(day, known)
    }
    if (known !== null) return known
    const quarter = Math.floor(instant / quarterHourMs)
    let offset = this.#byQuarter.get(quarter)
    if (offset === undefined) {
      offset = this.#ask(quarter * quarterHourMs)
      this.#byQuarter.set(quarter, offset)
    }
    return offset
  }

  #ask(instant: number): number {
    const parts: Record<string, number> = {}
    for (const { type, value } of this.#format.formatToParts(instant)) parts[type] = Number(value)
    return Date.UTC(parts.year!, parts.month! - 1, parts.day!, parts.hour!, parts.minute!, parts.second!) - instant
  }
}
