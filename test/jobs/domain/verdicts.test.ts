import { describe, expect, test } from 'vitest'
import { judgeComponent } from '../../../jobs/domain/judge-component.ts'
import { booking, careProgram, message } from '../../support/care.ts'
import { aRecord, at, factsOf, happened, judge, verdictsOf, violationsOf } from '../../support/facts.ts'
import type { Fact, SceneGiven } from '../../support/facts.ts'
import { agree, atMost, belongs, day, follows, hour, minute, never, order, stuck } from '../../support/program.ts'

const visit = (id: string, when: string, more = {}) => happened('ehr.encounters', id, when, { status: 'finished', ...more })
const intake = (id: string, when: string, more = {}) =>
  happened('ehr.forms', id, when, { status: 'completed', ...more, ops: { form: 'intake' } })
const paid = (id: string, when: string, more = {}) => happened('billing.payments', id, when, { status: 'succeeded', ...more })
const refunded = (id: string, when: string, refundAt: string) =>
  aRecord('billing.payments', id, {
    ops: { refund: 'full' },
    events: [
      { at: when, status: 'succeeded', ops: { refund: null } },
      { at: refundAt, type: 'refunded', status: 'succeeded' },
    ],
  })
const lifted = (id: string, when: string, liftedAt: string) =>
  aRecord('texts.messages', id, {
    ops: { template: 'stop' },
    events: [
      { at: when, status: 'received' },
      { at: liftedAt, status: 'lifted' },
    ],
  })

const sorted = (scene: SceneGiven) => verdictsOf(judge(scene)).map((verdict) => [verdict.state, verdict.kind, verdict.violations])

describe('semantics 12: one verdict per expectation and activation', () => {
  test('semantics 12: `after … expect` has one for each standing occurrence of its `after` step', () => {
    const program = careProgram([follows('booked', 'confirmed', 15 * minute)])
    const facts = [booking('b-1', '09:00'), booking('b-2', '10:00'), booking('b-3', '11:00', { cancelledAt: '11:01' })]
    const verdicts = verdictsOf(judge({ program, facts, now: '18:00' }))
    expect(verdicts.map((verdict) => [verdict.state, verdict.activations])).toEqual([
      ['violated', 1],
      ['violated', 1],
      ['void', 0],
    ])
    expect(new Set(verdicts.map((verdict) => verdict.activation)).size).toBe(3)
  })

  test('semantics 12: `first … then` has one for each occurrence of `then`, `at_most` one for each cluster, `agree` one for the scope', () => {
    const same = { 'booking.bookings.status': { accepted: 'on' }, 'ehr.appointments.status': { booked: 'on' } }
    const program = careProgram([order('intake', 'seen'), atMost(1, 'confirmed', hour), agree(same, 0)])
    const facts = [
      intake('f-1', '08:00'),
      visit('e-1', '09:00'),
      visit('e-2', '10:00'),
      message('confirmation', 'm-1', '09:00'),
      message('confirmation', 'm-2', '12:00'),
      booking('b-1', '08:00'),
      aRecord('ehr.appointments', 'a-1', { events: [{ at: '08:00', status: 'booked' }] }),
    ]
    const names = verdictsOf(judge({ program, facts, now: '18:00' })).map((verdict) => `${verdict.expectation} ${verdict.state}`)
    expect(names).toEqual([
      'intake-before-seen satisfied',
      'intake-before-seen satisfied',
      'at-most-1-confirmed satisfied',
      'at-most-1-confirmed satisfied',
      'agrees satisfied',
    ])
  })
})

