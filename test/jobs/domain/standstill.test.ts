import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findStandstills, type Rhythm, type Round, standstillText } from '../../../jobs/domain/standstill.ts'

const now = Date.parse('2026-03-02T09:00:00Z')
const wallNow = Date.parse('2026-11-21T12:00:00Z')
const second = 1000
const minute = 60 * second

const rhythms: readonly Rhythm[] = [
  { job: 'judge:0', title: 'Judging', everyMs: second, meaning: 'Nothing is judged.', isVital: true },
  { job: 'judge:1', title: 'Judging', everyMs: second, meaning: 'Nothing is judged.', isVital: true },
  { job: 'poll:billing', title: 'Reading Stripe', everyMs: 5 * minute, meaning: 'Nothing is known.' },
  { job: 'watch', title: 'The watch', everyMs: 5 * second, meaning: 'Nobody watches.' },
]
const ago = (job: string, wall: number, domain = wall): Round => ({ job, wallAt: wallNow - wall, domainAt: now - domain })
const fresh = rhythms.map(({ job }) => ago(job, second))
const still = (rounds: readonly Round[], rest: Partial<Parameters<typeof findStandstills>[2]> = {}) =>
  findStandstills(rhythms, rounds, { now, wallNow, speed: 1, quietMs: minute, ...rest })
const titles = (...args: Parameters<typeof still>) => still(...args).map(({ title }) => title)
const but = (...changed: readonly Round[]) => [...fresh.filter(({ job }) => !changed.some((one) => one.job === job)), ...changed]

describe('what stands still', () => {
  it.each([
    ['nothing, while every job ends its rounds', fresh, []],
    ['nothing within a minute', but(ago('watch', 59 * second)), []],
    ['a job whose rounds ended more than a minute ago', but(ago('watch', 61 * second)), ['The watch']],
    ['a slow one after three rounds, not before', but(ago('poll:billing', 14 * minute)), []],
    ['a slow one after three rounds', but(ago('poll:billing', 16 * minute)), ['Reading Stripe']],
    ['a part of judging alone', but(ago('judge:1', 2 * minute)), ['Judging']],
    ['a job that never ended a round', fresh.filter(({ job }) => job !== 'poll:billing'), ['Reading Stripe']],
    ['one that only the domain clock shows: the host slept', but(ago('watch', second, 6 * 60 * minute)), ['The watch']],
    ['the engine, where all of them do', rhythms.map(({ job }) => ago(job, 20 * minute)), ['The engine']],
    ['the engine, before its slowest job would be missed', but(...rhythms.map(({ job }) => ago(job, 2 * minute))), ['The engine']],
    ['the engine, where none ever ran', [], ['The engine']],
    ['nothing because of a clock that was put back', but(ago('watch', -90 * second)), []],
  ])('%s', (_, rounds, expected) => {
    expect(titles(rounds)).toEqual(expected)
  })

  it('a faster domain clock passes more of its own time between two rounds', () => {
    const demo = but(ago('watch', second, 50 * minute))
    expect(titles(demo)).toEqual(['The watch'])
    expect(titles(demo, { speed: 60 })).toEqual([])
  })

  it('says since when, and never a time where a part never ran', () => {
    expect(still(but(ago('judge:0', 3 * minute), ago('judge:1', 5 * minute)))).toMatchObject([
      { title: 'Judging', jobs: ['judge:0', 'judge:1'], since: now - 5 * minute, sinceWall: wallNow - 5 * minute, isVital: true },
    ])
    const [never] = still([...fresh.filter(({ job }) => !job.startsWith('judge')), ago('judge:0', 3 * minute)])
    expect(never).toMatchObject({ title: 'Judging', since: null })
    expect(never && standstillText(never)).toBe('Judging has not ended a round yet. Nothing is judged.')
  })

  it('says of a dead engine when anything of it last lived', () => {
    expect(still(rhythms.map(({ job }, index) => ago(job, (20 + index) * minute)))).toMatchObject([
      { since: now - 20 * minute, isVital: true },
    ])
  })

  it('never takes longer than the bound of a job to be seen, whatever the others do', () => {
    const age = fc.integer({ min: 0, max: 60 * minute })
    fc.assert(
      fc.property(fc.tuple(age, age, age, age), (ages) => {
        const found = still(rhythms.map(({ job }, index) => ago(job, ages[index] ?? 0))).flatMap(({ jobs }) => jobs)
        const isMissed = ({ everyMs }: Rhythm, index: number) => (ages[index] ?? 0) > Math.max(minute, 3 * everyMs)
        const expected = rhythms.filter((rhythm, index) => Math.min(...ages) > minute || isMissed(rhythm, index)).map(({ job }) => job)
        expect([...found].sort()).toEqual([...expected].sort())
      }),
    )
  })
})
