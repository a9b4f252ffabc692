import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { IdentityKey, IdentityRole, ObjectRef } from '../../../../jobs/domain/facts.ts'
import type { Decision, IdentityFact } from '../../../../jobs/domain/identity.ts'
import { resolveIdentity } from '../../../../jobs/domain/identity.ts'

interface Shown {
  readonly email?: string
  readonly phone?: string
  readonly ehr?: string
  readonly ref?: string
  readonly name?: string
  readonly born?: string
  readonly role?: IdentityRole
  readonly objects?: readonly ObjectRef[]
}

/** Tokens spelled out: what the tokeniser does with keys, without the hashing. */
function record(id: string, shown: Shown): IdentityFact {
  const { email, phone, ehr, ref, name, born, role = 'self', objects = [] } = shown
  const first = name?.split(' ')[0]
  const full = name?.includes(' ') ? name : undefined
  const birthDate = (token: string) =>
    born === undefined
      ? {}
      : {
          birthDate: [born.slice(0, 7), born.slice(0, 4) + born.slice(8), born.slice(5)]
            .map((part) => (token + part).slice(-16).padStart(16))
            .join(''),
        }
  const firstName = (token: string) => (first === undefined ? {} : { firstName: `${token}|${first}` })
  const fullName = (token: string) => (full === undefined ? {} : { fullName: `${token}|${full}` })
  const keys: IdentityKey[] = []
  if (ref) keys.push({ kind: 'reference', system: 'tl_ref', token: `ref:${ref}`, ...birthDate(ref) })
  if (ehr) keys.push({ kind: 'external', system: 'ehr.patient', token: `ehr:${ehr}`, ...birthDate(ehr) })
  if (full && born) keys.push({ kind: 'name_birth_date', token: `nbd:${full}:${born}` })
  if (email) keys.push({ kind: 'email', token: `email:${email}`, ...firstName(email), ...birthDate(email) })
  if (phone) keys.push({ kind: 'phone', token: `phone:${phone}`, ...firstName(phone), ...fullName(phone), ...birthDate(phone) })
  return { id, role, objects, keys }
}

const records = (all: Record<string, Shown>) => Object.entries(all).map(([id, shown]) => record(id, shown))

function resolve(
  all: Record<string, Shown>,
  decisions: readonly Decision[] = [],
  hot: readonly string[] = [],
  without?: ReadonlySet<string>,
) {
  const resolution = resolveIdentity(records(all), new Set(hot), decisions, without)
  return {
    clusters: resolution.clusters.map(({ recordIds }) => recordIds.join(' ')),
    asked: resolution.ambiguities.map(({ recordId, kind, by, candidates }) => `${recordId} ${kind} ${by}: ${candidates.join(' ')}`),
    rules: Object.fromEntries(
      resolution.clusters.flatMap(({ links }) =>
        links.map((link) => [link.recordId, `${link.rule}${link.via ? ` ${link.via}` : ''}${link.inferred ? ' inferred' : ''}`]),
      ),
    ),
  }
}

const rob = { name: 'robert smith', born: '1971-06-24' }
const liz = { name: 'elizabeth smith', born: '1973-02-11' }

describe('what links', () => {
  test.each<[string, Record<string, Shown>, string[]]>([
    ['the same external id', { a: { ehr: '1' }, b: { ehr: '1', email: 'x' } }, ['a b']],
    ['the same minted reference', { a: { ref: 'r', email: 'x' }, b: { ref: 'r', email: 'y', name: 'robert' } }, ['a b']],
    ['the same name and birth date', { a: { ...rob, email: 'x' }, b: { ...rob, phone: '1' } }, ['a b']],
    [
      'the same e-mail and first name, whatever the family name',
      { a: { email: 'x', name: 'robert smith' }, b: { email: 'x', name: 'robert jones' } },
      ['a b'],
    ],
    ['the same phone and full name', { a: { phone: '1', name: 'robert smith' }, b: { phone: '1', name: 'robert smith' } }, ['a b']],
    [
      'a chain of keys',
      {
        a: { email: 'x', name: 'robert smith' },
        b: { email: 'x', phone: '1', name: 'robert smith' },
        c: { phone: '1', name: 'robert smith' },
      },
      ['a b c'],
    ],
    ['an e-mail alone where nobody shows a name', { a: { email: 'x' }, b: { email: 'x' } }, ['a b']],
    [
      'birth dates that differ by a slip',
      { a: { email: 'x', ...rob }, b: { email: 'x', name: 'robert smith', born: '1971-05-24' } },
      ['a b'],
    ],
  ])('%s', (_, all, clusters) => {
    expect(resolve(all)).toMatchObject({ clusters, asked: [] })
  })
})

