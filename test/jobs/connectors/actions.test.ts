import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import type { ActResult, EvidenceRef, Intent, ToolAction } from '../../../jobs/connectors/connector.ts'
import { connectors } from '../../../jobs/connectors/index.ts'
import type { ActionName, Disobedience } from '../../../jobs/simulator/acts.ts'
import { lateMs, revertMs } from '../../../jobs/simulator/acts.ts'
import { canary, canaryMark } from '../../../jobs/simulator/canary.ts'
import { needlesOf } from '../../../jobs/simulator/people.ts'
import { day, hour, iso, minute, rfc2822, second, unix } from '../../../jobs/simulator/times.ts'
import type { Stored, World } from '../../../jobs/simulator/world.ts'
import type { Collection, Resource } from '../../../jobs/simulator/writes.ts'
import type { ActingTools } from '../../support/acting-tools.ts'
import { openActingTools } from '../../support/acting-tools.ts'

type Tool = 'stripe' | 'calcom' | 'twilio' | 'fhir'
type Input = Record<string, unknown>

/** One action as the suite needs it: fresh targets, inputs it must not take, and one that the tool's state forbids. */
interface Case {
  readonly tool: Tool
  readonly name: string
  /** The n-th target; none is given twice. */
  target(world: World, now: number, nth: number): Input
  readonly malformed: readonly Input[]
  forbidden(world: World, now: number): Input
}

function some(world: World, collection: Collection, fits: (one: Stored) => boolean, nth: number): Stored {
  const found = [...world.all(collection).values()].filter(fits)[nth]
  if (!found) throw new Error(`The clinic has no ${nth + 1} of those in ${collection}.`)
  return found
}

/** Puts a changed copy of something into a tool, as if it had always been there. */
function plant(world: World, collection: Collection, id: string, at: number, body: Resource): string {
  world.act({ visibleAt: at, updatedAt: at, collection, id, body })
  return id
}

const isStopped = (world: World, phone: unknown) =>
  [...world.all('twilio.messages').values()].some(({ body }) => body.direction === 'inbound' && body.from === phone)
const isReachable = (world: World) => (one: Stored) =>
  one.body.direction === 'outbound-api' && one.body.status === 'delivered' && !isStopped(world, one.body.to)
const hex = (nth: number) => nth.toString(16).padStart(31, '0')

