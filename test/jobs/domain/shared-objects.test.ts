import { expect, test } from 'vitest'
import { at, happened, judge, verdictsOf } from '../../support/facts.ts'
import { agree, aProgram, atMost, belongs, hour, order, stuck } from '../../support/program.ts'

/** One visit that serves two appointments, in a program that follows each appointment by itself. */
const visit = happened('ehr.encounters', 'e-1', '09:00', {
  status: 'finished',
  objects: [
    { type: 'appointment', id: 'a-1' },
    { type: 'appointment', id: 'a-2' },
  ],
})
const program = aProgram({
  per: 'appointment',
  starts: 'seen',
  steps: { seen: { stream: 'ehr.encounters' }, booked: { stream: 'booking.bookings' } },
  expectations: [
    belongs('seen', hour),
    stuck(hour),
    order('booked', 'seen'),
    atMost(1, 'seen'),
    agree({ 'ehr.encounters.status': { finished: 'over' } }, hour),
  ],
})

test('semantics 7: an event that starts a journey of each of two objects gives two journeys with keys of their own', () => {
  const { journeys } = judge({ program, facts: [visit], now: '12:00' })
  expect(journeys.map((journey) => journey.object?.id)).toEqual(['a-1', 'a-2'])
  expect(new Set(journeys.map((journey) => journey.key)).size).toBe(2)
})

test('semantics 12: no two verdicts of one expectation answer for the same activation', () => {
  const verdicts = verdictsOf(judge({ program, facts: [visit], now: at('12:00') }))
  const activations = verdicts.map((verdict) => `${verdict.expectation} ${verdict.activation}`)
  expect(activations.length).toBe(10)
  expect(new Set(activations).size).toBe(activations.length)
})
