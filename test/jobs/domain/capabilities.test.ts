import { describe, expect, test } from 'vitest'
import { countOverlaps } from '../../../jobs/domain/expectations/at-most.ts'
import { booking, careProgram, message } from '../../support/care.ts'
import { aRecord, at, judge, verdictsOf, violationsOf } from '../../support/facts.ts'
import { agree, atMost, day, follows, hour, minute } from '../../support/program.ts'

describe('capability 1: clock and watermark', () => {
  const program = careProgram([follows('booked', 'confirmed', 15 * minute, { per: 'appointment' })])
  const booked = booking('b-1', '09:00')

  test('capability 1: messaging read to 09:10 is not "no confirmation": the verdict is unknown and says how far it was read', () => {
    const judgement = judge({ program, facts: [booked], now: '09:30', readTo: { 'texts.messages': '09:10' } })
    expect(verdictsOf(judgement)).toMatchObject([
      { state: 'unknown', kind: null, violations: 0, unread: { stream: 'texts.messages', readTo: at('09:10') } },
    ])
    expect(judgement.wakes).toEqual([{ stream: 'texts.messages', at: at('09:15') }])
  })

  test('capability 1: once messaging is read to 09:20 there is exactly one gap', () => {
    const judgement = judge({ program, facts: [booked], now: '09:30', readTo: { 'texts.messages': '09:20' } })
    expect(verdictsOf(judgement)).toMatchObject([
      { state: 'violated', kind: 'gap', violations: 1, occurredAt: at('09:15'), dueAt: at('09:15') },
    ])
  })

  test('capability 1: a message of 09:12 that is read afterwards satisfies it by evidence from before the deadline, under the same activation', () => {
    const [gap] = verdictsOf(judge({ program, facts: [booked], now: '09:30' }))
    const [verdict] = verdictsOf(judge({ program, facts: [booked, message('confirmation', 'm-1', '09:12')], now: '09:35' }))
    expect(verdict).toMatchObject({ state: 'satisfied', kind: null, violations: 0, evidenceAt: at('09:12'), activation: gap!.activation })
  })

  test('capability 1: a message of 09:40 makes it late instead, satisfied late and still one violation, under the same activation', () => {
    const [gap] = verdictsOf(judge({ program, facts: [booked], now: '09:30' }))
    const [verdict] = verdictsOf(judge({ program, facts: [booked, message('confirmation', 'm-1', '09:40')], now: '09:45' }))
    expect(verdict).toMatchObject({
      state: 'satisfied_late',
      kind: 'late',
      violations: 1,
      evidenceAt: at('09:40'),
      activation: gap!.activation,
    })
    expect(verdict!.detail.lateByMs).toBe(25 * minute)
  })
})

