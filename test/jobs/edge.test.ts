import { createHmac, hkdfSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PersonClaim } from '../../jobs/connectors/connector.ts'
import { seal } from '../../jobs/domain/plain.ts'
import { makeTokeniser } from '../../jobs/edge.ts'
import { makeKeyedHash } from '../../jobs/keyed-hash.ts'
import { memoise } from '../../jobs/memo.ts'

const workspaceKey = Buffer.alloc(32, 7)
const tokenise = makeTokeniser({ workspaceKey, defaultCountry: 'US' })
const keysOf = (claim: Partial<PersonClaim>) => tokenise(seal({ role: 'self', ...claim })).keys
const rob: Partial<PersonClaim> = { name: { given: 'Rob', family: 'Smith' }, birthDate: '1971-06-24' }

test('a token is the HMAC identity.md states', () => {
  const key = Buffer.from(hkdfSync('sha256', workspaceKey, '', 'id/email', 32))
  const token = createHmac('sha256', key).update('v1\0email\0rob@gmail.com').digest('hex').slice(0, 32)
  expect(keysOf({ emails: ['R.ob+x@googlemail.com'] })).toEqual([{ kind: 'email', token }])
})

test('the keyed hash equals createHmac, for any key and text', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 100 }),
      fc.array(fc.string({ unit: 'binary', maxLength: 2_000 }), { maxLength: 4 }),
      (bytes, texts) => {
        const keyed = makeKeyedHash(Buffer.from(bytes))
        for (const text of texts) expect(keyed(text)).toBe(createHmac('sha256', bytes).update(text).digest('hex').slice(0, 32))
      },
    ),
  )
})

test('each kind of key carries its own vetoes, and nothing in clear', () => {
  const keys = keysOf({
    ...rob,
    reference: 'r1',
    external: [{ system: 'ehr.patient', value: 'p1' }],
    emails: ['rob@example.com', null, 'ROB@example.com'],
    phones: ['(212) 555-0123'],
  })
  expect(keys.map(({ kind, system, ...rest }) => [kind, system, Object.keys(rest).join(' ')])).toEqual([
    ['reference', 'tl_ref', 'token birthDate'],
    ['external', 'ehr.patient', 'token birthDate'],
    ['name_birth_date', undefined, 'token'],
    ['name_birth_date', undefined, 'token'],
    ['email', undefined, 'token firstName birthDate'],
    ['phone', undefined, 'token firstName fullName birthDate'],
  ])
  for (const { token, firstName, fullName, birthDate } of keys) {
    for (const digits of [token, firstName, fullName]) if (digits !== undefined) expect(digits).toMatch(/^[0-9a-f]{32}$/)
    if (birthDate !== undefined) expect(birthDate).toMatch(/^[0-9a-f]{48}$/)
  }
  expect(JSON.stringify(keys)).not.toMatch(/rob|smith|1971|555/i)
})

test('vetoes compare under one key only: the same name is another token under another e-mail', () => {
  const [one, again, other] = ['a@example.com', 'a@example.com', 'b@example.com'].map((email) => keysOf({ ...rob, emails: [email] }).at(-1))
  expect(one).toEqual(again)
  expect(one?.firstName).not.toBe(other?.firstName)
  expect(one?.birthDate).not.toBe(other?.birthDate)
})

test('nicknames agree, and so do birth dates with one slip', () => {
  const email = (claim: Partial<PersonClaim>) => keysOf({ ...claim, emails: ['a@example.com'] }).at(-1)
  const parts = (claim: Partial<PersonClaim>): string[] => email(claim)?.birthDate?.match(/.{16}/g) ?? []
  expect(email({ name: { full: 'Bob Jones' } })?.firstName).toBe(email({ name: { given: 'Robert' } })?.firstName)
  expect(parts({ birthDate: '1971-06-24' }).filter((part) => parts({ birthDate: '1971-05-24' }).includes(part))).toHaveLength(1)
  expect(parts({ birthDate: '1971-06-24' }).filter((part) => parts({ birthDate: '1971-05-25' }).includes(part))).toHaveLength(0)
})

