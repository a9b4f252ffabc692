import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BackTest, type ProgramDraft } from '../../../jobs/domain/back-test.ts'
import { pairPromises } from '../../../jobs/domain/back-test-tally.ts'
import { judgeComponent } from '../../../jobs/domain/judge-component.ts'
import type { Expectation, Program } from '../../../jobs/domain/program.ts'
import { type Fact, factsOf, happened } from '../../support/facts.ts'
import { aProgram, atMost, belongs, day, follows, hour, minute } from '../../support/program.ts'

const start = Date.parse('2026-03-02T09:00:00Z')
const now = start + 20 * day
const program = (expectations: readonly Expectation[], more: { starts?: string | null; ends?: string | null } = {}): Program =>
  aProgram({
    starts: 'booked',
    ends: 'seen',
    abandonAfterMs: 60 * day,
    steps: { booked: { stream: 'a.bookings' }, confirmed: { stream: 'b.texts' }, seen: { stream: 'c.visits' } },
    expectations,
    ...more,
  })
const told = (ms: number, more: Partial<Expectation> = {}) =>
  ({ ...follows('booked', 'confirmed', ms, { name: 'told' }), ...more }) as Expectation

/** Each list of facts is one component. */
function compare(present: Program | null, draft: Program | null, components: readonly (readonly Fact[])[], since = 0) {
  const key = (present ?? draft)!.key
  const test = new BackTest([{ key, present, draft }], {
    workspaceKey: 'w',
    routing: { routes: [], default: 'care' },
    since,
    now,
    listAtMost: 1000,
  })
  for (const facts of components) {
    const given = factsOf({ program: [present, draft].flatMap((one) => one ?? []), facts, now })
    test.add(judgeComponent({ ...given, programs: test.programs }))
  }
  return test.result()
}

const visit = (n: number, toldAfter: number | null, at = start): Fact[] => [
  happened('a.bookings', `b${n}`, at, { person: `p${n}` }),
  ...(toldAfter === null ? [] : [happened('b.texts', `t${n}`, at + toldAfter, { person: `p${n}` })]),
]