const cases: readonly Case[] = [
  {
    tool: 'stripe',
    name: 'refund',
    target: (world, now, nth) => ({
      payment: some(
        world,
        'stripe.payment_intents',
        ({ body, updatedAt }) =>
          body.status === 'succeeded' &&
          updatedAt < now - hour &&
          world.all('stripe.charges').get(String(body.latest_charge))?.body.amount_refunded === 0,
        nth,
      ).id,
    }),
    malformed: [
      {},
      { payment: 'Ana Canary' },
      { payment: 'pi_1', amount: 0 },
      { payment: 'pi_123', amount: 1.5 },
      { payment: 'pi_123', note: 'x' },
    ],
    forbidden: (world) => ({
      payment: some(world, 'stripe.payment_intents', ({ body }) => body.status === 'processing' || body.status === 'succeeded', 0).id,
      amount: 99_999_999,
    }),
  },
  {
    tool: 'stripe',
    name: 'cancel',
    target(world, now, nth) {
      const { body } = some(world, 'stripe.payment_intents', () => true, nth)
      const id = `pi_1held${String(nth).padStart(8, '0')}`
      const held: Resource = { ...body, id, status: 'requires_capture', latest_charge: null, amount_received: 0, created: unix(now - hour) }
      return { payment: plant(world, 'stripe.payment_intents', id, now - hour, held), reason: 'duplicate' }
    },
    malformed: [{}, { payment: 're_123' }, { payment: 'pi_123', reason: 'Ana asked' }],
    forbidden: (world) => ({ payment: some(world, 'stripe.payment_intents', ({ body }) => body.status === 'succeeded', 0).id }),
  },
  {
    tool: 'calcom',
    name: 'cancel',
    target: (world, now, nth) => ({ booking: coming(world, now, nth) }),
    malformed: [{}, { booking: '../me' }, { booking: 'abc', reason: 'Ana is ill' }],
    forbidden: (world, now) => ({ booking: held(world, now, 0) }),
  },
  {
    tool: 'calcom',
    name: 'mark-absent',
    target: (world, now, nth) => ({ booking: held(world, now, nth), who: nth % 2 === 0 ? 'attendee' : 'host' }),
    malformed: [{ booking: 'abc' }, { booking: 'abc', who: 'ana@example.org' }],
    forbidden: (world, now) => ({ booking: coming(world, now, 0), who: 'attendee' }),
  },
  {
    tool: 'calcom',
    name: 'rebook',
    target: (world, now, nth) => ({ booking: coming(world, now, nth), start: iso(now + 5 * day) }),
    malformed: [{ booking: 'abc' }, { booking: 'abc', start: 'tomorrow' }, { booking: 'abc', start: '2026-03-02' }],
    forbidden: (world, now) => ({ booking: coming(world, now, 0), start: iso(now - day) }),
  },
  {
    tool: 'twilio',
    name: 'resend',
    target(world, now, nth) {
      const { body } = some(world, 'twilio.messages', isReachable(world), nth)
      const sid = `SMa${hex(nth)}`
      const at = rfc2822(now - hour)
      const undelivered: Resource = {
        ...body,
        ...{ sid, status: 'undelivered', error_code: 30003, error_message: canary('twilio.error', sid) },
        ...{ date_created: at, date_sent: at, date_updated: at, body: `${String(body.body)} ${sid}` },
      }
      return { message: plant(world, 'twilio.messages', sid, now - hour, undelivered) }
    },
    malformed: [{}, { message: '+12015550123' }, { message: `SM${'0'.repeat(32)}`, body: 'Hello Ana' }],
    forbidden: (world) => ({ message: some(world, 'twilio.messages', ({ body }) => body.direction === 'inbound', 0).id }),
  },
  {
    tool: 'twilio',
    name: 'send',
    target: (world, _, nth) => ({
      template: 'booking-confirmation',
      recipient_of: some(world, 'twilio.messages', isReachable(world), nth).id,
      about: { appointment: `booking${nth}` },
    }),
    malformed: [
      { template: 'reminder' },
      { template: 'Hello Ana', recipient_of: `SM${'0'.repeat(32)}` },
      { template: 'reminder', recipient_of: `SM${'0'.repeat(32)}`, about: { appointment: 'a b' } },
    ],
    forbidden: (world) => ({ template: 'reminder', recipient_of: some(world, 'twilio.messages', isReachable(world), 0).id }),
  },
  {
    tool: 'fhir',
    name: 'create-task',
    target: (world, _, nth) => ({
      appointment: some(world, 'fhir.Appointment', () => true, nth).id,
      code: 'call-member',
      priority: 'urgent',
    }),
    malformed: [
      { code: 'call-member' },
      { appointment: 'a', patient: 'b', code: 'call-member' },
      { appointment: 'a', code: 'Call Ana now' },
    ],
    forbidden: () => ({ encounter: 'nobody', code: 'call-member' }),
  },
  {
    tool: 'fhir',
    name: 'set-appointment-status',
    target: (world, now, nth) => ({
      appointment: some(
        world,
        'fhir.Appointment',
        ({ body }) => body.status === 'booked' && Date.parse(String(body.start)) > now + 8 * hour,
        nth,
      ).id,
      status: 'cancelled',
    }),
    malformed: [{ appointment: 'a' }, { appointment: 'a/b', status: 'cancelled' }, { appointment: 'a', status: 'parked' }],
    forbidden: (world) => ({
      appointment: some(world, 'fhir.Appointment', ({ body }) => body.status === 'fulfilled', 0).id,
      status: 'cancelled',
    }),
  },
  {
    tool: 'fhir',
    name: 'set-task-status',
    target(world, now, nth) {
      const { body } = some(world, 'fhir.Task', () => true, 0)
      const id = `task${nth}`
      const meta = { versionId: '1', lastUpdated: iso(now - hour) }
      const requested: Resource = { ...body, id, meta, status: 'requested', lastModified: iso(now - hour) }
      return { task: plant(world, 'fhir.Task', id, now - hour, requested), status: 'completed' }
    },
    malformed: [{ task: 'a' }, { task: 'a', status: 'fulfilled' }],
    forbidden: (world) => ({ task: some(world, 'fhir.Task', ({ body }) => body.status === 'completed', 0).id, status: 'cancelled' }),
  },
]

