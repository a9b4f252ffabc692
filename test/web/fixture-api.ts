import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { answerQuestions } from '../../server/journey-answers.ts'
import type {
  Catalogue,
  FindingAction,
  FindingDetail,
  FindingList,
  FindingRow,
  FindingStatus,
  JourneyDetail,
  JourneyRow,
  Severity,
  Status,
} from '../../web/src/lib/api-types.ts'

import { areas } from './fixtures/index.ts'

const built = join(import.meta.dirname, '../../web/build')
export const fixtureNow = Date.parse('2026-11-20T15:30:00Z')
const minute = 60_000
const hour = 60 * minute
const iso = (at: number) => new Date(at).toISOString()
const ago = (ms: number) => iso(fixtureNow - ms)
const id = (prefix: string, n: number) =>
  `${prefix}${n.toString(16).padStart(4, '0')}-5b1e-4c0a-9d2f-${(n * 7919 + 104729).toString(16).padStart(12, '0')}`

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
}

const owners = [
  { key: 'care-operations', title: 'Care operations' },
  { key: 'messaging', title: 'Messaging' },
  { key: 'billing-team', title: 'Billing team' },
]
const connections: Catalogue['connections'] = [
  { id: 'billing', title: 'Stripe', connector: 'stripe' },
  { id: 'booking', title: 'Cal.com', connector: 'calcom' },
  { id: 'texts', title: 'Twilio Messages', connector: 'twilio' },
  { id: 'ehr', title: 'Clinic EHR', connector: 'fhir' },
]
const kinds: Catalogue['kinds'] = [
  { kind: 'gap', title: 'Missing step', meaning: 'Something the program promised this person did not happen.', icon: 'circle-dashed' },
  { kind: 'late', title: 'Late', meaning: 'It happened, after the promised time.', icon: 'clock' },
  { kind: 'duplicate', title: 'Duplicate', meaning: 'The same thing was done more often than promised.', icon: 'copy' },
  { kind: 'drift', title: 'Drift', meaning: 'Two tools disagree about the same thing, longer than they may.', icon: 'git-compare' },
  { kind: 'unexpected', title: 'Unexpected', meaning: 'Something happened that must not happen.', icon: 'zap' },
  { kind: 'blind', title: 'Blind', meaning: 'A stream is not being read: nothing can be said about it.', icon: 'eye-off' },
]
const sites: Catalogue['sites'] = [
  { key: 'riverside', title: 'Riverside clinic' },
  { key: 'hillside', title: 'Hillside clinic' },
]
const catalogue: Catalogue = {
  kinds,
  statuses: [],
  severities: ['critical', 'high', 'medium', 'low'],
  verdictStates: [],
  connectors: connections.map((each) => ({
    id: each.connector,
    title: each.title,
    verified: 'fixture',
    verifiedOn: '2026-11-20',
    configSchema: {},
  })),
  connections,
  owners,
  sites,
  expectations: [
    { program: 'virtual-care', key: 'booking-confirmed', title: 'Booking confirmed by text' },
    { program: 'virtual-care', key: 'one-charge', title: 'Charged once' },
    { program: 'virtual-care', key: 'calendar-agrees', title: 'Calendar and EHR agree' },
    { program: 'virtual-care', key: 'no-text-after-stop', title: 'No text after stop' },
  ],
  programs: [{ key: 'virtual-care', title: 'Virtual care onboarding' }],
}

