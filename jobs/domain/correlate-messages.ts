import type { OpenOccurrence } from './correlate.ts'
import { deadlineAt } from './expectations/deadline.ts'
import type { Occurrence } from './expectations/expectation.ts'
import type { ObjectId } from './correlate-objects.ts'
import type { FollowsExpectation, Program } from './program.ts'

/** An occurrence that may belong to several objects of its subject; where none of them fits by time, to any of them. */
export interface Ambiguous {
  readonly occurrence: Occurrence
  readonly type: string
  readonly candidates: ReadonlySet<string>
}

/** The time in which an object's anchor waits for a message. */
interface Window {
  readonly object: string
  readonly anchor: Occurrence
  readonly from: number
  readonly to: number
  filledBy: Occurrence | null
  lastAt: number | null
}

interface Choice {
  readonly message: OpenOccurrence
  readonly windows: readonly Window[]
  readonly objects: ReadonlySet<string>
}

/**
 * Gives each occurrence that names no object of a type, where the program judges it per such an object, to the one object of the same
 * subject that fits by time (semantics.md 5): the one that waits for it; else the one whose deadline or last message is nearest.
 * Where more objects wait than messages came, none of those messages is given to any. All in canonical order, so arrival never matters.
 */
export function attachMessages(program: Program, type: string, occurrences: readonly OpenOccurrence[]): readonly Ambiguous[] {
  const ambiguous: Ambiguous[] = []
  for (const step of stepsPer(program, type)) {
    const nameless = occurrences.filter((one) => one.step === step && objectOf(one, type) === null)
    if (nameless.length === 0) continue
    const promises = program.expectations.filter(
      (one): one is FollowsExpectation => one.kind === 'follows' && one.expect === step && isPer(program, one.per, type),
    )
    const left =
      promises.length > 0
        ? attachToWaiting(nameless, windowsOf(promises, occurrences, type, program.timezone), occurrences, step, type)
        : attachToSole(nameless, occurrences, type)
    ambiguous.push(...left)
  }
  return ambiguous
}

function isPer(program: Program, per: string, type: string): boolean {
  return per === type || (per === 'journey' && program.journey.per === type)
}

function stepsPer(program: Program, type: string): readonly string[] {
  if (program.journey.per === type) return [...program.steps.keys()]
  const named = new Set<string>()
  for (const one of program.expectations) {
    if (one.per !== type) continue
    switch (one.kind) {
      case 'follows':
        named.add(one.after).add(one.expect)
        break
      case 'at_most':
        named.add(one.of)
        break
      case 'order':
        named.add(one.first).add(one.then)
        break
      case 'never':
        named.add(one.never)
        if (one.after !== null) named.add(one.after)
        break
      case 'belongs':
      case 'agree':
      case 'stuck':
        break
    }
  }
  return [...program.steps.keys()].filter((step) => named.has(step))
}

function objectOf(occurrence: Occurrence, type: string): string | null {
  for (const object of occurrence.objects) if (object.type === type) return object.id
  return null
}

function objectsOf(occurrences: readonly Occurrence[], type: string): ReadonlySet<string> {
  const ids = new Set<string>()
  for (const one of occurrences) for (const object of one.objects) if (object.type === type) ids.add(object.id)
  return ids
}

function give(message: OpenOccurrence, type: string, id: string): void {
  const object: ObjectId = { type, id }
  message.inferred = object
  message.objects = [...message.objects, object]
}

function takeBack(message: OpenOccurrence): void {
  message.objects = message.objects.filter((object) => object !== message.inferred)
  message.inferred = null
}

/** Where no promise waits for the step: the sole object that stood at that time. */
function attachToSole(nameless: readonly OpenOccurrence[], occurrences: readonly OpenOccurrence[], type: string): readonly Ambiguous[] {
  const ambiguous: Ambiguous[] = []
  const named = occurrences.filter((one) => one.inferred === null && objectOf(one, type) !== null)
  for (const message of nameless) {
    const candidates = new Set<string>()
    for (const one of named) {
      if (one.at > message.at) break
      if (one.undoneAt !== null && one.undoneAt <= message.at) continue
      for (const object of one.objects) if (object.type === type) candidates.add(object.id)
    }
    if (candidates.size === 1) for (const id of candidates) give(message, type, id)
    else ambiguous.push({ occurrence: message, type, candidates: candidates.size === 0 ? objectsOf(occurrences, type) : candidates })
  }
  return ambiguous
}