describe('semantics 13: after A expect B within D', () => {
  const program = careProgram([follows('booked', 'confirmed', 15 * minute)])
  const booked = booking('b-1', '09:00')
  const confirmed = (when: string) => message('confirmation', 'm-1', when)

  test.each([
    ['before A', '08:59', 'violated', 'gap'],
    ['with A', '09:00', 'satisfied', null],
    ['at the deadline', '09:15', 'satisfied', null],
    ['a moment after it', '09:15:01', 'satisfied_late', 'late'],
  ])('semantics 13: B %s', (_when, when, state, kind) => {
    expect(sorted({ program, facts: [booked, confirmed(when)], now: '18:00' })).toEqual([[state, kind, kind === null ? 0 : 1]])
  })

  test.each([
    ['09:15:00', '09:15:00', 'pending'],
    ['09:15:01', '09:15:00', 'unknown'],
    ['09:15:01', '09:15:01', 'violated'],
    ['18:00:00', '09:14:00', 'unknown'],
  ])('semantics 13: with the clock at %s and the stream read to %s it is %s', (now, read, state) => {
    expect(sorted({ program, facts: [booked], now, readTo: { 'texts.messages': read } })[0]![0]).toBe(state)
  })

  test('semantics 9: the declared lag holds a gap back that much longer', () => {
    const scene = (read: string) =>
      sorted({ program, facts: [booked], now: '18:00', readTo: { 'texts.messages': read }, lagMs: 10 * minute })[0]![0]
    expect(scene('09:25')).toBe('unknown')
    expect(scene('09:26')).toBe('violated')
  })

  test('semantics 9: a stream that was never read hides everything, and says so', () => {
    expect(verdictsOf(judge({ program, facts: [booked], now: '18:00', readTo: { 'texts.messages': null } }))).toMatchObject([
      { state: 'unknown', unread: { stream: 'texts.messages', readTo: null } },
    ])
  })

  test('semantics 13: streams that could not show B do not hold it back', () => {
    const readTo = { 'billing.payments': null, 'ehr.forms': null, 'booking.bookings': '09:01' }
    expect(sorted({ program, facts: [booked], now: '18:00', readTo })[0]![0]).toBe('violated')
  })

  test('semantics 13: a late B is not yet called late while an earlier one may be unread', () => {
    const facts = [booked, confirmed('09:40')]
    expect(sorted({ program, facts, now: '18:00', readTo: { 'texts.messages': '09:10' } })).toEqual([['unknown', null, 0]])
  })

  test('semantics 13: without `within` it falls due when the journey ends', () => {
    const ending = careProgram([follows('paid', 'booked', null)], { starts: 'paid', ends: 'seen' })
    expect(sorted({ program: ending, facts: [paid('p-1', '09:00')], now: '18:00' })).toEqual([['pending', null, 0]])
    expect(sorted({ program: ending, facts: [paid('p-1', '09:00'), visit('e-1', '10:00')], now: '18:00' })).toEqual([
      ['violated', 'gap', 1],
    ])
    const late = [paid('p-1', '09:00'), visit('e-1', '10:00'), booking('b-1', '11:00')]
    expect(sorted({ program: ending, facts: late, now: '18:00' })).toEqual([['satisfied_late', 'late', 1]])
  })

  test('semantics 13: one B answers every A before it; the same event never answers itself', () => {
    const facts = [booking('b-1', '09:00'), booking('b-2', '09:05'), confirmed('09:10')]
    expect(sorted({ program, facts, now: '18:00' }).map(([state]) => state)).toEqual(['satisfied', 'satisfied'])
    const again = careProgram([follows('booked', 'booked', 2 * hour)])
    expect(
      sorted({ program: again, facts: [booking('b-1', '09:00'), booking('b-2', '10:00')], now: '18:00' }).map(([state]) => state),
    ).toEqual(['satisfied', 'violated'])
  })
})

