import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acceptQuarantined, readQuarantined } from '../../../db/records/quarantine.ts'
import { loadConfiguration } from '../../../jobs/configuration.ts'
import { booking } from '../../../jobs/connectors/calcom/fixtures/bookings.ts'
import { connectors } from '../../../jobs/connectors/index.ts'
import { message } from '../../../jobs/connectors/twilio/fixtures/messages.ts'
import { openWorkspace, type Workspace } from '../../../jobs/open-workspace.ts'
import { reconcile } from '../../../jobs/reconcilers/reconcile.ts'
import { withDatabase } from '../../support/database.ts'
import { type FakeTool, startFakeTool } from '../../support/faketool.ts'
import { type MovedClock, movedClock } from '../../support/paged-workspace.ts'

const main = await withDatabase()
const minute = 60_000
const noon = Date.parse('2026-03-02T12:00:00Z')
let folder: string
let calendar: FakeTool
let texts: FakeTool
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'throughline-p14-'))
  calendar = await startFakeTool(noon)
  texts = await startFakeTool(noon)
  const files = {
    'connections.yaml': `workspace: { title: Clinic }
connections:
  booking: { connector: calcom, config: { base_url: "${calendar.url}", requests_per_second: 100 }, secrets: { api_key: { env: KEY } } }
  texts:
    connector: twilio
    config:
      base_url: ${texts.url}
      account_sid: ${message.account_sid}
      templates: [{ name: booking-confirmation, direction: outbound, pattern: your visit is confirmed }]
      objects: { appointment: "/a/([A-Za-z0-9]+)" }
      requests_per_second: 100
    secrets: { auth_token: { env: KEY } }
egress: { allow: ["${calendar.endpoint}", "${texts.endpoint}"] }
`,
    'owners.yaml': 'owners: { care: { title: Care } }\ndefault: care\n',
    'programs/visits.yaml': `program: visits
owner: care
journey: { per: subject, starts: booked, abandon_after: 30d }
steps:
  booked: { stream: booking.bookings, when: { status: accepted } }
  confirmed: { stream: texts.messages, where: { template: booking-confirmation }, when: { status: delivered } }
expectations:
  booking-confirmed: { after: booked, expect: confirmed, within: 15m, per: appointment }
  not-twice: { at_most: 1, of: booked, window: 24h }
`,
  }
  await mkdir(join(folder, 'programs'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
})
afterAll(async () => {
  await calendar.close()
  await texts.close()
  await rm(folder, { recursive: true })
})

/** The visit was booked at 11:00 and confirmed at 11:00:20, if one can read the message. */
const bookedAt = Date.parse(booking.createdAt)
type Row = Readonly<Record<string, unknown>>

class Clinic {
  readonly clock: MovedClock
  readonly #workspace: Workspace
  messages: readonly Row[]
  constructor(workspace: Workspace, clock: MovedClock, messages: readonly Row[]) {
    this.#workspace = workspace
    this.clock = clock
    this.messages = messages
  }

  static async open(messages: readonly Row[]): Promise<Clinic> {
    const clock = movedClock(noon)
    const configuration = await loadConfiguration(folder, { KEY: 'secret' }, connectors)
    const workspace = await openWorkspace({
      configuration,
      connectors,
      ownerUrl: await main.another(),
      workspaceKey: Buffer.alloc(32, 7),
      clock,
      actor: 'test',
    })
    const clinic = new Clinic(workspace, clock, messages)
    calendar.on('/v2/bookings', { json: { status: 'success', data: [booking], pagination: { hasNextPage: false } } })
    texts.on(/Messages\.json$/, () => ({ json: { messages: clinic.messages, next_page_uri: null } }))
    texts.on(/Messages\/SM/, ({ path }) => {
      const found = clinic.messages.find((row) => path.includes(String(row.sid)))
      return found ? { json: found } : { status: 404, json: {} }
    })
    return clinic
  }

