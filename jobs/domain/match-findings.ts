import type { Evidence } from './expectations/expectation.ts'
import type { Finding, JudgedActivation } from './finding.ts'

export interface Matching {
  readonly matched: readonly { readonly finding: Finding; readonly activation: JudgedActivation }[]
  readonly unmatchedFindings: readonly Finding[]
  readonly unmatchedActivations: readonly JudgedActivation[]
}

/**
 * Which finding answers for which activation: by fingerprint, else by an alias or a former name, else by the evidence they share
 * (late data or a merge changed the key), so that nothing is opened twice (semantics.md 19).
 */
export function matchFindings(existing: readonly Finding[], judged: readonly JudgedActivation[]): Matching {
  if (existing.length === 0) return { matched: [], unmatchedFindings: [], unmatchedActivations: judged }
  const matched: { finding: Finding; activation: JudgedActivation }[] = []
  const findings = new Set([...existing].sort((a, b) => compare(a.id, b.id)))
  const activations = new Map(
    [...judged].sort((a, b) => compare(a.fingerprint, b.fingerprint)).map((activation) => [activation.fingerprint, activation]),
  )
  const pair = (finding: Finding, activation: JudgedActivation): void => {
    matched.push({ finding, activation })
    findings.delete(finding)
    activations.delete(activation.fingerprint)
  }

  // 1. The same fingerprint.
  for (const finding of findings) {
    const activation = activations.get(finding.fingerprint)
    if (activation) pair(finding, activation)
  }
  // 2. A fingerprint it had before, or the one its renamed promise had.
  for (const finding of findings) {
    const known = new Set([finding.fingerprint, ...finding.aliases])
    for (const activation of activations.values()) {
      if (!known.has(activation.fingerprint) && !activation.formerFingerprints?.some((former) => known.has(former))) continue
      pair(finding, activation)
      break
    }
  }
  // 3. The same evidence under another key: the largest overlap first, violated ones before others.
  const candidates: { finding: Finding; activation: JudgedActivation; shared: number }[] = []
  for (const finding of findings) {
    for (const activation of activations.values()) {
      const shared = overlap(finding, activation)
      if (shared > 0) candidates.push({ finding, activation, shared })
    }
  }
  candidates.sort(
    (a, b) =>
      b.shared - a.shared ||
      Number(isViolated(b.activation)) - Number(isViolated(a.activation)) ||
      compare(a.finding.id, b.finding.id) ||
      compare(a.activation.fingerprint, b.activation.fingerprint),
  )
  for (const { finding, activation } of candidates) {
    if (findings.has(finding) && activations.has(activation.fingerprint)) pair(finding, activation)
  }
  return { matched, unmatchedFindings: [...findings], unmatchedActivations: [...activations.values()] }
}

function isViolated(activation: JudgedActivation): boolean {
  return activation.verdict.state === 'violated'
}

function overlap(finding: Finding, activation: JudgedActivation): number {
  if (finding.program !== activation.program || finding.expectation !== activation.verdict.expectation) return 0
  if (finding.kind === 'stuck') return finding.journeyId !== null && finding.journeyId === activation.journeyId ? 1 : 0
  const mine = identifying(finding.evidence)
  let shared = 0
  for (const recordId of identifying(activation.verdict.evidence)) if (mine.has(recordId)) shared++
  return shared
}

/** The records that make an activation what it is: its anchor, or the culprits where it has none. A follower may be shared by two anchors. */
function identifying(evidence: readonly Evidence[]): ReadonlySet<string> {
  const anchors = evidence.filter((item) => item.role === 'anchor')
  const chosen = anchors.length > 0 ? anchors : evidence.filter((item) => item.role !== 'expected' && item.role !== 'read')
  return new Set(chosen.map((item) => item.recordId))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
