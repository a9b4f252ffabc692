import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashOfPlan, isSame, type RunPlan, type RunStep } from '../../../jobs/domain/run.ts'

const word = fc.string({ maxLength: 8 })
const shown = fc.array(fc.record({ label: word, value: word }), { maxLength: 3 })
const step: fc.Arbitrary<RunStep> = fc.record({
  key: word,
  title: word,
  connection: fc.option(word),
  action: word,
  input: fc.dictionary(word, fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null)), { maxKeys: 4 }),
  reach: fc.constantFrom('money', 'message', 'record', 'notice', 'none'),
  attempts: fc.nat(9),
  backoffMs: fc.nat(9),
  timeoutMs: fc.nat(9),
  keyMs: fc.option(fc.nat(9)),
  mayLookUp: fc.boolean(),
  amount: fc.option(fc.record({ minor: fc.nat(), currency: word })),
  sends: shown,
  sees: shown,
})
const plan: fc.Arbitrary<RunPlan> = fc.record({
  runbook: word,
  version: fc.nat(9),
  findingId: word,
  steps: fc.array(step, { minLength: 1, maxLength: 3 }),
  limits: fc.record({ perDay: fc.option(fc.nat(9)), amountPerDay: fc.dictionary(word, fc.nat(), { maxKeys: 2 }) }),
  verifyMs: fc.nat(9),
  verifies: fc.constantFrom('finding', 'effect'),
  approval: fc.option(fc.record({ role: word, withinMs: fc.nat(9) })),
})

/** The same value with the fields of every block in another order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, each]) => [name, turned(each)]),
  )
}

/** Every value that is no block, each replaced by another one, one at a time. */
function changedOnce(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap((each, index) => changedOnce(each).map((other) => value.with(index, other)))
  if (typeof value !== 'object' || value === null) return [typeof value === 'string' ? `${value}.` : value === null ? 0 : [value]]
  return Object.entries(value).flatMap(([name, each]) => changedOnce(each).map((other) => ({ ...value, [name]: other })))
}

describe('the hash an approval is bound to', () => {
  it('is that of what is said, in whatever order, and as it comes back from the database', () => {
    fc.assert(
      fc.property(plan, (one) => {
        const back = JSON.parse(JSON.stringify(one)) as RunPlan
        expect(hashOfPlan(turned(one) as RunPlan)).toBe(hashOfPlan(one))
        expect(hashOfPlan(back)).toBe(hashOfPlan(one))
        expect(isSame(turned(one), back)).toBe(true)
      }),
      { numRuns: 40 },
    )
  })

  it('R8: is another one when any one field is changed, a step added, left out or moved', () => {
    fc.assert(
      fc.property(plan, (one) => {
        const hash = hashOfPlan(one)
        expect(changedOnce(one).map((other) => hashOfPlan(other as RunPlan))).not.toContain(hash)
        expect(hashOfPlan({ ...one, steps: [...one.steps, ...one.steps] })).not.toBe(hash)
        expect(hashOfPlan({ ...one, steps: one.steps.slice(1) })).not.toBe(hash)
        const moved = one.steps.toReversed()
        if (!isSame(moved, one.steps)) expect(hashOfPlan({ ...one, steps: moved })).not.toBe(hash)
      }),
      { numRuns: 20 },
    )
  })
})
