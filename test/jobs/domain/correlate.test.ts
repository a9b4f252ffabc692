import { describe, expect, test } from 'vitest'
import { eventKey, findOccurrences } from '../../../jobs/domain/correlate.ts'
import { groupObjects } from '../../../jobs/domain/correlate-objects.ts'
import { booking, careProgram, message } from '../../support/care.ts'
import { aRecord, at, happened, judge, verdictsOf, violationsOf } from '../../support/facts.ts'
import type { Fact } from '../../support/facts.ts'
import { atMost, day, follows, hour, minute, never, order } from '../../support/program.ts'

const clockOf = (time: number | null): string | null => (time === null ? null : new Date(time).toISOString().slice(11, 16))

function occurrencesOf(fact: Fact) {
  return findOccurrences(careProgram([]), [fact.record], new Map([[fact.record.id, fact.events]])).map((one) => [
    one.step,
    clockOf(one.at),
    clockOf(one.undoneAt),
  ])
}

describe('occurrences', () => {
  test('semantics 3: an event key comes from record, type and time alone', () => {
    const keyOf = (fact: Fact) => eventKey(fact.events[0]!)
    const told = keyOf(booking('b-1', '09:00'))
    expect(told).toMatch(/^[0-9a-f]{32}$/)
    expect(keyOf(booking('b-1', '09:00', { ops: { startsAt: 'later' }, person: 'ben' }))).toBe(told)
    expect(keyOf(booking('b-1', '09:01'))).not.toBe(told)
    expect(keyOf(booking('b-2', '09:00'))).not.toBe(told)
  })

  test('semantics 3: where a change was only seen between two reads, order inside that time is unknown', () => {
    const program = careProgram([order('intake', 'seen'), follows('booked', 'confirmed', 15 * minute), never('confirmed', 'stopped')])
    const intake = aRecord('ehr.forms', 'f-1', { ops: { form: 'intake' }, events: [{ at: '10:00', after: '09:00', status: 'completed' }] })
    const seen = happened('ehr.encounters', 'e-1', '09:30', { status: 'finished' })
    const facts = [
      intake,
      seen,
      booking('b-1', '09:20'),
      message('confirmation', 'm-1', '09:40', { after: '09:30' }),
      message('stop', 's-1', '09:41', { after: '09:31' }),
    ]
    expect(
      verdictsOf(judge({ program, facts, now: '12:00' })).map((verdict) => [verdict.expectation, verdict.state, verdict.detail.reason]),
    ).toEqual([
      ['intake-before-seen', 'unknown', 'interval'],
      ['confirmed-after-booked', 'unknown', 'interval'],
      ['no-confirmed', 'unknown', 'interval'],
    ])
  })

  test('semantics 4: the first event that fits is the occurrence; later ones are not', () => {
    const fact = aRecord('booking.bookings', 'b-1', {
      events: [
        { at: '09:00', status: 'pending' },
        { at: '09:05', status: 'accepted' },
        { at: '09:10', type: 'edited', status: 'accepted' },
      ],
    })
    expect(occurrencesOf(fact)).toEqual([['booked', '09:05', null]])
  })

  test('semantics 4: an undone occurrence stays known as undone, and a later fit is a new one', () => {
    const fact = aRecord('booking.bookings', 'b-1', {
      events: [
        { at: '09:00', status: 'accepted' },
        { at: '10:00', status: 'cancelled' },
        { at: '11:00', type: 'reopened', status: 'accepted' },
      ],
    })
    expect(occurrencesOf(fact)).toEqual([
      ['booked', '09:00', '10:00'],
      ['booked', '11:00', null],
    ])
  })

  test('semantics 4: `when` reads the state at the event, so a refund that came later does not unmake the payment before it', () => {
    const fact = aRecord('billing.payments', 'p-1', {
      ops: { refund: 'full' },
      events: [
        { at: '09:00', status: 'succeeded', ops: { refund: null } },
        { at: '10:00', type: 'refunded', status: 'succeeded' },
        { at: '11:00', type: 'noted', status: 'succeeded' },
      ],
    })
    expect(occurrencesOf(fact)).toEqual([['paid', '09:00', '10:00']])
  })

  test('semantics 4: a tool that shows the refund only as a present state makes the payment undone at once, once', () => {
    const fact = aRecord('billing.payments', 'p-1', {
      ops: { refund: 'full' },
      events: [
        { at: '09:00', status: 'succeeded' },
        { at: '10:00', type: 'noted', status: 'succeeded' },
      ],
    })
    expect(occurrencesOf(fact)).toEqual([['paid', '09:00', '09:00']])
  })

  test('semantics 4: what a deleted record showed is undone at its deletion', () => {
    expect(occurrencesOf(booking('b-1', '09:00', { deletedAt: '12:00' }))).toEqual([['booked', '09:00', '12:00']])
    const program = careProgram([follows('booked', 'confirmed', 15 * minute)])
    const facts = [booking('b-1', '09:00'), { ...message('confirmation', 'm-1', '09:05', { deletedAt: '11:00' }) }]
    expect(verdictsOf(judge({ program, facts, now: '12:00' }))).toMatchObject([{ state: 'violated', kind: 'gap', occurredAt: at('11:00') }])
  })

  test('semantics 4: an undone follower no longer counts: the gap came to be when it was undone', () => {
    const program = careProgram([follows('booked', 'confirmed', 15 * minute)])
    const bounced = aRecord('texts.messages', 'm-1', {
      ops: { template: 'confirmation' },
      events: [
        { at: '09:05', status: 'delivered' },
        { at: '10:00', status: 'undelivered' },
      ],
    })
    const [verdict] = verdictsOf(judge({ program, facts: [booking('b-1', '09:00'), bounced], now: '12:00' }))
    expect(verdict).toMatchObject({ state: 'violated', kind: 'gap', occurredAt: at('10:00') })
    expect(verdict!.evidence.map((item) => item.externalId)).toEqual(['b-1', 'm-1'])
  })

  test('semantics 4: `where` tells which records of a stream are meant, several values allowed', () => {
    expect(occurrencesOf(message('newsletter', 'm-1', '09:00'))).toEqual([])
    expect(occurrencesOf(message('reminder', 'm-1', '09:00'))).toEqual([['reminded', '09:00', null]])
  })

  test('semantics 6: every verdict names the actors of its evidence', () => {
    const program = careProgram([atMost(1, 'confirmed')])
    const facts = [
      message('confirmation', 'm-1', '09:00', { actor: { kind: 'person', id: 'u-1' } }),
      message('confirmation', 'm-2', '09:01', { actor: { kind: 'unknown', id: null } }),
      message('confirmation', 'm-3', '09:02', { actor: { kind: 'agent', id: 'ai-1' } }),
    ]
    const [verdict] = verdictsOf(judge({ program, facts, now: '12:00' }))
    expect(verdict!.evidence.map((item) => item.actor)).toEqual([
      { kind: 'person', id: 'u-1' },
      { kind: 'unknown', id: null },
      { kind: 'agent', id: 'ai-1' },
    ])
    expect(verdict!.detail).toMatchObject({ actors: 'ai-1, u-1, unknown', overlap: null })
  })
})

