import { expect, it } from 'vitest'
import { hashPassword, isPassword } from '../../jobs/passwords.ts'
import { openVault } from '../../jobs/vault.ts'

it('keeps a password as argon2id with a salt of its own', async () => {
  const [one, two] = await Promise.all([hashPassword('river stone lamp'), hashPassword('river stone lamp')])
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(one).not.toBe(two)
  expect(await isPassword('river stone lamp', one)).toBe(true)
  expect(await isPassword('River stone lamp', one)).toBe(false)
  expect(await isPassword('river stone lamp', null)).toBe(false)
  expect(await isPassword('river stone lamp', 'not a hash')).toBe(false)
})

it('S11: what is sealed opens in its own place, under its own key, and unchanged; anything else fails closed', () => {
  const vault = openVault(Buffer.alloc(32, 1))
  const place = { workspaceId: 1, table: 'people', row: 'a', column: 'totp_secret' }
  const sealed = vault.seal(Buffer.from('secret'), place)
  expect(vault.open(sealed, place).toString()).toBe('secret')
  expect(vault.seal(Buffer.from('secret'), place)).not.toBe(sealed)
  for (const other of [{ row: 'b' }, { column: 'password' }, { table: 'tokens' }, { workspaceId: 2 }])
    expect(() => vault.open(sealed, { ...place, ...other })).toThrow(/does not open/)
  expect(() => openVault(Buffer.alloc(32, 2)).open(sealed, place)).toThrow(new RegExp(`sealed under .*${vault.keyId}`))
  const flipped = sealed
    .replace(/.$/, (sign) => (sign === 'A' ? 'B' : 'A'))
    .replace(/^(v1\.\w+\.)(.)/, (_, head, sign) => head + (sign === 'A' ? 'B' : 'A'))
  expect(() => vault.open(flipped, place)).toThrow(/does not open/)
  expect(() => vault.open('', place)).toThrow(/does not open/)
})