test('a name with a birth date forgives a slip in the family name and the order of both, never another first name', () => {
  const tokens = (given: string, family: string) => keysOf({ name: { given, family }, birthDate: '1971-06-24' }).map(({ token }) => token)
  const meet = (one: string[], two: string[]) => one.some((token) => two.includes(token))
  expect(meet(tokens('Rob', 'Allen'), tokens('Robert', 'Alan'))).toBe(true)
  expect(meet(tokens('Rob', 'Allen'), tokens('Allen', 'Rob'))).toBe(true)
  expect(meet(tokens('Daniel', 'Smith'), tokens('Danielle', 'Smith'))).toBe(false)
  expect(meet(tokens('Daniel', 'Smith'), tokens('Daniel', 'Jones'))).toBe(false)
})

test('1 January, relay addresses, extensions and rubbish give no key', () => {
  expect(
    keysOf({
      ...rob,
      birthDate: '1971-01-01',
      emails: ['a@privaterelay.appleid.com', 'x'],
      phones: ['+1 212 555 0123 x4', '123'],
      reference: ' ',
      external: [{ system: 'a', value: '' }],
    }),
  ).toEqual([])
})

test('another workspace key gives other tokens; external ids of two systems never meet', () => {
  const other = makeTokeniser({ workspaceKey: Buffer.alloc(32, 8), defaultCountry: 'US' })
  expect(other(seal({ role: 'self', emails: ['a@example.com'] })).keys[0]?.token).not.toBe(keysOf({ emails: ['a@example.com'] })[0]?.token)
  const [a, b] = keysOf({
    external: [
      { system: 'ehr', value: '1' },
      { system: 'crm', value: '1' },
    ],
  })
  expect(a?.token).not.toBe(b?.token)
})

test('whatever stands in a claim, the answer is tokens and never an error', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom('a@b', '+', '+1 (', 'ext', ', ,', '\0', '0000-00-00', '9999-12-31'),
  )
  const claims = fc.record({
    role: fc.constantFrom('self' as const, 'payer' as const, 'contact' as const),
    reference: fc.option(text),
    external: fc.array(fc.record({ system: text, value: text }), { maxLength: 2 }),
    emails: fc.array(fc.oneof(text, fc.emailAddress()), { maxLength: 2 }),
    phones: fc.array(text, { maxLength: 2 }),
    name: fc.option(fc.record({ given: fc.option(text), family: fc.option(text), full: fc.option(text) })),
    birthDate: fc.option(text),
  })
  fc.assert(
    fc.property(claims, (claim) => {
      for (const { token } of tokenise(seal(claim)).keys) expect(token).toMatch(/^[0-9a-f]{32}$/)
    }),
    { numRuns: 500 },
  )
})

test('the memo is bounded and never changes an answer', () => {
  const small = makeTokeniser({ workspaceKey, defaultCountry: 'US', memoEntries: 4 })
  for (let round = 0; round < 3; round++) {
    for (let n = 0; n < 20; n++) {
      const claim: PersonClaim = { role: 'contact', emails: [`p${n}@example.com`] }
      expect(small(seal(claim))).toEqual(tokenise(seal(claim)))
    }
  }
  let computed = 0
  const square = memoise((key) => `${computed++} ${key}`, 4)
  for (const key of ['a', 'b', 'a', 'c', 'a', 'd', 'a', 'e']) square(key)
  expect(square('a')).toBe('0 a')
  expect(square('b')).not.toBe('1 b')
})

describe('a country that does not exist', () => {
  test('is refused with what to write instead', () => {
    expect(() => makeTokeniser({ workspaceKey, defaultCountry: 'Utopia' })).toThrow(/"Utopia" is unknown.*such as US/)
  })
})