/** Bookings that start late enough for a whole test to pass before. */
function coming(world: World, now: number, nth: number): string {
  return some(world, 'calcom.bookings', ({ body }) => body.status === 'accepted' && Date.parse(String(body.start)) > now + 8 * hour, nth).id
}
function held(world: World, now: number, nth: number): string {
  const isNobodyAbsent = ({ body }: Stored) => body.absentHost === false && !JSON.stringify(body.attendees).includes('"absent":true')
  return some(
    world,
    'calcom.bookings',
    (one) => one.body.status === 'accepted' && Date.parse(String(one.body.end)) < now && isNobodyAbsent(one),
    nth,
  ).id
}

vi.setConfig({ testTimeout: 180_000, hookTimeout: 300_000 })

let tools: ActingTools
let needles: readonly string[]
let intents = 0
beforeAll(async () => {
  tools = await openActingTools(7)
  needles = tools.simulator.world.people.flatMap(needlesOf)
  // What was there before anything was done.
  const streams = new Map(cases.map(({ tool, name }) => [`${tool}.${tools.action(tool, name).verifyBy.stream}`, tool]))
  for (const [stream, tool] of streams) await tools.read(tool, stream.slice(tool.length + 1))
})
afterAll(() => tools?.close())

/** Nothing an action says may name anyone, nor hold what a tool wrote. */
function heard<T>(said: T): T {
  const text = JSON.stringify(said) ?? ''
  expect(text).not.toContain(canaryMark)
  for (const needle of needles) if (text.includes(needle)) expect.fail(`It says ${needle}: ${text}`)
  return said
}
const intent = (): Intent => ({ idempotencyKey: `tl-run-${++intents}`, since: tools.clock.now() })