describe('what a draft would find and what the version in force finds', () => {
  it.each<[string, Program, Program, readonly (readonly Fact[])[], object]>([
    [
      'a longer time lets late ones vanish',
      program([told(15 * minute)]),
      program([told(hour)]),
      [visit(1, 20 * minute), visit(2, null)],
      { appear: 0, vanish: 1, stay: 1 },
    ],
    [
      'a shorter one finds more',
      program([told(hour)]),
      program([told(15 * minute)]),
      [visit(1, 20 * minute)],
      { appear: 1, vanish: 0, stay: 0 },
    ],
    [
      'a deadline that has not come: what is broken now is not yet',
      program([told(hour)]),
      program([told(30 * day)]),
      [visit(1, null)],
      { vanish: 1, vanishing: [expect.objectContaining({ otherSide: 'pending' })] },
    ],
    [
      'a finding without a journey',
      program([belongs('confirmed', hour)]),
      program([belongs('confirmed', 30 * day)]),
      [[happened('b.texts', 't1', start)]],
      { vanish: 1, vanishing: [expect.objectContaining({ kind: 'orphan', journeyId: null, effect: 'on_apply' })] },
    ],
    [
      'two of which one is too many',
      program([{ ...atMost(1, 'confirmed'), name: 'once' }]),
      program([{ ...atMost(2, 'confirmed'), name: 'once' }]),
      [[...visit(1, minute), happened('b.texts', 't1b', start + 2 * minute, { person: 'p1' })]],
      { before: expect.objectContaining({ activations: 2, violations: 1, findings: 1 }), vanish: 1 },
    ],
  ])('%s', (_, present, draft, components, counts) => {
    expect(compare(present, draft, components)[0]).toMatchObject(counts)
  })

  it('a finding that moves to another journey stays one, and is neither gone nor new', () => {
    const facts = [...visit(1, null), happened('c.visits', 'v0', start - day, { person: 'p1' })]
    const wide = program([told(hour)], { starts: 'seen', ends: null })
    expect(compare(program([told(hour)]), wide, [facts])[0]).toMatchObject({ appear: 0, vanish: 0, stay: 1 })
  })

  it('of a new program everything appears, of a removed one everything vanishes', () => {
    expect(compare(null, program([told(hour)]), [visit(1, null)])).toMatchObject([
      { before: null, appear: 1, appearing: [{ otherSide: 'not_promised' }] },
    ])
    expect(compare(program([told(hour)]), null, [visit(1, null)])).toMatchObject([
      { after: null, vanish: 1, vanishing: [{ otherSide: 'not_promised' }] },
    ])
  })

  it('what was broken on either side of the border of its time is not told as changed', () => {
    const at = start + 10 * minute
    expect(compare(program([told(15 * minute)]), program([told(30 * minute)]), [visit(1, null)], start + 20 * minute)[0]).toMatchObject({
      appear: 0,
      vanish: 0,
      stay: 1,
    })
    expect(compare(program([told(15 * minute)]), program([told(30 * minute)]), [visit(1, 20 * minute)], at + day)[0]).toMatchObject({
      appear: 0,
      vanish: 0,
      stay: 0,
    })
  })

  it('is the mirror of itself, adds up, and does not depend on the order of the components', () => {
    const minutes = fc.integer({ min: 1, max: 90 })
    const life = fc.array(fc.option(fc.integer({ min: 1, max: 100 }), { nil: null }), { maxLength: 12 })
    fc.assert(
      fc.property(minutes, minutes, life, (a, b, delays) => {
        const components = delays.map((delay, n) => visit(n, delay === null ? null : delay * minute))
        const [forth] = compare(program([told(a * minute)]), program([told(b * minute)]), components)
        const [back] = compare(program([told(b * minute)]), program([told(a * minute)]), components.toReversed())
        const brokenFor = (limit: number) => delays.filter((delay) => delay === null || delay > limit).length
        expect(forth).toMatchObject({
          before: { findings: brokenFor(a) },
          after: { findings: brokenFor(b) },
          appear: Math.max(0, brokenFor(b) - brokenFor(a)),
          vanish: Math.max(0, brokenFor(a) - brokenFor(b)),
        })
        expect(back).toMatchObject({ appear: forth?.vanish, vanish: forth?.appear, stay: forth?.stay })
        expect(back?.appearing.map(({ id }) => id)).toEqual(forth?.vanishing.map(({ id }) => id))
        expect((forth?.stay ?? 0) + (forth?.vanish ?? 0)).toBe(forth?.before?.findings)
      }),
      { numRuns: 60 },
    )
  })
})

describe('which promise goes on which', () => {
  const named = (name: string, renamedFrom: string | null = null) => told(hour, { name, renamedFrom })
  const pairs = (present: readonly Expectation[], draft: readonly Expectation[]) => {
    const drafts: ProgramDraft = { key: 'p', present: program(present), draft: program(draft) }
    return pairPromises(drafts).map(({ before, after }) => [before?.name ?? null, after?.name ?? null])
  }
  it.each([
    ['the same name', [named('a')], [named('a')], [['a', 'a']]],
    ['a new name with its former one', [named('a')], [named('b', 'a')], [['a', 'b']]],
    [
      'a new name alone',
      [named('a')],
      [named('b')],
      [
        [null, 'b'],
        ['a', null],
      ],
    ],
    [
      'a former name that is still there',
      [named('a')],
      [named('a'), named('b', 'a')],
      [
        ['a', 'a'],
        [null, 'b'],
      ],
    ],
    ['a former name said long after', [named('b')], [named('b', 'a')], [['b', 'b']]],
    [
      'two that name the same former one',
      [named('a')],
      [named('b', 'a'), named('c', 'a')],
      [
        ['a', 'b'],
        [null, 'c'],
      ],
    ],
  ])('%s', (_, present, draft, expected) => {
    expect(pairs(present, draft)).toEqual(expected)
  })
})
