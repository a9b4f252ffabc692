import { describe, expect, it } from 'vitest'
import { judgeComponent } from '../../../jobs/domain/judge-component.ts'
import type { Expectation, Program } from '../../../jobs/domain/program.ts'
import type { EarlierVersion } from '../../../jobs/domain/program-versions.ts'
import { type Fact, factsOf, happened } from '../../support/facts.ts'
import { aProgram, belongs, day, follows, hour, minute } from '../../support/program.ts'

const start = Date.parse('2026-03-02T09:00:00Z')
const later = (ms: number) => start + ms

interface ProgramGiven {
  readonly expectations: readonly Expectation[]
  readonly ends?: string | null
  readonly starts?: string
  readonly per?: string
}
const program = ({ expectations, ends = 'seen', starts = 'booked', per = 'subject' }: ProgramGiven): Program =>
  aProgram({
    starts,
    ends,
    per,
    abandonAfterMs: 20 * day,
    steps: { booked: { stream: 'a.bookings' }, confirmed: { stream: 'b.texts' }, seen: { stream: 'c.visits' } },
    expectations,
  })
const within = (ms: number) => program({ expectations: [follows('booked', 'confirmed', ms, { name: 'told' })] })

/** Versions one by one, each with the time it was replaced at; the last one is in force. */
function judged(versions: readonly (readonly [Program, number | null])[], facts: readonly Fact[], now: number, final = false) {
  const [inForce] = versions.at(-1)!
  const earlier = versions.slice(0, -1).map(([one, until], index): EarlierVersion => ({ program: one, version: index + 1, until: until! }))
  // Every program's streams count as read to now.
  const { journeys, loose, wakes } = judgeComponent({
    ...factsOf({ program: versions.map(([one]) => one), facts, now, final }),
    programs: [{ program: inForce, version: versions.length, ...(earlier.length > 0 ? { earlier } : {}) }],
  })
  const said = journeys.map(
    (journey) =>
      `v${journey.programVersion} ${(journey.startedAt - start) / hour}h: ${journey.verdicts.map((one) => `${one.expectation} ${one.state}`).join(', ')}`,
  )
  return { said: said.sort(), loose, wakes, journeys }
}

/** Told 30 minutes after the booking: too late for 15 minutes, in time for an hour. */
const visit = (n: number, at: number, ended = true): Fact[] => [
  happened('a.bookings', `b${n}`, at),
  happened('b.texts', `t${n}`, at + 30 * minute),
  ...(ended ? [happened('c.visits', `v${n}`, at + 2 * hour)] : []),
]
const strict = within(15 * minute)
const lenient = within(hour)

