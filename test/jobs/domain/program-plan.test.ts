import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { comparePrograms } from '../../../jobs/domain/compare-programs.ts'
import { diffText, foldEqual } from '../../../jobs/domain/diff-lines.ts'
import { parseProgram } from '../../../jobs/domain/parse-program.ts'
import type { Program } from '../../../jobs/domain/program.ts'
import { planPrograms, type ProgramSource, type StoredVersion, whatMoved } from '../../../jobs/domain/program-plan.ts'

const write = (body = 'told: { after: booked, expect: confirmed, within: 15m }', more = '') => `
program: visits
title: Visits
owner: care
journey: { per: subject, starts: booked }
steps:
  booked:    { stream: booking.rows, when: { status: accepted } }
  confirmed: { stream: texts.rows, when: { status: delivered } }
${more}expectations:
  ${body}
`
const parsed = (text: string): Program => {
  const read = parseProgram(text, 'visits.yaml')
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join('\n'))
  return read.program
}
const sourceOf = (text: string, key = 'visits'): ProgramSource => ({
  key,
  source: text,
  sourceHash: `hash of ${text}`,
  program: parsed(text),
})
const stored = (text: string, version = 1, key = 'visits'): StoredVersion => ({
  program: key,
  version,
  source: text,
  sourceHash: `hash of ${text}`,
})
const other = write('told: { after: booked, expect: confirmed, within: 30m }')

describe('a plan', () => {
  it.each<[string, readonly StoredVersion[], readonly ProgramSource[], readonly object[]]>([
    ['the same text', [stored(write())], [sourceOf(write())], []],
    [
      'another text',
      [stored(write(), 3)],
      [sourceOf(other)],
      [{ key: 'visits', kind: 'changed', inForce: { version: 3 }, goesBackTo: null }],
    ],
    ['a new program', [], [sourceOf(write())], [{ kind: 'added', inForce: null }]],
    ['one that is gone', [stored(write())], [], [{ kind: 'removed', next: null }]],
    [
      'renamed: one goes, one comes',
      [stored(write(), 1, 'a')],
      [sourceOf(write(), 'b')],
      [
        { key: 'a', kind: 'removed' },
        { key: 'b', kind: 'added' },
      ],
    ],
  ])('%s', (_, inForce, next, changes) => {
    expect(planPrograms(inForce, next).changes).toMatchObject(changes)
  })

  it('says which earlier version comes back', () => {
    const history = [stored(other, 2), stored(write(), 1)]
    expect(planPrograms([stored(other, 2)], [sourceOf(write())], history).changes).toMatchObject([{ kind: 'changed', goesBackTo: 1 }])
  })

  it('has an id that tells which side moved, whatever the order', () => {
    const both = [stored(write(), 1, 'a'), stored(write(), 1, 'b')]
    const { id } = planPrograms(both, [sourceOf(other)])
    expect(planPrograms(both.toReversed(), [sourceOf(other)]).id).toBe(id)
    expect(whatMoved(id, id)).toBe('nothing')
    expect(whatMoved(` ${id.toUpperCase()} `, id)).toBe('nothing')
    expect(whatMoved(id, planPrograms([stored(write(), 2, 'a'), both[1]!], [sourceOf(other)]).id)).toBe('programs')
    expect(whatMoved(id, planPrograms(both, [sourceOf(write())]).id)).toBe('sources')
    expect(whatMoved(id, planPrograms([], []).id)).toBe('both')
    for (const text of ['', 'x', id.slice(1), `${id}-1`]) expect(whatMoved(text, id)).toBe('unreadable')
  })
})

