import type { CorrelatedJourney } from './correlate-program.ts'
import { hash128 } from './hash.ts'
import type { Expectation, Program } from './program.ts'

export interface ProgramVersion {
  readonly program: Program
  readonly version: number
}

/** A version that another one replaced, and when. Epoch ms of the domain clock. */
export interface EarlierVersion extends ProgramVersion {
  readonly until: number
}

export interface ProgramInForce extends ProgramVersion {
  /** Oldest first; absent where there never was another one. Journeys that had ended under them keep them (semantics.md 22). */
  readonly earlier?: readonly EarlierVersion[]
}

/** The version that judged something; the one in force where it is not told, or was removed since. */
export function versionOf(programs: readonly ProgramInForce[], key: string | null, version: number | null): ProgramVersion | undefined {
  const inForce = programs.find(({ program }) => program.key === key)
  if (inForce === undefined || version === null || inForce.version === version) return inForce
  return inForce.earlier?.find((one) => one.version === version) ?? inForce
}

/**
 * What the earlier versions keep of one component: a journey that had ended when its version was replaced, or before any was applied
 * (a first application judges history). A journey that ends because its files are final ends at the clock it is judged at, so it never
 * had ended before: it goes by the version in force.
 */
export class KeptJourneys {
  readonly #keys = new Set<string>()
  readonly #spans: { readonly subjectIndex: number; readonly object: string | null; readonly from: number; readonly to: number }[] = []
  readonly #occurrences = new Set<string>()
  readonly #verdicts = new Set<string>()

  /** Whether the version replaced at `until` judges it. */
  keeps(found: CorrelatedJourney, until: number): boolean {
    const { endedAt, endReason } = found.journey
    return endedAt !== null && endReason !== 'final' && endedAt <= until && !this.holds(found, until)
  }

  /** Whether it is judged already: the same journey, or one that had ended too and shares its time with a kept one. */
  holds({ journey, subjectIndex, object, scope }: CorrelatedJourney, until: number): boolean {
    if (this.#keys.has(scope.key)) return true
    if (journey.endedAt === null || journey.endReason === 'final' || journey.endedAt > until) return false
    const { startedAt, endedAt } = journey
    const id = object === null ? null : `${object.type}:${object.id}`
    return this.#spans.some(
      (span) =>
        span.subjectIndex === subjectIndex &&
        (span.object === id || span.object === null || id === null) &&
        span.from <= endedAt &&
        startedAt <= span.to,
    )
  }

  add({ journey, subjectIndex, object, scope }: CorrelatedJourney): void {
    this.#keys.add(scope.key)
    this.#spans.push({
      subjectIndex,
      object: object === null ? null : `${object.type}:${object.id}`,
      from: journey.startedAt,
      to: journey.endedAt ?? journey.lastEventAt,
    })
    for (const occurrence of journey.occurrences) this.#occurrences.add(occurrence.key)
  }

  hasOccurrence(key: string): boolean {
    return this.#occurrences.has(key)
  }

  addVerdict(expectation: string, activation: string): void {
    this.#verdicts.add(hash128(expectation, activation))
  }

  /** One promise has one verdict for one activation, whichever version gave it. */
  hasVerdict(expectation: string, activation: string): boolean {
    return this.#verdicts.has(hash128(expectation, activation))
  }
}

/**
 * Every promise of a program, those in force first: each with all names its verdicts go by, because a journey that had ended keeps the name it
 * was judged by. Then those that no version in force makes any more.
 */
export function promisesOf({
  program,
  earlier = [],
}: ProgramInForce): { program: Program; expectation: Expectation; called: ReadonlySet<string>; isInForce: boolean }[] {
  const past = earlier.toReversed()
  const taken = new Set(program.expectations.map(({ name }) => name))
  const promises = program.expectations.map((expectation) => {
    const called = new Set([expectation.name])
    let former = expectation.renamedFrom
    for (const version of past) {
      if (former === null || taken.has(former)) break
      called.add(former)
      taken.add(former)
      former = version.program.expectations.find(({ name }) => name === former)?.renamedFrom ?? former
    }
    return { program, expectation, called, isInForce: true }
  })
  for (const version of past) {
    for (const expectation of version.program.expectations) {
      if (taken.has(expectation.name)) continue
      taken.add(expectation.name)
      promises.push({ program: version.program, expectation, called: new Set([expectation.name]), isInForce: false })
    }
  }
  return promises
}