describe.each(cases.map((one) => [`${one.tool}.${one.name}` as ActionName, one] as const))('%s', (name, one) => {
  let action: ToolAction
  let taken = 0
  beforeAll(() => {
    action = tools.action(one.tool, one.name)
  })
  const context = () => tools.context(one.tool)
  const effects = () => tools.simulator.acts.effectsOf(name).length
  const writes = () => tools.simulator.tools[one.tool].requests.filter(({ method }) => method !== 'GET').length
  const nextTarget = () => action.input.parse(one.target(tools.simulator.world, tools.clock.now(), taken++))
  const look = async (input: unknown) => heard(await action.preflight(context(), input))
  const perform = async (input: unknown, intent: Intent, http = context().http) =>
    heard(await action.perform(tools.context(one.tool, http), input, intent))
  const lookUp = async (input: unknown, intent: Intent) => heard(await action.lookUp?.(context(), input, intent)) ?? null
  /** Whether the record that the action named shows it, as stored after one more pass. */
  const shown = async (input: unknown, evidence: EvidenceRef | null, mode: 'full' | 'incremental' = 'incremental') => {
    const records = await tools.read(one.tool, action.verifyBy.stream, mode)
    const record = evidence ? records.get(evidence.externalId) : undefined
    if (evidence) expect(evidence.stream).toBe(action.verifyBy.stream)
    return record !== undefined && action.shows(heard(record), input, evidence)
  }
  async function disobeying<T>(how: Disobedience, work: () => Promise<T>): Promise<T> {
    tools.simulator.acts.disobeys.set(name, how)
    try {
      return await work()
    } finally {
      tools.simulator.acts.disobeys.delete(name)
    }
  }

  test('is described: a form for its input, a stream that shows its effect, and a way to settle a lost answer', () => {
    const description = connectors.find((connector) => connector.describe().id === one.tool)?.describe()
    expect(description?.actions.map((each) => each.name)).toContain(one.name)
    expect(description?.streams.map((stream) => stream.name)).toContain(action.verifyBy.stream)
    expect(z.toJSONSchema(action.input, { io: 'input' })).toMatchObject({ type: 'object' })
    expect(action.repeat.lookUp).toBe(action.lookUp !== undefined)
    expect(action.repeat.keyHours !== null || action.repeat.lookUp).toBe(true)
    expect(action.reach).toBe({ refund: 'money', resend: 'message', send: 'message' }[one.name] ?? 'record')
    expect(action.verifyBy.withinSeconds).toBeGreaterThanOrEqual(1800)
  })

  test('takes ids and words of closed lists, nothing that could be a name', () => {
    for (const input of one.malformed) expect(action.input.safeParse(input).success, JSON.stringify(input)).toBe(false)
  })

  test('looks and sends nothing: what stands in the way is said with what to do', async () => {
    const before = [effects(), writes()]
    const input = action.input.parse(one.forbidden(tools.simulator.world, tools.clock.now()))
    const found = await look(input)
    expect(found).toMatchObject({ kind: 'refused', message: expect.stringMatching(/\.$|\?$/) })
    expect((await look(nextTarget())).kind).toBe('ready')
    expect([effects(), writes()]).toEqual(before)
  })

  test('R4: done twice with one key it is one effect, and only a later read shows it (R11)', async () => {
    const input = nextTarget()
    const key = intent()
    const before = effects()
    const found = await look(input)
    expect(found).toMatchObject({ kind: 'ready' })
    expect(found.kind === 'ready' && found.sends.length).toBeGreaterThan(0)
    expect(found.kind === 'ready' && (found.amount !== null) === (action.reach === 'money')).toBe(true)
    const first = await perform(input, key)
    expect(first).toMatchObject({ outcome: 'done', evidence: { stream: action.verifyBy.stream } })
    tools.advance(5 * second)
    const again = await perform(input, key)
    expect(['done', 'already_done']).toContain(again.outcome)
    expect(again.evidence).toEqual(first.evidence)
    expect(effects() - before).toBe(1)
    expect(await look(input)).toMatchObject({ kind: 'already', evidence: first.evidence })
    expect(await lookUp(input, key)).toEqual({ isDone: true, evidence: first.evidence })
    tools.advance(2 * minute)
    expect(await shown(input, first.evidence)).toBe(true)
    expect(await shown(input, { stream: action.verifyBy.stream, externalId: 'another' })).toBe(false)
  })

  test.each<Disobedience>(['lost', 'fails_after'])('R4: %s: the answer leaves it open, the look-up finds the one effect', async (how) => {
    const input = nextTarget()
    const key = intent()
    const before = effects()
    const result = await disobeying(how, () => perform(input, key))
    expect(result).toMatchObject({ outcome: 'unknown', message: expect.stringMatching(/look/i) })
    expect(effects() - before).toBe(1)
    const found = await lookUp(input, key)
    expect(found).toMatchObject({ isDone: true, evidence: { stream: action.verifyBy.stream } })
    tools.advance(2 * minute)
    expect(found?.isDone && (await shown(input, found.evidence))).toBe(true)
    expect(effects() - before).toBe(1)
  })

  test('R4: a time-out after sending is unknown, and the look-up decides', async () => {
    const input = nextTarget()
    const key = intent()
    const before = effects()
    const { switches } = tools.simulator.tools[one.tool]
    const impatient = tools.http(one.tool, { deadlineMs: 700 })
    const http: typeof impatient = {
      ...context().http,
      async send(path, options) {
        switches.slowMs = 20_000
        try {
          return await impatient.send(path, options)
        } finally {
          switches.slowMs = 0
        }
      },
    }
    expect(await perform(input, key, http)).toMatchObject({ outcome: 'unknown', evidence: null })
    expect(effects() - before).toBe(1)
    expect(await lookUp(input, key)).toMatchObject({ isDone: true })
  })

  test.each<Disobedience>(['fails', 'error_body'])(
    'R4: %s: nobody knows from the answer, the look-up says that nothing happened',
    async (how) => {
      const input = nextTarget()
      const key = intent()
      const before = effects()
      const result = await disobeying(how, () => perform(input, key))
      expect(result).toMatchObject({ outcome: 'unknown', evidence: null })
      expect(effects() - before).toBe(0)
      tools.advance(5 * minute)
      expect(await lookUp(input, key)).toEqual({ isDone: false })
    },
  )

  test('a tool that is not reached did nothing: it says so, and that it may be tried again', async () => {
    const input = nextTarget()
    const result = await perform(input, intent(), tools.gone(one.tool))
    expect(result).toMatchObject({ outcome: 'refused', againAfterMs: 0, message: expect.stringMatching(/Nothing was sent/) })
    await expect(action.preflight(tools.context(one.tool, tools.gone(one.tool)), input)).rejects.toMatchObject({ reason: 'network' })
  })

  const inTheEnd: readonly [Disobedience, readonly [boolean, boolean, boolean]][] = [
    ['nothing', [false, false, false]],
    ['late', [false, true, true]],
    ['partially', [false, false, false]],
    // A payment refunded twice does not show what was asked for; of the others the named record does.
    ['twice', one.name === 'refund' ? [false, false, false] : [true, true, true]],
    ['reverts', [true, true, false]],
  ]
  test.each(inTheEnd)('R10: a tool that does it so: %s: is believed only while its records show it', async (how, expected) => {
    const input = nextTarget()
    const key = intent()
    const result: ActResult = await disobeying(how, () => perform(input, key))
    expect(result.outcome).toBe('done')
    const { evidence } = result
    expect(await shown(input, evidence)).toBe(one.tool !== 'twilio' && expected[0])
    tools.advance(10 * minute)
    const early = await shown(input, evidence)
    tools.advance(lateMs - 10 * minute + 2 * minute)
    const later = await shown(input, evidence)
    tools.advance(revertMs - lateMs + minute)
    // What Twilio calls delivered is read again by full sweeps only.
    const last = await shown(input, evidence, one.tool === 'twilio' ? 'full' : 'incremental')
    expect([early, later, last]).toEqual(expected)
  })
})