describe('what does not', () => {
  test.each<[string, Record<string, Shown>, string[]]>([
    ['nothing in common', { a: { email: 'x' }, b: { email: 'y' } }, ['a', 'b']],
    ['a family e-mail', { a: { email: 'x', ...rob }, b: { email: 'x', ...liz } }, ['a', 'b']],
    [
      'a family phone, even with one first name',
      { a: { phone: '1', name: 'robert smith' }, b: { phone: '1', name: 'robert jones' } },
      ['a', 'b'],
    ],
    [
      'twins: one birth date, one family name, one e-mail, one phone',
      {
        a: { email: 'x', phone: '1', name: 'anna smith', born: '2001-05-03' },
        b: { email: 'x', phone: '1', name: 'emma smith', born: '2001-05-03' },
      },
      ['a', 'b'],
    ],
    [
      'an object alone, between two people',
      {
        a: { email: 'x', ...rob, objects: [{ type: 'appointment', id: '1' }] },
        b: { email: 'y', ...liz, objects: [{ type: 'appointment', id: '1' }] },
      },
      ['a', 'b'],
    ],
  ])('%s', (_, all, clusters) => {
    expect(resolve(all)).toMatchObject({ clusters, asked: [] })
  })

  test('a hot key: five first names on one phone link nobody, four do', () => {
    const desk = (count: number) =>
      Object.fromEntries(
        ['ann', 'bea', 'cid', 'dan', 'eve'].slice(0, count).flatMap((name, n) => [
          [`${n}a`, { phone: '1', name: `${name} x` }],
          [`${n}b`, { phone: '1', name: `${name} x` }],
        ]),
      )
    expect(resolve(desk(4)).clusters).toEqual(['0a 0b', '1a 1b', '2a 2b', '3a 3b'])
    expect(resolve(desk(5)).clusters).toHaveLength(10)
    expect(resolve(desk(2), [], ['phone:1']).clusters).toHaveLength(4)
  })
})

describe('vetoes', () => {
  test('two ids of one system keep father and son apart: nothing is left to ask', () => {
    expect(resolve({ a: { email: 'x', ehr: '1', name: 'robert smith' }, b: { email: 'x', ehr: '2', name: 'robert smith' } })).toMatchObject(
      { clusters: ['a', 'b'], asked: [] },
    )
  })
  test('two birth dates likewise', () => {
    expect(resolve({ a: { phone: '1', ...rob }, b: { phone: '1', name: 'robert smith', born: '1943-11-02' } })).toMatchObject({
      clusters: ['a', 'b'],
      asked: [],
    })
  })
  test('one name and birth date, or one reference, on two ids of one system is asked about', () => {
    expect(resolve({ a: { ehr: '1', ...rob }, b: { ehr: '2', ...rob } })).toMatchObject({
      clusters: ['a', 'b'],
      asked: ['a key_shared name_birth_date: a b'],
    })
    expect(resolve({ a: { ehr: '1', ref: 'r' }, b: { ehr: '2', ref: 'r' } })).toMatchObject({
      clusters: ['a', 'b'],
      asked: ['a key_shared reference: a b'],
    })
  })
  test('two who are named elsewhere but not with the key they share are not joined by it, and it is asked about', () => {
    expect(resolve({ a: { ref: 'r', phone: '1', ...liz }, b: { ref: 'r', email: 'x' }, c: { email: 'x', ...rob } })).toMatchObject({
      clusters: ['a b', 'c'],
      asked: ['a key_shared email: a c'],
    })
  })
  test('birth dates compare over every key two clusters share, not only the one that would link them', () => {
    expect(
      resolve({
        a: { email: 'x', phone: '1', ...rob },
        b: { email: 'x', phone: '1', name: 'robert smith', born: '1943-11-02' },
        c: { email: 'x', name: 'robert smith', ehr: '7' },
      }),
    ).toMatchObject({ clusters: ['a', 'b', 'c'], asked: ['c fits_several email: a b'] })
  })
  test('what a cluster has learned from one key vetoes it at the next', () => {
    expect(
      resolve({
        a: { ehr: '1', email: 'x', name: 'robert smith' },
        b: { email: 'x', phone: '1', name: 'robert smith' },
        c: { ehr: '2', phone: '1', name: 'robert smith' },
      }).clusters,
    ).toEqual(['a b', 'c'])
  })
  test('switched off, everything that shares a key is one', () => {
    expect(
      resolve(
        { a: { email: 'x', ...rob }, b: { email: 'x', ...liz, phone: '1' }, c: { phone: '1', role: 'payer' } },
        [],
        [],
        new Set(['identity-vetoes']),
      ).clusters,
    ).toEqual(['a b c'])
  })
})

