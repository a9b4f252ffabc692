import { expect, test } from 'vitest'
import { freshnessOf, type PassCell, worstFreshness } from '../../../jobs/domain/freshness.ts'

const pass = (cell: number, what: 'complete' | 'failed' | 'recovered'): PassCell => ({
  cell,
  complete: what === 'failed' ? 0 : 1,
  failed: what === 'complete' ? 0 : 1,
  endedFailed: what === 'failed',
})
const strip = { cells: 8, cellMs: 300_000, lateAfterMs: 900_000 }
const letters = (passes: readonly PassCell[]) =>
  freshnessOf(passes, strip)
    .map((state) => state[0])
    .join('')

test.each([
  ['nothing was read: nothing is known', [], 'nnnnnnnn'],
  ['known from the first complete pass on, late after three of its intervals', [pass(1, 'complete')], 'noooolll'],
  ['a pass before the strip still counts', [pass(-2, 'complete')], 'oollllll'],
  ['a failure holds until a pass completes', [pass(0, 'complete'), pass(2, 'failed'), pass(5, 'complete')], 'ooeeeooo'],
  ['a failure that was made good in its own cell shows there only', [pass(0, 'complete'), pass(2, 'recovered')], 'ooeoooll'],
  ['what only ever failed is an error, not unknown', [pass(3, 'failed')], 'nnneeeee'],
])('%s', (_, passes, expected) => {
  expect(letters(passes)).toBe(expected)
})

test('a connection is as fresh as its worst stream, and unknown without streams', () => {
  expect(
    worstFreshness(
      [
        ['ok', 'ok', 'late'],
        ['none', 'error', 'ok'],
      ],
      3,
    ),
  ).toEqual(['none', 'error', 'late'])
  expect(worstFreshness([], 2)).toEqual(['none', 'none'])
})
