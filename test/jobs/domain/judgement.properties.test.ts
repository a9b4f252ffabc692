import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JudgeContext, Verdict } from '../../../jobs/domain/expectations/expectation.ts'
import { judgeComponent } from '../../../jobs/domain/judge-component.ts'
import type { ComponentFacts, ComponentJudgement } from '../../../jobs/domain/judge-component.ts'
import type { Program } from '../../../jobs/domain/program.ts'
import { booking, careProgram, message } from '../../support/care.ts'
import { aRecord, at, factsOf } from '../../support/facts.ts'
import type { Fact } from '../../support/facts.ts'
import { agree, atMost, belongs, day, follows, minute, never, order, stuck } from '../../support/program.ts'

const start = at('09:00')
const runs = Number(process.env.PROPERTY_RUNS ?? 300)

/** Every kind of promise, per journey and per appointment, over a few minutes in which everything happens at once. */
const promises = [
  follows('booked', 'confirmed', 5 * minute, { per: 'appointment', name: 'confirmed' }),
  follows(
    'booked',
    'reminded',
    { offsetMs: -5 * minute, field: 'startsAt' },
    { per: 'appointment', notBefore: 4 * minute, name: 'reminded' },
  ),
  follows('paid', 'seen', null, { name: 'seen' }),
  follows('booked', 'intake', 10 * minute, { name: 'intake' }),
  atMost(1, 'confirmed', 4 * minute, 'appointment'),
  atMost(1, 'paid'),
  order('intake', 'seen'),
  never('confirmed', 'stopped'),
  agree(
    {
      'booking.bookings.status': { accepted: 'on', cancelled: 'off' },
      'ehr.appointments.status': { booked: 'on', cancelled: 'off' },
    },
    6 * minute,
    { per: 'appointment' },
  ),
  stuck(9 * minute),
  belongs('confirmed', 3 * minute),
]
const programs: readonly Program[] = [
  careProgram(promises, { key: 'from-payment', starts: 'paid', ends: 'seen', abandonAfterMs: 12 * minute }),
  careProgram(promises, { key: 'from-anything', starts: null, ends: null, abandonAfterMs: null }),
  careProgram(promises, { key: 'per-appointment', per: 'appointment', starts: 'booked', ends: 'seen', abandonAfterMs: 20 * minute }),
]

const whenArb = fc.integer({ min: 0, max: 30 }).map((step) => start + step * minute)
const personArb = fc.constantFrom('ada', 'ben')
const appointmentArb = fc.constantFrom('b-1', 'b-2', 'b-3')
const objectsArb = fc.oneof(
  fc.constant([]),
  appointmentArb.map((id) => [{ type: 'appointment', id }]),
)
const iso = (time: number): string => new Date(time).toISOString()

const factArb: fc.Arbitrary<Fact> = fc.oneof(
  fc
    .record({
      id: appointmentArb,
      person: personArb,
      when: whenArb,
      cancelled: fc.option(fc.integer({ min: 1, max: 20 })),
      root: fc.option(appointmentArb),
      starts: fc.integer({ min: -2, max: 25 }),
      deleted: fc.boolean(),
    })
    .map(({ id, person, when, cancelled, root, starts, deleted }) =>
      booking(id, iso(when), {
        person,
        ops: { startsAt: iso(when + starts * minute) },
        ...(cancelled !== null && { cancelledAt: iso(when + cancelled * minute) }),
        ...(root !== null && root !== id && { root }),
        ...(deleted && cancelled === 1 && { deletedAt: iso(when + 5 * minute) }),
      }),
    ),
  fc
    .record({
      id: fc.nat(20),
      template: fc.constantFrom('confirmation', 'reminder', 'stop'),
      person: personArb,
      when: whenArb,
      objects: objectsArb,
      before: fc.option(fc.integer({ min: 1, max: 4 }), { freq: 6 }),
    })
    .map(({ id, template, person, when, objects, before }) =>
      message(template, `m-${id}`, iso(when), {
        person,
        objects,
        actor: 'wf-1',
        ...(before !== null && { after: iso(when - before * minute) }),
      }),
    ),
  fc
    .record({ id: fc.nat(3), person: personArb, when: whenArb, refunded: fc.option(fc.integer({ min: 1, max: 10 })) })
    .map(({ id, person, when, refunded }) =>
      aRecord('billing.payments', `p-${id}`, {
        person,
        ops: { refund: refunded === null ? null : 'full' },
        events: [
          { at: iso(when), status: 'succeeded', ops: { refund: '' } },
          ...(refunded === null ? [] : [{ at: iso(when + refunded * minute), status: 'succeeded', type: 'refunded' }]),
        ],
      }),
    ),
  fc
    .record({ id: fc.nat(3), person: personArb, when: whenArb })
    .map(({ id, person, when }) =>
      aRecord('ehr.forms', `f-${id}`, { person, ops: { form: 'intake' }, events: [{ at: iso(when), status: 'completed' }] }),
    ),
  fc
    .record({ id: fc.nat(3), person: personArb, when: whenArb, objects: objectsArb })
    .map(({ id, person, when, objects }) =>
      aRecord('ehr.encounters', `e-${id}`, { person, objects, events: [{ at: iso(when), status: 'finished' }] }),
    ),
  fc
    .record({
      id: appointmentArb,
      person: personArb,
      when: whenArb,
      changes: fc.array(fc.tuple(fc.integer({ min: 1, max: 25 }), fc.constantFrom('booked', 'cancelled', 'moved')), { maxLength: 4 }),
    })
    .map(({ id, person, when, changes }) =>
      aRecord('ehr.appointments', `a-${id}`, {
        person,
        objects: [{ type: 'appointment', id }],
        events: [
          { at: iso(when), status: 'booked' },
          ...changes.map(([later, status], index) => ({ at: iso(when + later * minute), status, type: `change-${index}` })),
        ],
      }),
    ),
)