describe('semantics 14: at_most N of S window W', () => {
  const scene = (limit: number, windowMs: number | null, facts: readonly Fact[]) => ({
    program: careProgram([atMost(limit, 'paid', windowMs)]),
    facts,
    now: '18:00',
  })

  test('semantics 14: occurrences chain while each is near the one before, and those beyond the limit count', () => {
    const facts = [paid('p-1', '09:00'), paid('p-2', '09:50'), paid('p-3', '10:40'), paid('p-4', '14:00')]
    const verdicts = verdictsOf(judge(scene(1, hour, facts)))
    expect(
      verdicts.map((verdict) => [verdict.state, verdict.violations, verdict.activations, verdict.evidence.map((item) => item.externalId)]),
    ).toEqual([
      ['violated', 2, 3, ['p-1', 'p-2', 'p-3']],
      ['satisfied', 0, 1, ['p-4']],
    ])
    expect(verdicts[0]).toMatchObject({ kind: 'duplicate', occurrences: 3, occurredAt: at('09:50') })
  })

  test('semantics 14: without a window the whole scope is one cluster', () => {
    expect(sorted(scene(2, null, [paid('p-1', '09:00'), paid('p-2', '12:00'), paid('p-3', '17:00')]))).toEqual([
      ['violated', 'duplicate', 1],
    ])
    expect(sorted(scene(3, null, [paid('p-1', '09:00'), paid('p-2', '12:00'), paid('p-3', '17:00')]))).toEqual([['satisfied', null, 0]])
  })

  test('semantics 14: the window reaches exactly to its end', () => {
    expect(sorted(scene(1, hour, [paid('p-1', '09:00'), paid('p-2', '10:00')]))).toEqual([['violated', 'duplicate', 1]])
    expect(sorted(scene(1, hour, [paid('p-1', '09:00'), paid('p-2', '10:00:01')]))).toEqual([
      ['satisfied', null, 0],
      ['satisfied', null, 0],
    ])
  })

  test.each(['p-1', 'p-2'])('semantics 14: refunding %s settles the same finding', (id) => {
    const [before] = verdictsOf(judge(scene(1, hour, [paid('p-1', '09:00'), paid('p-2', '09:10')])))
    const facts = [paid('p-1', '09:00'), paid('p-2', '09:10')].filter(({ record }) => record.externalId !== id)
    const [after] = verdictsOf(judge(scene(1, hour, [...facts, refunded(id, id === 'p-1' ? '09:00' : '09:10', '11:00')])))
    expect(after).toMatchObject({ state: 'satisfied', activation: before!.activation, evidenceAt: at('11:00') })
  })

  test('semantics 14: a refunded one between two others does not bring them together', () => {
    const facts = [paid('p-1', '09:00'), refunded('p-2', '09:40', '09:45'), paid('p-3', '10:20')]
    expect(sorted(scene(1, hour, facts)).map(([state]) => state)).toEqual(['satisfied'])
    expect(sorted(scene(1, hour, [refunded('p-2', '09:40', '09:45')])).map(([state]) => state)).toEqual(['void'])
  })
})

describe('semantics 15: first A then B, never B after A', () => {
  const ordered = careProgram([order('intake', 'seen')])

  test('semantics 15: a B with no A at or before it is out of order', () => {
    expect(sorted({ program: ordered, facts: [visit('e-1', '10:00')], now: '18:00' })).toEqual([['violated', 'disorder', 1]])
    expect(sorted({ program: ordered, facts: [intake('f-1', '10:00'), visit('e-1', '10:00')], now: '18:00' })).toEqual([
      ['satisfied', null, 0],
    ])
    const [afterwards] = verdictsOf(judge({ program: ordered, facts: [intake('f-1', '10:30'), visit('e-1', '10:00')], now: '18:00' }))
    expect(afterwards).toMatchObject({ state: 'violated', kind: 'disorder', occurredAt: at('10:00'), detail: { cameAfterMs: 30 * minute } })
  })

  test('semantics 15: while the stream of A is not read past B it is unknown', () => {
    const scene = (read: string) =>
      sorted({ program: ordered, facts: [visit('e-1', '10:00')], now: '18:00', readTo: { 'ehr.forms': read } })[0]![0]
    expect(scene('10:00')).toBe('unknown')
    expect(scene('10:01')).toBe('violated')
  })

  const forbidden = careProgram([never('confirmed', 'stopped')])
  const sent = message('confirmation', 'm-1', '10:00')

  test.each([
    ['after a stop', [message('stop', 's-1', '09:00')], ['violated', 'unexpected', 1]],
    ['with a stop', [message('stop', 's-1', '10:00')], ['violated', 'unexpected', 1]],
    ['before a stop', [message('stop', 's-1', '10:01')], ['satisfied', null, 0]],
    ['without a stop', [], ['satisfied', null, 0]],
    ['after a stop that was lifted before', [lifted('s-1', '09:00', '09:30')], ['satisfied', null, 0]],
    ['after a stop that was lifted afterwards', [lifted('s-1', '09:00', '10:30')], ['violated', 'unexpected', 1]],
    [
      'after a lifted stop and another one',
      [lifted('s-1', '08:00', '09:00'), message('stop', 's-2', '09:30')],
      ['violated', 'unexpected', 1],
    ],
  ] as const)('semantics 15: a text %s', (_when, stops, expected) => {
    expect(sorted({ program: forbidden, facts: [sent, ...stops], now: '18:00' })).toEqual([expected])
  })

  test('semantics 15: never at all needs no A, and an undone one does not count', () => {
    const program = careProgram([never('booked')])
    expect(sorted({ program, facts: [booking('b-1', '09:00')], now: '18:00' })).toEqual([['violated', 'unexpected', 1]])
    expect(sorted({ program, facts: [booking('b-1', '09:00', { cancelledAt: '10:00' })], now: '18:00' })).toEqual([['void', null, 0]])
  })
})

