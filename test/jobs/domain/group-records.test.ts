import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { IdentityKey, ObjectRef } from '../../../jobs/domain/facts.ts'
import {
  type Groupable,
  type GroupPlan,
  groupRecords,
  hotKeyLimit,
  type KnownIdentifier,
  linkingTokens,
  objectToken,
} from '../../../jobs/domain/group-records.ts'

type Fact = Omit<Groupable, 'componentId' | 'tokens'> & { readonly objects: readonly ObjectRef[] }

const runs = process.env.THROUGHLINE_FULL === '1' ? 5_000 : 300

/** What the database keeps between pages, in memory. */
class Store {
  readonly known = new Map<string, KnownIdentifier>()
  readonly componentOf = new Map<string, string>()
  readonly live = new Set<string>()
  lastPlan: GroupPlan | undefined

  take(page: readonly Fact[]): GroupPlan {
    const plan = groupRecords(
      page.map((fact) => ({ ...fact, tokens: linkingTokens(fact), componentId: this.componentOf.get(fact.id) ?? null })),
      this.known,
    )
    for (const component of plan.createdComponents) {
      expect(this.live).not.toContain(component)
      this.live.add(component)
    }
    for (const { survivor, absorbed } of plan.merges) {
      for (const gone of absorbed) {
        expect(this.live.delete(gone)).toBe(true)
        for (const [record, component] of this.componentOf) if (component === gone) this.componentOf.set(record, survivor)
        for (const [token, one] of this.known) if (one.componentId === gone) this.known.set(token, { ...one, componentId: survivor })
      }
      expect(this.live).toContain(survivor)
    }
    for (const { token, ...one } of plan.newIdentifiers) {
      expect(this.known).not.toContain(token)
      this.known.set(token, one)
    }
    for (const { token, firstNames, hot } of plan.changedIdentifiers) {
      const stored = this.known.get(token)
      expect(stored).toBeDefined()
      if (stored !== undefined) this.known.set(token, { ...stored, firstNames, hot })
    }
    for (const [record, component] of plan.componentOf) this.componentOf.set(record, component)
    this.lastPlan = plan
    return plan
  }

  get hot(): string[] {
    return [...this.known]
      .filter(([, one]) => one.hot)
      .map(([token]) => token)
      .sort()
  }
}

const email = (token: string, firstName?: string): IdentityKey => ({
  kind: 'email',
  token,
  ...(firstName === undefined ? {} : { firstName }),
})
const fact = (id: string, keys: readonly IdentityKey[], objects: readonly ObjectRef[] = []): Fact => ({ id, keys, objects })
const groupsOf = (store: Store): string[][] => {
  const groups = new Map<string, string[]>()
  for (const [record, component] of store.componentOf) groups.set(component, [...(groups.get(component) ?? []), record])
  return [...groups.values()].map((group) => group.sort()).sort((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1))
}