interface Shape {
  kind: string
  expectation: string
  sentence: string
  severity: Severity
  owner: number
  tools: string[]
}
const shapes: Shape[] = [
  {
    kind: 'gap',
    expectation: 'booking-confirmed',
    sentence: 'The booking confirmation did not come within 15 minutes of the booking.',
    severity: 'high',
    owner: 1,
    tools: ['booking', 'texts'],
  },
  {
    kind: 'duplicate',
    expectation: 'one-charge',
    sentence: 'Paid 2 times for one order, once more than promised.',
    severity: 'critical',
    owner: 2,
    tools: ['billing'],
  },
  {
    kind: 'drift',
    expectation: 'calendar-agrees',
    sentence: 'Cal.com says cancelled and the EHR still says booked.',
    severity: 'medium',
    owner: 0,
    tools: ['booking', 'ehr'],
  },
  {
    kind: 'unexpected',
    expectation: 'no-text-after-stop',
    sentence: 'A reminder was sent after the person had opted out.',
    severity: 'high',
    owner: 1,
    tools: ['texts'],
  },
  {
    kind: 'late',
    expectation: 'booking-confirmed',
    sentence: 'The booking confirmation came 25 minutes too late.',
    severity: 'low',
    owner: 1,
    tools: ['booking', 'texts'],
  },
]
const ok = { ok: true } as const
const no = (why: string) => ({ ok: false, why }) as const

function allowed(row: Pick<FindingRow, 'status' | 'claimedBy' | 'snoozedUntil'>): FindingRow['can'] {
  const isEnded = ['verified', 'waived', 'false_alarm', 'void', 'withdrawn'].includes(row.status)
  const live = isEnded ? no('This finding has ended. It opens again by itself if the problem returns.') : ok
  return {
    acknowledge: row.status === 'open' ? ok : isEnded ? live : no('Already acknowledged.'),
    assign: live,
    claim: row.claimedBy ? no(`Claimed by ${row.claimedBy}.`) : live,
    release: row.claimedBy ? ok : no('Nobody has claimed it.'),
    snooze: live,
    unsnooze: row.snoozedUntil ? live : no('It is not snoozed.'),
    waive: live,
    comment: ok,
    'false-alarm': live,
  }
}

function makeFinding(n: number): FindingRow {
  const shape = shapes[n % shapes.length] ?? shapes[0]
  if (!shape) throw new Error('no shapes')
  const opened = (n * 47 + 12) * minute
  const status: FindingStatus = shape.kind === 'late' ? 'verified' : n % 7 === 3 ? 'acknowledged' : 'open'
  const row = {
    id: id('f1d0', n),
    kind: shape.kind,
    sentence: shape.sentence,
    program: 'virtual-care',
    expectation: shape.expectation,
    severity: shape.severity,
    status,
    owner: owners[shape.owner] ?? { key: 'care-operations', title: 'Care operations' },
    subjectId: id('5ab1', n % 60),
    journeyId: id('3c7e', n % 40),
    site: sites[n % 3] ?? null,
    object: shape.kind === 'drift' ? { type: 'appointment', id: `bk_${4100 + n}` } : null,
    tools: shape.tools,
    openedAt: ago(opened),
    occurredAt: ago(opened + 10 * minute),
    deadlineAt: ago(opened + 10 * minute),
    dueAt: iso(fixtureNow - opened + (shape.severity === 'critical' ? 4 : 24) * hour),
    changedAt: ago(opened),
    lastEvidenceAt: ago((n % 9) * minute),
    closedAt: status === 'verified' ? ago(opened - 5 * minute) : null,
    closedReason: status === 'verified' ? 'came_late' : null,
    snoozedUntil: null,
    waivedUntil: null,
    claimedBy: null,
    claimedUntil: null,
    violations: 1,
    occurrences: shape.kind === 'drift' ? 3 : 1,
    regressions: n % 23 === 5 ? 1 : 0,
    revision: 1,
  }
  return { ...row, can: allowed(row) }
}

