import { z } from 'zod'
import type { Connector, PollPage } from '../connector.ts'
import {
  beginPass,
  checkStreams,
  countRows,
  coverageOf,
  nextByChange,
  passSchema,
  readCursor,
  streamNamed,
  sweepOf,
  turnPage,
} from '../pass.ts'
import { takeRows } from '../record.ts'
import { createTask } from './actions/create-task.ts'
import { setAppointmentStatus, setTaskStatus } from './actions/set-status.ts'
import { searchResources } from './client.ts'
import type { FhirResource, FhirStream } from './map.ts'
import { resourceSchemas, toResource } from './map.ts'
import { streams } from './streams.ts'

const systemMap = z.record(z.string().min(1), z.string().regex(/^[a-z][a-z0-9_.]*$/))

const configSchema = z.strictObject({
  /** With its path, e.g. https://ehr.example/fhir/R4 */
  base_url: z.url(),
  /** Identifier system to the object type it numbers, e.g. the booking tool's id on an Appointment. */
  objects: systemMap.default({}),
  /** Identifier system of a Patient to our name of that numbering, e.g. `mrn`. */
  patient_identifiers: systemMap.default({}),
  /** Identifier system of a Patient that carries the subject's minted reference. */
  reference_system: z.string().min(1).optional(),
  requests_per_second: z.number().positive().max(100).default(10),
})
export type FhirConfig = z.infer<typeof configSchema>

const cursorSchema = z.discriminatedUnion('at', [
  z.object({ at: z.literal('rest'), since: z.number() }),
  z.object({ at: z.literal('list'), pass: passSchema, changedAfter: z.number().nullable(), next: z.string().nullable() }),
])

const types: Record<FhirStream, string> = {
  patients: 'Patient',
  appointments: 'Appointment',
  encounters: 'Encounter',
  questionnaire_responses: 'QuestionnaireResponse',
  tasks: 'Task',
  communications: 'Communication',
}

const actions = [createTask, setAppointmentStatus, setTaskStatus]

export const fhir: Connector<FhirConfig> = {
  describe: () => ({
    id: 'fhir',
    name: 'FHIR R4',
    version: '0.1.0',
    apiVersion: 'R4 (4.0.1)',
    verified: 'spec-only',
    verifiedOn: '2026-11-21',
    configSchema,
    secrets: ['token'],
    streams,
    actions,
  }),
  actions,

  endpoint: (config, secrets) => ({
    baseUrl: config.base_url,
    headers: { accept: 'application/fhir+json', ...(secrets.token ? { authorization: `Bearer ${secrets.token}` } : {}) },
    requestsPerSecond: config.requests_per_second,
  }),

  check: (ctx) =>
    checkStreams(
      ctx,
      streams.map((spec) => ({
        stream: spec.name,
        read: async () => (await searchResources(ctx, types[spec.name as FhirStream], null, null, 1)).response,
      })),
    ),

  async poll(ctx, streamName, rawCursor, budget): Promise<PollPage> {
    const spec = streamNamed(streams, streamName, ctx)
    const stream = spec.name as FhirStream
    const count = Math.max(1, Math.min(200, budget.pageSize))
    const cursor = readCursor(cursorSchema, rawCursor)
    const resumed = cursor?.at === 'list' && (cursor.pass.sweep !== null) === (budget.mode === 'full') ? cursor : null
    const from = cursor?.at === 'rest' && budget.mode === 'incremental' ? cursor.since - spec.overlapSeconds * 1000 : null
    const position = resumed ?? { changedAfter: from, next: null }

    const page = await searchResources(ctx, types[stream], position.changedAfter, position.next, count)
    const begun = resumed?.pass ?? beginPass(ctx, page.response, from, budget)
    const turned = turnPage(ctx, spec.name, begun, page.ids, page.next !== null, budget)

    const place = { connection: ctx.connection, config: ctx.config }
    const taken = takeRows<FhirResource>(spec, resourceSchemas[stream], 'id', page.data, (resource) => toResource(resource, place, spec))
    const pass = countRows(turned, taken)
    const onward = nextByChange({ changedAfter: position.changedAfter, skip: 0 }, page, 1)
    return {
      ...taken,
      cursor:
        page.next === null
          ? { at: 'rest', since: pass.startedAt }
          : { at: 'list', pass, changedAfter: onward.changedAfter, next: onward.skip > 0 ? page.next : null },
      coverage: coverageOf(pass, page.next === null),
      ...sweepOf(pass, page.next === null),
      clockSkewMs: page.response.dateSkewMs,
    }
  },
}
