/** Judged events per second and core: four promises (gap, duplicate, drift, order) over generated journeys. `node test/bench/judge.ts [people]` */
import type { EventFact, ObjectRef, Ops, RecordFact } from '../../jobs/domain/facts.ts'
import { hash128 } from '../../jobs/domain/hash.ts'
import { judgeComponent, judgeResolved } from '../../jobs/domain/judge-component.ts'
import type { ComponentFacts, ComponentJudgement } from '../../jobs/domain/judge-component.ts'
import type { StreamRead } from '../../jobs/domain/expectations/expectation.ts'
import { resolveIdentity } from '../../jobs/domain/identity.ts'
import { agree, aProgram, atMost, day, follows, hour, minute, order } from '../support/program.ts'

const people = Number(process.argv[2] ?? 20_000)
const start = Date.UTC(2026, 0, 1)
const program = aProgram({
  starts: 'paid',
  ends: null,
  steps: {
    paid: { stream: 'billing.payments', when: { status: 'succeeded' }, undoneWhen: { refund: 'full' } },
    intake: { stream: 'forms.responses', where: { form: 'intake' }, when: { status: 'completed' } },
    booked: { stream: 'booking.bookings', when: { status: 'accepted' }, undoneWhen: { status: 'cancelled' } },
    confirmed: { stream: 'texts.messages', where: { template: 'confirmation' }, when: { status: 'delivered' } },
    seen: { stream: 'ehr.encounters', when: { status: 'finished' } },
  },
  expectations: [
    follows('booked', 'confirmed', 15 * minute),
    atMost(1, 'confirmed', day),
    agree(
      {
        'booking.bookings.status': { accepted: 'on', cancelled: 'off' },
        'ehr.appointments.status': { booked: 'on', fulfilled: 'on', cancelled: 'off' },
      },
      30 * minute,
    ),
    order('intake', 'seen'),
  ],
})

let state = 42
const random = (): number => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
  return state / 0x7fffffff
}

function person(index: number): Pick<ComponentFacts, 'records' | 'events'> {
  const records: RecordFact[] = []
  const events = new Map<string, EventFact[]>()
  const begin = start + Math.floor(random() * 20 * day)
  const token = hash128('person', index)
  const add = (stream: string, ops: Ops, objects: readonly ObjectRef[], changes: readonly (readonly [number, string])[]): void => {
    const id = hash128('record', stream, index, records.length)
    const list = changes.map(
      ([at, status]): EventFact => ({
        recordId: id,
        type: status,
        occurredAt: at,
        occurredAfter: null,
        observedAt: at + minute,
        status,
        ops: null,
        actor: { kind: 'automation', id: 'wf-1' },
        seq: 0,
      }),
    )
    const last = list.at(-1)!
    records.push({
      id,
      stream,
      externalId: `${stream}-${index}-${records.length}`,
      updatedAt: last.occurredAt,
      observedAt: last.observedAt,
      status: last.status,
      ops,
      objects,
      role: 'self',
      keys: [{ kind: 'reference', system: 'person', token }],
      deletedAt: null,
    })
    events.set(id, list)
  }
  const appointment = [{ type: 'appointment', id: `a-${index}` }]
  const booked = begin + hour
  add(
    'billing.payments',
    { refund: null },
    [],
    [
      [begin, 'processing'],
      [begin + 2000, 'succeeded'],
    ],
  )
  if (random() > 0.02)
    add(
      'forms.responses',
      { form: 'intake' },
      [],
      [
        [begin + minute, 'in-progress'],
        [begin + 20 * minute, 'completed'],
      ],
    )
  add(
    'booking.bookings',
    {},
    appointment,
    random() < 0.05
      ? [
          [booked, 'accepted'],
          [booked + hour, 'cancelled'],
        ]
      : [[booked, 'accepted']],
  )
  add('ehr.appointments', {}, appointment, [
    [booked + 1000, 'booked'],
    [booked + 2 * day, 'fulfilled'],
  ])
  if (random() > 0.02)
    add(
      'texts.messages',
      { template: 'confirmation' },
      [],
      [
        [booked + minute, 'sent'],
        [booked + 2 * minute, 'delivered'],
      ],
    )
  if (random() < 0.02) add('texts.messages', { template: 'confirmation' }, [], [[booked + 3 * minute, 'delivered']])
  add('ehr.encounters', {}, appointment, [
    [booked + 2 * day, 'in-progress'],
    [booked + 2 * day + hour, 'finished'],
  ])
  records.sort((a, b) => (a.id < b.id ? -1 : 1))
  return { records, events }
}

const now = start + 30 * day
const read: StreamRead = { watermark: now, lagMs: 0, final: false }
const streams = new Map(
  ['billing.payments', 'forms.responses', 'booking.bookings', 'texts.messages', 'ehr.encounters', 'ehr.appointments'].map((name) => [
    name,
    read,
  ]),
)
const rest = { hotTokens: new Set<string>(), decisions: [], programs: [{ program, version: 1 }], context: { now, streams } }
const components: ComponentFacts[] = Array.from({ length: people }, (_, index) => ({ ...person(index), ...rest }))
const resolutions = components.map(({ records }) => resolveIdentity(records, rest.hotTokens, []))
const rounds = Math.max(5, Math.ceil(400_000 / people))
let events = 0
for (const component of components) for (const list of component.events.values()) events += list.length

function measure(name: string, judge: (component: ComponentFacts, index: number) => ComponentJudgement): void {
  let best = Number.POSITIVE_INFINITY
  let verdicts = 0
  let violated = 0
  for (let round = 0; round < rounds; round++) {
    verdicts = violated = 0
    const before = process.cpuUsage()
    for (const [index, component] of components.entries()) {
      for (const journey of judge(component, index).journeys) {
        for (const verdict of journey.verdicts) {
          verdicts++
          if (verdict.violations > 0) violated++
        }
      }
    }
    const { user, system } = process.cpuUsage(before)
    best = Math.min(best, (user + system) / 1e6)
  }
  const rate = (events / best / 1e6).toFixed(2)
  console.log(
    `${name}: ${rate} million events per CPU second (${events} events, ${people} people, ${verdicts} verdicts, ${violated} violated, ${best.toFixed(2)} s)`,
  )
}

measure('journeys and verdicts', (component, index) => judgeResolved(component, component.records, resolutions[index]!))
if (!process.argv.includes('--verdicts-only')) measure('with identity       ', (component) => judgeComponent(component))