describe('capability 2: duplicates that name their culprits', () => {
  const program = careProgram([
    atMost(1, 'confirmed', 24 * hour, 'appointment'),
    follows('booked', 'confirmed', 15 * minute, { per: 'appointment' }),
  ])
  const twice = (person: string, id: string, when = '09:01') => [
    booking(`b-${id}`, '09:00', { person }),
    message('confirmation', `m-${id}-1`, `${when}:00`, { person, actor: 'wf-12' }),
    message('confirmation', `m-${id}-2`, `${when}:40`, { person, actor: 'zap-7' }),
  ]

  test('capability 2: two confirmations 40 s apart for one appointment are one duplicate that lists both and their overlap', () => {
    const judgement = judge({ program, facts: twice('ada', '1'), now: '10:00' })
    expect(violationsOf(judgement)).toEqual(['duplicate'])
    const [verdict] = verdictsOf(judgement, 'at-most-1-confirmed')
    expect(verdict).toMatchObject({ violations: 1, occurrences: 2, object: { type: 'appointment', id: 'b-1' } })
    expect(verdict!.evidence.map((item) => [item.role, item.externalId, item.actor?.id])).toEqual([
      ['culprit', 'm-1-1', 'wf-12'],
      ['culprit', 'm-1-2', 'zap-7'],
    ])
    expect(verdict!.detail).toMatchObject({ count: 2, limit: 1, spanMs: 40_000, overlap: 'wf-12 × zap-7' })
    expect([...countOverlaps(verdictsOf(judgement))]).toEqual([['wf-12 × zap-7', 1]])
  })

  test('capability 2: over seven journeys it is counted seven times, and is still one overlap', () => {
    const verdicts = Array.from({ length: 7 }, (_, index) =>
      verdictsOf(judge({ program, facts: twice(`p-${index}`, `${index}`), now: '10:00' })),
    ).flat()
    expect(verdicts.filter((verdict) => verdict.kind === 'duplicate')).toHaveLength(7)
    expect([...countOverlaps(verdicts)]).toEqual([['wf-12 × zap-7', 7]])
  })

  test('capability 2: one confirmation each for two appointments is no duplicate', () => {
    const facts = [
      booking('b-1', '09:00'),
      message('confirmation', 'm-1', '09:01', { actor: 'wf-12' }),
      booking('b-2', '09:02'),
      message('confirmation', 'm-2', '09:03', { actor: 'zap-7' }),
    ]
    expect(violationsOf(judge({ program, facts, now: '10:00' }))).toEqual([])
  })

  test('capability 2: the same record delivered twice is no duplicate', () => {
    const sent = message('confirmation', 'm-1', '09:01', { actor: 'wf-12' })
    const facts = [booking('b-1', '09:00'), sent, { record: sent.record, events: [...sent.events, ...sent.events] }]
    expect(violationsOf(judge({ program, facts, now: '10:00' }))).toEqual([])
  })
})

describe('capability 3: drift contracts', () => {
  const program = careProgram([
    agree(
      {
        'booking.bookings.status': { accepted: 'on', cancelled: 'off' },
        'ehr.appointments.status': { booked: 'on', cancelled: 'off' },
      },
      30 * minute,
      { per: 'appointment' },
    ),
  ])
  const objects = [{ type: 'appointment', id: 'b-1' }]
  const cancelled = booking('b-1', '08:00', { cancelledAt: '10:00' })
  const ehr = (...changes: readonly (readonly [string, string])[]) =>
    aRecord('ehr.appointments', 'a-1', {
      objects,
      events: [{ at: '08:01', status: 'booked' }, ...changes.map(([when, status]) => ({ at: when, type: `${status}-${when}`, status }))],
    })
  const verdict = (facts: ReturnType<typeof ehr>[], now: string, readTo = {}) => verdictsOf(judge({ program, facts, now, readTo }))[0]!

  test('capability 3: nothing before the settle time is over', () => {
    expect(verdict([cancelled, ehr()], '10:29')).toMatchObject({ state: 'pending', violations: 0 })
  })

  test('capability 3: afterwards, with both streams read to it, one drift with both values, both read times and the authority', () => {
    const drift = verdict([cancelled, ehr()], '10:31', { 'booking.bookings': '10:30', 'ehr.appointments': '10:30' })
    expect(drift).toMatchObject({ state: 'violated', kind: 'drift', violations: 1, occurrences: 1, occurredAt: at('10:00') })
    expect(drift.evidence.map((item) => [item.stream, item.status, item.observedAt])).toEqual([
      ['booking.bookings', 'cancelled', at('10:00:01')],
      ['ehr.appointments', 'booked', at('08:01:01')],
    ])
    expect(drift.detail).toMatchObject({
      authority: 'booking.bookings.status',
      authorityValue: 'cancelled',
      other: 'ehr.appointments.status',
      otherValue: 'booked',
    })
  })

  test('capability 3: two flips of the EHR in ten minutes are the same finding, three occurrences', () => {
    const before = verdict([cancelled, ehr()], '10:31')
    const after = verdict([cancelled, ehr(['10:35', 'cancelled'], ['10:45', 'booked'])], '10:46')
    expect(after).toMatchObject({
      state: 'violated',
      kind: 'drift',
      occurrences: 3,
      activation: before.activation,
      occurredAt: at('10:00'),
    })
  })

  test('capability 3: with the EHR unread it is unknown', () => {
    expect(verdict([cancelled, ehr()], '10:31', { 'ehr.appointments': '10:29' })).toMatchObject({
      state: 'unknown',
      unread: { stream: 'ehr.appointments', readTo: at('10:29') },
    })
  })

  test('capability 3: it is over once agreement has held for the settle time', () => {
    const facts = [cancelled, ehr(['10:40', 'cancelled'])]
    expect(verdict(facts, '11:09')).toMatchObject({ state: 'violated' })
    expect(verdict(facts, '11:10')).toMatchObject({ state: 'satisfied', evidenceAt: at('10:40') })
    expect(verdict(facts, '11:10', { 'ehr.appointments': '11:09' })).toMatchObject({ state: 'violated' })
  })
})