function makeDetail(row: FindingRow, comments: FindingDetail['activity']): FindingDetail {
  const base = Date.parse(row.openedAt)
  const journey = makeJourney(row.journeyId ?? '', [row])
  const kind = kinds.find((each) => each.kind === row.kind)
  return {
    ...row,
    asOf: iso(fixtureNow),
    meaning: kind?.meaning ?? '',
    promise: {
      title: catalogue.expectations.find((each) => each.key === row.expectation)?.title ?? row.expectation,
      sentence: 'After a booking, a confirmation is expected within 15 minutes, per appointment.',
      ifItFails: 'Members arrive unprepared or not at all.',
      programTitle: 'Virtual care onboarding',
      programVersion: 3,
    },
    ownerReason: `Rule 2 of owners.yaml: kind ${row.kind} of ${row.expectation} goes to ${row.owner.title}.`,
    sides: [
      {
        connection: 'booking',
        title: 'Cal.com',
        expected: 'booked',
        observed: 'accepted',
        state: 'ok',
        at: iso(base - 25 * minute),
        readTo: ago(3 * minute),
        authority: true,
      },
      {
        connection: 'texts',
        title: 'Twilio Messages',
        expected: 'confirmation delivered',
        observed: null,
        state: 'missing',
        at: null,
        readTo: ago(2 * minute),
        authority: false,
      },
    ],
    evidence: [
      {
        role: 'anchor',
        connection: 'booking',
        stream: 'bookings',
        externalId: 'bk_7Qd0x1',
        eventType: 'accepted',
        status: 'accepted',
        occurredAt: iso(base - 25 * minute),
        updatedAt: iso(base - 25 * minute),
        observedAt: iso(base - 20 * minute),
        actor: { kind: 'person', id: null },
        deepLink: null,
      },
    ],
    activity: [
      ...comments,
      {
        id: `${row.id}-opened`,
        at: row.openedAt,
        recordedAt: row.openedAt,
        actor: 'Throughline',
        act: 'opened',
        reason: null,
        body: null,
        from: null,
        to: 'open',
      },
    ],
    closing: null,
    slice: {
      id: journey.id,
      program: journey.programTitle,
      stage: journey.stage,
      stageTitle: journey.stageTitle,
      startedAt: journey.startedAt,
      endedAt: null,
      events: journey.events,
      ghosts: journey.ghosts,
    },
  }
}

const stepTitles: Readonly<Record<string, string>> = {
  paid: 'Enrolment paid',
  intake_done: 'Intake completed',
  booked: 'Visit booked',
  confirmed: 'Confirmation delivered',
}

