import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hash128 } from '../../../jobs/domain/hash.ts'

test('is the start of SHA-256 over the parts joined with NUL', () => {
  expect(hash128('a', 'b')).toBe('59b271ae1bbcb1d31d41929817f4b16f')
})

test('two different lists of parts never hash alike', () => {
  const parts = fc.array(fc.string({ unit: fc.constantFrom('a', '\0', '\\', '0'), maxLength: 4 }), { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(parts, parts, (one, two) => {
      expect(hash128(...one) === hash128(...two)).toBe(JSON.stringify(one) === JSON.stringify(two))
    }),
    { numRuns: 2_000 },
  )
})
