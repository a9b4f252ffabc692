import { describe, expect, it } from 'vitest'
import { parseProgram, streamsOf } from '../../../jobs/domain/parse-program.ts'
import type { Known } from '../../../jobs/domain/parse-program.ts'
import type { Program } from '../../../jobs/domain/program.ts'
import { formatProblem } from '../../../jobs/domain/yaml-source.ts'

/** The program of the specification, word for word. */
const virtualCare = `program: virtual-care
title: Virtual care onboarding
purpose: Every paying member is seen within 7 days and followed up.
owner: care-operations
timezone: America/New_York
hours: { mon-fri: "08:00-18:00" }
journey: { per: subject, starts: paid, ends: follow_up_sent, abandon_after: 30d }

steps:
  paid:           { stream: billing.payment_intents, when: { status: succeeded }, undone_when: { refund: full } }
  intake_done:    { stream: ehr.questionnaire_responses, where: { form: intake }, when: { status: completed } }
  booked:         { stream: booking.bookings, when: { status: accepted }, undone_when: { status: cancelled } }
  confirmed:      { stream: texts.messages, where: { template: booking-confirmation }, when: { status: delivered } }
  seen:           { stream: ehr.encounters, when: { status: finished } }
  follow_up_sent: { stream: texts.messages, where: { template: follow-up }, when: { status: delivered } }
  opted_out:      { stream: texts.messages, where: { template: stop, direction: inbound } }

expectations:
  booking-confirmed:
    after: booked
    expect: confirmed
    within: 15m
    per: appointment
    owner: messaging
    severity: high
    budget: 0.5%
    if_it_fails: Members arrive unprepared or not at all.
    produced_by: n8n/send-confirmation
    runbook: resend-confirmation
  one-charge:          { at_most: 1, of: paid, per: order, window: 24h, severity: critical, runbook: refund-duplicate }
  intake-before-visit: { first: intake_done, then: seen }
  no-text-after-stop:  { never: confirmed, after: opted_out }
  calendar-agrees:
    agree:
      booking.bookings.status: { accepted: on, cancelled: off, rejected: off }
      ehr.appointments.status: { booked: on, arrived: on, fulfilled: on, cancelled: off, noshow: off }
    per: appointment
    pick: latest
    authority: booking.bookings.status
    settle: 30m
`

function read(text: string, known?: Known): Program {
  const parsed = parseProgram(text, 'programs/p.yaml', known)
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
  return parsed.program
}

function problems(text: string, known?: Known): string[] {
  const parsed = parseProgram(text, 'p.yaml', known)
  return parsed.ok ? [] : parsed.problems.map(formatProblem)
}

/** A whole program around the expectations under test; they begin in line 8. */
const withExpectations = (lines: string) => `program: p
owner: ops
journey: { starts: any }
steps:
  paid: { stream: billing.payments }
  seen: { stream: ehr.visits }
expectations:
${lines}
`

describe('the program of the specification', () => {
  it('is read as it stands', () => {
    const program = read(virtualCare)
    expect(program).toMatchObject({ key: 'virtual-care', owner: 'care-operations', timezone: 'America/New_York' })
    expect(program.journey).toEqual({ per: 'subject', starts: 'paid', ends: 'follow_up_sent', abandonAfterMs: 30 * 86_400_000 })
    expect(program.steps.get('booked')).toEqual({
      name: 'booked',
      title: null,
      stream: 'booking.bookings',
      where: {},
      when: { status: 'accepted' },
      undoneWhen: { status: 'cancelled' },
    })
    expect(program.expectations.map(({ name, kind, per, line }) => [name, kind, per, line])).toEqual([
      ['booking-confirmed', 'follows', 'appointment', 19],
      ['one-charge', 'at_most', 'order', 30],
      ['intake-before-visit', 'order', 'journey', 31],
      ['no-text-after-stop', 'never', 'journey', 32],
      ['calendar-agrees', 'agree', 'appointment', 33],
    ])
    expect(program.expectations[0]).toMatchObject({ within: { offsetMs: 900_000, field: null }, budget: 0.005, severity: 'high' })
    expect(program.expectations[4]).toMatchObject({
      sides: [
        { stream: 'booking.bookings', field: 'status', map: { accepted: 'on', cancelled: 'off', rejected: 'off' } },
        { stream: 'ehr.appointments', field: 'status' },
      ],
      authority: 'booking.bookings.status',
      settleMs: 1_800_000,
    })
  })

  it('names the streams it depends on, those only compared included', () => {
    expect(streamsOf(read(virtualCare))).toEqual([
      'billing.payment_intents',
      'booking.bookings',
      'ehr.appointments',
      'ehr.encounters',
      'ehr.questionnaire_responses',
      'texts.messages',
    ])
  })
})

