import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Evidence } from '../../../jobs/domain/expectations/expectation.ts'
import { siteOfActivation, type Sites } from '../../../jobs/domain/site.ts'

const sites: Sites = {
  keyOf: new Map([
    ['north', 'north'],
    ['loc-2', 'south'],
    ['south', 'south'],
  ]),
  byConnection: new Map([['desk', 'north']]),
  fieldOf: new Map([
    ['booking.bookings', 'clinic'],
    ['desk.calls', 'place'],
  ]),
}
const records: Readonly<Record<string, { readonly stream: string; readonly ops: Readonly<Record<string, string | null>> }>> = {
  silent: { stream: 'booking.bookings', ops: {} },
  empty: { stream: 'booking.bookings', ops: { clinic: null } },
  north: { stream: 'booking.bookings', ops: { clinic: 'North' } },
  south: { stream: 'booking.bookings', ops: { clinic: ' LOC-2 ' } },
  elsewhere: { stream: 'booking.bookings', ops: { clinic: 'loc-9' } },
  payment: { stream: 'billing.charges', ops: { clinic: 'south' } },
  call: { stream: 'desk.calls', ops: {} },
  southernCall: { stream: 'desk.calls', ops: { place: 'south' } },
}
const recordOf = (id: string) => records[id]
const evidence = (...items: readonly string[]): Evidence[] =>
  items.map((item) => {
    const [role, recordId = ''] = item.split(' ')
    return {
      role: role as Evidence['role'],
      stream: records[recordId]?.stream ?? 'x.y',
      externalId: recordId,
      recordId,
      eventType: null,
      status: null,
      occurredAt: null,
      updatedAt: null,
      observedAt: null,
      actor: null,
    }
  })
const siteOf = (shown: readonly string[], journey: readonly string[] = []) =>
  siteOfActivation(
    evidence(...shown),
    recordOf,
    journey.flatMap((id) => recordOf(id) ?? []),
    sites,
  )

describe('the site of a finding', () => {
  it.each([
    ['what its anchor states', ['anchor north', 'expected south'], ['south'], 'north', 'as its record in booking.bookings states'],
    ['by any name the tools use, however written', ['anchor south'], [], 'south', 'as its record in booking.bookings states'],
    ['else the site of its connection', ['anchor call'], ['south'], 'north', 'the site of the connection desk'],
    ['its record before its connection', ['anchor southernCall'], [], 'south', 'as its record in desk.calls states'],
    [
      'else the only one of its journey',
      ['anchor payment'],
      ['payment', 'silent', 'south'],
      'south',
      'the only site stated in its journey',
    ],
    ['also where the field is empty', ['anchor empty'], ['empty', 'north'], 'north', 'the only site stated in its journey'],
    ['what all its culprits agree on', ['culprit north', 'culprit silent'], [], 'north', 'as its record in booking.bookings states'],
  ])('is %s', (_, shown, journey, key, why) => {
    expect(siteOf(shown, journey)).toEqual({ key, why })
  })

  it.each([
    ['nothing states one', ['anchor payment'], ['payment', 'silent']],
    ['the journey states two', ['anchor payment'], ['north', 'south']],
    ['its culprits disagree', ['culprit north', 'culprit south'], ['north']],
    ['its own record names one that nobody declared', ['anchor elsewhere'], ['north']],
    ['the journey names one that nobody declared', ['anchor payment'], ['north', 'elsewhere']],
    ['a field of that name stands in a stream that does not state sites', ['anchor payment'], ['payment']],
  ])('is none where %s', (_, shown, journey) => {
    expect(siteOf(shown, journey)).toBeNull()
  })

  it('is the same in any order of the records', () => {
    const some = fc.array(fc.constantFrom(...Object.keys(records)), { maxLength: 6 })
    fc.assert(
      fc.property(some, some, fc.array(fc.nat(), { minLength: 12, maxLength: 12 }), (culprits, journey, seeds) => {
        const shuffled = (items: readonly string[], from: number) =>
          items.map((item, index) => ({ item, key: seeds[(from + index) % seeds.length] ?? 0 })).sort((a, b) => a.key - b.key)
        const shown = culprits.map((id) => `culprit ${id}`)
        expect(
          siteOf(
            shuffled(shown, 0).map(({ item }) => item),
            shuffled(journey, 6).map(({ item }) => item),
          ),
        ).toEqual(siteOf(shown, journey))
      }),
    )
  })
})
