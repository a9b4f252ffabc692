import type { Truth } from '../../jobs/simulator/truth.ts'
import { plantedKinds } from '../../jobs/simulator/truth.ts'

/** A finding as the score sees it. */
export interface ScoredFinding {
  readonly id: string
  readonly kind: string
  readonly expectation: string
  readonly status: string
  readonly evidence: readonly { readonly stream: string; readonly externalId: string }[]
  /** Streams it is about, for findings about our own sight. */
  readonly streams: readonly string[]
  readonly detail: Readonly<Record<string, unknown>>
}

export interface KindScore {
  readonly kind: string
  readonly planted: number
  readonly found: number
  readonly right: number
}

export interface Score {
  readonly kinds: readonly KindScore[]
  readonly missed: readonly Truth[]
  readonly wrong: readonly ScoredFinding[]
  /** Planted so near the end that both answers are right. */
  readonly undecided: number
}

const streamKinds = new Set(['blind', 'schema_drift'])
/** A finding that was taken back accused someone for a while: it is no hit. */
const takenBack = new Set(['false_alarm', 'void', 'withdrawn'])

/** The kinds a planted fault may show as by `until`, with every stream read to then. */
function kindsAt(truth: Truth, now: number): readonly string[] {
  if (truth.cameAt === null) return [truth.kind]
  return now >= truth.cameAt ? [truth.kind] : ['gap']
}

function isAbout(finding: ScoredFinding, truth: Truth): boolean {
  if (streamKinds.has(truth.kind))
    return truth.records.some(({ stream }) => finding.streams.some((one) => one === stream || one.startsWith(`${stream}.`)))
  if (truth.expectation !== null && finding.expectation !== truth.expectation) return false
  return truth.records.some((record) =>
    finding.evidence.some((one) => one.stream === record.stream && one.externalId === record.externalId),
  )
}

/**
 * Holds findings against what was planted: each planted fault wants exactly one finding of its kind and expectation that names one of its
 * records; every other finding is wrong, those taken back included. Faults due within `marginMs` of `now` count neither way.
 */
export function compareFindings(truths: readonly Truth[], findings: readonly ScoredFinding[], now: number, marginMs: number): Score {
  const left = new Set(findings)
  const missed: Truth[] = []
  const counts = new Map(
    plantedKinds.map((kind): [string, { planted: number; found: number; right: number }] => [kind, { planted: 0, found: 0, right: 0 }]),
  )
  const countOf = (kind: string) => {
    const count = counts.get(kind) ?? { planted: 0, found: 0, right: 0 }
    counts.set(kind, count)
    return count
  }
  let undecided = 0
  for (const truth of truths) {
    if (truth.from > now) continue
    const edges = [truth.from, truth.cameAt, truth.until].filter((at) => at !== null)
    const isNear = edges.some((at) => at > now - marginMs)
    const kinds = isNear && truth.cameAt !== null ? [...new Set([...kindsAt(truth, now), 'gap', 'late'])] : kindsAt(truth, now)
    const hit = [...left].find((finding) => kinds.includes(finding.kind) && !takenBack.has(finding.status) && isAbout(finding, truth))
    if (hit !== undefined) left.delete(hit)
    if (isNear) {
      undecided++
      continue
    }
    const count = countOf(kinds[0] ?? truth.kind)
    count.planted++
    if (hit === undefined) missed.push(truth)
    else {
      count.found++
      count.right++
    }
  }
  for (const finding of left) countOf(finding.kind).found++
  return { kinds: [...counts].map(([kind, count]) => ({ kind, ...count })), missed, wrong: [...left], undecided }
}

export function addScores(scores: readonly Score[]): Score {
  const kinds = new Map<string, { planted: number; found: number; right: number }>()
  for (const score of scores)
    for (const one of score.kinds) {
      const sum = kinds.get(one.kind) ?? { planted: 0, found: 0, right: 0 }
      kinds.set(one.kind, { planted: sum.planted + one.planted, found: sum.found + one.found, right: sum.right + one.right })
    }
  return {
    kinds: [...kinds].map(([kind, sum]) => ({ kind, ...sum })),
    missed: scores.flatMap((score) => score.missed),
    wrong: scores.flatMap((score) => score.wrong),
    undecided: scores.reduce((sum, score) => sum + score.undecided, 0),
  }
}

/** Nothing found is precise, nothing planted is recalled: an empty kind scores 1 and shows its zeros. */
export const precisionOf = (one: KindScore) => (one.found === 0 ? 1 : one.right / one.found)
export const recallOf = (one: KindScore) => (one.planted === 0 ? 1 : one.right / one.planted)
export const isPerfect = (score: Score) => score.missed.length === 0 && score.wrong.length === 0

export function formatScore(score: Score): string {
  const cell = (text: string, width: number) => text.padStart(width)
  const lines = [
    `${'kind'.padEnd(20)}${cell('planted', 9)}${cell('found', 9)}${cell('right', 9)}${cell('precision', 11)}${cell('recall', 9)}`,
  ]
  const total = score.kinds.reduce(
    (sum, one) => ({ kind: 'all', planted: sum.planted + one.planted, found: sum.found + one.found, right: sum.right + one.right }),
    {
      kind: 'all',
      planted: 0,
      found: 0,
      right: 0,
    },
  )
  for (const one of [...score.kinds, total])
    lines.push(
      `${one.kind.padEnd(20)}${cell(String(one.planted), 9)}${cell(String(one.found), 9)}${cell(String(one.right), 9)}${cell(precisionOf(one).toFixed(2), 11)}${cell(recallOf(one).toFixed(2), 9)}`,
    )
  return lines.join('\n')
}