function windowsOf(
  promises: readonly FollowsExpectation[],
  occurrences: readonly OpenOccurrence[],
  type: string,
  timezone: string,
): readonly Window[] {
  const windows: Window[] = []
  for (const promise of promises) {
    for (const anchor of occurrences) {
      if (anchor.step !== promise.after) continue
      const to = promise.within === null ? Number.POSITIVE_INFINITY : deadlineAt(promise.within, anchor, timezone)
      if (to === null) continue
      const from = promise.notBefore === null ? null : deadlineAt(promise.notBefore, anchor, timezone)
      for (const object of anchor.objects) {
        if (object.type !== type) continue
        windows.push({ object: object.id, anchor, from: Math.max(anchor.at, from ?? anchor.at), to, filledBy: null, lastAt: null })
      }
    }
  }
  return windows
}

function attachToWaiting(
  nameless: readonly OpenOccurrence[],
  windows: readonly Window[],
  occurrences: readonly OpenOccurrence[],
  step: string,
  type: string,
): readonly Ambiguous[] {
  // 1. Messages that name their object fill its windows first.
  for (const one of occurrences) {
    if (one.step !== step || one.undoneAt !== null || one.inferred !== null) continue
    for (const object of one.objects) if (object.type === type) fill(windows, object.id, one)
  }
  // 2. The others, in order of time, each to the window that closes first, else to the nearest object.
  const ambiguous: Ambiguous[] = []
  let choices: Choice[] = []
  for (const message of nameless) {
    const waiting = windows.filter((one) => isWaiting(one, message))
    if (waiting.length > 0) {
      const objects = new Set(waiting.map((one) => one.object))
      const chosen = waiting.reduce((best, one) => (one.to < best.to ? one : best))
      give(message, type, chosen.object)
      if (message.undoneAt === null) fill(windows, chosen.object, message)
      if (objects.size > 1) choices.push({ message, windows: waiting, objects })
      continue
    }
    const nearest = nearestObjects(windows, message.at)
    if (nearest.size === 1) {
      for (const id of nearest) {
        give(message, type, id)
        if (message.undoneAt === null) fill(windows, id, message)
      }
    } else ambiguous.push({ occurrence: message, type, candidates: nearest.size === 0 ? objectsOf(occurrences, type) : nearest })
  }
  // 3. Where an object that might have been meant still waits, nothing tells which one got the message.
  for (let settled = false; !settled; ) {
    settled = true
    choices = choices.filter((choice) => {
      if (choice.windows.every((one) => one.filledBy !== null)) return true
      takeBack(choice.message)
      for (const one of windows) if (one.filledBy === choice.message) one.filledBy = null
      ambiguous.push({ occurrence: choice.message, type, candidates: choice.objects })
      settled = false
      return false
    })
  }
  return ambiguous
}

function isWaiting(window: Window, message: Occurrence): boolean {
  if (window.filledBy !== null || message.at < window.from || message.at > window.to) return false
  return window.anchor.event !== message.event && (window.anchor.undoneAt === null || window.anchor.undoneAt > message.at)
}

/** An object's message answers every anchor of it before; one that came before its time leaves the window open. */
function fill(windows: readonly Window[], object: string, message: Occurrence): void {
  for (const window of windows) {
    if (window.object !== object || window.anchor.at > message.at) continue
    window.lastAt = Math.max(window.lastAt ?? message.at, message.at)
    if (message.at >= window.from) window.filledBy ??= message
  }
}

function nearestObjects(windows: readonly Window[], at: number): ReadonlySet<string> {
  let nearest = new Set<string>()
  let least = Number.POSITIVE_INFINITY
  for (const window of windows) {
    if (window.anchor.at > at) continue
    const distance = distanceTo(window, at)
    if (distance > least) continue
    if (distance < least) nearest = new Set()
    least = distance
    nearest.add(window.object)
  }
  return nearest
}

function distanceTo({ anchor, from, to, filledBy, lastAt }: Window, at: number): number {
  if (filledBy !== null || lastAt !== null) return Math.abs(at - lastAt!)
  if (anchor.undoneAt !== null && anchor.undoneAt <= at) return at - anchor.undoneAt
  return at < from ? from - at : Math.max(0, at - to)
}