function makeJourney(journeyId: string, findings: FindingRow[]): JourneyDetail {
  const start = fixtureNow - 6 * 24 * hour
  const event = (
    n: number,
    connection: string,
    stream: string,
    type: string,
    step: string | null,
    at: number,
    actor: string | null,
    undone = false,
  ): JourneyDetail['events'][number] => ({
    id: id('e0e0', n),
    connection,
    stream,
    externalId: `${stream.slice(0, 2)}_${(n * 99991).toString(36)}`,
    type,
    step,
    title: stepTitles[step ?? ''] ?? type,
    status: type,
    occurredAt: iso(at),
    occurredAfter: null,
    observedAt: iso(at + 4 * minute),
    actor: { kind: actor ? 'automation' : 'person', id: actor },
    objects: connection === 'booking' || connection === 'texts' ? [{ type: 'appointment', id: 'bk_7Qd0x1' }] : [],
    undone,
    deepLink: connection === 'billing' ? 'https://dashboard.stripe.com/payments/pi_1' : null,
    findings: n === 6 && findings[0] ? [findings[0].id] : [],
  })
  const journey: Omit<JourneyDetail, 'questions'> = {
    asOf: iso(fixtureNow),
    id: journeyId,
    program: 'virtual-care',
    programTitle: 'Virtual care onboarding',
    programVersion: 3,
    subjectId: id('5ab1', 3),
    object: null,
    stage: 'booked',
    stageTitle: 'Visit booked',
    startedAt: iso(start),
    lastEventAt: ago(40 * minute),
    endedAt: null,
    endReason: null,
    lanes: connections.map((each, index) => ({
      connection: each.id,
      title: each.title,
      connector: each.connector,
      readTo: ago((index + 1) * 2 * minute),
      state: each.id === 'ehr' ? ('late' as const) : ('ok' as const),
    })),
    events: [
      event(1, 'billing', 'payment_intents', 'succeeded', 'paid', start, null),
      event(2, 'ehr', 'questionnaire_responses', 'in-progress', null, start + 20 * minute, null),
      event(3, 'ehr', 'questionnaire_responses', 'completed', 'intake_done', start + 55 * minute, null),
      event(4, 'booking', 'bookings', 'accepted', 'booked', start + 3 * hour, null, true),
      event(5, 'texts', 'messages', 'delivered', 'confirmed', start + 3 * hour + 2 * minute, 'wf-12'),
      event(6, 'booking', 'bookings', 'accepted', 'booked', fixtureNow - 65 * minute, null),
      event(7, 'ehr', 'appointments', 'booked', null, fixtureNow - 64 * minute, 'sync-bot'),
      event(8, 'texts', 'messages', 'sent', null, fixtureNow - 40 * minute, 'wf-12'),
    ],
    ghosts: [
      {
        id: 'ghost-1',
        expectation: 'booking-confirmed',
        step: 'confirmed',
        title: 'Confirmation delivered',
        connection: 'texts',
        state: 'missing',
        from: iso(fixtureNow - 65 * minute),
        dueAt: iso(fixtureNow - 50 * minute),
        readTo: ago(2 * minute),
        findingId: findings[0]?.id ?? null,
      },
      {
        id: 'ghost-2',
        expectation: 'seen-in-time',
        step: 'seen',
        title: 'Visit held',
        connection: 'ehr',
        state: 'pending',
        from: iso(fixtureNow),
        dueAt: iso(fixtureNow + 26 * hour),
        readTo: ago(8 * minute),
        findingId: null,
      },
    ],
    verdicts: [
      {
        expectation: 'booking-confirmed',
        title: 'Booking confirmed by text',
        state: 'violated',
        kind: 'gap',
        dueAt: iso(fixtureNow - 50 * minute),
        occurredAt: null,
        readTo: ago(2 * minute),
        unreadStream: null,
      },
      {
        expectation: 'one-charge',
        title: 'Charged once',
        state: 'satisfied',
        kind: null,
        dueAt: null,
        occurredAt: null,
        readTo: null,
        unreadStream: null,
      },
      {
        expectation: 'calendar-agrees',
        title: 'Calendar and EHR agree',
        state: 'unknown',
        kind: null,
        dueAt: null,
        occurredAt: null,
        readTo: ago(50 * minute),
        unreadStream: 'ehr.appointments',
      },
      {
        expectation: 'seen-in-time',
        title: 'Seen within 7 days',
        state: 'pending',
        kind: null,
        dueAt: iso(fixtureNow + 26 * hour),
        occurredAt: null,
        readTo: null,
        unreadStream: null,
      },
    ],
    findings,
    links: [
      { connection: 'billing', stream: 'payment_intents', externalId: 'pi_1', rule: 'email', via: null, inferred: false },
      { connection: 'booking', stream: 'bookings', externalId: 'bk_7Qd0x1', rule: 'email', via: 'pi_1', inferred: false },
      { connection: 'texts', stream: 'messages', externalId: 'SM1', rule: 'phone', via: 'bk_7Qd0x1', inferred: true },
    ],
  }
  return { ...journey, questions: answerQuestions(journey) }
}

export interface Fixture {
  url: string
  /** Makes the next answers of a path fail, or slow. */
  break: (path: string, how: { status?: number; delayMs?: number }) => void
  mend: () => void
  /** Puts a new finding into the world and tells the feed. */
  addFinding: () => void
  /** Someone else changes a finding first. */
  touch: (id: string) => void
  findings: Map<string, FindingRow>
  posts: { path: string; body: Record<string, unknown> }[]
  stop: () => Promise<void>
}

