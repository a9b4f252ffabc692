import { describe, expect, test } from 'vitest'
import { normaliseBirthDate } from '../../../../jobs/domain/identity/normalise-birth-date.ts'
import { normaliseEmail } from '../../../../jobs/domain/identity/normalise-email.ts'
import type { RawName } from '../../../../jobs/domain/identity/normalise-name.ts'
import { normaliseName } from '../../../../jobs/domain/identity/normalise-name.ts'
import { normalisePhone } from '../../../../jobs/domain/identity/normalise-phone.ts'

describe('e-mail', () => {
  test.each([
    ['Rob@Example.COM ', 'rob@example.com'],
    ['mailto:rob@example.com', 'rob@example.com'],
    ['ｒｏｂ@example.com', 'rob@example.com'],
    ['rob@münchen.de', 'rob@xn--mnchen-3ya.de'],
    ['rob@example.com.', 'rob@example.com'],
    ['R.o.b+clinic@GoogleMail.com', 'rob@gmail.com'],
    ['rob+clinic@outlook.com', 'rob@outlook.com'],
    ['ro_b-smith@pm.me', 'robsmith@proton.me'],
    ['rob+clinic@example.com', 'rob+clinic@example.com'],
    ['r.ob@example.com', 'r.ob@example.com'],
  ])('%s is %s', (raw, value) => {
    expect(normaliseEmail(raw)).toEqual({ value, linkable: true })
  })
  test.each([
    'x7@privaterelay.appleid.com',
    'a@mozmail.com',
    'r9@reply.users.noreply.github.com',
    'noreply@example.com',
    'none@example.com',
  ])('%s never links', (raw) => {
    expect(normaliseEmail(raw)?.linkable).toBe(false)
  })
  test.each(['', 'rob', '@example.com', 'rob@', 'rob@localhost', 'a b@example.com', '+tag@gmail.com', 'a@b.com, c@d.com'])(
    '“%s” is none',
    (raw) => {
      expect(normaliseEmail(raw)).toBeNull()
    },
  )
})

describe('phone', () => {
  test.each([
    ['(212) 555-0123', '+12125550123'],
    ['1-212-555-0123', '+12125550123'],
    ['tel:+12125550123', '+12125550123'],
    ['whatsapp:+12125550123', '+12125550123'],
    ['+49 30 901820', '+4930901820'],
    ['００1 212 555 0123'.replace('００', ''), '+12125550123'],
  ])('%s is %s', (raw, value) => {
    expect(normalisePhone(raw, 'US')).toEqual({ value, linkable: true })
  })
  test('a number is read in the workspace’s country', () => {
    expect(normalisePhone('030 901820', 'DE')?.value).toBe('+4930901820')
    expect(normalisePhone('030 901820', 'US')).toBeNull()
  })
  test('an extension makes it a shared phone', () => {
    expect(normalisePhone('+1 212 555 0123 ext. 4', 'US')).toEqual({ value: '+12125550123', linkable: false })
  })
  test.each(['', '12', '000-000-0000', '+1 555 010 0123', '1234567890', 'call me'])('“%s” is none', (raw) => {
    expect(normalisePhone(raw, 'US')).toBeNull()
  })
})

describe('name', () => {
  test.each<[RawName, string | null, string | null]>([
    [{ given: 'Rob', family: 'Smith' }, 'robert', 'smith'],
    [{ given: 'Robert', family: 'SMITH' }, 'robert', 'smith'],
    [{ full: 'Bob Smith' }, 'robert', 'smith'],
    [{ full: 'Smith, Bob' }, 'robert', 'smith'],
    [{ full: 'Dr. Robert J. Smith Jr., MD' }, 'robert', 'smith'],
    [{ given: 'José', family: 'Muñoz' }, 'jose', 'munoz'],
    [{ given: 'Søren', family: 'Łukasz' }, 'soren', 'lukasz'],
    [{ given: 'Jean-Luc', family: "O'Neil" }, 'jeanluc', 'oneil'],
    [{ given: 'Vincent', family: 'van der Berg' }, 'vincent', 'berg'],
    [{ full: 'Vincent van der Berg' }, 'vincent', 'berg'],
    [{ given: '山田', family: '太郎' }, '山田', '太郎'],
    [{ given: 'J.', family: 'Smith' }, null, 'smith'],
    [{ given: 'Test', family: 'Patient' }, null, null],
    [{ full: 'Cher' }, 'cher', null],
    [{ full: '' }, null, null],
  ])('%o is %s %s', (raw, first, family) => {
    expect(normaliseName(raw)).toEqual({ first, family })
  })
})

describe('birth date', () => {
  test.each([
    ['1971-06-24', '1971-06-24', false],
    ['19710624', '1971-06-24', false],
    ['1971/06/24', '1971-06-24', false],
    ['1971-06-24T00:00:00Z', '1971-06-24', false],
    ['1971-01-01', '1971-01-01', true],
  ])('%s is %s, weak: %s', (raw, value, weak) => {
    expect(normaliseBirthDate(raw)).toEqual({ value, weak })
  })
  test.each(['', '06/24/1971', '24.06.1971', '1971-02-30', '1971-06', '0001-06-24', '1971-06-241'])('“%s” is none', (raw) => {
    expect(normaliseBirthDate(raw)).toBeNull()
  })
})
