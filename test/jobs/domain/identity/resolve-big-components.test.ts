import { describe, expect, test } from 'vitest'
import type { IdentityKey } from '../../../../jobs/domain/facts.ts'
import type { IdentityFact } from '../../../../jobs/domain/identity.ts'
import { resolveIdentity } from '../../../../jobs/domain/identity.ts'

const count = 10_000
const many = (toFact: (n: number) => Partial<IdentityFact>): IdentityFact[] =>
  Array.from({ length: count }, (_, n) => ({ id: String(n).padStart(6, '0'), role: 'self', objects: [], keys: [], ...toFact(n) }))
const email = (address: number, name?: string): IdentityKey => ({
  kind: 'email',
  token: `email ${address}`,
  ...(name && { firstName: `${address} ${name}` }),
})
const phone = (name?: string): IdentityKey => ({ kind: 'phone', token: 'phone', ...(name && { firstName: name, fullName: name }) })
const ehr = (id: number): IdentityKey => ({ kind: 'external', system: 'ehr', token: `ehr ${id}` })
const link = (n: number) => ({ type: 'order', id: String(n) })

describe('ten thousand records in one component take well under the time of comparing all pairs', () => {
  test.each<[string, number, IdentityFact[]]>([
    ['of one person', 1, many(() => ({ keys: [email(1, 'ann'), ehr(1)] }))],
    ['of one person, most without a name', 1, many((n) => ({ keys: [email(1, n === 5000 ? 'ann' : undefined)] }))],
    ['of as many people behind one name and e-mail: the key tells nobody apart', count, many((n) => ({ keys: [email(1, 'ann'), ehr(n)] }))],
    ['linked in one chain of e-mails', 1, many((n) => ({ keys: [email(n, 'ann'), email(n + 1, 'ann')] }))],
    ['linked in one chain of e-mails without names', 1, many((n) => ({ keys: [email(n, n === 0 ? 'ann' : undefined), email(n + 1)] }))],
    [
      'linked in one chain of objects',
      1,
      many((n) => ({ role: 'contact', objects: [link(n), link(n + 1)], keys: n === 0 ? [phone()] : [] })),
    ],
    ['of messages to one phone', 1, many((n) => (n === 7 ? { keys: [phone('ann')] } : { role: 'contact', keys: [phone()] }))],
    ['of messages to a family phone', count, many((n) => (n < 2 ? { keys: [phone(`ann ${n}`)] } : { role: 'contact', keys: [phone()] }))],
    ['of a hundred families of four', 400, many((n) => ({ keys: [email(n % 100, `ann ${n % 4}`), ehr(n % 400)] }))],
  ])('%s', { timeout: 20_000 }, (_, clusters, records) => {
    expect(resolveIdentity(records, new Set(), []).clusters).toHaveLength(clusters)
  })
})