describe('times', () => {
  it.each([
    ['15m', 900_000, null],
    ['2h', 7_200_000, null],
    ['30d', 30 * 86_400_000, null],
    ['1h30m', 5_400_000, null],
    ['2w', 14 * 86_400_000, null],
    ['24h before paid.startsAt', -86_400_000, 'startsAt'],
    ['1h after paid.startsAt', 3_600_000, 'startsAt'],
  ])('reads within: %s', (text, offsetMs, field) => {
    const [expectation] = read(withExpectations(`  e: { after: paid, expect: seen, within: ${text} }`)).expectations
    expect(expectation).toMatchObject({ within: { offsetMs, field } })
  })

  it.each([
    ['15 mins', '"15 mins" is not a duration; write it as 15m'],
    ['15', '15 does not fit; expected a duration (15m, 2h, 30d, 1h30m), or one measured from a field'],
    ['"15"', '"15" has no unit; expected a duration such as 15m, 2h, 30d or 1h30m'],
    ['1.5h', '"1.5h" has a decimal point; expected whole numbers, such as 1h30m'],
    ['soon', '"soon" is not a duration; expected a duration such as 15m'],
    ['2h working', '"2h working" counts working hours, which this version does not judge yet; give elapsed time, such as 2h'],
    ['24h before paid', '"paid" names no field; expected <step>.<field>, such as 24h before booked.startsAt'],
    [
      '24h before seen.startsAt',
      'the time is measured from "seen", but the promise is anchored to "paid"; expected a field of paid, such as paid.startsAt.',
    ],
  ])('refuses within: %s', (text, message) => {
    const found = problems(withExpectations(`  e: { after: paid, expect: seen, within: ${text} }`))
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(`p.yaml:8:43 expectations.e.within: ${message}`)
  })
})

describe('the other forms', () => {
  it('reads stuck_after, belongs, never at all, not_before and variant', () => {
    const { expectations } = read(
      withExpectations(`  a: { stuck_after: 10d }
  b: { belongs: seen, within: 1h }
  c: { never: seen }
  d: { after: paid, expect: seen, not_before: 1h, variant: { service: { same: service }, price: 19 } }`),
    )
    expect(expectations).toMatchObject([
      { kind: 'stuck', afterMs: 864_000_000 },
      { kind: 'belongs', step: 'seen', withinMs: 3_600_000 },
      { kind: 'never', never: 'seen', after: null },
      {
        kind: 'follows',
        within: null,
        notBefore: { offsetMs: 3_600_000, field: null },
        variant: { service: { same: 'service' }, price: 19 },
      },
    ])
  })

  it('gives a promise the object type of its journey unless it names another', () => {
    const text = withExpectations('  a: { never: seen }\n  b: { never: seen, per: subject }').replace(
      'starts: any',
      'per: claim, starts: any',
    )
    expect(read(text).expectations.map((expectation) => expectation.per)).toEqual(['claim', 'journey'])
  })

  it.each([
    ['{ after: paid }', '`after` needs an `expect` (or a `never`); expected one of these forms: after + expect'],
    ['{ then: paid }', '`then` needs a `first`'],
    ['{ severity: low }', 'it is not clear what is promised; expected one of these forms'],
    ['{ at_most: 0, of: seen }', '0 does not fit; expected a whole number from 1 on; for "not at all" use `never`'],
    ['{ first: paid, then: paid }', '"paid" is also the `first` step; expected another step'],
    ['{ never: seen, at_risk: true }', '`at_risk` is reserved'],
    ['{ agree: { a.b.c: { x: y } } }', 'there is only one side; expected two or more fields to compare'],
    ['{ agree: { a.b: { x: y }, d.e.f: { x: y } } }', '"a.b" names no field; expected <connection>.<stream>.<field>'],
    [
      '{ agree: { a.b.c: { x: y }, d.e.f: { x: y } }, authority: a.b.d }',
      '"a.b.d" is none of the fields under `agree`. Did you mean "a.b.c"?',
    ],
    ['{ never: seen, budget: 200% }', 'the budget is over 100 %'],
    ['5', 'expected one of these forms'],
  ])('refuses %s and says what was expected', (form, message) => {
    expect(problems(withExpectations(`  e: ${form}`))).toEqual([expect.stringContaining(message)])
  })
})