describe('semantics 16: agree', () => {
  const sides = {
    'booking.bookings.status': { accepted: 'on', cancelled: 'off' },
    'ehr.appointments.status': { booked: 'on', arrived: 'on', cancelled: 'off' },
  }
  const appointment = [{ type: 'appointment', id: 'b-1' }]
  const ehr = (id: string, changes: readonly (readonly [string, string])[], more = {}) =>
    aRecord('ehr.appointments', id, {
      objects: appointment,
      events: changes.map(([when, status]) => ({ at: when, status, type: `${status} ${when}` })),
      ...more,
    })
  const scene = (facts: readonly Fact[], now: string, more: Partial<SceneGiven> & { pick?: 'latest' | 'all' | 'any' } = {}) =>
    verdictsOf(
      judge({
        program: careProgram([agree(sides, 30 * minute, { per: 'appointment', ...(more.pick && { pick: more.pick }) })]),
        facts,
        now,
        ...more,
      }),
    )

  test('semantics 16: settle runs from the later change, at or past it by the smaller watermark', () => {
    const facts = [
      booking('b-1', '09:00', { cancelledAt: '10:00' }),
      ehr('a-1', [
        ['09:00', 'booked'],
        ['10:20', 'arrived'],
      ]),
    ]
    expect(scene(facts, '10:49')).toMatchObject([{ state: 'pending' }])
    expect(scene(facts, '10:50')).toMatchObject([{ state: 'violated', kind: 'drift', occurredAt: at('10:00') }])
    expect(scene(facts, '18:00', { readTo: { 'booking.bookings': '10:49' } })).toMatchObject([
      { state: 'unknown', unread: { stream: 'booking.bookings' } },
    ])
  })

  test('semantics 16: a flip shorter than settle neither closes a drift nor opens one', () => {
    const drifted = [
      booking('b-1', '09:00', { cancelledAt: '10:00' }),
      ehr('a-1', [
        ['09:00', 'booked'],
        ['11:00', 'cancelled'],
        ['11:10', 'booked'],
      ]),
    ]
    expect(scene(drifted, '11:15')).toMatchObject([{ state: 'violated', occurrences: 3 }])
    const brief = [
      booking('b-1', '09:00'),
      ehr('a-1', [
        ['09:00', 'booked'],
        ['11:00', 'cancelled'],
        ['11:10', 'booked'],
      ]),
    ]
    expect(scene(brief, '18:00')).toMatchObject([{ state: 'satisfied', evidenceAt: at('11:10') }])
  })

  test('semantics 16: an unmapped value is its own kind, never agreement', () => {
    const [verdict] = scene([booking('b-1', '09:00'), ehr('a-1', [['09:00', 'proposed']])], '10:00')
    expect(verdict).toMatchObject({
      state: 'violated',
      kind: 'unmapped_state',
      detail: { field: 'ehr.appointments.status', value: 'proposed' },
    })
  })

  test('semantics 16: one side alone is nothing to compare', () => {
    expect(scene([booking('b-1', '09:00')], '18:00')).toMatchObject([{ state: 'void', violations: 0 }])
    const deleted = ehr('a-1', [['09:00', 'cancelled']], { deletedAt: '10:00' })
    expect(scene([booking('b-1', '09:00'), deleted], '18:00')).toMatchObject([{ state: 'void' }])
  })

  test('semantics 16: pick says which of several records counts', () => {
    const facts = [booking('b-1', '09:00'), ehr('a-1', [['09:00', 'cancelled']]), ehr('a-2', [['09:05', 'booked']])]
    expect(scene(facts, '18:00', { pick: 'latest' })).toMatchObject([{ state: 'satisfied' }])
    expect(scene(facts, '18:00', { pick: 'any' })).toMatchObject([{ state: 'satisfied' }])
    expect(scene(facts, '18:00', { pick: 'all' })).toMatchObject([{ state: 'violated', kind: 'drift' }])
  })

  test('semantics 16: in a reschedule chain the latest booking counts, though the one before was cancelled at the same moment', () => {
    const facts = [
      booking('b-1', '09:00', { cancelledAt: '10:00' }),
      booking('b-2', '10:00', { root: 'b-1' }),
      ehr('a-1', [['09:00', 'booked']]),
    ]
    expect(scene(facts, '18:00')).toMatchObject([{ state: 'satisfied', object: { type: 'appointment', id: 'b-1' } }])
  })

  test('semantics 16: switching settle off lets passing differences count, which is how the score shows it can fail', () => {
    const facts = [booking('b-1', '09:00', { cancelledAt: '10:00' }), ehr('a-1', [['09:00', 'booked']])]
    expect(scene(facts, '10:01', { without: new Set(['settle']) })).toMatchObject([{ state: 'violated' }])
  })
})

