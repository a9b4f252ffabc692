import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { IdentityKey, ObjectRef } from '../../../jobs/domain/facts.ts'
import { decodeKeys, decodeObjects, encodeKeys, encodeObjects } from '../../../jobs/reconcilers/fact-codec.ts'

const token = fc.stringMatching(/^[0-9a-f]{32}$/)
const key = fc.record<IdentityKey>(
  {
    kind: fc.constantFrom('reference', 'external', 'name_birth_date', 'email', 'phone'),
    token,
    system: fc.string({ minLength: 1, unit: 'binary' }),
    firstName: token,
    fullName: token,
    birthDate: token,
  },
  { requiredKeys: ['kind', 'token'] },
)
const object = fc.record<ObjectRef>({ type: fc.string(), id: fc.string(), root: fc.string() }, { requiredKeys: ['type', 'id'] })

describe('what is stored of a record', () => {
  it('is read back as it was written: keys', () => {
    fc.assert(fc.property(fc.array(key), (keys) => void expect(decodeKeys(encodeKeys(keys))).toEqual(keys)))
  })

  it('is read back as it was written: objects', () => {
    fc.assert(fc.property(fc.array(object), (objects) => void expect(decodeObjects(encodeObjects(objects))).toEqual(objects)))
  })

  it('cuts what a key does not have', () => {
    const one: IdentityKey = { kind: 'phone', token: 'a'.repeat(32) }
    expect(encodeKeys([one])).toBe(`4:${one.token}`)
    expect(encodeKeys([{ ...one, birthDate: 'b' }, one])).toBe(`4:${one.token}::::b 4:${one.token}`)
    expect(encodeKeys([{ ...one, system: 'a: 100%' }])).toBe(`4:${one.token}:a%3A%20100%25`)
    expect(encodeKeys([])).toBeNull()
  })
})
