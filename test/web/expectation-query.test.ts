import { describe, expect, it } from 'vitest'
import { hrefOf, keptShare, parseExpectationQuery, percent, select, weeksShown } from '../../web/src/lib/expectations/query.ts'
import type { ExpectationRow } from '../../web/src/lib/api-types.ts'

const row = (title: string, more: Partial<ExpectationRow> = {}): ExpectationRow => ({
  program: 'care',
  programTitle: 'Care',
  expectation: title.toLowerCase().replaceAll(' ', '-'),
  called: [title.toLowerCase().replaceAll(' ', '-')],
  isInForce: true,
  kind: 'follows',
  title,
  promise: `${title}, in time`,
  severity: 'high',
  owner: { key: 'messaging', title: 'Messaging' },
  budget: null,
  activations: 10,
  states: { satisfied: 10 },
  violations: 0,
  journeys: 0,
  findings: { open: 0, ended: 0, noise: 0 },
  coverage: [],
  readTo: '2026-03-02T09:00:00.000Z',
  ...more,
})
const rows = [
  row('Booking confirmed', { states: { satisfied: 6, violated: 2, pending: 2 }, findings: { open: 2, ended: 4, noise: 3 } }),
  row('Charged once', {
    owner: { key: 'billing', title: 'Billing' },
    findings: { open: 5, ended: 9, noise: 1 },
    called: ['charged-once', 'one-charge'],
  }),
  row('Agrees', { states: { unknown: 10 }, readTo: null }),
]
const titles = (search: string) => select(rows, parseExpectationQuery(new URLSearchParams(search))).map(({ title }) => title)

describe('the list of promises', () => {
  it.each([
    ['', ['Charged once', 'Booking confirmed', 'Agrees']],
    ['sort=name', ['Agrees', 'Booking confirmed', 'Charged once']],
    ['sort=kept', ['Booking confirmed', 'Charged once', 'Agrees']],
    ['sort=noise', ['Booking confirmed', 'Charged once', 'Agrees']],
    ['sort=read', ['Agrees', 'Booking confirmed', 'Charged once']],
    ['sort=nonsense', ['Charged once', 'Booking confirmed', 'Agrees']],
    ['owner=billing', ['Charged once']],
    ['state=violated', ['Booking confirmed']],
    ['q=one-charge', ['Charged once']],
    ['q=IN TIME&program=care', ['Charged once', 'Booking confirmed', 'Agrees']],
    ['program=other', []],
  ])('shows for ?%s', (search, expected) => expect(titles(search)).toEqual(expected))

  it('keeps its filters in the address and leaves out what is usual', () => {
    const query = parseExpectationQuery(new URLSearchParams('owner=billing&sort=noise'))
    expect(hrefOf(query)).toBe('/expectations?owner=billing&sort=noise')
    expect(hrefOf(query, { owner: '', sort: 'open' })).toBe('/expectations')
  })
})

describe('shares', () => {
  it('count what is decided only', () => {
    expect(keptShare(rows[0]!)).toBe(0.75)
    expect(keptShare(rows[2]!)).toBeNull()
  })
  it.each([
    [1, '100 %'],
    [0.9999, '> 99.9 %'],
    [0.974, '97.4 %'],
    [0.0001, '< 0.1 %'],
    [0, '0 %'],
  ])('%d is said as %s', (share, text) => expect(percent(share)).toBe(text))
})

it('weeks before the first activation are not shown, unless few would be left', () => {
  const week = (n: number, states: object) => ({ from: String(n), to: String(n + 1), states, activations: 0, violations: 0 })
  const weeks = (empty: number) => Array.from({ length: 26 }, (_, n) => week(n, n < empty ? {} : { satisfied: 1 }))
  expect([0, 10, 24, 26].map((empty) => weeksShown(weeks(empty)).length)).toEqual([26, 16, 8, 26])
})