describe('semantics 17: anchors', () => {
  const program = careProgram([follows('booked', 'reminded', { offsetMs: -day, field: 'startsAt' })])

  test('semantics 17: a deadline that vanished is void, and so is one that lay before its anchor', () => {
    expect(verdictsOf(judge({ program, facts: [booking('b-1', '09:00', { ops: { startsAt: null } })], now: '18:00' }))).toMatchObject([
      { state: 'void', detail: { reason: 'no_deadline' } },
    ])
    const soon = booking('b-1', '09:00', { ops: { startsAt: '2026-03-02T15:00:00Z' } })
    expect(verdictsOf(judge({ program, facts: [soon], now: '18:00' }))).toMatchObject([
      { state: 'void', detail: { reason: 'deadline_before_anchor' } },
    ])
  })

  test('semantics 17: an anchor undone after its deadline was missed is void, with the time it was undone as evidence', () => {
    const confirmed = careProgram([follows('booked', 'confirmed', 15 * minute)])
    expect(
      verdictsOf(judge({ program: confirmed, facts: [booking('b-1', '09:00', { cancelledAt: '12:00' })], now: '18:00' })),
    ).toMatchObject([{ state: 'void', kind: null, evidenceAt: at('12:00') }])
  })
})

describe('semantics 18: early and wrong variants', () => {
  const facts = (service: string, when = '09:05') => [
    booking('b-1', '09:00', { ops: { service: 'therapy' } }),
    message('confirmation', 'm-1', when, { ops: { service } }),
  ]

  test('semantics 18: in time but another variant than the anchor promises', () => {
    const program = careProgram([follows('booked', 'confirmed', 15 * minute, { variant: { service: { same: 'service' } } })])
    expect(sorted({ program, facts: facts('therapy'), now: '18:00' })).toEqual([['satisfied', null, 0]])
    const [wrong] = verdictsOf(judge({ program, facts: facts('dentistry'), now: '09:06' }))
    expect(wrong).toMatchObject({
      state: 'violated',
      kind: 'wrong_variant',
      detail: { field: 'service', observed: 'dentistry', expected: 'therapy' },
    })
    const mended = [...facts('dentistry'), message('confirmation', 'm-2', '09:10', { ops: { service: 'therapy' } })]
    expect(sorted({ program, facts: mended, now: '18:00' })).toEqual([['satisfied', null, 0]])
    expect(sorted({ program, facts: facts('dentistry', '09:30'), now: '18:00' })).toEqual([['violated', 'gap', 1]])
  })

  test('semantics 18: a variant may be a fixed value', () => {
    const program = careProgram([follows('booked', 'confirmed', 15 * minute, { variant: { language: 'es' } })])
    expect(sorted({ program, facts: facts('therapy'), now: '18:00' })).toEqual([['violated', 'wrong_variant', 1]])
  })

  test('semantics 18: before its time is early, until one comes in time', () => {
    const program = careProgram([follows('booked', 'confirmed', hour, { notBefore: 30 * minute })])
    const [early] = verdictsOf(judge({ program, facts: facts('therapy'), now: '18:00' }))
    expect(early).toMatchObject({ state: 'violated', kind: 'early', occurredAt: at('09:05'), detail: { earlyByMs: 25 * minute } })
    const mended = [...facts('therapy'), message('confirmation', 'm-2', '09:45')]
    expect(sorted({ program, facts: mended, now: '18:00' })).toEqual([['satisfied', null, 0]])
  })
})

