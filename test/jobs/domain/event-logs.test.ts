import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { judgeComponent } from '../../../jobs/domain/judge-component.ts'
import type { Expectation } from '../../../jobs/domain/program.ts'
import { aProgram, atMost, follows, hour, order } from '../../support/program.ts'
import { factsOf, happened } from '../../support/facts.ts'
import type { Fact } from '../../support/facts.ts'

const folder = new URL('../../../../shared/data/event-logs/', import.meta.url)

interface Count {
  readonly activations: number
  readonly violations: number
  readonly cases: number
}

function readLog(file: string): {
  readonly cases: readonly (readonly Fact[])[]
  readonly end: number
  readonly activities: readonly string[]
} {
  const cases = new Map<string, Fact[]>()
  const activities = new Set<string>()
  let end = 0
  const [, ...lines] = readFileSync(new URL(file, folder), 'utf8').trim().split('\n')
  for (const [index, line] of lines.entries()) {
    const [name, activity, seconds] = line.split(',') as [string, string, string]
    const at = Number(seconds) * 1000
    end = Math.max(end, at)
    activities.add(activity)
    const fact = happened('desk.log', String(index), at, { person: name, ops: { activity }, seq: index })
    const list = cases.get(name)
    if (list === undefined) cases.set(name, [fact])
    else list.push(fact)
  }
  return { cases: [...cases.values()], end, activities: [...activities] }
}

function countLog(file: string, expectations: readonly Expectation[], daysAfter: number): Readonly<Record<string, Count>> {
  const { cases, end, activities } = readLog(file)
  const steps = Object.fromEntries(activities.map((activity) => [activity, { stream: 'desk.log', where: { activity } }]))
  const program = aProgram({ starts: null, steps, expectations })
  const counts: Record<string, { activations: number; violations: number; cases: number }> = {}
  for (const { name } of expectations) counts[name] = { activations: 0, violations: 0, cases: 0 }
  for (const facts of cases) {
    const { journeys } = judgeComponent(factsOf({ program, facts, now: end + daysAfter * 24 * hour, final: true }))
    const concerned = new Set<string>()
    for (const verdict of journeys.flatMap((journey) => journey.verdicts)) {
      const count = counts[verdict.expectation]!
      count.activations += verdict.activations ?? 1
      count.violations += verdict.violations
      if (verdict.violations > 0) concerned.add(verdict.expectation)
    }
    for (const name of concerned) counts[name]!.cases++
  }
  return counts
}

describe.runIf(existsSync(folder))('semantics 12–15 on real event logs, counted independently', () => {
  const closed = follows('Resolve ticket', 'Closed', null, { name: 'closed' })
  const resolved = follows('Take in charge ticket', 'Resolve ticket', 720 * hour, { name: 'resolved' })
  test.each([0, 1, 400])('helpdesk, judged %i days after its end', (days) => {
    const expectations = [closed, resolved, atMost(1, 'Closed'), order('Assign seriousness', 'Take in charge ticket')]
    const counts = countLog('helpdesk.csv', expectations, days)
    expect(counts).toEqual({
      closed: { activations: 4983, violations: 10, cases: 10 },
      resolved: { activations: 5060, violations: 239, cases: 227 },
      'at-most-1-Closed': { activations: 4574, violations: 15, cases: 15 },
      'Assign seriousness-before-Take in charge ticket': { activations: 5060, violations: 91, cases: 78 },
    })
  })

  test.each([0, 400])('travel declarations, judged %i days after their end', (days) => {
    const expectations = [
      follows('Request Payment', 'Payment Handled', 168 * hour, { name: 'paid-in-a-week' }),
      follows('Request Payment', 'Payment Handled', null, { name: 'paid' }),
      order('Declaration FINAL_APPROVED by SUPERVISOR', 'Payment Handled'),
      atMost(1, 'Payment Handled'),
      follows('Declaration REJECTED by EMPLOYEE', 'Declaration SUBMITTED by EMPLOYEE', null, { name: 'resubmitted' }),
    ]
    expect(countLog('bpi2020-domestic.csv', expectations, days)).toEqual({
      'paid-in-a-week': { activations: 10040, violations: 397, cases: 397 },
      paid: { activations: 10040, violations: 3, cases: 3 },
      'Declaration FINAL_APPROVED by SUPERVISOR-before-Payment Handled': { activations: 10044, violations: 2, cases: 2 },
      'at-most-1-Payment Handled': { activations: 10044, violations: 0, cases: 0 },
      resubmitted: { activations: 1365, violations: 284, cases: 284 },
    })
  })
})
