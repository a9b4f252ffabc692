import type { Expectation, Program } from '../../jobs/domain/program.ts'
import { aProgram } from './program.ts'
import { aRecord, happened } from './facts.ts'
import type { EventGiven, Fact, RecordGiven } from './facts.ts'

/** The demo program of product.md, with the promises a test is about. */
export function careProgram(expectations: readonly Expectation[], more: Partial<Parameters<typeof aProgram>[0]> = {}): Program {
  return aProgram({
    timezone: 'America/New_York',
    starts: null,
    steps: {
      paid: { stream: 'billing.payments', when: { status: 'succeeded' }, undoneWhen: { refund: 'full' } },
      intake: { stream: 'ehr.forms', where: { form: 'intake' }, when: { status: 'completed' } },
      booked: { stream: 'booking.bookings', when: { status: 'accepted' }, undoneWhen: { status: 'cancelled' } },
      confirmed: {
        stream: 'texts.messages',
        where: { template: 'confirmation' },
        when: { status: 'delivered' },
        undoneWhen: { status: 'undelivered' },
      },
      reminded: { stream: 'texts.messages', where: { template: 'reminder' }, when: { status: 'delivered' } },
      stopped: { stream: 'texts.messages', where: { template: 'stop' }, when: { status: 'received' }, undoneWhen: { status: 'lifted' } },
      seen: { stream: 'ehr.encounters', when: { status: 'finished' } },
    },
    expectations,
    ...more,
  })
}

type Given = Omit<RecordGiven & EventGiven, 'at' | 'events'>

export function booking(
  id: string,
  when: string,
  more: RecordGiven & { readonly root?: string; readonly cancelledAt?: string } = {},
): Fact {
  const { root, cancelledAt, ...given } = more
  return aRecord('booking.bookings', id, {
    objects: [{ type: 'appointment', id, ...(root !== undefined && { root }) }],
    events: [
      { at: when, type: 'created', status: 'accepted', actor: { kind: 'person', id: null } },
      ...(cancelledAt === undefined ? [] : [{ at: cancelledAt, type: 'cancelled', status: 'cancelled' }]),
    ],
    ...given,
  })
}

export function message(template: string, id: string, when: string | number, more: Partial<Given> = {}): Fact {
  return happened('texts.messages', id, when, {
    status: template === 'stop' ? 'received' : 'delivered',
    ...more,
    ops: { template, ...more.ops },
  })
}