  async reconcile(afterMinutes = 0): Promise<void> {
    this.clock.at += afterMinutes * minute
    calendar.now = this.clock.at
    texts.now = this.clock.at
    await reconcile(this.#workspace)
  }

  get sql() {
    return this.#workspace.database.sql
  }
  get id() {
    return this.#workspace.id
  }
  close = () => this.#workspace.close()

  async kinds(): Promise<string[]> {
    const rows = await this.sql<
      { kind: string }[]
    >`select kind from findings where closed_at is null and workspace_id = ${this.id} order by kind`
    return rows.map(({ kind }) => kind)
  }
  async verdict(): Promise<string | undefined> {
    const states = ['pending', 'at_risk', 'satisfied', 'satisfied_late', 'unknown', 'violated', 'void']
    const [row] = await this.sql<
      { state: number }[]
    >`select state from verdicts where workspace_id = ${this.id} and expectation = 'booking-confirmed'`
    return row && states[row.state]
  }
  async paths(): Promise<string> {
    const [row] = await this.sql<
      { paths: string }[]
    >`select detail->>'paths' as paths from findings where kind = 'schema_drift' and workspace_id = ${this.id}`
    return row?.paths ?? ''
  }
}

const { status: _status, ...withoutStatus } = message
const { date_created: _created, ...withoutTime } = message

describe('P14: a field that changed is set aside with one schema drift finding, and is never read as “did not happen”', () => {
  it.each([
    ['removed', withoutStatus, 'status (missing)'],
    ['renamed', { ...withoutStatus, state: 'delivered' }, 'state (new), status (missing)'],
    ['of another type', { ...message, status: 7 }, 'status (type)'],
    ['a time of another type', { ...withoutTime, date_created: 1_772_449_210 }, 'date_created (type)'],
    ['of a value nobody knows', { ...message, status: 'teleported' }, 'status (value)'],
  ])('P14: a field %s', async (_, changed, paths) => {
    const clinic = await Clinic.open([changed])
    try {
      // 1. The first reading, an hour past the deadline: one record of one stream cannot be read.
      await clinic.reconcile()
      expect(await clinic.verdict()).toBe('unknown')
      expect(await clinic.kinds()).toEqual(['blind', 'schema_drift'])
      expect(await clinic.paths()).toBe(paths)
      const rows = await readQuarantined(clinic.sql, clinic.id, 'texts', 10)
      expect(rows).toMatchObject([{ stream: 'messages', location: message.sid, acceptedAt: null }])
      expect(JSON.stringify(rows)).not.toMatch(/canary|Ana|2015550/)

      // 2. It stands when later passes no longer meet it: what is not mended is not missing.
      for (let passes = 0; passes < 3; passes++) await clinic.reconcile(20)
      expect(await clinic.verdict()).toBe('unknown')
      expect(await clinic.kinds()).toEqual(['blind', 'schema_drift'])

      // 3. The tool mends it: it was there all along.
      clinic.messages = [message]
      await clinic.reconcile(24 * 60)
      await clinic.reconcile(5)
      expect(await clinic.verdict()).toBe('satisfied')
      expect(await clinic.kinds()).toEqual([])
    } finally {
      await clinic.close()
    }
  })

  it('P14: one broken record among many of a first reading blinds its stream as well', async () => {
    const others = Array.from({ length: 30 }, (_row, n) => ({
      ...message,
      sid: `SM${String(n).padStart(32, '0')}`,
      to: `+1201555${String(1000 + n)}`,
      body: 'Hello there.',
    }))
    const clinic = await Clinic.open([...others, withoutStatus])
    try {
      await clinic.reconcile()
      expect(await clinic.verdict()).toBe('unknown')
      expect(await clinic.kinds()).toContain('schema_drift')
      expect(await clinic.kinds()).not.toContain('gap')
    } finally {
      await clinic.close()
    }
  })

  it('P14: what a person accepts as unreadable holds nothing up any more, and then what is missing is missing', async () => {
    const clinic = await Clinic.open([withoutStatus])
    try {
      await clinic.reconcile()
      const [row] = await readQuarantined(clinic.sql, clinic.id, 'texts', 10)
      const acceptance = {
        connection: 'texts',
        stream: 'messages',
        rawHash: row?.rawHash ?? '',
        actor: 'ada',
        reason: 'A test message of the vendor.',
        at: clinic.clock.at,
      }
      expect(await acceptQuarantined(clinic.sql, clinic.id, acceptance)).toBe(true)
      expect(await acceptQuarantined(clinic.sql, clinic.id, acceptance)).toBe(false)
      await clinic.reconcile(20)
      await clinic.reconcile(20)
      expect(await clinic.verdict()).toBe('violated')
      expect(await clinic.kinds()).toEqual(['gap', 'schema_drift'])
      const acts = await clinic.sql`select actor, reason from audit where act = 'quarantine.accept' and workspace_id = ${clinic.id}`
      expect([...acts]).toEqual([{ actor: 'ada', reason: 'A test message of the vendor.' }])
    } finally {
      await clinic.close()
    }
  })
})

it('the deadline of these tests has passed before the first reading', () => {
  expect(noon - bookedAt).toBeGreaterThan(15 * minute)
})
