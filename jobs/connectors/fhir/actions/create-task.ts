import { z } from 'zod'
import { alreadyDone, done, mustNot, performing, refused, toolAction, unlikeYes, withoutYes } from '../../act.ts'
import type { ActContext, EvidenceRef, Preflight } from '../../connector.ts'
import { readEnvelope } from '../../pass.ts'
import { text } from '../../record.ts'
import type { FhirConfig } from '../index.ts'
import { fhirJson, patientOf, readResource, resourceId, resourceIn, unknownResource } from './resource.ts'

/** The identifier by which a task of ours is found again. */
const keySystem = 'urn:throughline:key'
const codeSystem = 'urn:throughline:task'

const input = z
  .strictObject({
    appointment: resourceId.optional(),
    encounter: resourceId.optional(),
    patient: resourceId.optional(),
    code: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,62}$/)
      .describe('What is to be done: a code, such as call-member.'),
    priority: z.enum(['routine', 'urgent', 'asap', 'stat']).optional(),
  })
  .refine((given) => [given.appointment, given.encounter, given.patient].filter((one) => one !== undefined).length === 1, {
    error: 'names one of appointment, encounter and patient',
  })
type Input = z.output<typeof input>
type Context = ActContext<FhirConfig>

const taskSchema = z.object({
  resource: z.object({
    resourceType: z.literal('Task'),
    id: text,
    status: text,
    code: z.object({ coding: z.array(z.object({ code: text.nullish() })).nullish() }).nullish(),
  }),
})
const bundleSchema = z.object({ resourceType: z.literal('Bundle'), entry: z.array(z.unknown()).default([]) })
const ended = new Set(['rejected', 'cancelled', 'failed', 'completed', 'entered-in-error'])
const undone = new Set(['rejected', 'cancelled', 'failed', 'entered-in-error'])

async function findTasks(ctx: Context, query: Readonly<Record<string, string>>) {
  const response = await ctx.http.get('Task', {
    what: 'Task',
    signal: ctx.signal,
    headers: { accept: fhirJson },
    query: { ...query, _count: 50 },
  })
  const { entry } = readEnvelope(ctx, bundleSchema, response.json, 'Task')
  return entry.flatMap((one) => taskSchema.safeParse(one).data?.resource ?? [])
}

function focusOf({ appointment, encounter, patient }: Input): { readonly type: string; readonly id: string } {
  if (appointment !== undefined) return { type: 'Appointment', id: appointment }
  return encounter === undefined ? { type: 'Patient', id: patient ?? '' } : { type: 'Encounter', id: encounter }
}

const taskEvidence = (id: string): EvidenceRef => ({ stream: 'tasks', externalId: id })

export const createTask = toolAction<FhirConfig, typeof input>({
  name: 'create-task',
  title: 'Create a task',
  does: 'Puts a task about an appointment, a visit or a patient on the work list of the EHR.',
  reach: 'record',
  // A server may ignore If-None-Exist (https://hl7.org/fhir/R4/http.html#ccreate), so the key alone is not trusted.
  repeat: { keyHours: null, lookUp: true },
  input,
  verifyBy: { stream: 'tasks', withinSeconds: 3600 },

  async preflight(ctx, given): Promise<Preflight> {
    const { type, id } = focusOf(given)
    const focus = await readResource(ctx, type, id)
    if (focus === null) return mustNot(unknownResource(ctx, type, id))
    const open = (await findTasks(ctx, { focus: `${type}/${id}` })).find(
      (task) => !ended.has(task.status) && task.code?.coding?.some(({ code }) => code === given.code),
    )
    if (open) return { kind: 'already', message: `Task ${open.id} says so already; it is ${open.status}.`, evidence: taskEvidence(open.id) }
    return {
      kind: 'ready',
      sends: [
        { label: 'Task', value: given.code },
        { label: 'About', value: `${type}/${id}` },
        { label: 'For', value: patientOf(focus) === null ? 'nobody named' : 'the patient of that record' },
        { label: 'Priority', value: given.priority ?? 'routine' },
        { label: 'Marked with', value: 'the key of this step, as an identifier' },
      ],
      sees: [{ label: 'Open tasks of this kind', value: 'none' }],
      amount: null,
    }
  },

  perform: (ctx, given, { idempotencyKey, since }) =>
    performing(async () => {
      const { type, id } = focusOf(given)
      const focus = await readResource(ctx, type, id)
      if (focus === null) return refused(unknownResource(ctx, type, id))
      const patient = patientOf(focus)
      const sent = await ctx.http.send('Task', {
        method: 'POST',
        what: 'the task',
        signal: ctx.signal,
        headers: {
          accept: fhirJson,
          prefer: 'return=representation',
          'if-none-exist': new URLSearchParams({ identifier: `${keySystem}|${idempotencyKey}` }).toString(),
        },
        body: {
          type: fhirJson,
          json: {
            resourceType: 'Task',
            identifier: [{ system: keySystem, value: idempotencyKey }],
            status: 'requested',
            intent: 'order',
            priority: given.priority ?? 'routine',
            code: { coding: [{ system: codeSystem, code: given.code }] },
            focus: { reference: `${type}/${id}` },
            ...(patient === null ? {} : { for: { reference: patient } }),
            authoredOn: new Date(since).toISOString(),
          },
        },
      })
      if (sent.kind === 'answered') {
        const made = resourceIn(sent.response.json, 'Task')
        if (made === null) return unlikeYes(ctx, 'the task')
        return sent.response.status === 200
          ? alreadyDone(`The server has this task already: ${made.id}.`, taskEvidence(made.id))
          : done(`The server made task ${made.id}.`, taskEvidence(made.id))
      }
      return withoutYes(
        sent,
        sent.kind === 'not_done' && sent.status === 412 ? 'It has more than one task of this key: look at them.' : null,
      )
    }),

  async lookUp(ctx, _, { idempotencyKey }) {
    const [ours] = await findTasks(ctx, { identifier: `${keySystem}|${idempotencyKey}` })
    return ours ? { isDone: true, evidence: taskEvidence(ours.id) } : { isDone: false }
  },

  shows: ({ stream, externalId, status, ops, isDeleted }, { code }, evidence) =>
    stream === 'tasks' && externalId === evidence?.externalId && status !== null && !undone.has(status) && ops.code === code && !isDeleted,
})