const factsArb = fc.uniqueArray(factArb, { selector: ({ record }) => record.id, maxLength: 14 })
const streamNames = ['billing.payments', 'ehr.forms', 'booking.bookings', 'texts.messages', 'ehr.encounters', 'ehr.appointments']
const readArb = fc.array(fc.option(fc.integer({ min: -5, max: 60 }), { freq: 8 }), { minLength: 6, maxLength: 6 })

function componentOf(facts: readonly Fact[], now: number, read: readonly (number | null)[]): ComponentFacts {
  const readTo = Object.fromEntries(
    streamNames.map((name, index) => [name, read[index] == null ? null : Math.min(now, start + read[index] * minute)]),
  )
  return factsOf({ program: programs, facts, now, readTo, lagMs: minute })
}

/** What must not depend on anything but the facts, the clock and the watermarks. */
function gist(judgement: ComponentJudgement): unknown {
  const verdict = ({ unread, evidence, ...rest }: Verdict) => ({
    ...rest,
    unread: unread?.stream,
    evidence: evidence.map((item) => [item.role, item.recordId, item.status]),
  })
  return {
    subjects: judgement.subjects.map((subject) => subject.fingerprint),
    journeys: judgement.journeys.map((journey) => ({ ...journey, key: journey.key, verdicts: journey.verdicts.map(verdict) })),
    loose: judgement.loose.map(verdict),
    wakes: judgement.wakes,
  }
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = seed
  return items
    .map((item) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
      return { item, rank: state }
    })
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item)
}