describe('stuck and orphan', () => {
  const program = careProgram([stuck(10 * day), belongs('confirmed', hour)], { starts: 'paid', ends: 'seen', abandonAfterMs: 30 * day })

  test('a journey without movement is stuck once every stream that could show movement is read past it, and moves on with the next event', () => {
    const scene = (now: string, more: Partial<SceneGiven> = {}, extra: readonly Fact[] = []) =>
      verdictsOf(judge({ program, facts: [paid('p-1', '09:00'), ...extra], now, ...more }), 'moves')
    expect(scene('2026-03-12T09:00:00Z')).toMatchObject([{ state: 'pending' }])
    const [found] = scene('2026-03-12T09:01:00Z')
    expect(found).toMatchObject({
      state: 'violated',
      kind: 'stuck',
      occurredAt: at('2026-03-12T09:00:00Z'),
      detail: { stage: 'paid', afterMs: 10 * 24 * 60 * minute },
    })
    expect(scene('2026-03-12T09:01:00Z', { readTo: { 'ehr.forms': '2026-03-12T08:00:00Z' } })).toMatchObject([
      { state: 'unknown', unread: { stream: 'ehr.forms' } },
    ])
    expect(scene('2026-03-12T09:01:00Z', {}, [booking('b-1', '2026-03-05T09:00:00Z')])).toMatchObject([
      { state: 'pending', activation: found!.activation },
    ])
    expect(scene('2026-04-20T09:01:00Z', {}, [visit('e-1', '2026-03-05T09:00:00Z')])).toMatchObject([{ state: 'satisfied' }])
    expect(scene('2026-04-20T09:01:00Z')).toMatchObject([{ state: 'violated', kind: 'stuck' }])
  })

  test('an occurrence in no journey is an orphan once every stream that could show its journey is read', () => {
    const facts = [message('confirmation', 'm-1', '09:00')]
    const loose = (now: string, more: Partial<SceneGiven> = {}, extra: readonly Fact[] = []) =>
      judge({ program, facts: [...facts, ...extra], now, ...more }).loose
    expect(loose('10:00')).toMatchObject([{ state: 'pending', program: 'care', subjectIndex: 0 }])
    expect(loose('10:01')).toMatchObject([{ state: 'violated', kind: 'orphan', program: 'care', programVersion: 1 }])
    expect(loose('10:01', { readTo: { 'billing.payments': '09:59' } })).toMatchObject([{ state: 'unknown' }])
    expect(loose('18:00', {}, [paid('p-1', '08:00')])).toEqual([])
    const [inJourney] = verdictsOf(judge({ program, facts: [...facts, paid('p-1', '08:00')], now: '18:00' }), 'confirmed-belongs')
    expect(inJourney).toMatchObject({ state: 'satisfied', activation: loose('10:01')[0]!.activation })
  })
})

