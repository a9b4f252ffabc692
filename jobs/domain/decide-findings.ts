import { nextFinding } from './apply-verdict.ts'
import type { DecideOptions } from './apply-verdict.ts'
import type { Finding, FindingChange, JudgedActivation } from './finding.ts'
import { closeVanished, openFinding } from './apply-verdict.ts'
import { hash128 } from './hash.ts'
import { matchFindings } from './match-findings.ts'

export type { DecideOptions }

/**
 * All findings of a component against all its verdicts (semantics.md 17–22). Pure; the same input gives the same changes, in canonical order,
 * and deciding again over the result gives none.
 */
export function decideFindings(
  existing: readonly Finding[],
  judged: readonly JudgedActivation[],
  options: DecideOptions,
): readonly FindingChange[] {
  const changes: FindingChange[] = []
  const { matched, unmatchedFindings, unmatchedActivations } = matchFindings(existing, judged)

  // 1. Findings whose activation is judged.
  for (const { finding, activation } of matched) {
    const change = nextFinding(finding, activation, options)
    if (change) changes.push(change)
  }
  // 2. Findings nothing was judged for any more.
  for (const finding of unmatchedFindings) {
    const change = closeVanished(finding, options)
    if (change) changes.push(change)
  }
  // 3. Violations nobody knows yet.
  const takenIds = new Set(existing.map((finding) => finding.id))
  for (const activation of unmatchedActivations) {
    const { state } = activation.verdict
    if (state !== 'violated' && state !== 'satisfied_late') continue
    const id = takenIds.has(activation.fingerprint)
      ? hash128('finding-id', activation.fingerprint, existing.length)
      : activation.fingerprint
    changes.push(openFinding(id, activation, options))
  }
  return changes
}

/** Semantics 19. `activation` comes from facts only, so the same violation has the same fingerprint wherever it is found. */
export function fingerprintOf(workspaceKey: string, program: string | null, expectation: string, activation: string): string {
  return hash128('finding', workspaceKey, program ?? '', expectation, activation)
}