describe('judging, for any facts', () => {
  test('semantics 19: any order of records and events, and any redelivery, gives the identical judgement', () => {
    fc.assert(
      fc.property(factsArb, readArb, fc.integer({ min: 0, max: 60 }), fc.nat(), (facts, read, later, seed) => {
        const component = componentOf(facts, start + later * minute, read)
        const again: ComponentFacts = {
          ...component,
          records: shuffled([...component.records, ...component.records.slice(0, 2)], seed),
          events: new Map(
            shuffled(
              [...component.events].map(([id, events]) => [id, shuffled([...events, ...events.slice(0, 1)], seed)] as const),
              seed + 1,
            ),
          ),
        }
        expect(gist(judgeComponent(again))).toEqual(gist(judgeComponent(component)))
      }),
      { numRuns: runs },
    )
  })

  test('wakes are sound: without new facts nothing changes before one of them passes', () => {
    fc.assert(
      fc.property(
        factsArb,
        readArb,
        readArb,
        fc.integer({ min: 0, max: 60 * 60 }),
        fc.integer({ min: 0, max: 20 * 60 }),
        (facts, read, further, seconds, more) => {
          const now = start + seconds * 1000
          const before = componentOf(facts, now, read)
          const grown = read.map((value, index) => (value === null ? (further[index] ?? null) : Math.max(value, further[index] ?? value)))
          const after = componentOf(facts, now + more * 1000, grown)
          const judged = judgeComponent(before)
          const passed = judged.wakes.some(({ stream, at: time }) => {
            const reached = stream === null ? after.context.now : reachOf(after.context, stream)
            return reached > time
          })
          fc.pre(!passed)
          expect(states(judgeComponent(after))).toEqual(states(judged))
        },
      ),
      { numRuns: runs * 4 },
    )
  })

  test('invariant 2: nothing that did not happen is held against anyone while a stream that could show it is unread', () => {
    const byAbsence = new Set(['gap', 'late', 'disorder', 'stuck', 'orphan', 'drift', 'unmapped_state'])
    fc.assert(
      fc.property(factsArb, readArb, fc.integer({ min: 0, max: 60 }), fc.nat(5), (facts, read, later, index) => {
        const unread = streamNames[index]!
        const component = componentOf(facts, start + later * minute, read.with(index, null))
        const judgement = judgeComponent(component)
        for (const verdict of [...judgement.journeys.flatMap((journey) => journey.verdicts), ...judgement.loose]) {
          if (verdict.kind === null || !byAbsence.has(verdict.kind)) continue
          expect([...shownBy(verdict.expectation)]).not.toContain(unread)
        }
      }),
      { numRuns: runs },
    )
  })

  test('invariant 2: what is called missing from a partial read is missing in the whole, as long as its anchor stands', () => {
    fc.assert(
      fc.property(factsArb, readArb, fc.integer({ min: 0, max: 40 }), (facts, read, later) => {
        const whole: ComponentFacts = {
          ...componentOf(facts, start + later * minute, read),
          programs: [{ program: programs[1]!, version: 1 }],
        }
        const streamOf = new Map(whole.records.map((record) => [record.id, record.stream]))
        const partly: ComponentFacts = {
          ...whole,
          events: new Map(
            [...whole.events].map(
              ([id, events]) => [id, events.filter((event) => event.occurredAt <= reachOf(whole.context, streamOf.get(id)!))] as const,
            ),
          ),
        }
        const standing = new Set(intakes(judgeComponent(whole)).map((verdict) => verdict.activation))
        const missing = new Set(
          intakes(judgeComponent(whole))
            .filter(isMissing)
            .map((verdict) => verdict.activation),
        )
        for (const { activation } of intakes(judgeComponent(partly)).filter(isMissing)) {
          if (standing.has(activation)) expect(missing).toContain(activation)
        }
      }),
      { numRuns: runs },
    )
  })
})

function reachOf(context: Pick<JudgeContext, 'streams'>, stream: string): number {
  const read = context.streams.get(stream)
  return read === undefined || read.watermark === null ? Number.NEGATIVE_INFINITY : read.watermark - read.lagMs
}

function states(judgement: ComponentJudgement): unknown {
  const verdict = (one: Verdict) => [
    one.expectation,
    one.activation,
    one.state,
    one.kind,
    one.violations,
    one.dueAt,
    one.occurredAt,
    one.occurrences,
    one.evidenceAt,
  ]
  return {
    journeys: judgement.journeys.map((one) => [one.key, one.endedAt, one.endReason, one.stage, one.verdicts.map(verdict)]),
    loose: judgement.loose.map(verdict),
  }
}

function intakes(judgement: ComponentJudgement): readonly Verdict[] {
  return judgement.journeys
    .flatMap((journey) => journey.verdicts)
    .filter((verdict) => verdict.expectation === 'intake' && verdict.state !== 'void')
}

function isMissing(verdict: Verdict): boolean {
  return verdict.kind === 'gap' || verdict.kind === 'late'
}

function shownBy(expectation: string): ReadonlySet<string> {
  const shown: Readonly<Record<string, readonly string[]>> = {
    confirmed: ['texts.messages'],
    reminded: ['texts.messages'],
    seen: ['ehr.encounters'],
    intake: ['ehr.forms'],
    'intake-before-seen': ['ehr.forms'],
    agrees: ['booking.bookings', 'ehr.appointments'],
    moves: streamNames.slice(0, 5),
    'confirmed-belongs': streamNames.slice(0, 5),
  }
  return new Set(shown[expectation] ?? [])
}

test('the properties meet every kind of verdict', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(factsArb, fc.integer({ min: 0, max: 60 + day / minute }), (facts, later) => {
      const judgement = judgeComponent(componentOf(facts, start + later * minute, [2000, 2000, 2000, 2000, 2000, 2000]))
      for (const { state, kind } of [...judgement.journeys.flatMap((journey) => journey.verdicts), ...judgement.loose])
        seen.add(kind ?? state)
    }),
    { numRuns: 1500, seed: 7 },
  )
  for (const kind of [
    'gap',
    'late',
    'early',
    'duplicate',
    'disorder',
    'unexpected',
    'drift',
    'unmapped_state',
    'stuck',
    'orphan',
    'pending',
    'satisfied',
    'unknown',
    'void',
  ]) {
    expect([...seen]).toContain(kind)
  }
})
