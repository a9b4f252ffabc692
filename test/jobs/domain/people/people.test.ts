import { describe, expect, it } from 'vitest'
import { bucketsOf, networksOf } from '../../../../jobs/domain/people/guess-limits.ts'
import { whyPasswordWillNotDo } from '../../../../jobs/domain/people/password-rule.ts'
import { leavesNoAdministrator, mayDo, type Permission, permissions, roles, whyNotAllowed } from '../../../../jobs/domain/people/roles.ts'
import { isConfirmedRecently, sessionState } from '../../../../jobs/domain/people/session-life.ts'
import { acceptedStep, codeAt, stepAt, toBase32, totpUri } from '../../../../jobs/domain/people/totp.ts'

describe('S1: what each role may', () => {
  // Columns in the order of `roles`: viewer, operator, responder, approver, engineer, compliance, admin, break-glass (and once opened).
  const table: Record<Permission, string> = {
    see: 'xxxxxxxx x',
    export: 'xxxxxxxx x',
    'findings.handle': '.xxxx.x. x',
    'findings.waive': '..xx..x. x',
    'findings.bulk': '..x...x. x',
    'connections.operate': '.xx.x.x. x',
    'programs.plan': '.xxxx.x. x',
    'programs.apply': '....x.x. x',
    'runs.start': '..x...x. x',
    'runs.approve': '...x..x. x',
    'audit.see': '.....xx. x',
    'people.manage': '......x. .',
  }
  it.each(permissions)('%s', (permission) => {
    const held = roles.map((role) => (mayDo({ roles: [role] }, permission) ? 'x' : '.')).join('')
    const opened = mayDo({ roles: ['break-glass'], isEmergency: true }, permission) ? 'x' : '.'
    expect(`${held} ${opened}`).toBe(table[permission])
  })

  it('adds up over several roles, and an emergency opens nothing for who has no break-glass', () => {
    expect(mayDo({ roles: ['responder', 'approver'] }, 'runs.approve')).toBe(true)
    expect(mayDo({ roles: ['viewer'], isEmergency: true }, 'runs.start')).toBe(false)
    expect(mayDo({ roles: [] }, 'see')).toBe(false)
  })

  it('says who may', () => {
    expect(whyNotAllowed({ roles: ['viewer'] }, 'runs.approve')).toBe(
      'As viewer you may not approve runs. Who may: approver, administrator. Ask an administrator of this workspace.',
    )
  })

  it('keeps an administrator who can sign in', () => {
    const ada = { id: 'ada', isActive: true, roles: ['admin'] as const }
    const bob = { id: 'bob', isActive: false, roles: ['admin'] as const }
    expect(leavesNoAdministrator([ada, bob], { ...ada, roles: ['viewer'] })).toBe(true)
    expect(leavesNoAdministrator([ada, bob], { ...ada, isActive: false })).toBe(true)
    expect(leavesNoAdministrator([ada, bob], { ...bob, isActive: true })).toBe(false)
  })
})

describe('S4: the life of a session', () => {
  const session = { createdAt: 0, seenAt: 1_000, idleMs: 500, endsAt: 2_000, endedAt: null }
  it.each([
    [1_499, {}, 'holds'],
    [1_500, {}, 'idle'],
    [1_999, { seenAt: 1_900 }, 'holds'],
    [2_000, { seenAt: 1_999 }, 'over'],
    [1_100, { endedAt: 1_050 }, 'ended'],
    [900, {}, 'holds'],
  ] as const)('at %d with %o it %s', (now, more, state) => expect(sessionState({ ...session, ...more }, now)).toBe(state))

  it('counts a confirmation for five minutes, and none from the future', () => {
    expect([0, 299_999, 300_000, -1].map((ago) => isConfirmedRecently(1_000_000 - ago, 1_000_000))).toEqual([true, true, false, false])
    expect(isConfirmedRecently(null, 0)).toBe(false)
  })
})

describe('codes of an authenticator', () => {
  // RFC 6238, appendix B: the last six of its eight digits.
  const secret = Buffer.from('12345678901234567890')
  it.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
  ])('at second %d it is %s', (second, code) => expect(codeAt(secret, stepAt(second * 1000))).toBe(code))

  it('S5: fits one step early or late, and never again', () => {
    const now = 2_000_000_000_000
    const step = stepAt(now)
    for (const each of [-1, 0, 1]) expect(acceptedStep(secret, codeAt(secret, step + each), now, null)).toBe(step + each)
    for (const each of [-2, 2]) expect(acceptedStep(secret, codeAt(secret, step + each), now, null)).toBeNull()
    expect(acceptedStep(secret, codeAt(secret, step), now, step)).toBeNull()
    expect(acceptedStep(secret, codeAt(secret, step + 1), now, step)).toBe(step + 1)
    for (const nonsense of ['', '12345', '1234567', 'abcdef', '½½½½½½']) expect(acceptedStep(secret, nonsense, now, null)).toBeNull()
  })

  it('is told as any authenticator reads it', () => {
    expect(toBase32(secret)).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')
    expect(totpUri(secret, 'Throughline Clinic', 'a@b.example')).toBe(
      'otpauth://totp/Throughline%20Clinic:a%40b.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Throughline%20Clinic',
    )
  })
})

describe('S5: what guesses count against', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7', null],
    ['::ffff:192.0.2.7', '192.0.2.7', null],
    ['2001:db8:1:2:aaaa::1', '2001:db8:1:2::/64', '2001:db8:1::/48'],
    ['2001:0db8:0001:0002:bbbb:0:0:9', '2001:db8:1:2::/64', '2001:db8:1::/48'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64', 'fe80:0:0::/48'],
    [null, 'unknown', null],
  ])('%s is of the network %s', (address, near, wide) => expect(networksOf(address)).toEqual([near, wide]))

  it('counts a stranger by network first, then by account, whatever its capitals; a known device by itself', () => {
    const from = { address: '192.0.2.7', device: null }
    expect(bucketsOf({ account: ' Ann@X.example', ...from })).toEqual(bucketsOf({ account: 'ann@x.example', ...from }))
    expect(bucketsOf({ account: 'a', ...from }).map(({ limit }) => limit)).toEqual([30, 10])
    expect(bucketsOf({ account: 'a', address: '192.0.2.7', device: 'd' })).toHaveLength(1)
    expect(JSON.stringify(bucketsOf({ account: 'ann@x.example', ...from }))).not.toContain('ann')
  })
})

describe('passwords', () => {
  const person = { email: 'ann.lee@clinic.example', name: 'Ann Lee' }
  it.each([
    ['short', /at least 12/],
    ['password1234', /first a guesser/],
    ['aaaaaaaaaaaaaaa', /first a guesser/],
    ['ann.lee12345', /your name or address/],
    ['x'.repeat(300), /at most 256/],
  ])('%s will not do', (password, why) => expect(whyPasswordWillNotDo(password, person)).toMatch(why))
  it.each(['river stone lamp nine', 'пять слов в ряд тут', 'a-very-Long_one with 🌊 in it'])('%s will do', (password) =>
    expect(whyPasswordWillNotDo(password, person)).toBeNull(),
  )
})
