import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJson, rawBytes, unreadable } from '../../../jobs/connectors/json.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const read = (text: string) => parseJson(bytes(text)) as Record<string, unknown>

describe('P13: numbers, keys and objects come through exactly', () => {
  test.each([
    ['12345678901234567890', '12345678901234567890'],
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', '9007199254740992'],
    ['-9007199254740993', '-9007199254740993'],
    ['19.10', '19.10'],
    ['19.1', 19.1],
    ['1e2', '1e2'],
    ['1.0', '1.0'],
    ['-0', '-0'],
    ['0', 0],
    ['0.1', 0.1],
    ['1100', 1100],
    ['0.30000000000000004', 0.30000000000000004],
    ['0.300000000000000041', '0.300000000000000041'],
    ['1E400', '1E400'],
  ])('P13: %s is %j', (source, value) => expect(read(`{"n":${source}}`).n).toBe(value))

  test('P13: __proto__ and constructor are plain keys', () => {
    const value = read('{"__proto__":{"admin":true},"constructor":{"prototype":{"x":1}}}')
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.hasOwn(value, '__proto__')).toBe(true)
    expect(({} as Record<string, unknown>).admin).toBeUndefined()
  })
  test('P13: a key given twice is never silently one of both', () => {
    expect(read('{"id":"a","id":"b"}').id).toBe(unreadable)
    expect(read('{"a":1,"__proto__":1,"__proto__":2}').a).toBe(1)
  })
  test('P13: what JSON.stringify writes is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const text = JSON.stringify(value)
        const numbersKept = JSON.parse(text, (_, inner) =>
          Object.is(inner, -0) ||
          (typeof inner === 'number' &&
            (String(inner) !== JSON.stringify(inner) || (Number.isInteger(inner) && !Number.isSafeInteger(inner))))
            ? JSON.stringify(inner)
            : inner,
        )
        expect(parseJson(bytes(text))).toEqual(numbersKept)
      }),
      { numRuns: 500 },
    )
  })
  test('P13: any text in a string survives, escaped or not', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.boolean(), (value, byCode) => {
        const literal = byCode
          ? `"${[...value].map((one) => [...one].map((c) => [...Array(c.length)].map((_, i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')).join('')).join('')}"`
          : JSON.stringify(value)
        expect(read(`{"s":${literal}}`).s).toBe(value)
      }),
      { numRuns: 300 },
    )
  })
})

describe('P12: bytes that are not text', () => {
  test('P12: invalid UTF-8 touches its own value only', () => {
    const broken = Buffer.concat([
      bytes('{"a":"'),
      Buffer.from([0xc3, 0x28]),
      bytes('","b":"fine é","c":["'),
      Buffer.from([0xff]),
      bytes('"]}'),
    ])
    expect(parseJson(broken)).toEqual({ a: unreadable, b: 'fine é', c: [unreadable] })
  })
  test('P12: never U+FFFD', () => {
    for (const sequence of [[0x80], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]]) {
      const value = parseJson(Buffer.concat([bytes('{"a":"x'), Buffer.from(sequence), bytes('y"}')])) as { a: unknown }
      expect(value.a).toBe(unreadable)
    }
  })
  test('P12: a BOM before the text is skipped, inside it is kept', () => {
    expect(parseJson(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes('{"a":"\ufeffx"}')]))).toEqual({ a: '\ufeffx' })
  })
  test('P12: right-to-left and zero-width characters are kept', () => {
    expect(read('{"a":"\u202eabc\u200b\u200f"}').a).toBe('\u202eabc\u200b\u200f')
  })
  test.each([
    '',
    '{',
    '[1,]',
    '{"a":1,}',
    '{a:1}',
    "{'a':1}",
    '{"a" 1}',
    '[1 2]',
    'nul',
    '01',
    '1.',
    '.5',
    '+1',
    '"\\x"',
    '"\\u12g4"',
    '"a\nb"',
    '"open',
    '{"a":1}x',
    'NaN',
    'Infinity',
    '<html>',
  ])('%j is not JSON', (text) => {
    expect(() => parseJson(bytes(text))).toThrow(/^not JSON/)
  })
  test('an error shows where, never what', () => {
    expect(() => read('{"email":"jane@example.com" oops}')).toThrow(/^not JSON: a comma was expected at byte 29$/)
  })
  test('the raw bytes of a record are kept for its hash', () => {
    const source = '{"data":[ {"id":1, "x":19.10} ,{"id":2}]}'
    const { data } = parseJson(bytes(source)) as { data: object[] }
    expect(Buffer.from(rawBytes(data[0]) ?? []).toString()).toBe('{"id":1, "x":19.10}')
  })
})
