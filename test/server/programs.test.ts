import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { visitProgram } from '../support/paged-workspace.ts'
import { withDatabase } from '../support/database.ts'
import { type ServedClinic, serveClinic } from './served-clinic.ts'

const main = await withDatabase()
let clinic: ServedClinic
beforeAll(async () => {
  clinic = await serveClinic(await main.another())
})
afterAll(() => clinic.close())

const programs = () => clinic.client.api.v1.programs
const one = () => programs()[':key']
const param = { key: 'visits' }
const lenient = visitProgram.replace('within: 15m', 'within: 12h')

async function planOf(source: string, key = 'visits', days = 30) {
  const response = await one().plan.$post({ param: { key }, json: { source, days } })
  return { status: response.status as number, body: await response.json() }
}
async function planned(source: string, key = 'visits') {
  const { status, body } = await planOf(source, key)
  expect(status).toBe(200)
  return body
}
async function applied(source: string, plan: string, key = 'visits') {
  const response = await one().apply.$post({ param: { key }, json: { source, plan } })
  return { status: response.status as number, body: (await response.json()) as Record<string, unknown> }
}
const stored = async () => {
  const { sql } = clinic.workspace.database
  const rows = await sql<{ line: string }[]>`
    select v.program || ' ' || v.version || case when p.current_version = v.version then ' in force' else '' end as line
    from program_versions v left join programs p on p.workspace_id = v.workspace_id and p.key = v.program
    where v.workspace_id = ${clinic.workspace.id} order by 1`
  return rows.map(({ line }) => line)
}

describe('programs through the API', () => {
  it('are listed with who applied what is in force, and shown with their text, promises and versions', async () => {
    expect(await (await programs().$get()).json()).toMatchObject({
      total: 1,
      items: [
        {
          key: 'visits',
          title: 'Visits',
          isInForce: true,
          version: 1,
          versions: 1,
          appliedBy: 'test',
          promises: 4,
          openFindings: 2,
          removedAt: null,
        },
      ],
    })
    expect(await (await one().$get({ param })).json()).toMatchObject({
      source: visitProgram,
      stepList: expect.arrayContaining([{ name: 'booked', title: 'Booked', stream: 'booking.rows' }]),
      promiseList: expect.arrayContaining([
        expect.objectContaining({ name: 'booking-confirmed', sentence: '“Confirmed” within 15 minutes after “Booked”', line: 11 }),
      ]),
      history: [{ version: 1, isInForce: true, isReadable: true }],
    })
    expect((await one().$get({ param: { key: 'nothing' } })).status).toBe(404)
  })

  it('tell every mistake of a draft with its line, and plan none that has one', async () => {
    const broken = visitProgram.replace('expect: confirmed', 'expect: confirmd').replace('owner: care', 'owner: nobody')
    const { mistakes } = await (await one().check.$post({ param, json: { source: broken } })).json()
    expect(mistakes).toMatchObject([
      { line: 4, message: expect.stringContaining('no owner "nobody"') },
      { line: 11, path: 'expectations.booking-confirmed.expect', message: expect.stringContaining('Did you mean "confirmed"') },
    ])
    expect(await (await one().check.$post({ param, json: { source: lenient } })).json()).toEqual({ mistakes: [] })
    const { status, body } = await planOf(broken)
    expect(status).toBe(422)
    expect(body).toMatchObject({ detail: expect.stringMatching(/2 mistakes.*line 4:.*line 11:/s) })
    expect((await planOf(visitProgram, 'other')).body).toMatchObject({
      detail: expect.stringContaining('this names the program "visits"; expected "other"'),
    })
  })

  it('refuse a text that is too long, and a field nobody knows', async () => {
    expect((await planOf(`${visitProgram}# ${'x'.repeat(50_000)}`)).status).toBe(400)
    const response = await clinic.app.request('/api/v1/programs/visits/plan', {
      method: 'POST',
      headers: { host: '127.0.0.1:4400', 'content-type': 'application/json' },
      body: JSON.stringify({ source: visitProgram, dais: 3 }),
    })
    expect(response.status).toBe(400)
    const huge = await clinic.app.request('/api/v1/programs/visits/check', {
      method: 'POST',
      headers: { host: '127.0.0.1:4400', 'content-type': 'application/json' },
      body: JSON.stringify({ source: 'x'.repeat(70_000) }),
    })
    expect(huge.status).toBe(400)
  })

  it('preview a change in words, as text and by the findings of real history, and keep nothing of it', async () => {
    const plan = await planned(lenient)
    expect(plan.changes).toMatchObject([
      {
        program: 'visits',
        kind: 'changed',
        version: 1,
        appliedBy: 'test',
        differences: [
          { what: 'expectation', name: 'booking-confirmed', fields: [{ field: 'within', before: '15 minutes', after: '12 hours' }] },
        ],
      },
    ])
    expect(plan.changes[0]?.diff.filter(({ kind }) => kind !== 'same')).toHaveLength(2)
    expect(plan.backTest).toMatchObject({ share: 1, judged: 2, appear: 0, vanish: 1, onApply: { appear: 0, vanish: 1 } })
    const told = plan.backTest?.expectations.find(({ expectation }) => expectation === 'booking-confirmed')
    expect(told).toMatchObject({
      before: { findings: 1 },
      after: { findings: 0 },
      vanishing: [
        {
          isKnown: true,
          kind: 'gap',
          isOpen: true,
          why: 'Its new deadline has not come.',
          effect: 'on_apply',
          owner: { key: 'care', title: 'Care' },
        },
      ],
    })
    const shown = told?.vanishing[0]
    expect((await clinic.client.api.v1.findings[':id'].$get({ param: { id: shown?.id ?? '' } })).status).toBe(200)
    expect((await clinic.client.api.v1.journeys[':id'].$get({ param: { id: shown?.journeyId ?? '' } })).status).toBe(200)
    expect(await stored()).toEqual(['visits 1 in force'])
  })

  it('have nothing to plan where the text is the one in force', async () => {
    expect(await planned(visitProgram)).toMatchObject({ changes: [], backTest: null })
  })

  it('come into force as planned, and the findings follow with the next judging', async () => {
    const { plan } = await planned(lenient)
    expect(await applied(lenient, plan)).toEqual({ status: 200, body: { program: 'visits', version: 2, changed: true } })
    expect(await stored()).toEqual(['visits 1', 'visits 2 in force'])
    expect(clinic.workspace.judging.programs[0]?.version).toBe(2)
    await clinic.reconcile()
    const { items } = await (await clinic.client.api.v1.findings.$get({ query: { status: 'withdrawn' } })).json()
    expect(items).toMatchObject([{ kind: 'gap', status: 'withdrawn', closedReason: 'program_changed' }])
    expect((await (await one().$get({ param })).json()).history).toMatchObject([
      { version: 2, appliedBy: 'local-owner', isInForce: true, differences: [{ name: 'booking-confirmed' }] },
      { version: 1, isInForce: false },
    ])
  })

  it('refuse a stale plan, saying what moved', async () => {
    const { plan } = await planned(visitProgram)
    expect(await applied(lenient.replace('12h', '6h'), plan)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('The text is another one than was planned') },
    })
    const { plan: first } = await planned(lenient.replace('12h', '6h'))
    expect(await applied(visitProgram, plan)).toMatchObject({ status: 200, body: { version: 3 } })
    expect(await applied(lenient.replace('12h', '6h'), first)).toMatchObject({
      status: 409,
      body: { detail: expect.stringMatching(/meanwhile local-owner applied version 3 of "visits"/) },
    })
    expect(await applied(visitProgram, 'x')).toMatchObject({ status: 400 })
    const { plan: again } = await planned(visitProgram)
    expect(await applied(visitProgram, again)).toMatchObject({ status: 200, body: { version: 3, changed: false } })
  })

  it('compare any two versions', async () => {
    const compared = await (await one().diff.$get({ param, query: { from: '1', to: '2' } })).json()
    expect(compared).toMatchObject({ from: 1, to: 2, differences: [{ name: 'booking-confirmed' }] })
    expect(compared.diff.filter(({ kind }) => kind !== 'same').map(({ kind }) => kind)).toEqual(['removed', 'added'])
    expect((await one().diff.$get({ param, query: { from: '1', to: '9' } })).status).toBe(404)
    expect((await one().diff.$get({ param, query: { from: 'x', to: '1' } })).status).toBe(400)
  })
})

