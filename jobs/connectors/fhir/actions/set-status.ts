import { z } from 'zod'
import { alreadyDone, done, mustNot, performing, refused, toolAction, unlikeYes, withoutYes } from '../../act.ts'
import type { ActContext, EvidenceRef, Preflight } from '../../connector.ts'
import type { FhirConfig } from '../index.ts'
import { fhirJson, type Resource, readResource, resourceId, resourceIn, unknownResource } from './resource.ts'

interface Kind {
  readonly type: 'Appointment' | 'Task'
  readonly stream: 'appointments' | 'tasks'
  readonly title: string
  readonly does: string
  /** States from which nothing is to be changed, with what to do instead. */
  readonly ended: Readonly<Record<string, string>>
}

type Context = ActContext<FhirConfig>
type Look = Preflight | { readonly kind: 'go'; readonly version: string; readonly from: string }

/** Only the status goes over the wire, as a patch of the version that was seen: names and notes never leave the server. */
function setStatus<const Id extends string, Words extends readonly [string, ...string[]]>(
  name: string,
  idField: Id,
  kind: Kind,
  statuses: Words,
) {
  const { type, stream, ended } = kind
  const input = z.strictObject({
    [idField]: resourceId.describe(`The ${type}, by its id`),
    status: z.enum(statuses).describe('What it shall be.'),
  } as Record<Id, typeof resourceId> & { status: z.ZodEnum<{ [Word in Words[number]]: Word }> })
  const idOf = (given: unknown) => String((given as Record<string, unknown>)[idField])
  const statusOf = (given: unknown) => String((given as { status: unknown }).status)
  const evidenceOf = (id: string): EvidenceRef => ({ stream, externalId: id })

  const look = (ctx: Context, id: string, status: string, found: Resource | null): Look => {
    if (found === null) return mustNot(unknownResource(ctx, type, id))
    if (found.status === status) return { kind: 'already', message: `The ${type} is ${status} already.`, evidence: evidenceOf(id) }
    const from = found.status ?? ''
    if (from in ended) return mustNot(`The ${type} is ${from}: ${ended[from]}`)
    const version = found.meta?.versionId
    if (!version || !/^[A-Za-z0-9.-]{1,64}$/.test(version))
      return mustNot('The server tells no versions, so a change made meanwhile could be lost. Set the status in the tool itself.')
    return { kind: 'go', version, from }
  }

  return toolAction<FhirConfig, typeof input>({
    name,
    title: kind.title,
    does: kind.does,
    reach: 'record',
    repeat: { keyHours: null, lookUp: true },
    input,
    verifyBy: { stream, withinSeconds: 3600 },

    async preflight(ctx, given): Promise<Preflight> {
      const [id, status] = [idOf(given), statusOf(given)]
      const seen = look(ctx, id, status, await readResource(ctx, type, id))
      if (seen.kind !== 'go') return seen
      return {
        kind: 'ready',
        sends: [
          { label: type, value: id },
          { label: 'Status', value: status },
        ],
        sees: [{ label: 'Status', value: seen.from }],
        amount: null,
      }
    },

    perform: (ctx, given) =>
      performing(async () => {
        const [id, status] = [idOf(given), statusOf(given)]
        const seen = look(ctx, id, status, await readResource(ctx, type, id))
        if (seen.kind === 'already') return alreadyDone(seen.message, seen.evidence)
        if (seen.kind !== 'go') return refused(seen.kind === 'refused' ? seen.message : '')
        const sent = await ctx.http.send(`${type}/${encodeURIComponent(id)}`, {
          method: 'PATCH',
          what: 'the status',
          signal: ctx.signal,
          headers: { accept: fhirJson, 'if-match': `W/"${seen.version}"`, prefer: 'return=representation' },
          body: {
            type: 'application/json-patch+json',
            json: [
              { op: 'test', path: '/status', value: seen.from },
              { op: 'replace', path: '/status', value: status },
            ],
          },
        })
        if (sent.kind === 'answered') {
          const made = resourceIn(sent.response.json, type)
          return made?.id === id && made.status === status
            ? done(`The ${type} is ${status}.`, evidenceOf(id))
            : unlikeYes(ctx, 'the status')
        }
        if (sent.kind === 'not_done' && (sent.status === 412 || sent.status === 422))
          return refused(`The ${type} was changed meanwhile, so nothing was written. It is looked at anew when this runs again.`, 0)
        if (sent.kind === 'not_done' && (sent.status === 405 || sent.status === 415 || sent.status === 501))
          return withoutYes(sent, `It takes no patches of ${type}: set the status in the tool itself.`)
        return withoutYes(sent)
      }),

    async lookUp(ctx, given) {
      const found = await readResource(ctx, type, idOf(given))
      if (found === null) return null
      return found.status === statusOf(given) ? { isDone: true, evidence: evidenceOf(found.id) } : { isDone: false }
    },

    shows: (record, given) =>
      record.stream === stream && record.externalId === idOf(given) && record.status === statusOf(given) && !record.isDeleted,
  })
}

export const setAppointmentStatus = setStatus(
  'set-appointment-status',
  'appointment',
  {
    type: 'Appointment',
    stream: 'appointments',
    title: 'Set the status of an appointment',
    does: 'Sets an appointment to the state that another tool says is right; who takes part is not told by the server itself.',
    ended: {
      fulfilled: 'the visit took place. Correct the calendar instead.',
      'entered-in-error': 'it never was one. Chart it again.',
    },
  },
  ['booked', 'arrived', 'fulfilled', 'cancelled', 'noshow'],
)

export const setTaskStatus = setStatus(
  'set-task-status',
  'task',
  {
    type: 'Task',
    stream: 'tasks',
    title: 'Set the status of a task',
    does: 'Sets a task to the state it is in: taken up, on hold, done or given up.',
    ended: {
      completed: 'it is done. Make a new one.',
      rejected: 'nobody took it. Make a new one.',
      failed: 'it was given up. Make a new one.',
      'entered-in-error': 'it never was one. Make a new one.',
    },
  },
  ['requested', 'accepted', 'in-progress', 'on-hold', 'completed', 'cancelled', 'failed'],
)
