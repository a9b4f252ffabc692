import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { findingKindByName } from '../../../jobs/domain/finding-kinds/index.ts'
import { parseProgram } from '../../../jobs/domain/parse-program.ts'
import { kindsOf, neededStreams } from '../../../jobs/domain/promise.ts'
import { sourceBlock } from '../../../jobs/domain/source-block.ts'

const source = readFileSync(new URL('../../../jobs/simulator/demo/programs/virtual-care.yaml', import.meta.url), 'utf8')
const parsed = parseProgram(source, 'virtual-care.yaml')
if (!parsed.ok) throw new Error('the demo program has a mistake')
const { program } = parsed
const named = (name: string) => program.expectations.find((one) => one.name === name)!

describe('what a promise can open', () => {
  it.each([
    ['booking-confirmed', ['gap', 'late']],
    ['booked-in-ehr', ['gap', 'late', 'wrong_variant']],
    ['reminded', ['gap', 'late', 'early']],
    ['one-charge', ['duplicate']],
    ['intake-before-visit', ['disorder']],
    ['no-text-after-stop', ['unexpected']],
    ['calendar-agrees', ['drift', 'unmapped_state']],
    ['keeps-moving', ['stuck']],
    ['visit-has-a-member', ['orphan']],
  ])('%s', (name, kinds) => {
    expect(kindsOf(named(name))).toEqual(kinds)
    for (const kind of kinds) expect(findingKindByName.has(kind)).toBe(true)
  })
})

describe('the streams a promise hangs on', () => {
  it.each([
    [
      'booking-confirmed',
      [
        { stream: 'texts.messages', why: 'shows' },
        { stream: 'booking.bookings', why: 'starts' },
      ],
    ],
    ['one-charge', [{ stream: 'billing.payment_intents', why: 'shows' }]],
    [
      'calendar-agrees',
      [
        { stream: 'booking.bookings', why: 'shows' },
        { stream: 'ehr.appointments', why: 'shows' },
      ],
    ],
  ])('%s', (name, streams) => expect(neededStreams(program, named(name))).toEqual(streams))
})

describe('the lines of a promise in its file', () => {
  it('are its own, without those of its neighbours', () => {
    for (const expectation of program.expectations) {
      const block = sourceBlock(source, expectation.line)!
      expect(block.text.split('\n')[0]).toBe(`${expectation.name}:`)
      expect(
        block.text
          .split('\n')
          .slice(1)
          .every((line) => line.startsWith('  ')),
      ).toBe(true)
    }
    expect(sourceBlock(source, named('no-text-after-stop').line)!.text).toContain('that is against the law.')
  })

  it.each([
    ['a line of its own', 'a: { at_most: 1 }\nb: 2', 1, 'a: { at_most: 1 }'],
    ['comments and empty lines inside', '  a:\n    # why\n\n    x: 1\n  # of b\n  b: 2', 1, 'a:\n  # why\n\n  x: 1'],
    ['braces over several lines', '  a: {\n    x: 1\n  }\n  b: 2', 1, 'a: {\n  x: 1\n}'],
    ['the last one', 'a:\n  x: 1\n', 1, 'a:\n  x: 1'],
  ])('%s', (_, text, line, expected) => expect(sourceBlock(text, line)?.text).toBe(expected))

  it('are none where the file has no such line', () => expect(sourceBlock('a: 1', 9)).toBeNull())
})
