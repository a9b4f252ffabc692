import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { withDatabase } from '../support/database.ts'
import { ocelSchema } from './ocel-schema.ts'
import { headers, minute, morning, type ServedClinic, serveClinic } from './served-clinic.ts'

const main = await withDatabase()
let clinic: ServedClinic
beforeAll(async () => {
  clinic = await serveClinic(await main.another())
  const row = (n: number) => ({
    id: `late-${n}`,
    email: 'ann@example.org',
    status: 'delivered',
    at: morning + 31 * minute + n * 500,
    updatedAt: morning + 31 * minute + n * 500,
  })
  clinic.texts.rows = [...clinic.texts.rows, ...Array.from({ length: 1_200 }, (_, n) => row(n))]
  clinic.clock.at = morning + 60 * minute
  await clinic.reconcile()
}, 120_000)
afterAll(() => clinic.close())

const get = (path: string) => clinic.app.request(path, { headers })

const row = z.object({ id: z.string(), attributes: z.array(z.object({ name: z.string(), value: z.string() })) })
const log = z.object({
  eventTypes: z.array(z.object({ name: z.string(), attributes: z.array(z.object({ name: z.string(), type: z.string() })) })),
  objectTypes: z.array(z.object({ name: z.string(), attributes: z.array(z.object({ name: z.string(), type: z.string() })) })),
  events: z.array(
    row.extend({ type: z.string(), time: z.string(), relationships: z.array(z.object({ objectId: z.string(), qualifier: z.string() })) }),
  ),
  objects: z.array(row.extend({ type: z.string(), relationships: z.array(z.object({ objectId: z.string(), qualifier: z.string() })) })),
})

async function journeys() {
  const answer = await clinic.client.api.v1.journeys.$get({ query: {} })
  return (await answer.json()).items
}

it('writes a journey as a log that the published OCEL 2.0 schema accepts, whole, without names', async () => {
  const ajv = new Ajv({ strict: false })
  formats.default(ajv)
  const validate = ajv.compile(ocelSchema)
  for (const { id, subjectId } of await journeys()) {
    const answer = await get(`/api/v1/journeys/${id}/export.ocel.json`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="journey-${id.slice(0, 8)}.ocel.json"`)
    const text = await answer.text()
    // The tools' own ids stay as they are; what identifies a person is not there.
    expect(text.match(/[\w.]+@[\w.]+|example\.org/)).toBe(null)
    const parsed: unknown = JSON.parse(text)
    expect({ isValid: validate(parsed), errors: validate.errors }).toEqual({ isValid: true, errors: null })

    const written = log.parse(parsed)
    const known = new Map(written.objects.map((object) => [object.id, object]))
    expect(known.size).toBe(written.objects.length)
    expect(new Set(written.events.map((event) => event.id)).size).toBe(written.events.length)
    const eventTypes = new Map(written.eventTypes.map((type) => [type.name, type.attributes.map((one) => one.name)]))
    const objectTypes = new Map(written.objectTypes.map((type) => [type.name, type.attributes.map((one) => one.name)]))
    for (const one of [...written.events, ...written.objects])
      for (const { objectId } of one.relationships) expect(known.has(objectId), objectId).toBe(true)
    for (const event of written.events) {
      expect(event.relationships.map((each) => each.objectId)).toEqual(expect.arrayContaining([`journey/${id}`, `subject/${subjectId}`]))
      for (const { name } of event.attributes) expect(eventTypes.get(event.type)).toContain(name)
    }
    for (const object of written.objects) for (const { name } of object.attributes) expect(objectTypes.get(object.type)).toContain(name)
    const whole = await clinic.client.api.v1.journeys[':id'].$get({ param: { id } })
    expect(written.events).toHaveLength((await whole.json()).eventCount ?? 0)
  }
})

it('notes in the audit who took a journey out, and answers 404 for one that is not there', async () => {
  const [first] = await journeys()
  await (await get(`/api/v1/journeys/${first?.id}/export.ocel.json`)).text()
  const { sql } = clinic.workspace.database
  const acts = await sql`select actor, target_id from audit where workspace_id = ${clinic.workspace.id} and act = 'journey.export'
    and target_id = ${first?.id ?? ''} order by recorded_at desc limit 1`
  expect([...acts]).toEqual([{ actor: 'local-owner', target_id: first?.id }])
  expect((await get(`/api/v1/journeys/${'0'.repeat(32)}/export.ocel.json`)).status).toBe(404)
  expect((await get('/api/v1/journeys/nothing/export.ocel.json')).status).toBe(400)
})

it('sends a journey of many events folded, and each of its windows and pages when asked', async () => {
  const rows = await journeys()
  const long = rows.find((journey) => journey.events > 600)
  const id = long?.id ?? ''
  const whole = await (await clinic.client.api.v1.journeys[':id'].$get({ param: { id } })).json()
  expect(whole.events.length + (whole.clusters?.length ?? 0)).toBeLessThanOrEqual(500)
  const counted = (whole.clusters ?? []).reduce((sum, cluster) => sum + cluster.count, 0)
  expect(whole.events.length + counted).toBe(whole.eventCount)
  const events = clinic.client.api.v1.journeys[':id'].events

  const [cluster] = whole.clusters ?? []
  const { connection = '', from = '', to = '' } = cluster ?? {}
  const opened = await (await events.$get({ param: { id }, query: { from, to, connection, fold: 'true' } })).json()
  expect(opened.items.length).toBeGreaterThanOrEqual(cluster?.count ?? 0)
  expect(opened.items.every((event) => event.connection === connection && event.occurredAt >= from && event.occurredAt <= to)).toBe(true)

  const seen: string[] = []
  let cursor: string | null = null
  do {
    const page: { items: { id: string }[]; next: string | null; total: number } = await (
      await events.$get({ param: { id }, query: { limit: '300', ...(cursor === null ? {} : { cursor }) } })
    ).json()
    expect(page.total).toBe(whole.eventCount)
    seen.push(...page.items.map((event) => event.id))
    cursor = page.next
  } while (cursor !== null)
  expect(new Set(seen).size).toBe(whole.eventCount)
  expect(seen).toHaveLength(whole.eventCount ?? 0)
})
