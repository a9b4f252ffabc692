import { parsePhoneNumberFromString } from 'libphonenumber-js'
import { describe, expect, it } from 'vitest'
import { needlesOf } from '../../../jobs/simulator/people.ts'
import { historyDays, historyPeople } from '../../../jobs/simulator/plan.ts'
import { day, hour, minute } from '../../../jobs/simulator/times.ts'
import { plantedKinds } from '../../../jobs/simulator/truth.ts'
import { World } from '../../../jobs/simulator/world.ts'
import { collections } from '../../../jobs/simulator/writes.ts'

const startAt = Date.parse('2026-03-01T00:00:00Z')
const historyEnd = startAt + historyDays * day
const at = (seed: number, now: number) => {
  const world = new World({ seed, startAt })
  world.advance(now)
  return world
}
const shown = (world: World) =>
  JSON.stringify(collections.map((name) => [...world.all(name).values()].sort((a, b) => (a.id < b.id ? -1 : 1)).map(({ body }) => body)))

describe('the demo clinic', () => {
  it('lives the same life for the same seed, however often one looks', () => {
    const once = at(5, historyEnd + day)
    const often = new World({ seed: 5, startAt })
    for (let now = startAt; now <= historyEnd + day; now += 7 * hour + 13 * minute) often.advance(now)
    often.advance(historyEnd + day)
    expect(shown(often)).toBe(shown(once))
    expect(often.truths).toEqual(once.truths)
  })

  it('lives another life for another seed', () => {
    expect(shown(at(5, startAt + 3 * day))).not.toBe(shown(at(6, startAt + 3 * day)))
  })

  it('has about 400 people over 30 days and goes on living', () => {
    expect(at(1, historyEnd - 1).people).toHaveLength(historyPeople)
    expect(at(1, historyEnd + 3 * day).people.length).toBeGreaterThan(historyPeople + 50)
  })

  it('plants a known number of every fault the judges know', () => {
    for (const seed of [1, 2, 3]) {
      const known = at(seed, historyEnd - 1).truths.filter((truth) => truth.from < historyEnd)
      const kinds = new Map(Map.groupBy(known, ({ kind }) => kind))
      // `blind` is about our own sight: an outage plants it while one watches.
      for (const kind of plantedKinds.filter((one) => one !== 'blind'))
        expect(kinds.get(kind)?.length, kind).toBeGreaterThanOrEqual(kind === 'schema_drift' ? 1 : 3)
      expect(known.length).toBeGreaterThanOrEqual(60)
    }
  })

  it('plants new faults while one watches', () => {
    const later = at(4, historyEnd + 6 * day).truths.filter((truth) => truth.from >= historyEnd)
    expect(new Set(later.map(({ kind }) => kind)).size).toBeGreaterThan(5)
  })

  it('keeps people out of the truth', () => {
    const world = at(2, historyEnd)
    const truth = JSON.stringify(world.truths)
    for (const person of world.people) for (const needle of needlesOf(person)) expect(truth.includes(needle)).toBe(false)
  })

  it('gives everyone a valid telephone number, and only households and the front desk share one', () => {
    const { people } = at(3, historyEnd)
    for (const { phone } of people) expect(parsePhoneNumberFromString(phone)?.isValid(), phone).toBe(true)
    const apart = people.filter((one) => one.household === null && !one.sharesFrontDesk)
    expect(new Set(apart.map(({ phone }) => phone)).size).toBe(apart.length)
    expect(people.filter(({ sharesFrontDesk }) => sharesFrontDesk).length).toBeGreaterThan(10)
    expect(people.filter(({ household }) => household === 'namesake').length).toBeGreaterThan(8)
  })

  it('changes the state of a message later', () => {
    const world = new World({ seed: 8, startAt })
    const seen = new Map<string, Set<string>>()
    for (let now = startAt + 2 * day; now < startAt + 3 * day; now += 5_000) {
      world.advance(now)
      for (const { id, body } of world.all('twilio.messages').values()) seen.set(id, (seen.get(id) ?? new Set()).add(String(body.status)))
    }
    const paths = [...seen.values()].map((states) => [...states].join(' '))
    expect(paths).toContain('queued sent delivered')
  })

  it('shows a change only some time after it was made', () => {
    const world = new World({ seed: 8, startAt })
    let late = 0
    for (let now = startAt + day; now < startAt + 2 * day; now += 5_000) {
      const before = new Set(world.all('calcom.bookings').keys())
      world.advance(now)
      for (const { id, updatedAt } of world.all('calcom.bookings').values())
        if (!before.has(id) && updatedAt < now - 10_000 && now > startAt + day) late++
    }
    expect(late).toBeGreaterThan(0)
  })

  it('makes a chain of bookings of each reschedule, and gives refunds in full', () => {
    const world = at(9, historyEnd)
    const chained = [...world.all('calcom.bookings').values()].filter(({ body }) => body.rescheduledFromUid !== undefined)
    expect(chained.length).toBeGreaterThan(5)
    for (const { id, body } of chained)
      expect(world.all('calcom.bookings').get(String(body.rescheduledFromUid))?.body).toMatchObject({
        status: 'cancelled',
        rescheduledToUid: id,
      })
    for (const { body } of world.all('stripe.refunds').values())
      expect(world.all('stripe.charges').get(String(body.charge))?.body).toMatchObject({ refunded: true })
    expect(world.all('stripe.refunds').size).toBeGreaterThan(5)
  })
})