describe('groupRecords', () => {
  it.each<[string, Fact[][], string[][]]>([
    ['keeps strangers apart', [[fact('a', [email('1')]), fact('b', [email('2')])]], [['a'], ['b']]],
    ['joins two records of one page by a key', [[fact('a', [email('1')]), fact('b', [email('1')])]], [['a', 'b']]],
    ['joins a record to one of an earlier page', [[fact('a', [email('1')])], [fact('b', [email('1')])]], [['a', 'b']]],
    [
      'lets a third record join two groups',
      [[fact('a', [email('1')]), fact('b', [email('2')])], [fact('c', [email('1'), email('2')])]],
      [['a', 'b', 'c']],
    ],
    [
      'follows a chain that closes in one page',
      [[fact('a', [email('1'), email('2')]), fact('b', [email('2'), email('3')]), fact('c', [email('3')])]],
      [['a', 'b', 'c']],
    ],
    [
      'lets a changed record bring its group along',
      [[fact('a', [email('1')]), fact('b', [email('2')])], [fact('a', [email('2')])]],
      [['a', 'b']],
    ],
    [
      'keeps a record where it was when it loses a key',
      [[fact('a', [email('1')]), fact('b', [email('1')])], [fact('b', [email('2')])]],
      [['a', 'b']],
    ],
    [
      'joins by an object',
      [[fact('a', [], [{ type: 'appointment', id: 'x' }])], [fact('b', [email('1')], [{ type: 'appointment', id: 'x' }])]],
      [['a', 'b']],
    ],
    [
      'joins by the root of an object',
      [[fact('a', [], [{ type: 'appointment', id: 'x' }])], [fact('b', [], [{ type: 'appointment', id: 'y', root: 'x' }])]],
      [['a', 'b']],
    ],
    [
      'keeps objects of another type apart',
      [[fact('a', [], [{ type: 'appointment', id: 'x' }]), fact('b', [], [{ type: 'order', id: 'x' }])]],
      [['a'], ['b']],
    ],
    ['keeps a record without any key alone', [[fact('a', []), fact('b', [])]], [['a'], ['b']]],
  ])('%s', (_, pages, expected) => {
    const store = new Store()
    for (const page of pages) store.take(page)
    expect(groupsOf(store)).toEqual(expected)
  })

  it('stops linking by a key once more first names than the limit carry it', () => {
    const store = new Store()
    const names = ['ann', 'bob', 'cid', 'dee', 'eve', 'fay']
    for (const name of names.slice(0, hotKeyLimit)) store.take([fact(name, [email('desk', name)])])
    expect(store.hot).toEqual([])
    expect(groupsOf(store)).toHaveLength(1)
    const plan = store.take([fact('eve', [email('desk', 'eve')])])
    expect(store.hot).toEqual(['desk'])
    // Those it linked until now are judged again without it.
    expect(plan.dirty).toContain(store.componentOf.get('ann'))
    store.take([fact('fay', [email('desk', 'fay')])])
    expect(store.componentOf.get('fay')).not.toBe(store.componentOf.get('ann'))
  })

  it('keeps the larger history: an existing component survives a new one, and the smaller id of two', () => {
    const store = new Store()
    store.take([fact('z', [email('1')])])
    store.take([fact('a', [email('1')])])
    expect(store.componentOf.get('a')).toBe('z')
    store.take([fact('m', [email('2')])])
    const plan = store.take([fact('q', [email('1'), email('2')])])
    expect(plan.merges).toEqual([{ survivor: 'm', absorbed: ['z'] }])
    expect(plan.dirty).toEqual(['m'])
    expect(plan.createdComponents).toEqual([])
  })

  it('does nothing to what is known when a page is read again', () => {
    const page = [fact('a', [email('1', 'ann'), email('2')]), fact('b', [email('2', 'bob')])]
    const store = new Store()
    store.take(page)
    const again = store.take(page)
    expect(again).toMatchObject({ createdComponents: [], merges: [], newIdentifiers: [], changedIdentifiers: [] })
  })
})

const names = ['ann', 'bob', 'cid', 'dee', 'eve', 'fay', 'gus']
const arbitraryKey = fc
  .record({ token: fc.integer({ min: 0, max: 14 }), name: fc.option(fc.constantFrom(...names), { nil: undefined }) })
  .map(({ token, name }) => email(`token-${token}`, name))
const arbitraryObject = fc
  .record({ id: fc.integer({ min: 0, max: 6 }), root: fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined }) })
  .map(({ id, root }): ObjectRef => ({ type: 'appointment', id: `o${id}`, ...(root === undefined ? {} : { root: `o${root}` }) }))
/** Versions of up to 20 records: the same id may come several times with other keys. */
const arbitraryVersions = fc.array(
  fc
    .record({
      id: fc.integer({ min: 0, max: 19 }),
      keys: fc.array(arbitraryKey, { maxLength: 3 }),
      objects: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(arbitraryObject, { maxLength: 2 }) }),
    })
    .map(({ id, keys, objects }) => fact(`r${String(id).padStart(2, '0')}`, keys, objects)),
  { minLength: 1, maxLength: 40 },
)
/** Cuts into pages; of one id only the last version of a page, as `observe` gives them. */
function toPages(versions: readonly Fact[], cuts: readonly number[]): Fact[][] {
  const pages: Fact[][] = []
  let rest = versions
  for (let n = 0; rest.length > 0; n++) {
    const size = cuts[n % cuts.length] ?? 1
    pages.push([...new Map(rest.slice(0, size).map((one) => [one.id, one])).values()])
    rest = rest.slice(size)
  }
  return pages
}
const arbitraryCuts = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 })

