import { describe, expect, it } from 'vitest'
import { findingKindByName } from '../../../jobs/domain/finding-kinds/index.ts'
import { inFullWords, namesFrom, state } from '../../../jobs/domain/finding-kinds/words.ts'

const names = namesFrom(
  new Map([
    ['paid', { title: 'Enrolment paid' }],
    ['booked', { title: 'Visit booked' }],
    ['seen', { title: null }],
  ]),
  new Map([
    ['booking', 'Cal.com'],
    ['ehr', 'EHR (FHIR R4)'],
    ['texts', 'Twilio'],
  ]),
)
const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

describe('a finding is said in plain words', () => {
  const said: [string, Record<string, string | number | boolean | null>, string][] = [
    [
      'gap',
      { expect: 'seen', after: 'paid', withinMs: 14 * day, withinField: null },
      '“Seen” did not happen within 14 days after “Enrolment paid”.',
    ],
    [
      'gap',
      { expect: 'intake_done', after: 'booked', withinMs: -2 * hour, withinField: 'startsAt' },
      '“Intake done” did not happen by 2 hours before the start of “Visit booked”.',
    ],
    [
      'gap',
      { expect: 'seen', after: 'booked', withinMs: null, withinField: null },
      '“Seen” did not happen after “Visit booked” before the journey ended.',
    ],
    [
      'late',
      { expect: 'seen', after: 'paid', withinMs: 3 * day, withinField: null, lateByMs: 26 * hour + 5 * minute },
      '“Seen” came 1 day 2 hours late: it was due within 3 days after “Enrolment paid”.',
    ],
    ['early', { expect: 'seen', after: 'paid', earlyByMs: 5 * hour + 48 * minute }, '“Seen” came 5 hours 48 minutes too early.'],
    ['disorder', { first: 'intake_done', then: 'seen' }, '“Seen” happened without “Intake done” before it.'],
    ['unexpected', { never: 'checked_in', after: 'opted_out' }, '“Checked in” happened after “Opted out”.'],
    ['duplicate', { of: 'paid', count: 2, limit: 1 }, '“Enrolment paid” happened twice, at most once is allowed.'],
    [
      'wrong_variant',
      { expect: 'booked', field: 'serviceType', observed: 'first-visit', expected: 'therapy' },
      '“Visit booked” came with service type first-visit instead of therapy.',
    ],
    [
      'drift',
      { authority: 'booking.bookings.status', authorityValue: 'cancelled', other: 'ehr.appointments.status', otherValue: 'noshow' },
      'Cal.com says cancelled, EHR (FHIR R4) says no-show.',
    ],
    [
      'drift',
      { authority: 'booking.bookings.service', authorityValue: 'video', other: 'ehr.appointments.status', otherValue: 'nothing' },
      'Cal.com says service video, EHR (FHIR R4) shows nothing.',
    ],
    [
      'unmapped_state',
      { field: 'ehr.appointments.status', value: 'unknown:on_hold' },
      'EHR (FHIR R4) shows “unknown (on_hold)”, which the program does not map.',
    ],
    ['stuck', { stage: 'booked', afterMs: 10 * day }, 'Nothing has happened for 10 days since “Visit booked”.'],
    ['orphan', { step: 'seen' }, '“Seen” belongs to no journey.'],
    ['ambiguous_identity', { tokenKind: 'email', candidates: 2 }, 'Records share an e-mail address but may be 2 different people.'],
    [
      'blind',
      { connection: 'texts', streams: 'texts.messages', blindAfterMs: hour },
      'Twilio was not completely read for longer than 1 hour: messages.',
    ],
    [
      'schema_drift',
      { stream: 'booking.bookings', count: 1, paths: 'attendanceMode (new)' },
      '“Bookings” of Cal.com answers with 1 unknown path: attendanceMode (new).',
    ],
  ]
  for (const [kind, detail, sentence] of said) {
    it(sentence, () => expect(findingKindByName.get(kind)?.sentence(detail, names)).toBe(sentence))
  }
})

it('says durations as people do', () => {
  const lengths: [number, string][] = [
    [0, '0 seconds'],
    [minute, '1 minute'],
    [90 * minute, '1 hour 30 minutes'],
    [9 * minute + 4_000, '9 minutes 4 seconds'],
    [33 * minute + 4_000, '33 minutes'],
    [24 * hour, '24 hours'],
    [36 * hour, '36 hours'],
    [2 * day, '2 days'],
    [-2 * hour, '2 hours'],
  ]
  for (const [ms, words] of lengths) expect(inFullWords(ms)).toBe(words)
})

it('shows a state its connector does not know as unknown, never as another', () => {
  expect(state('no_show')).toBe('no show')
  expect(state('unknown:on_hold')).toBe('unknown (on_hold)')
})