describe('objects', () => {
  const appointment = (id: string, root?: string) => booking(id, '09:00', root === undefined ? {} : { root }).record

  test('semantics 5: an appointment is the root of its reschedule chain, also when the root itself was never read', () => {
    const objects = groupObjects([appointment('b-3', 'b-2'), appointment('b-2', 'b-1')])
    expect(objects.of(appointment('b-1'))).toEqual([{ type: 'appointment', id: 'b-1' }])
    const [third] = [appointment('b-3', 'b-2')]
    expect(groupObjects([third!, appointment('b-2', 'b-1')]).of(third!)).toEqual([{ type: 'appointment', id: 'b-1' }])
  })

  test('semantics 5: a circle of references has one name whichever end it is read from', () => {
    const [one, two] = [appointment('b-1', 'b-2'), appointment('b-2', 'b-1')]
    for (const objects of [groupObjects([one, two]), groupObjects([two, one])]) {
      expect([objects.of(one), objects.of(two)]).toEqual([[{ type: 'appointment', id: 'b-1' }], [{ type: 'appointment', id: 'b-1' }]])
    }
  })

  test('semantics 5: an event with two objects is one activation in each of them', () => {
    const program = careProgram([follows('booked', 'confirmed', 15 * minute, { per: 'appointment' })])
    const both = booking('b-1', '09:00', {
      objects: [
        { type: 'appointment', id: 'a-1' },
        { type: 'appointment', id: 'a-2' },
      ],
    })
    const facts = [both, message('confirmation', 'm-1', '09:01', { objects: [{ type: 'appointment', id: 'a-1' }] })]
    const verdicts = verdictsOf(judge({ program, facts, now: '12:00' }))
    expect(verdicts.map((verdict) => [verdict.object?.id, verdict.state])).toEqual([
      ['a-1', 'satisfied'],
      ['a-2', 'violated'],
    ])
    expect(new Set(verdicts.map((verdict) => verdict.activation)).size).toBe(2)
    expect(judge({ program, facts, now: '12:00' }).journeys.map((journey) => journey.events)).toEqual([2])
  })

  const program = careProgram([
    follows('booked', 'confirmed', 15 * minute, { per: 'appointment' }),
    atMost(1, 'confirmed', null, 'appointment'),
  ])
  const confirmedBy = (facts: readonly Fact[], now = '18:00') =>
    verdictsOf(judge({ program, facts, now }), 'confirmed-after-booked').map((verdict) => [
      verdict.object?.id,
      verdict.state,
      verdict.evidence.find((item) => item.role === 'expected')?.externalId ?? null,
      verdict.detail.inferred ?? verdict.detail.reason ?? null,
    ])

  test('semantics 5: a message attaches by reference, whatever its time says', () => {
    const named = message('confirmation', 'm-1', '09:12', { objects: [{ type: 'appointment', id: 'b-1' }] })
    expect(confirmedBy([booking('b-1', '09:00'), booking('b-2', '09:10'), named])).toEqual([
      ['b-1', 'satisfied', 'm-1', null],
      ['b-2', 'violated', null, null],
    ])
  })

  test('semantics 5: without a reference it attaches to the one appointment that waits for it, marked inferred', () => {
    expect(
      confirmedBy([
        booking('b-1', '09:00'),
        message('confirmation', 'm-1', '09:01'),
        booking('b-2', '09:05'),
        message('confirmation', 'm-2', '09:06'),
      ]),
    ).toEqual([
      ['b-1', 'satisfied', 'm-1', true],
      ['b-2', 'satisfied', 'm-2', true],
    ])
  })

  test('semantics 5: where two appointments wait and one message comes, it is given to neither and both say so', () => {
    const facts = [booking('b-1', '09:00'), booking('b-2', '09:01'), message('confirmation', 'm-1', '09:05')]
    expect(confirmedBy(facts)).toEqual([
      ['b-1', 'unknown', null, 'ambiguous'],
      ['b-2', 'unknown', null, 'ambiguous'],
    ])
    for (const verdict of verdictsOf(judge({ program, facts, now: '18:00' }))) expect(verdict.evidence.at(-1)?.externalId).toBe('m-1')
  })

  test('semantics 5: where as many messages come as appointments wait, each has its own', () => {
    const facts = [
      booking('b-1', '09:00'),
      booking('b-2', '09:01'),
      message('confirmation', 'm-1', '09:05'),
      message('confirmation', 'm-2', '09:06'),
    ]
    expect(confirmedBy(facts)).toEqual([
      ['b-1', 'satisfied', 'm-1', true],
      ['b-2', 'satisfied', 'm-2', true],
    ])
    expect(violationsOf(judge({ program, facts, now: '18:00' }))).toEqual([])
  })

  test('semantics 5: a second message goes to the appointment whose message or deadline is nearest', () => {
    const facts = [
      booking('b-1', '09:00'),
      booking('b-2', '15:00'),
      message('confirmation', 'm-2', '15:01'),
      message('confirmation', 'm-3', '15:01:40'),
    ]
    expect(confirmedBy(facts)).toEqual([
      ['b-1', 'violated', null, null],
      ['b-2', 'satisfied', 'm-2', true],
    ])
    expect(violationsOf(judge({ program, facts, now: '18:00' }))).toEqual(['duplicate', 'gap'])
    expect(confirmedBy([booking('b-1', '09:00'), message('confirmation', 'm-1', '09:40')])).toEqual([
      ['b-1', 'satisfied_late', 'm-1', true],
    ])
  })

  test('semantics 5: a message of another person never attaches', () => {
    expect(confirmedBy([booking('b-1', '09:00'), message('confirmation', 'm-1', '09:01', { person: 'ben' })])).toEqual([
      ['b-1', 'violated', null, null],
    ])
  })

  test('semantics 5: a step no promise waits for attaches to the sole object that stood then, else it is ambiguous', () => {
    const perOrder = careProgram([atMost(1, 'seen', null, 'appointment'), order('intake', 'seen', 'appointment')])
    const visit = (id: string, when: string) => happened('ehr.encounters', id, when, { status: 'finished' })
    const scene = (facts: readonly Fact[]) =>
      verdictsOf(judge({ program: perOrder, facts, now: '18:00' })).map((one) => [one.expectation, one.state, one.detail.reason ?? null])
    const once = [booking('b-1', '08:00'), visit('e-1', '10:00'), visit('e-2', '11:00')]
    expect(scene(once)).toEqual([
      ['at-most-1-seen', 'violated', null],
      ['intake-before-seen', 'violated', null],
      ['intake-before-seen', 'violated', null],
    ])
    expect(scene([...once, booking('b-2', '08:30')])).toEqual([])
  })
})