describe('decisions', () => {
  const apart: Decision = { decision: 'cannot_link', recordA: 'b', recordB: 'a' }
  const same: Decision = { decision: 'must_link', recordA: 'a', recordB: 'b' }
  const one = { a: { email: 'x', ...rob }, b: { email: 'x', ...rob } }
  const two = { a: { email: 'x', ehr: '1', ...rob }, b: { email: 'x', ehr: '2', ...rob } }

  test('cannot-link separates what agrees, and is not asked about again', () => {
    expect(resolve(one, [apart])).toMatchObject({ clusters: ['a', 'b'], asked: [] })
    expect(resolve(two, [apart])).toMatchObject({ clusters: ['a', 'b'], asked: [] })
  })
  test('must-link joins what references keep apart, and says so', () => {
    expect(resolve(two, [same])).toMatchObject({ clusters: ['a b'], asked: [], rules: { b: 'must_link a' } })
  })
  test('cannot-link holds against must-link, also through a third', () => {
    const all = { a: {}, b: {}, c: {} }
    expect(resolve(all, [same, apart]).clusters).toEqual(['a', 'b', 'c'])
    expect(resolve(all, [{ ...same, recordB: 'c' }, { ...same, recordA: 'c' }, apart]).clusters).toEqual(['a c', 'b'])
  })
  test('a merge taken back gives the same as before', () => {
    expect(resolve(two, [])).toEqual(resolve(two, [same].slice(1)))
  })
})

describe('records that show no name', () => {
  const form = { email: 'x' }
  test('go to the only person with that e-mail, marked inferred', () => {
    expect(resolve({ a: { email: 'x', ...rob }, b: form })).toMatchObject({ clusters: ['a b'], rules: { b: 'email a inferred' } })
  })
  test('stay apart between two, as a question', () => {
    expect(resolve({ a: { email: 'x', ...rob }, b: { email: 'x', ...liz }, c: form })).toMatchObject({
      clusters: ['a', 'b', 'c'],
      asked: ['c fits_several email: a b'],
    })
  })
  test('never link two people by having the key of each', () => {
    expect(resolve({ a: { email: 'x', ...rob }, b: { phone: '1', ...liz }, c: { email: 'x', phone: '1' } })).toMatchObject({
      clusters: ['a', 'b', 'c'],
      asked: ['c fits_several email: a b'],
    })
  })
  test('are told apart by the key that only one has', () => {
    expect(resolve({ a: { email: 'x', phone: '1', ...rob }, b: { phone: '1', ...liz }, c: { email: 'x', phone: '1' } }).clusters).toEqual([
      'a c',
      'b',
    ])
  })
  test('with two ids of one system do not both go to the same person', () => {
    expect(resolve({ a: { email: 'x', ...rob }, b: { email: 'x', ehr: '1' }, c: { email: 'x', ehr: '2' } }).clusters).toEqual([
      'a',
      'b',
      'c',
    ])
  })
})