describe('capability 13: deadlines that follow reality', () => {
  const dayBefore = { offsetMs: -day, field: 'startsAt' }
  const program = careProgram([follows('booked', 'reminded', dayBefore, { per: 'appointment' })])
  const [start, moved] = ['2026-03-06T10:00:00-05:00', '2026-03-12T10:00:00-04:00']

  test('capability 13: the deadline hangs on the current value of the record: a reschedule moves it', () => {
    const before = judge({ program, facts: [booking('b-1', '09:00', { ops: { startsAt: start } })], now: '2026-03-05T16:00:00Z' })
    expect(verdictsOf(before)).toMatchObject([{ state: 'violated', kind: 'gap', dueAt: at('2026-03-05T15:00:00Z') }])
    const after = judge({ program, facts: [booking('b-1', '09:00', { ops: { startsAt: moved } })], now: '2026-03-05T16:00:00Z' })
    expect(verdictsOf(after)).toMatchObject([
      { state: 'pending', dueAt: at('2026-03-11T14:00:00Z'), activation: verdictsOf(before)[0]!.activation },
    ])
  })

  test('capability 13: a reschedule that makes a new record voids the old promise and makes one with the new time, in the same appointment', () => {
    const facts = [
      booking('b-1', '09:00', { cancelledAt: '12:00', ops: { startsAt: start } }),
      booking('b-2', '12:00', { root: 'b-1', ops: { startsAt: moved } }),
    ]
    const judgement = judge({ program, facts, now: '2026-03-06T00:00:00Z' })
    expect(verdictsOf(judgement)).toMatchObject([
      { state: 'void', evidenceAt: at('12:00'), object: { type: 'appointment', id: 'b-1' } },
      { state: 'pending', dueAt: at('2026-03-11T14:00:00Z'), object: { type: 'appointment', id: 'b-1' } },
    ])
  })

  test('capability 13: a cancellation voids it, whether or not it was already missed', () => {
    const facts = [booking('b-1', '09:00', { cancelledAt: '2026-03-05T18:00:00Z', ops: { startsAt: start } })]
    expect(verdictsOf(judge({ program, facts, now: '2026-03-05T19:00:00Z' }))).toMatchObject([
      { state: 'void', kind: null, violations: 0, evidenceAt: at('2026-03-05T18:00:00Z') },
    ])
  })

  test.each([
    ['the clocks go forward: 23 hours of that day', '2026-03-08T09:00:00', '2026-03-08T13:00:00Z'],
    ['the clocks go back: 25 hours of that day', '2026-11-01T09:00:00', '2026-11-01T14:00:00Z'],
    ['an hour that does not exist', '2026-03-08T02:30:00', '2026-03-08T07:30:00Z'],
    ['an hour that occurs twice', '2026-11-01T01:30:00', '2026-11-01T05:30:00Z'],
    ['a day without a time', '2026-07-04', '2026-07-04T04:00:00Z'],
    ['its own offset', '2026-03-08T09:00:00-08:00', '2026-03-08T17:00:00Z'],
  ])('capability 13: DST: a wall-clock time is read in the zone of the program: %s', (_what, startsAt, instant) => {
    const judgement = judge({ program, facts: [booking('b-1', '09:00', { ops: { startsAt } })], now: '09:05' })
    expect(verdictsOf(judgement)[0]!.dueAt).toBe(at(instant) - day)
  })
})
