import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isOpen } from '../../../jobs/domain/finding-lifecycle.ts'
import type { Finding, JudgedActivation } from '../../../jobs/domain/finding.ts'
import { activation, at, decide, evidence, options, verdict } from './findings-support.ts'

/** Six texts a few hours apart, and how much of them one step knows: unread, standing or undone. */
const hours = [0, 2, 5, 9, 11, 16]
const known = fc.array(fc.constantFrom('unread', 'standing', 'undone'), { minLength: hours.length, maxLength: hours.length })
const windowHours = 3

/** One text in any `windowHours`, judged like `at_most`: the key of a cluster is its first text, so that each reading may change it. */
function judgeTexts(states: readonly string[]): JudgedActivation[] {
  const clusters: number[][] = []
  for (const [index, hour] of hours.entries()) {
    if (states[index] === 'unread') continue
    const last = clusters.at(-1)
    const before = last?.at(-1)
    if (last !== undefined && before !== undefined && hour - (hours[before] ?? 0) <= windowHours) last.push(index)
    else clusters.push([index])
  }
  return clusters.map((cluster) => {
    const standing = cluster.filter((index) => states[index] === 'standing')
    const state = standing.length === 0 ? 'void' : standing.length > 1 ? 'violated' : 'satisfied'
    const clockOf = (index: number) => `${hours[index]}:00`
    return activation(
      verdict({
        expectation: 'one-text',
        activation: `text-${cluster[0]}`,
        state,
        kind: state === 'violated' ? 'duplicate' : null,
        violations: state === 'violated' ? standing.length - 1 : 0,
        dueAt: null,
        anchorAt: at(clockOf(cluster[0] ?? 0)),
        occurredAt: state === 'violated' ? at(clockOf(standing[1] ?? 0)) : null,
        evidenceAt: state === 'violated' ? null : at(clockOf(cluster.at(-1) ?? 0)),
        evidence:
          state === 'void'
            ? [evidence('anchor', `text-${cluster[0]}`, clockOf(cluster[0] ?? 0))]
            : standing.map((index) => evidence(state === 'violated' ? 'culprit' : 'observed', `text-${index}`, clockOf(index))),
      }),
    )
  })
}

test('P17: whatever was read before, open are exactly the findings that the last verdicts violate', () => {
  const promises = new Set(['virtual-care\0one-text'])
  fc.assert(
    fc.property(fc.array(known, { minLength: 1, maxLength: 8 }), (steps) => {
      let findings: readonly Finding[] = []
      for (const [step, states] of steps.entries()) {
        const judged = judgeTexts(states)
        findings = decide(findings, judged, options(`${20 + step}:00`, { promises }))
        const open = findings.filter((finding) => isOpen(finding.status)).map((finding) => finding.fingerprint)
        const violated = judged.filter((one) => one.verdict.state === 'violated').map((one) => one.fingerprint)
        expect(open.sort()).toEqual(violated.sort())
        expect(new Set(findings.map((finding) => finding.fingerprint)).size).toBe(findings.length)
      }
    }),
    { numRuns: 2_000 },
  )
})