describe('stripe.refund', () => {
  const refund = () => tools.action('stripe', 'refund')
  const context = () => tools.context('stripe')
  const effects = () => tools.simulator.acts.effectsOf('stripe.refund').length
  let taken = 40
  const next = () => String(cases[0]?.target(tools.simulator.world, tools.clock.now(), taken++).payment)

  test('R5: a failure that Stripe saved for the key is not tried with another one', async () => {
    const input = { payment: next() }
    const key = intent()
    const before = effects()
    tools.simulator.acts.disobeys.set('stripe.refund', 'fails')
    await refund().perform(context(), input, key)
    tools.simulator.acts.disobeys.delete('stripe.refund')
    const again = heard(await refund().perform(context(), input, key))
    expect(again).toMatchObject({ outcome: 'unknown', message: expect.stringMatching(/saved for this key.*another key/s) })
    expect(effects() - before).toBe(0)
    expect(await refund().lookUp?.(context(), input, key)).toEqual({ isDone: false })
  })

  test('R5: past the window of the key, the look-up still finds the refund', async () => {
    const input = { payment: next(), amount: 100 }
    const key = intent()
    const before = effects()
    tools.simulator.acts.disobeys.set('stripe.refund', 'lost')
    expect(await refund().perform(context(), input, key)).toMatchObject({ outcome: 'unknown' })
    tools.simulator.acts.disobeys.delete('stripe.refund')
    tools.advance(25 * hour)
    expect(await refund().lookUp?.(context(), input, key)).toMatchObject({ isDone: true })
    expect(await refund().preflight(context(), input)).toMatchObject({ kind: 'already' })
    expect(effects() - before).toBe(1)
  })

  test('a part of it: exactly that sum must stand refunded, and what was refunded meanwhile stops it', async () => {
    const payment = next()
    const input = { payment, amount: 500 }
    expect(heard(await refund().preflight(context(), input))).toMatchObject({ kind: 'ready', amount: { minor: 500, currency: 'USD' } })
    const result = await refund().perform(context(), input, intent())
    expect(result.outcome).toBe('done')
    tools.advance(2 * minute)
    const record = (await tools.read('stripe', 'payment_intents')).get(payment)
    expect(record && refund().shows(record, input, result.evidence)).toBe(true)
    expect(record && refund().shows(record, { payment }, result.evidence)).toBe(false)
    expect(await refund().preflight(context(), { payment, amount: 300 })).toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(/5\.00 USD stands refunded, not 0\.00 USD/),
    })
    expect(await refund().preflight(context(), { payment, amount: 300, refunded_before: 500 })).toMatchObject({ kind: 'ready' })
  })

  test('R9: more than was captured is refused before and by Stripe', async () => {
    const payment = next()
    const before = effects()
    expect(await refund().preflight(context(), { payment, amount: 10_000_000 })).toMatchObject({ kind: 'refused' })
    expect(heard(await refund().perform(context(), { payment, amount: 10_000_000 }, intent()))).toMatchObject({ outcome: 'refused' })
    expect(effects() - before).toBe(0)
  })

  test('a key that Stripe knows from other words leaves it open', async () => {
    const key = intent()
    await refund().perform(context(), { payment: next(), amount: 100 }, key)
    expect(await refund().perform(context(), { payment: next(), amount: 100 }, key)).toMatchObject({ outcome: 'unknown' })
  })

  test('an unknown payment, and a refund by someone else meanwhile', async () => {
    expect(await refund().preflight(context(), { payment: 'pi_nobody' })).toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(/knows no payment/),
    })
    const payment = next()
    await refund().perform(context(), { payment }, intent())
    expect(heard(await refund().perform(context(), { payment }, intent()))).toMatchObject({ outcome: 'already_done' })
  })
})