describe('journeys', () => {
  const seen = (id: string, when: string) => happened('ehr.encounters', id, when, { status: 'finished' })
  const paid = (id: string, when: string) => happened('billing.payments', id, when, { status: 'succeeded' })
  const careJourney = careProgram([], { starts: 'paid', ends: 'seen', abandonAfterMs: 30 * day })
  const journeysOf = (facts: readonly Fact[], now = '2026-03-02T18:00:00Z', readTo = {}, program = careJourney) =>
    judge({ program, facts, now, readTo }).journeys.map((one) => [
      clockOf(one.startedAt),
      clockOf(one.endedAt),
      one.endReason,
      one.stage,
      one.events,
    ])

  test('semantics 7: a start opens a journey only when none is open; after its end, events belong to it until the next start', () => {
    const facts = [
      booking('b-0', '08:00'),
      paid('p-1', '09:00'),
      paid('p-2', '09:30'),
      seen('e-1', '10:00'),
      booking('b-1', '11:00'),
      paid('p-3', '12:00'),
    ]
    expect(journeysOf(facts)).toEqual([
      ['09:00', '10:00', 'ends', 'booked', 4],
      ['12:00', null, null, 'paid', 1],
    ])
  })

  test('semantics 7: its key comes from program and start event alone', () => {
    const keys = (facts: readonly Fact[]) => judge({ program: careJourney, facts, now: '18:00' }).journeys.map((one) => one.key)
    expect(keys([paid('p-1', '09:00')])).toEqual(keys([paid('p-1', '09:00'), booking('b-1', '11:00'), seen('e-1', '12:00')]))
    expect(keys([paid('p-1', '09:00')])).not.toEqual(keys([paid('p-2', '09:00')]))
  })

  test('semantics 7: late data moves a boundary', () => {
    expect(journeysOf([paid('p-1', '09:00'), paid('p-2', '12:00')])).toHaveLength(1)
    expect(journeysOf([paid('p-1', '09:00'), paid('p-2', '12:00'), seen('e-1', '10:00')])).toHaveLength(2)
  })

  test('semantics 7: it is abandoned after that long without an event, once that is known', () => {
    const facts = [paid('p-1', '09:00')]
    const program = careProgram([follows('paid', 'seen', null)], { starts: 'paid', ends: 'seen', abandonAfterMs: 30 * day })
    const scene = (now: string, readTo = {}) => {
      const judgement = judge({ program, facts, now, readTo })
      return [judgement.journeys[0]!.endReason, judgement.journeys[0]!.verdicts[0]!.state, judgement.wakes]
    }
    const end = at('2026-04-01T09:00:00Z')
    expect(scene('2026-04-01T09:00:00Z')).toEqual([null, 'pending', [{ stream: null, at: end }]])
    expect(scene('2026-04-01T09:01:00Z')).toEqual(['abandoned', 'violated', []])
    expect(scene('2026-04-01T09:01:00Z', { 'texts.messages': '2026-03-15T00:00:00Z' })).toEqual([
      'abandoned',
      'unknown',
      [{ stream: 'texts.messages', at: end }],
    ])
  })

  test('semantics 7: a pause longer than that ends a journey even where more came later; the next start opens another', () => {
    const facts = [paid('p-1', '09:00'), booking('b-1', '2026-05-01T09:00:00Z'), paid('p-2', '2026-05-02T09:30:00Z')]
    expect(journeysOf(facts, '2026-05-03T00:00:00Z')).toEqual([
      ['09:00', '09:00', 'abandoned', 'booked', 2],
      ['09:30', null, null, 'paid', 1],
    ])
  })

  test('semantics 7: `starts: any` lets the first event of the scope open it', () => {
    expect(journeysOf([booking('b-1', '08:00'), paid('p-1', '09:00')], undefined, {}, careProgram([]))).toEqual([
      ['08:00', null, null, 'paid', 2],
    ])
  })

  test('semantics 7: a journey per object gathers what all its people did', () => {
    const program = careProgram([order('booked', 'seen', 'appointment')], { per: 'appointment', starts: 'booked' })
    const visit = happened('ehr.encounters', 'e-1', '10:00', {
      status: 'finished',
      person: 'ben',
      objects: [{ type: 'appointment', id: 'b-1' }],
    })
    const judgement = judge({ program, facts: [booking('b-1', '09:00'), booking('b-2', '09:30'), visit], now: '18:00' })
    expect(judgement.journeys.map((one) => [one.object?.id, one.events, one.stage, one.verdicts.map((verdict) => verdict.state)])).toEqual([
      ['b-1', 2, 'seen', ['satisfied']],
      ['b-2', 1, 'booked', []],
    ])
  })

  test('semantics 8: files declared final close their journeys at now', () => {
    const program = careProgram([follows('paid', 'seen', null)], { starts: 'paid' })
    const facts = [paid('p-1', '09:00')]
    const ended = judge({ program, facts, now: '18:00', final: true })
    expect(ended.journeys).toMatchObject([{ endedAt: at('18:00'), endReason: 'final', verdicts: [{ state: 'violated', kind: 'gap' }] }])
    expect(judge({ program, facts, now: '18:00', final: true, readTo: { 'ehr.encounters': null } }).journeys).toMatchObject([
      { endedAt: null, verdicts: [{ state: 'pending' }] },
    ])
    // The file that is still to be read may hold nothing of this journey: its reading alone has it judged again.
    expect(judge({ program, facts, now: '18:00', final: true, readTo: { 'ehr.encounters': null } }).wakes).toContainEqual({
      stream: 'ehr.encounters',
      at: 0,
    })
  })

  test('semantics 5: events of one record given to the judge in any order make the same journey', () => {
    const facts = [paid('p-1', '09:00'), booking('b-1', '11:00', { cancelledAt: '12:00' })]
    const backwards = facts.toReversed().map(({ record, events }) => ({ record, events: events.toReversed() }))
    expect(judge({ program: careJourney, facts: backwards, now: '18:00' })).toEqual(judge({ program: careJourney, facts, now: '18:00' }))
  })

  test('the hour of a verdict never depends on the window of another journey', () => {
    const program = careProgram([follows('paid', 'booked', hour)], { starts: 'paid', ends: 'seen' })
    const facts = [paid('p-1', '09:00'), seen('e-1', '09:10'), paid('p-2', '09:20'), booking('b-1', '09:30')]
    expect(verdictsOf(judge({ program, facts, now: '18:00' })).map((verdict) => verdict.state)).toEqual(['violated', 'satisfied'])
  })
})