describe('mistakes', () => {
  it('lists all of them at once, each with its place', () => {
    const text = `program: p
owner: opps
timezone: Mars/Phobos
journey: { starts: payed, abandon_after: 30 }
steps:
  paid: { stream: billing.payments, when: { status: suceeded } }
  seen: { streem: ehr.visits }
expectations:
  e: { after: paid, expect: sean, severty: high }
  f: { after: paid, expect: sean }
`
    expect(problems(text, { owners: new Set(['ops']) })).toEqual([
      'p.yaml:2:8 owner: there is no owner "opps" in owners.yaml. Did you mean "ops"?',
      'p.yaml:3:11 timezone: "Mars/Phobos" is no known time zone; expected one such as America/New_York or UTC',
      'p.yaml:4:20 journey.starts: there is no step "payed". Did you mean "paid"?',
      'p.yaml:4:42 journey.abandon_after: 30 does not fit; expected a duration such as 15m, 2h, 30d or 1h30m (units: w, d, h, m, s)',
      'p.yaml:7:3 steps.seen.stream: "stream" is missing; expected a stream written `<connection>.<stream>`, such as billing.payment_intents',
      'p.yaml:7:11 steps.seen.streem: there is no setting of this name here. Did you mean "stream"?',
      'p.yaml:9:35 expectations.e.severty: there is no setting of this name here. Did you mean "severity"?',
      'p.yaml:10:29 expectations.f.expect: there is no step "sean". Did you mean "seen"?',
    ])
  })

  it('knows the streams, their fields and their statuses where they are given', () => {
    const streams = new Map([
      ['billing.payments', { fields: ['amount'], statuses: ['succeeded', 'failed'] }],
      ['ehr.visits', { fields: null, statuses: null }],
    ])
    const text = `program: p
owner: ops
journey: { starts: any }
steps:
  a: { stream: billing.payment }
  b: { stream: biling.payments }
  c: { stream: billing.payments, where: { amont: 3 }, when: { status: [succeeded, faild] } }
  d: { stream: ehr.visits, where: { anything: goes }, when: { status: whatever } }
  e: { stream: billing.payments, when: { status: "unknown:weird", amount: 3 } }
expectations: {}
`
    expect(problems(text, { streams })).toEqual([
      'p.yaml:5:16 steps.a.stream: connection "billing" has no stream "payment". Did you mean "billing.payments"?',
      'p.yaml:6:16 steps.b.stream: there is no connection "biling" in connections.yaml. Did you mean "billing"?',
      'p.yaml:7:43 steps.c.where.amont: billing.payments keeps no field "amont". Did you mean "amount"?',
      'p.yaml:7:63 steps.c.when.status: billing.payments never has the status "faild". Did you mean "failed"?',
    ])
  })

  it.each([
    ['', 'p.yaml:1:1 the file is empty; expected a program: the keys program, owner, journey, steps and expectations'],
    ['- a', 'p.yaml:1:1 a list does not fit; expected a program'],
    ['program: x\n\towner: y', 'p.yaml:2:1 cannot be read as YAML: a tab is used for indentation'],
    ['program: x\nprogram: y', 'p.yaml:2:1 cannot be read as YAML: this key stands twice in the same block; keep one of them'],
    ['program: [a', 'p.yaml:1:12 cannot be read as YAML: '],
    ['program: "x', 'p.yaml:1:12 cannot be read as YAML: '],
    ['program: x\n---\nprogram: y', 'p.yaml:2:1 cannot be read as YAML: a second YAML document starts here'],
    [
      'program: x\nbudget: 12345678901234567890',
      'p.yaml:2:9 12345678901234567890 is too large to be kept exactly as a number; put it in quotes',
    ],
    ['program: x\0', 'p.yaml:1:11 this is not readable as UTF-8 text; save the file as UTF-8'],
  ])('%j says where and why it cannot be read', (text, message) => {
    expect(problems(text)[0]).toContain(message)
  })

  it('does not follow keys into prototypes', () => {
    const text = withExpectations('  e: { never: seen }').replace('  seen:', '  __proto__: { stream: a.b }\n  seen:')
    expect(problems(text)).toEqual([expect.stringContaining('"__proto__" is no name')])
    expect(problems(withExpectations('  e: { never: constructor }'))).toEqual([expect.stringContaining('there is no step "constructor"')])
  })
})