describe('what differs between two versions, in the words of the file', () => {
  it.each<[string, string, string, readonly object[]]>([
    ['nothing but the text', write(), `# a note\n${write()}`, []],
    [
      'a time',
      write(),
      other,
      [{ what: 'expectation', name: 'told', change: 'changed', fields: [{ field: 'within', before: '15 minutes', after: '30 minutes' }] }],
    ],
    [
      'a new name for the same promise',
      write(),
      write('heard: { after: booked, expect: confirmed, within: 15m, renamed_from: told }'),
      [{ name: 'heard', formerName: 'told', change: 'changed', fields: [] }],
    ],
    [
      'one promise for another',
      write(),
      write('once: { at_most: 1, of: booked }'),
      [
        { name: 'once', change: 'added' },
        { name: 'told', change: 'removed' },
      ],
    ],
    [
      'what a promise is',
      write(),
      write('told: { never: confirmed, after: booked }'),
      [{ name: 'told', change: 'changed', fields: [{ field: 'after', before: 'booked', after: 'booked' }].slice(1) }],
    ],
    [
      'a step',
      write(),
      write(undefined, '  seen: { stream: booking.rows, when: { status: [seen, done] } }\n'),
      [{ what: 'step', name: 'seen', change: 'added' }],
    ],
    [
      'a condition of a step',
      write(),
      write().replace('status: accepted', 'status: [accepted, held]'),
      [{ what: 'step', name: 'booked', fields: [{ field: 'when', before: 'status is accepted', after: 'status is accepted or held' }] }],
    ],
    [
      'the journey itself',
      write(),
      write().replace('starts: booked', 'starts: any, abandon_after: 30d'),
      [
        {
          what: 'program',
          fields: [
            { field: 'journey starts', before: 'booked', after: 'any step' },
            { field: 'abandon_after', before: null, after: '30 days' },
          ],
        },
      ],
    ],
    [
      'a deadline on a field',
      write(),
      write('told: { after: booked, expect: confirmed, within: 24h before booked.startsAt }'),
      [{ fields: [{ field: 'within', before: '15 minutes', after: '24 hours before booked.startsAt' }] }],
    ],
  ])('%s', (_, before, after, differences) => {
    const found = comparePrograms(parsed(before), parsed(after))
    expect(found).toHaveLength(differences.length)
    for (const [index, expected] of differences.entries()) {
      const { fields, ...rest } = expected as { fields?: readonly object[] }
      expect(found[index]).toMatchObject(rest)
      for (const field of fields ?? []) expect(found[index]?.fields).toContainEqual(field)
    }
  })

  it('of a program that is new or gone names all of it', () => {
    expect(comparePrograms(null, parsed(write())).map(({ what, change }) => `${change} ${what}`)).toEqual([
      'added program',
      'added step',
      'added step',
      'added expectation',
    ])
    expect(comparePrograms(parsed(write()), null).every(({ change }) => change === 'removed')).toBe(true)
  })
})

describe('two texts line by line', () => {
  it('gives either text back, whatever they are', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c: 1', '', '  d'), { maxLength: 12 }).map((lines) => lines.join('\n'))
    fc.assert(
      fc.property(text, text, (before, after) => {
        const lines = diffText(before, after)
        const trimmed = (one: string) => one.replace(/\n$/, '')
        expect(
          lines
            .filter(({ kind }) => kind !== 'added')
            .map((one) => one.text)
            .join('\n'),
        ).toBe(trimmed(before))
        expect(
          lines
            .filter(({ kind }) => kind !== 'removed')
            .map((one) => one.text)
            .join('\n'),
        ).toBe(trimmed(after))
        expect(lines.flatMap((one) => one.after ?? [])).toEqual(lines.filter(({ kind }) => kind !== 'removed').map((_, index) => index + 1))
      }),
    )
  })

  it('folds what lies far from any change', () => {
    const long = Array.from({ length: 20 }, (_, n) => `line ${n}`)
    const folded = foldEqual(diffText(long.join('\n'), long.with(10, 'other').join('\n')), 2)
    expect(folded.map((one) => (one.kind === 'folded' ? one.lines : one.kind))).toEqual([
      8,
      'same',
      'same',
      'removed',
      'added',
      'same',
      'same',
      7,
    ])
  })
})