describe('payers, contacts and records without keys', () => {
  const order = [{ type: 'order', id: '1' }]
  test('a payer goes to the sole candidate, whatever its name', () => {
    expect(resolve({ a: { email: 'x', ...rob }, b: { email: 'x', ...liz, role: 'payer' } })).toMatchObject({
      clusters: ['a b'],
      rules: { b: 'email a inferred' },
    })
  })
  test('a payer of a family e-mail is asked about', () => {
    expect(resolve({ a: { email: 'x', ...rob }, b: { email: 'x', ...liz }, c: { email: 'x', ...liz, role: 'payer' } })).toMatchObject({
      clusters: ['a', 'b', 'c'],
      asked: ['c fits_several email: a b'],
    })
  })
  test('a payer goes by its reference first', () => {
    expect(
      resolve({ a: { email: 'x', ...rob }, b: { email: 'x', ref: 'r', ...liz }, c: { email: 'x', ref: 'r', role: 'payer' } }),
    ).toMatchObject({
      clusters: ['a', 'b c'],
      rules: { c: 'reference b' },
      asked: [],
    })
  })
  test('and by its object before its e-mail', () => {
    expect(
      resolve({ a: { email: 'x', ...rob }, b: { email: 'y', ...liz, objects: order }, c: { email: 'x', role: 'payer', objects: order } }),
    ).toMatchObject({
      clusters: ['a', 'b c'],
      rules: { c: 'object b' },
    })
  })
  test('a payer never links two people', () => {
    expect(
      resolve({ a: { email: 'x', ...rob }, b: { phone: '1', ...liz }, c: { email: 'x', phone: '1', role: 'payer' } }).clusters,
    ).toEqual(['a', 'b', 'c'])
  })
  test('a message to a family phone is asked about, unless it names an object of one of them', () => {
    const family = { a: { phone: '1', ...rob }, b: { phone: '1', ...liz, objects: order } }
    expect(resolve({ ...family, c: { phone: '1', role: 'contact' } })).toMatchObject({
      clusters: ['a', 'b', 'c'],
      asked: ['c fits_several phone: a b'],
    })
    expect(resolve({ ...family, c: { phone: '1', role: 'contact', objects: order } })).toMatchObject({ clusters: ['a', 'b c'], asked: [] })
  })
  test('messages to a number nobody has stand together', () => {
    expect(
      resolve({ a: { phone: '1', role: 'contact' }, b: { phone: '1', role: 'contact' }, c: { phone: '2', role: 'contact' } }).clusters,
    ).toEqual(['a b', 'c'])
  })
  test('a record without keys goes with the only owner of its object, through the object of another if need be', () => {
    expect(
      resolve({
        a: { email: 'x', ...rob, objects: order },
        b: { objects: [...order, { type: 'refund', id: '9' }] },
        c: { objects: [{ type: 'refund', id: '9' }] },
        d: {},
      }),
    ).toMatchObject({ clusters: ['a b c', 'd'], rules: { b: 'object a', c: 'object b' } })
  })
  test('a moved appointment is found under its old and its new id', () => {
    expect(
      resolve({
        a: { email: 'x', ...rob, objects: [{ type: 'appointment', id: '2', root: '1' }] },
        b: { objects: [{ type: 'appointment', id: '1' }] },
      }).clusters,
    ).toEqual(['a b'])
  })
  test('an object of two people is asked about; one of many is a place and says nothing', () => {
    const owners = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`a${n}`, { email: `${n}`, name: 'ann x', objects: order }]))
    expect(resolve({ ...owners(2), z: { objects: order } }).asked).toEqual(['z fits_several object: a0 a1'])
    expect(resolve({ ...owners(6), z: { objects: order } }).asked).toEqual([])
  })
  test('a refund follows the payment that is itself in doubt', () => {
    expect(
      resolve({
        a: { email: 'x', ...rob },
        b: { email: 'x', ...liz },
        c: { email: 'x', role: 'payer', objects: order },
        d: { objects: order },
      }).clusters,
    ).toEqual(['a', 'b', 'c d'])
  })
})

test('every link leads to the first record of its cluster', () => {
  const { rules } = resolve({
    a: { email: 'x', name: 'robert smith' },
    b: { email: 'x', phone: '1', name: 'robert smith' },
    c: { phone: '1', name: 'robert smith' },
    d: { phone: '1', role: 'contact' },
  })
  expect(rules).toEqual({ a: 'first', b: 'email a', c: 'phone b', d: 'phone b inferred' })
})

