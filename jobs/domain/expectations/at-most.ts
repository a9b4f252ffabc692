import type { AtMostExpectation } from '../program.ts'
import type { ExpectationKind, Occurrence, Scope, Verdict } from './expectation.ts'
import { activationOf, evidenceOf, newVerdict } from './new-verdict.ts'

/** `at_most N of S window W` (semantics.md 14). An undone occurrence no longer counts, but still names its cluster, so undoing one settles the same finding. */
export const atMost: ExpectationKind<AtMostExpectation> = {
  kind: 'at_most',
  streams: (expectation, steps) => {
    const stream = steps.get(expectation.of)?.stream
    return stream === undefined ? [] : [stream]
  },
  judge(expectation, scope) {
    const occurrences = scope.of(expectation.of)
    if (occurrences.length === 0) return nothing
    if (expectation.windowMs === null) return [judgeCluster(expectation, occurrences, scope)]
    return split(occurrences, expectation.windowMs, 'perhaps').map((cluster) => judgeCluster(expectation, cluster, scope))
  },
}

const nothing: readonly Verdict[] = []

function judgeCluster(expectation: AtMostExpectation, cluster: readonly Occurrence[], scope: Scope): Verdict {
  const standing = cluster.length === 1 && cluster[0]!.undoneAt === null ? cluster : cluster.filter((one) => one.undoneAt === null)
  const first = cluster[0]!
  const activation = activationOf(first, scope)
  const lastUndoneAt = cluster.reduce((latest, one) => Math.max(latest, one.undoneAt ?? 0), 0)
  if (standing.length === 0) {
    return newVerdict(expectation, scope, {
      state: 'void',
      activation,
      anchorAt: first.at,
      evidenceAt: lastUndoneAt,
      evidence: [evidenceOf('anchor', first)],
    })
  }
  const { limit, windowMs } = expectation
  const clusters = windowMs === null ? [standing] : split(standing, windowMs, 'surely')
  let beyond = 0
  const culprits: Occurrence[] = []
  let occurredAt = 0
  for (const chain of clusters) {
    if (chain.length <= limit) continue
    beyond += chain.length - limit
    occurredAt = Math.max(occurredAt, chain[limit]!.at)
    culprits.push(...chain)
  }
  if (beyond > 0) {
    return newVerdict(expectation, scope, {
      state: 'violated',
      kind: 'duplicate',
      activation,
      violations: beyond,
      activations: standing.length,
      anchorAt: first.at,
      occurredAt,
      occurrences: culprits.length,
      evidence: culprits.map((one) => evidenceOf('culprit', one)),
      detail: describe(expectation, culprits),
    })
  }
  if (windowMs !== null && split(standing, windowMs, 'perhaps').some((chain) => chain.length > limit)) {
    return newVerdict(expectation, scope, {
      state: 'unknown',
      activation,
      activations: standing.length,
      anchorAt: first.at,
      evidence: standing.map((one) => evidenceOf('observed', one)),
      detail: { of: expectation.of, limit, reason: 'interval' },
    })
  }
  return newVerdict(expectation, scope, {
    state: 'satisfied',
    activation,
    activations: standing.length,
    anchorAt: first.at,
    evidenceAt: Math.max(lastUndoneAt, standing[standing.length - 1]!.at),
    evidence: standing.map((one) => evidenceOf('observed', one)),
    occurrences: standing.length,
  })
}

/** Chains: each within the window of the one before. Inside intervals two may perhaps be that near, or surely. */
function split(occurrences: readonly Occurrence[], windowMs: number, how: 'perhaps' | 'surely'): readonly (readonly Occurrence[])[] {
  if (occurrences.length === 1) return [occurrences]
  const chains: Occurrence[][] = []
  let chain: Occurrence[] = []
  let reach = Number.NEGATIVE_INFINITY
  for (const one of occurrences) {
    const from = how === 'surely' ? one.at : one.notBefore
    if (from - reach <= windowMs) chain.push(one)
    else chains.push((chain = [one]))
    reach = how === 'surely' ? one.notBefore : one.at
  }
  return chains
}

function describe(expectation: AtMostExpectation, culprits: readonly Occurrence[]): Verdict['detail'] {
  const actors = new Set<string>()
  const automations = new Set<string>()
  for (const { event } of culprits) {
    actors.add(event.actor.id ?? event.actor.kind)
    if (event.actor.id !== null && event.actor.kind !== 'person') automations.add(event.actor.id)
  }
  return {
    of: expectation.of,
    limit: expectation.limit,
    count: culprits.length,
    windowMs: expectation.windowMs,
    spanMs: culprits[culprits.length - 1]!.at - culprits[0]!.at,
    actors: [...actors].sort().join(', '),
    inferred: culprits.some((one) => one.inferred !== null),
    overlap: automations.size > 1 ? [...automations].sort().join(' × ') : null,
  }
}

/** How often each set of automations did the same thing twice: one overlap, counted over its duplicates. */
export function countOverlaps(verdicts: readonly Verdict[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { state, detail } of verdicts) {
    if (state === 'violated' && typeof detail.overlap === 'string') counts.set(detail.overlap, (counts.get(detail.overlap) ?? 0) + 1)
  }
  return counts
}