describe('identity, versions and regressions', () => {
  test('semantics 19: an ambiguous identity is a loose verdict, and nothing is merged', () => {
    const shared = (system: string, token: string) => ({ kind: 'external', system, token }) as const
    const component = factsOf({
      program: careProgram([]),
      facts: [paid('p-1', '09:00', { person: null }), booking('b-1', '09:00', { person: null }), visit('e-1', '09:00', { person: null })],
      now: '18:00',
    })
    const [payment, made, seen] = component.records
    const phone = { kind: 'phone', token: 'f'.repeat(32) } as const
    const records = [
      { ...payment!, role: 'contact' as const, keys: [phone] },
      { ...made!, keys: [shared('ehr.patient', 'a'.repeat(32)), { ...phone, firstName: '1', fullName: '1' }] },
      { ...seen!, keys: [shared('ehr.patient', 'b'.repeat(32)), { ...phone, firstName: '2', fullName: '2' }] },
    ]
    const judgement = judgeComponent({ ...component, records })
    expect(judgement.subjects).toHaveLength(3)
    expect(judgement.loose).toMatchObject([
      {
        expectation: '@identity',
        kind: 'ambiguous_identity',
        state: 'violated',
        program: null,
        detail: { reason: 'fits_several', tokenKind: 'phone', candidates: 2 },
      },
    ])
  })

  test('semantics 21: what reopens a finding is dated by what occurred, not by when it was read', () => {
    const program = careProgram([follows('booked', 'confirmed', 15 * minute)])
    const bounced = aRecord('texts.messages', 'm-1', {
      ops: { template: 'confirmation' },
      events: [
        { at: '09:05', status: 'delivered' },
        { at: '14:00', status: 'undelivered' },
      ],
    })
    const resent = message('confirmation', 'm-2', '15:00')
    const [lost] = verdictsOf(judge({ program, facts: [booking('b-1', '09:00'), bounced], now: '18:00' }))
    expect(lost).toMatchObject({ state: 'violated', occurredAt: at('14:00') })
    const [mended] = verdictsOf(judge({ program, facts: [booking('b-1', '09:00'), bounced, resent], now: '18:00' }))
    expect(mended).toMatchObject({ state: 'satisfied_late', evidenceAt: at('15:00') })
  })

  test('several programs judge the same facts side by side, each under its own journeys', () => {
    const facts = [booking('b-1', '09:00')]
    const program = [
      careProgram([follows('booked', 'confirmed', 15 * minute)], { key: 'one' }),
      careProgram([never('booked')], { key: 'two' }),
    ]
    const judgement = judge({ program, facts, now: '18:00' })
    expect(judgement.journeys.map((journey) => [journey.program, journey.programVersion, journey.subjectIndex])).toEqual([
      ['one', 1, 0],
      ['two', 1, 0],
    ])
    expect(violationsOf(judgement)).toEqual(['gap', 'unexpected'])
    expect(new Set(judgement.journeys.map((journey) => journey.key)).size).toBe(2)
  })

  test('switching the watermark gate off calls what was not read missing, which is how the score shows it can fail', () => {
    const program = careProgram([follows('booked', 'confirmed', 15 * minute)])
    const scene = { program, facts: [booking('b-1', '09:00')], now: '18:00', readTo: { 'texts.messages': '09:10' } }
    expect(violationsOf(judge(scene))).toEqual([])
    expect(violationsOf(judge({ ...scene, without: new Set(['watermark-gate'] as const) }))).toEqual(['gap'])
  })
})
