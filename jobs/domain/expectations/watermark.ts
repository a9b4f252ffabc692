import type { JudgeContext, StreamGate, Wake } from './expectation.ts'

/** What absence is measured by. */
type Sight = Pick<JudgeContext, 'now' | 'streams' | 'without'>

/** How far a stream was read, its lag taken off; null: never completely. A final file that was read hides nothing. */
export function readToOf(context: Sight, stream: string): number | null {
  if (context.without?.has('watermark-gate')) return Number.POSITIVE_INFINITY
  const read = context.streams.get(stream)
  if (read === undefined || read.watermark === null) return null
  return read.final ? Number.POSITIVE_INFINITY : read.watermark - read.lagMs
}

/** The streams not read past `at`, the least-read first. */
export function unreadPast(context: Sight, streams: readonly string[], at: number): readonly StreamGate[] {
  let unread: StreamGate[] | null = null
  for (const stream of streams) {
    const readTo = readToOf(context, stream)
    if (readTo !== null && readTo > at) continue
    unread ??= []
    unread.push(context.streams.get(stream)?.setAside ? { stream, readTo, at, setAside: true } : { stream, readTo, at })
  }
  return unread === null ? none : leastReadFirst(unread)
}

const none: readonly StreamGate[] = []

function leastReadFirst(gates: StreamGate[]): readonly StreamGate[] {
  return gates.sort(
    (a, b) => (a.readTo ?? Number.NEGATIVE_INFINITY) - (b.readTo ?? Number.NEGATIVE_INFINITY) || (a.stream < b.stream ? -1 : 1),
  )
}

export type Passing =
  /** The clock and every stream are strictly past it: absence counts. */
  | { readonly state: 'passed' }
  | { readonly state: 'pending'; readonly wakes: readonly Wake[] }
  | { readonly state: 'unknown'; readonly unread: StreamGate; readonly wakes: readonly Wake[] }

const passed: Passing = { state: 'passed' }

/** Whether something that did not come by `at` may be called missing (semantics.md 13). */
export function hasPassed(context: Sight, streams: readonly string[], at: number): Passing {
  if (!(context.now > at)) return { state: 'pending', wakes: [{ stream: null, at }] }
  const unread = unreadPast(context, streams, at)
  if (unread.length === 0) return passed
  return { state: 'unknown', unread: unread[0]!, wakes: wakesOf(unread) }
}

export function wakesOf(gates: readonly StreamGate[]): readonly Wake[] {
  return gates.map(({ stream, at }) => ({ stream, at }))
}