const anyShown: fc.Arbitrary<Shown> = fc.record(
  {
    email: fc.constantFrom('x', 'y', 'z'),
    phone: fc.constantFrom('1', '2'),
    ehr: fc.constantFrom('1', '2', '3'),
    ref: fc.constantFrom('r', 's'),
    name: fc.constantFrom('robert smith', 'elizabeth smith', 'robert jones', 'anna'),
    born: fc.constantFrom('1971-06-24', '1971-06-25', '1990-02-11'),
    role: fc.constantFrom<IdentityRole[]>('self', 'self', 'payer', 'contact'),
    objects: fc.array(fc.record({ type: fc.constant('order'), id: fc.constantFrom('1', '2', '3') }), { maxLength: 2 }),
  },
  { requiredKeys: [] },
)
const anyRecords = fc.array(anyShown, { maxLength: 14 }).map((all) => all.map((shown, n) => record(String.fromCharCode(97 + n), shown)))
const anyDecisions = fc.array(
  fc.record({
    decision: fc.constantFrom('must_link' as const, 'cannot_link' as const),
    recordA: fc.constantFrom(...'abcdef'),
    recordB: fc.constantFrom(...'abcdef'),
  }),
  { maxLength: 3 },
)
const numRuns = Number(process.env.IDENTITY_RUNS ?? 400)

describe('P17: for any records and decisions', () => {
  test('any order of arrival gives the same partition, links and questions', () => {
    fc.assert(
      fc.property(anyRecords, anyDecisions, fc.infiniteStream(fc.nat()), (all, decisions, keys) => {
        const shuffled = all
          .map((each) => ({ each, key: keys.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ each }) => each)
        expect(resolveIdentity(shuffled, new Set(), decisions.toReversed())).toEqual(resolveIdentity(all, new Set(), decisions))
      }),
      { numRuns },
    )
  })

  test('other tokens for the same keys, as after a rotation, change nothing', () => {
    const rotate = (token: string) => [...token].map((letter) => String.fromCharCode(2_000 - letter.charCodeAt(0))).join('')
    fc.assert(
      fc.property(anyRecords, (all) => {
        const rotated = all.map((each) => ({ ...each, keys: each.keys.map((key) => ({ ...key, token: rotate(key.token) })) }))
        expect(resolveIdentity(rotated, new Set(), [])).toEqual(resolveIdentity(all, new Set(), []))
      }),
      { numRuns },
    )
  })

  test('it is a partition, its links are trees, and no cluster holds what a person kept apart or two ids of one system', () => {
    fc.assert(
      fc.property(anyRecords, anyDecisions, (all, decisions) => {
        const { clusters, ambiguities } = resolveIdentity(all, new Set(), decisions)
        expect(clusters.flatMap(({ recordIds }) => recordIds).sort()).toEqual(all.map(({ id }) => id).sort())
        const cannot = decisions.filter(({ decision, recordA, recordB }) => decision === 'cannot_link' && recordA !== recordB)
        const byId = new Map(all.map((each) => [each.id, each]))
        for (const { recordIds, links } of clusters) {
          for (const { recordA, recordB } of cannot) expect(recordIds.includes(recordA) && recordIds.includes(recordB)).toBe(false)
          expect(links.map(({ recordId }) => recordId)).toEqual(recordIds)
          expect(links.filter(({ via }) => via === null)).toHaveLength(1)
          for (const { via } of links) expect(via === null || recordIds.includes(via)).toBe(true)
          if (links.some(({ rule }) => rule === 'must_link')) continue
          const systems = new Map<string, string>()
          for (const id of recordIds) {
            const each = byId.get(id)
            if (each?.role !== 'self') continue
            for (const { system, token } of each.keys) {
              if (system === undefined) continue
              expect(systems.get(system) ?? token).toBe(token)
              systems.set(system, token)
            }
          }
        }
        for (const { recordId, candidates } of ambiguities) {
          expect(byId.has(recordId)).toBe(true)
          expect(candidates.some((candidate) => candidate !== recordId)).toBe(true)
        }
      }),
      { numRuns },
    )
  })

  test('a record with nothing in common with the others moves none of them', () => {
    fc.assert(
      fc.property(anyRecords, (all) => {
        const stranger = record('m0', { email: 'stranger', name: 'una stranger' })
        const before = resolveIdentity(all, new Set(), [])
        const after = resolveIdentity([stranger, ...all], new Set(), [])
        expect(after.clusters.filter(({ recordIds }) => recordIds[0] !== 'm0')).toEqual(before.clusters)
        expect(after.ambiguities).toEqual(before.ambiguities)
      }),
      { numRuns },
    )
  })
})