describe('a first expectation from a guided form', () => {
  const asked = {
    program: 'visits',
    title: null,
    owner: null,
    name: 'seen-in-a-day',
    after: { name: 'booked', isNew: null },
    expect: { name: 'seen', isNew: null },
    within: '10m',
    per: null,
    severity: 'high' as const,
    ifItFails: 'They wait: nobody comes.',
  }
  const drafted = async (more: object = {}) => {
    const response = await clinic.client.api.v1['program-drafts'].$post({ json: { ...asked, ...more } })
    return { status: response.status as number, body: await response.json() }
  }

  it('knows the streams, their states and the owners one can choose', async () => {
    expect(await (await clinic.client.api.v1['program-words'].$get()).json()).toMatchObject({
      streams: expect.arrayContaining([expect.objectContaining({ stream: 'booking.rows' })]),
      owners: [{ key: 'care', title: 'Care' }],
    })
  })

  it('writes the promise below the others, and it is previewed on real history', async () => {
    const { body } = await drafted()
    expect(body).toMatchObject({ program: 'visits', mistakes: [], sentence: '“Seen” within 10 minutes after “Booked”' })
    const plan = await planned(body.source)
    expect(plan.changes[0]?.differences).toMatchObject([{ what: 'expectation', name: 'seen-in-a-day', change: 'added' }])
    expect(plan.backTest).toMatchObject({ appear: 2, vanish: 0 })
    expect(plan.backTest?.expectations.find(({ expectation }) => expectation === 'seen-in-a-day')?.appearing).toMatchObject([
      { kind: 'gap', isKnown: false, why: 'The version in force does not promise it.', effect: 'on_apply', journeyId: expect.any(String) },
      { kind: 'gap' },
    ])
  })

  it('tells what does not fit where it stands, a taken name and a time it cannot read included', async () => {
    expect((await drafted({ within: '10 minutes' })).body.mistakes).toMatchObject([{ path: 'expectations.seen-in-a-day.within' }])
    expect((await drafted({ name: 'one-booking' })).body.mistakes).toMatchObject([{ message: expect.stringContaining('stands twice') }])
  })

  it('writes a whole program where there is none', async () => {
    const isNew = (status: string | null) => ({ stream: 'booking.rows', status })
    const { body } = await drafted({
      program: 'onboarding',
      title: 'Onboarding',
      after: { name: 'booked', isNew: isNew('accepted') },
      expect: { name: 'seen', isNew: isNew('seen') },
    })
    expect(body.mistakes).toEqual([])
    const plan = await planned(body.source, 'onboarding')
    expect(plan.changes).toMatchObject([{ program: 'onboarding', kind: 'added', version: null }])
    expect(plan.backTest).toMatchObject({ appear: 2 })
    expect(await applied(body.source, plan.plan, 'onboarding')).toMatchObject({ status: 200, body: { version: 1 } })
    expect((await (await programs().$get()).json()).items.map(({ key }) => key)).toEqual(['onboarding', 'visits'])
  })
})