describe('fhir.set-appointment-status', () => {
  test('writes only onto the version it saw', async () => {
    const action = tools.action('fhir', 'set-appointment-status')
    const { world } = tools.simulator
    const now = tools.clock.now()
    const { id, body } = some(
      world,
      'fhir.Appointment',
      (one) => one.body.status === 'booked' && Date.parse(String(one.body.start)) > now + hour,
      0,
    )
    const usual = tools.context('fhir').http
    const overtaken: typeof usual = {
      ...usual,
      async get(path, options) {
        const response = await usual.get(path, options)
        plant(world, 'fhir.Appointment', id, now, { ...body, meta: { versionId: '99', lastUpdated: iso(now) } })
        return response
      },
    }
    const before = tools.simulator.acts.effectsOf('fhir.set-appointment-status').length
    const result = heard(await action.perform(tools.context('fhir', overtaken), { appointment: id, status: 'cancelled' }, intent()))
    expect(result).toMatchObject({ outcome: 'refused', againAfterMs: 0, message: expect.stringMatching(/changed meanwhile/) })
    expect(tools.simulator.acts.effectsOf('fhir.set-appointment-status')).toHaveLength(before)
  })
})

describe('twilio', () => {
  test('texts nobody who has opted out', async () => {
    const { world } = tools.simulator
    const stop = some(world, 'twilio.messages', ({ body }) => body.direction === 'inbound', 0)
    const send = tools.action('twilio', 'send')
    const result = heard(
      await send.perform(tools.context('twilio'), { template: 'reminder', recipient_of: stop.id, about: { appointment: 'b1' } }, intent()),
    )
    expect(result).toMatchObject({ outcome: 'refused', message: expect.stringMatching(/opted out/) })
  })
  test('a text that was sent again already is not sent a third time', async () => {
    const resend = tools.action('twilio', 'resend')
    const input = cases.find(({ name }) => name === 'resend')?.target(tools.simulator.world, tools.clock.now(), 40)
    const first = await resend.perform(tools.context('twilio'), input, intent())
    expect(first.outcome).toBe('done')
    tools.advance(day)
    expect(await resend.preflight(tools.context('twilio'), input)).toMatchObject({ kind: 'already', evidence: first.evidence })
    expect(await resend.perform(tools.context('twilio'), input, intent())).toMatchObject({ outcome: 'already_done' })
  })
})

test('everything asked and answered keeps to the vendors’ own descriptions', () => {
  expect([...tools.problems]).toEqual([])
})