/** An invented clinic behind the API's own shapes, with the built console: enough to try every page without a database. */
export async function startFixture({
  isNew = false,
  count = isNew ? 0 : 120,
  port = 0,
  notFresh = 2,
}: {
  /** A workspace in which nothing happened yet. */
  isNew?: boolean
  count?: number
  port?: number
  notFresh?: number
} = {}): Promise<Fixture> {
  const findings = new Map(Array.from({ length: count }, (_, n) => makeFinding(n)).map((each) => [each.id, each]))
  const comments = new Map<string, FindingDetail['activity']>()
  const broken = new Map<string, { status?: number; delayMs?: number }>()
  const posts: Fixture['posts'] = []
  const tellers = new Set<(topic: string, ref: string) => void>()
  const ended = ['verified', 'waived', 'false_alarm', 'void', 'withdrawn']
  const app = new Hono()

  app.use('/api/*', async (c, next) => {
    const how = broken.get(c.req.path)
    if (how?.delayMs) await new Promise((resolve) => setTimeout(resolve, how.delayMs))
    if (how?.status)
      return c.json(
        {
          title: 'It broke',
          detail: 'The database did not answer in time. Nothing was changed.',
          status: how.status,
          code: 'internal',
          requestId: 'req_fixture01',
        },
        how.status as 500,
      )
    await next()
  })
  /** Findings that fit the filters of an address, in its order: enough of the API's rules for the console's tests. */
  function matching(search: URLSearchParams): FindingRow[] {
    const listed = (key: string) => (search.get(key) ?? '').split(',').filter(Boolean)
    const has = (key: string, values: readonly string[]) => listed(key).length === 0 || listed(key).some((each) => values.includes(each))
    const asked = listed('status')
    const isSnoozed = (row: FindingRow) => row.snoozedUntil !== null
    const isEnded = (row: FindingRow) => ended.includes(row.status)
    const hasStatus = (row: FindingRow) => {
      if (asked.includes('all')) return true
      if (asked.length === 0) return !isEnded(row) && !isSnoozed(row)
      return asked.some((each) => (each === 'snoozed' ? isSnoozed(row) : each === 'ended' ? isEnded(row) : each === row.status))
    }
    const q = (search.get('q') ?? '').toLowerCase()
    const claimed = search.get('claimed')
    const found = [...findings.values()].filter(
      (row) =>
        hasStatus(row) &&
        (['kind', 'severity', 'expectation'] as const).every((key) => has(key, [row[key]])) &&
        has('owner', [row.owner.key]) &&
        has('connection', row.tools) &&
        has('site', [row.site?.key ?? 'none']) &&
        has('subject', [row.subjectId ?? '']) &&
        (!claimed || (claimed === 'nobody') === (row.claimedBy === null)) &&
        (search.get('due') !== '<now' || Date.parse(row.dueAt) < fixtureNow) &&
        (search.get('regressed') !== 'yes' || row.regressions > 0) &&
        (!q || row.id.startsWith(q) || row.sentence.toLowerCase().includes(q)),
    )
    const sort = search.get('sort') ?? 'due'
    const rank = { critical: 0, high: 1, medium: 2, low: 3 }
    const by = (row: FindingRow) => {
      if (sort.endsWith('severity')) return rank[row.severity]
      return sort.endsWith('opened') ? -Date.parse(row.openedAt) : Date.parse(row.dueAt)
    }
    const way = sort.startsWith('-') ? -1 : 1
    return found.sort((x, y) => way * (by(x) - by(y)) || x.id.localeCompare(y.id))
  }

  function change(findingId: string, action: string, body: Record<string, unknown>): FindingRow | undefined {
    const row = findings.get(findingId)
    if (!row || body.revision !== row.revision || !row.can[action as FindingAction]?.ok) return undefined
    const changed = {
      ...row,
      revision: row.revision + 1,
      ...(action === 'acknowledge' ? { status: 'acknowledged' as const } : {}),
      ...(action === 'claim' ? { claimedBy: 'Local owner' } : {}),
      ...(action === 'release' ? { claimedBy: null } : {}),
      ...(action === 'snooze' ? { snoozedUntil: String(body.until) } : {}),
      ...(action === 'unsnooze' ? { snoozedUntil: null } : {}),
      ...(action === 'assign' ? { owner: owners.find((each) => each.key === body.owner) ?? row.owner } : {}),
      ...(action === 'waive'
        ? { status: 'waived' as const, waivedUntil: String(body.until), closedAt: iso(fixtureNow), closedReason: 'waived' }
        : {}),
      ...(action === 'false-alarm' ? { status: 'false_alarm' as const, closedAt: iso(fixtureNow), closedReason: 'false_alarm' } : {}),
    }
    findings.set(row.id, { ...changed, can: allowed(changed) })
    const entry = {
      id: `${row.id}-${changed.revision}`,
      at: iso(fixtureNow),
      recordedAt: iso(fixtureNow),
      actor: 'Local owner',
      act: action,
      reason: typeof body.reason === 'string' ? body.reason : null,
      body: typeof body.body === 'string' ? body.body : null,
      from: row.status,
      to: changed.status,
    }
    comments.set(row.id, [entry, ...(comments.get(row.id) ?? [])])
    return findings.get(row.id)
  }

  const world = {
    now: fixtureNow,
    isNew,
    posts,
    tell: (topic: string, ref: string) => {
      for (const tell of tellers) tell(topic, ref)
    },
    findings,
    matching,
    change,
  }
  for (const area of areas) area.routes?.(app, world)
  app.get('/api/v1/status', (c) => {
    const status: Status = {
      asOf: iso(fixtureNow),
      wallNow: iso(fixtureNow),
      demo: { speed: 1 },
      workspace: { title: 'Acme clinic', timeZone: 'America/New_York' },
      state: 'live',
      findings: { snoozed: 0, open: [...findings.values()].filter((each) => !ended.includes(each.status)).length, bySeverity: {} },
      connections: { total: 4, notFresh },
      me: { id: 'local-owner', title: 'Local owner' },
      engine: { lastBeat: ago(4_000), standstills: [], outsideCheck: null },
    }
    return c.json(status)
  })
  app.get('/api/v1/catalogue', (c) => c.json(catalogue))
  app.get('/api/v1/findings', (c) => {
    const matches = matching(new URL(c.req.url).searchParams)
    const from = Number(c.req.query('cursor') ?? 0)
    const limit = Number(c.req.query('limit') ?? 50)
    const tally = (of: (row: FindingRow) => string[]) => {
      const counts: Record<string, number> = {}
      for (const value of matches.flatMap(of)) counts[value] = (counts[value] ?? 0) + 1
      return counts
    }
    const list: FindingList = {
      items: matches.slice(from, from + limit),
      next: from + limit < matches.length ? String(from + limit) : null,
      asOf: iso(fixtureNow),
      total: matches.length,
      facets: {
        kind: tally((row) => [row.kind]),
        severity: tally((row) => [row.severity]),
        owner: tally((row) => [row.owner.key]),
        connection: tally((row) => row.tools),
        expectation: tally((row) => [row.expectation]),
      },
    }
    return c.json(list)
  })
  app.get('/api/v1/findings/:id', (c) => {
    const row = findings.get(c.req.param('id'))
    return row
      ? c.json(makeDetail(row, comments.get(row.id) ?? []))
      : c.json({ title: 'Not found', detail: 'No finding has this id.', status: 404, code: 'not_found' }, 404)
  })
  app.post('/api/v1/findings/:id/:action', async (c) => {
    const row = findings.get(c.req.param('id'))
    const action = c.req.param('action') as FindingAction
    const body: Record<string, unknown> = await c.req.json()
    posts.push({ path: c.req.path, body })
    if (!row) return c.json({ title: 'Not found', detail: 'No finding has this id.', status: 404, code: 'not_found' }, 404)
    const changed = change(row.id, action, body)
    if (!changed) return c.json({ title: 'Conflict', detail: 'Someone was first.', status: 409, code: 'conflict' }, 409)
    for (const tell of tellers) tell('finding', row.id)
    return c.json(changed)
  })
  app.get('/api/v1/journeys', (c) => {
    const q = c.req.query('q') ?? ''
    const items: JourneyRow[] = Array.from({ length: isNew ? 0 : 40 }, (_, n) => ({
      id: id('3c7e', n),
      program: 'virtual-care',
      programTitle: 'Virtual care onboarding',
      subjectId: id('5ab1', n),
      object: null,
      stage: ['paid', 'intake_done', 'booked', 'seen'][n % 4] ?? 'paid',
      stageTitle: ['Enrolment paid', 'Intake completed', 'Visit booked', 'Visit held'][n % 4] ?? 'Enrolment paid',
      startedAt: ago((n + 3) * 9 * hour),
      lastEventAt: ago((n + 1) * 35 * minute),
      endedAt: n % 9 === 8 ? ago(n * hour) : null,
      endReason: n % 9 === 8 ? 'ends' : null,
      events: 3 + (n % 7),
      openFindings: n % 3 === 0 ? 1 : 0,
      worstSeverity: n % 3 === 0 ? (n % 2 ? ('critical' as const) : ('high' as const)) : null,
      nextDueAt: n % 4 === 2 ? iso(fixtureNow + n * hour) : null,
      nextExpected: n % 4 === 2 ? 'confirmed' : null,
      nextExpectedTitle: n % 4 === 2 ? 'Confirmation delivered' : null,
    })).filter((row) => (!q || row.id.startsWith(q)) && (c.req.query('open') !== 'true' || row.openFindings > 0))
    return c.json({ items, next: null, asOf: iso(fixtureNow), total: items.length })
  })
  app.get('/api/v1/journeys/:id', (c) => {
    if (!c.req.param('id').startsWith('3c7e'))
      return c.json({ title: 'Not found', detail: 'No journey has this id.', status: 404, code: 'not_found' }, 404)
    return c.json(
      makeJourney(
        c.req.param('id'),
        [...findings.values()].filter((row) => row.journeyId === c.req.param('id')),
      ),
    )
  })
  app.get('/api/v1/feed', (c) =>
    streamSSE(c, async (stream) => {
      const tell = (topic: string, ref: string) => void stream.writeSSE({ event: topic, data: JSON.stringify({ ref }) })
      tellers.add(tell)
      tell('beat', '')
      const beats = setInterval(() => tell('beat', ''), 2_000)
      await new Promise<void>((resolve) => stream.onAbort(resolve))
      clearInterval(beats)
      tellers.delete(tell)
    }),
  )
  app.get('*', async (c) => {
    const path = normalize(c.req.path)
    const type = types[extname(path)]
    const file = type && !path.includes('..') ? await readFile(join(built, path)).catch(() => undefined) : undefined
    const body = file ?? (await readFile(join(built, '200.html')))
    return c.body(new Uint8Array(body), 200, { 'content-type': file && type ? type : 'text/html; charset=utf-8' })
  })

  const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' })
  await new Promise<void>((resolve) => (server.listening ? resolve() : server.once('listening', resolve)))
  const address = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${address.port}`,
    break: (path, how) => void broken.set(path, how),
    mend: () => broken.clear(),
    addFinding: () => {
      const row = { ...makeFinding(1001 + findings.size), openedAt: iso(fixtureNow) }
      findings.set(row.id, row)
      for (const tell of tellers) tell('finding', row.id)
    },
    touch: (findingId) => {
      const row = findings.get(findingId)
      if (row) findings.set(findingId, { ...row, revision: row.revision + 1 })
    },
    findings,
    posts,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        if ('closeAllConnections' in server) server.closeAllConnections()
      }),
  }
}