describe('semantics 22: which version judges a journey', () => {
  const ended = visit(1, later(0))
  const open = visit(1, later(0), false)
  it.each<[string, readonly (readonly [Program, number | null])[], readonly Fact[], readonly string[]]>([
    ['the only version judges history too', [[strict, null]], ended, ['v1 0h: told satisfied_late']],
    [
      'one that had ended keeps its version',
      [
        [strict, later(day)],
        [lenient, null],
      ],
      ended,
      ['v1 0h: told satisfied_late'],
    ],
    [
      'one that ends at the very moment of applying had ended',
      [
        [strict, later(2 * hour)],
        [lenient, null],
      ],
      ended,
      ['v1 0h: told satisfied_late'],
    ],
    [
      'one that ended after the next was applied goes by the next',
      [
        [strict, later(hour)],
        [lenient, null],
      ],
      ended,
      ['v2 0h: told satisfied'],
    ],
    [
      'one that has not ended goes by the version in force',
      [
        [strict, later(day)],
        [lenient, null],
      ],
      open,
      ['v2 0h: told satisfied'],
    ],
    [
      'of three, the one that was in force when it ended',
      [
        [lenient, later(hour)],
        [strict, later(day)],
        [lenient, null],
      ],
      ended,
      ['v2 0h: told satisfied_late'],
    ],
    [
      'one that ended before any was applied goes by the earliest',
      [
        [strict, later(9 * day)],
        [lenient, later(10 * day)],
        [strict, null],
      ],
      ended,
      ['v1 0h: told satisfied_late'],
    ],
    [
      'two of one person, each by its own',
      [
        [strict, later(day)],
        [lenient, null],
      ],
      [...visit(1, later(0)), ...visit(2, later(2 * day))],
      ['v1 0h: told satisfied_late', 'v2 48h: told satisfied'],
    ],
  ])('%s', (_, versions, facts, said) => {
    expect(judged(versions, facts, later(11 * day)).said).toEqual(said)
  })

  it('by the same rule in any order of the facts', () => {
    const facts = [...visit(1, later(0)), ...visit(2, later(2 * day)), ...visit(3, later(4 * day), false)]
    const versions = [
      [strict, later(day)],
      [lenient, later(3 * day)],
      [strict, null],
    ] as const
    expect(judged(versions, facts.toReversed(), later(5 * day))).toEqual(judged(versions, facts, later(5 * day)))
  })

  it('an abandoned one had ended when its time was up, whenever that is noticed', () => {
    const facts = visit(1, later(0), false)
    expect(
      judged(
        [
          [strict, later(21 * day)],
          [lenient, null],
        ],
        facts,
        later(40 * day),
      ).said,
    ).toEqual(['v1 0h: told satisfied_late'])
    expect(
      judged(
        [
          [strict, later(19 * day)],
          [lenient, null],
        ],
        facts,
        later(40 * day),
      ).said,
    ).toEqual(['v2 0h: told satisfied'])
  })

  it('one that ends with a final file ends at the clock: it goes by the version in force', () => {
    const facts = visit(1, later(0), false)
    expect(
      judged(
        [
          [strict, later(day)],
          [lenient, null],
        ],
        facts,
        later(day),
        true,
      ).said,
    ).toEqual(['v2 0h: told satisfied'])
  })

  it('a version that lets journeys end later does not open again what had ended', () => {
    const longer = program({ ends: null, expectations: [follows('booked', 'confirmed', hour, { name: 'told' })] })
    expect(
      judged(
        [
          [strict, later(day)],
          [longer, null],
        ],
        ended,
        later(2 * day),
      ).said,
    ).toEqual(['v1 0h: told satisfied_late'])
  })

  it('a version that lets journeys begin elsewhere does not judge the same history twice', () => {
    const elsewhere = program({
      starts: 'confirmed',
      expectations: [follows('confirmed', 'seen', minute, { name: 'seen-soon' }), belongs('booked', hour)],
    })
    const { said, loose } = judged(
      [
        [strict, later(day)],
        [elsewhere, null],
      ],
      ended,
      later(2 * day),
    )
    expect(said).toEqual(['v1 0h: told satisfied_late'])
    expect(loose).toEqual([])
  })

  it('where versions cut differently, one promise still has one verdict for one activation', () => {
    const wide = program({ starts: 'seen', ends: null, expectations: [follows('booked', 'confirmed', hour, { name: 'told' })] })
    const facts = [happened('c.visits', 'v0', later(-hour)), ...ended]
    const { journeys } = judged(
      [
        [strict, later(day)],
        [wide, null],
      ],
      facts,
      later(2 * day),
    )
    const keys = journeys.flatMap(({ verdicts }) => verdicts.map((one) => `${one.expectation} ${one.activation}`))
    expect(journeys.map(({ programVersion }) => programVersion)).toEqual([1, 2])
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('versions replaced before anything happened cost nothing and say nothing', () => {
    expect(
      judged(
        [
          [strict, later(-day)],
          [lenient, null],
        ],
        ended,
        later(day),
      ).said,
    ).toEqual(['v2 0h: told satisfied'])
  })
})