describe('groupRecords, whatever the order and the batching', () => {
  it('P17: is never too narrow: records that share a key that is not hot are in one component', () => {
    fc.assert(
      fc.property(arbitraryVersions, arbitraryCuts, (versions, cuts) => {
        const store = new Store()
        const read: Fact[] = []
        for (const page of toPages(versions, cuts)) {
          store.take(page)
          read.push(...page)
          const hot = new Set(store.hot)
          const holder = new Map<string, string>()
          for (const one of read) {
            for (const token of linkingTokens(one)) {
              if (hot.has(token)) continue
              const component = store.componentOf.get(one.id) ?? ''
              const other = holder.get(token)
              if (other === undefined) holder.set(token, component)
              else expect(other).toBe(component)
            }
          }
        }
      }),
      { numRuns: runs },
    )
  })

  it('P17: finds the same hot keys in every order, and they are those of more first names than the limit', () => {
    fc.assert(
      fc.property(
        arbitraryVersions.chain((versions) =>
          fc.tuple(fc.constant(versions), fc.shuffledSubarray(versions, { minLength: versions.length }), arbitraryCuts, arbitraryCuts),
        ),
        ([versions, shuffled, cuts, otherCuts]) => {
          // Each id once per page, so that no version is dropped by the cutting.
          const distinct = (all: readonly Fact[]) => all.map((one, n) => ({ ...one, id: `${one.id}.${versions.indexOf(one)}.${n}` }))
          const one = new Store()
          const other = new Store()
          for (const page of toPages(distinct(versions), cuts)) one.take(page)
          for (const page of toPages(distinct(shuffled), otherCuts)) other.take(page)
          const carried = new Map<string, Set<string>>()
          for (const { keys } of versions)
            for (const { token, firstName } of keys)
              if (firstName !== undefined) carried.set(token, (carried.get(token) ?? new Set()).add(firstName))
          const expected = [...carried]
            .filter(([, set]) => set.size > hotKeyLimit)
            .map(([token]) => token)
            .sort()
          expect(one.hot).toEqual(expected)
          expect(other.hot).toEqual(expected)
        },
      ),
      { numRuns: runs },
    )
  })

  it('P17: without hot keys the components themselves are the same in every order', () => {
    const nameless = arbitraryVersions.map((versions) =>
      versions.map((one): Fact => ({ ...one, keys: one.keys.map(({ token }) => email(token)) })),
    )
    fc.assert(
      fc.property(
        nameless.chain((versions) =>
          fc.tuple(fc.constant(versions), fc.shuffledSubarray(versions, { minLength: versions.length }), arbitraryCuts),
        ),
        ([versions, shuffled, cuts]) => {
          const one = new Store()
          const other = new Store()
          for (const version of versions) one.take([version])
          const unread = new Set(shuffled)
          for (const page of toPages(shuffled, cuts)) {
            other.take(page)
            for (const version of page) unread.delete(version)
          }
          for (const version of unread) other.take([version])
          expect(groupsOf(other)).toEqual(groupsOf(one))
        },
      ),
      { numRuns: runs },
    )
  })

  it('P17: marks every component whose facts, members or links changed', () => {
    fc.assert(
      fc.property(arbitraryVersions, arbitraryCuts, (versions, cuts) => {
        const store = new Store()
        for (const page of toPages(versions, cuts)) {
          const before = new Map(groupsOf(store).map((group) => [group.join(), true]))
          const hotBefore = new Set(store.hot)
          const plan = store.take(page)
          const dirty = new Set(plan.dirty)
          for (const component of dirty) expect(store.live).toContain(component)
          for (const one of page) expect(dirty).toContain(store.componentOf.get(one.id))
          const newlyHot = new Set(store.hot.filter((token) => !hotBefore.has(token)))
          for (const [record, component] of store.componentOf) {
            const members = [...store.componentOf]
              .filter(([, other]) => other === component)
              .map(([id]) => id)
              .sort()
            if (!before.has(members.join())) expect(dirty).toContain(component)
            const last = versions.findLast((one) => one.id === record)
            if (last?.keys.some(({ token }) => newlyHot.has(token)) && store.lastPlan?.componentOf.has(record))
              expect(dirty).toContain(component)
          }
        }
      }),
      { numRuns: runs },
    )
  })

  it('names an object the same whoever speaks of it', () => {
    expect(objectToken('appointment', 'x')).toBe(objectToken('appointment', 'x'))
    expect(objectToken('appointment', 'x')).not.toBe(objectToken('order', 'x'))
  })
})
