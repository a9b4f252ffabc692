import { z } from 'zod'
import type { Actor, ObjectRef, Ops } from '../../domain/facts.ts'
import { seal } from '../../domain/plain.ts'
import type { Drift, PersonClaim, ReadEvent, ReadRecord, StreamSpec } from '../connector.ts'
import { id, isoTime, knownStatus, parseTime, text } from '../record.ts'
import type { FhirConfig } from './index.ts'

const meta = z.object({ lastUpdated: isoTime, versionId: id.nullish() })
const identifier = z.object({ system: text.nullish(), value: text.nullish() })
const reference = z.object({ reference: text.nullish() })
const concept = z.object({ coding: z.array(z.object({ code: text.nullish() })).nullish() })
const period = z.object({ start: text.nullish(), end: text.nullish() })

const patient = z.object({
  resourceType: z.literal('Patient'),
  id,
  meta,
  active: z.boolean().nullish(),
  identifier: z.array(identifier).nullish(),
  name: z.array(z.object({ use: text.nullish(), text: text.nullish(), family: text.nullish(), given: z.array(text).nullish() })).nullish(),
  telecom: z.array(z.object({ system: text.nullish(), value: text.nullish(), use: text.nullish() })).nullish(),
  birthDate: text.nullish(),
})
const appointment = z.object({
  resourceType: z.literal('Appointment'),
  id,
  meta,
  status: text,
  identifier: z.array(identifier).nullish(),
  created: text.nullish(),
  start: isoTime.nullish(),
  end: isoTime.nullish(),
  serviceType: z.array(concept).nullish(),
  participant: z.array(z.object({ actor: reference.nullish() })),
})
const encounter = z.object({
  resourceType: z.literal('Encounter'),
  id,
  meta,
  status: text,
  class: z.object({ code: text.nullish() }),
  statusHistory: z.array(z.object({ status: text, period })).nullish(),
  identifier: z.array(identifier).nullish(),
  subject: reference.nullish(),
  appointment: z.array(reference).nullish(),
  period: period.nullish(),
})
const questionnaireResponse = z.object({
  resourceType: z.literal('QuestionnaireResponse'),
  id,
  meta,
  status: text,
  identifier: identifier.nullish(),
  questionnaire: text.nullish(),
  subject: reference.nullish(),
  encounter: reference.nullish(),
  authored: text.nullish(),
})
const task = z.object({
  resourceType: z.literal('Task'),
  id,
  meta,
  status: text,
  identifier: z.array(identifier).nullish(),
  code: concept.nullish(),
  focus: reference.nullish(),
  for: reference.nullish(),
  encounter: reference.nullish(),
  authoredOn: text.nullish(),
  lastModified: text.nullish(),
})
const communication = z.object({
  resourceType: z.literal('Communication'),
  id,
  meta,
  status: text,
  identifier: z.array(identifier).nullish(),
  category: z.array(concept).nullish(),
  subject: reference.nullish(),
  about: z.array(reference).nullish(),
  encounter: reference.nullish(),
  sent: text.nullish(),
  received: text.nullish(),
})

export const resourceSchemas = {
  patients: patient,
  appointments: appointment,
  encounters: encounter,
  questionnaire_responses: questionnaireResponse,
  tasks: task,
  communications: communication,
} as const
export type FhirStream = keyof typeof resourceSchemas
export type FhirResource = z.infer<(typeof resourceSchemas)[FhirStream]>

/** What one kind of resource adds to what all have in common. */
interface Part {
  readonly status: string
  readonly ops: Ops
  readonly objects: readonly ObjectRef[]
  readonly person: PersonClaim | null
  readonly events: readonly ReadEvent[]
}
interface Place {
  readonly connection: string
  readonly config: FhirConfig
}

const nobody: Actor = { kind: 'unknown', id: null }

export function toResource(resource: FhirResource, place: Place, spec: StreamSpec): { record: ReadRecord; drift: readonly Drift[] } {
  const part = partOf(resource, place)
  const { status, drift } = knownStatus(part.status, spec.statuses, 'status')
  const rename = (event: ReadEvent): ReadEvent =>
    event.status === part.status ? { ...event, status, type: event.type.replace(part.status, status) } : event
  return {
    drift,
    record: {
      externalId: resource.id,
      updatedAt: resource.meta.lastUpdated,
      version: versionText(resource.meta.versionId),
      status,
      ops: part.ops,
      objects: part.objects,
      person: part.person === null ? null : seal(part.person),
      events: part.events.map(rename),
    },
  }
}

function partOf(resource: FhirResource, place: Place): Part {
  switch (resource.resourceType) {
    case 'Patient':
      return {
        status: resource.active === false ? 'inactive' : 'active',
        ops: {},
        objects: [],
        person: personOf(resource, place),
        events: [],
      }
    case 'Appointment': {
      const own = objectOf('appointment', `Appointment/${resource.id}`, place)
      const labelled = labelsOf(resource.identifier, place)
      const root = labelled.find((object) => object.type === 'appointment')
      const created = timeOf(resource.created)
      const atFirst = ['proposed', 'pending', 'waitlist'].includes(resource.status)
        ? resource.status
        : resource.status === 'entered-in-error'
          ? null
          : 'booked'
      return {
        status: resource.status,
        ops: { startsAt: iso(resource.start), endsAt: iso(resource.end), service: codeOf(resource.serviceType?.[0]) },
        objects: [...labelled, root ? { ...own, root: root.id } : own],
        person: subjectOf(
          resource.participant.map((one) => one.actor),
          place,
        ),
        events: [
          ...at('appointment.created', created, atFirst),
          ...at(`appointment.${resource.status}`, resource.meta.lastUpdated, resource.status),
        ],
      }
    }
    case 'Encounter': {
      const ended = resource.status === 'finished' ? timeOf(resource.period?.end) : null
      const started = resource.status === 'in-progress' || ended !== null ? timeOf(resource.period?.start) : null
      const history = (resource.statusHistory ?? []).flatMap((was) => at(`encounter.${was.status}`, timeOf(was.period.start), was.status))
      return {
        status: resource.status,
        ops: {
          class: resource.class.code ?? null,
          startedAt: iso(timeOf(resource.period?.start)),
          endedAt: iso(timeOf(resource.period?.end)),
        },
        objects: [
          { type: 'encounter', id: `${place.connection}/Encounter/${resource.id}` },
          ...labelsOf(resource.identifier, place),
          ...(resource.appointment ?? []).flatMap((one) => referred(one, place)),
        ],
        person: subjectOf([resource.subject], place),
        events: [
          ...history,
          ...(history.some((event) => event.type === 'encounter.in-progress') ? [] : at('encounter.in-progress', started, 'in-progress')),
          ...(resource.status === 'in-progress' && started !== null
            ? []
            : at(`encounter.${resource.status}`, ended ?? resource.meta.lastUpdated, resource.status)),
        ],
      }
    }
    case 'QuestionnaireResponse': {
      const answeredAt = resource.status === 'completed' || resource.status === 'amended' ? timeOf(resource.authored) : null
      return {
        status: resource.status,
        ops: { form: formOf(resource.questionnaire) },
        objects: [...labelsOf(resource.identifier ? [resource.identifier] : [], place), ...referred(resource.encounter, place)],
        person: subjectOf([resource.subject], place),
        events: at(`questionnaire_response.${resource.status}`, answeredAt ?? resource.meta.lastUpdated, resource.status),
      }
    }
    case 'Task':
      return {
        status: resource.status,
        ops: { code: codeOf(resource.code) },
        objects: [
          { type: 'task', id: `${place.connection}/Task/${resource.id}` },
          ...labelsOf(resource.identifier, place),
          ...referred(resource.focus, place),
          ...referred(resource.encounter, place),
        ],
        person: subjectOf([resource.for], place),
        events: [
          ...at('task.created', timeOf(resource.authoredOn), resource.status === 'requested' ? 'requested' : null),
          ...at(`task.${resource.status}`, timeOf(resource.lastModified) ?? resource.meta.lastUpdated, resource.status),
        ],
      }
    case 'Communication':
      return {
        status: resource.status,
        ops: { category: codeOf(resource.category?.[0]) },
        objects: [
          ...labelsOf(resource.identifier, place),
          ...(resource.about ?? []).flatMap((one) => referred(one, place)),
          ...referred(resource.encounter, place),
        ],
        person: subjectOf([resource.subject], place),
        events: at(
          `communication.${resource.status}`,
          timeOf(resource.sent) ?? timeOf(resource.received) ?? resource.meta.lastUpdated,
          resource.status,
        ),
      }
  }
}

function personOf(resource: z.infer<typeof patient>, { connection, config }: Place): PersonClaim {
  const name =
    resource.name?.find((one) => one.use === 'official') ?? resource.name?.find((one) => one.use !== 'old' && one.use !== 'maiden')
  const telecom = (systems: readonly string[]) =>
    (resource.telecom ?? []).filter((one) => systems.includes(one.system ?? '') && one.use !== 'old').map((one) => one.value)
  const numbers = (resource.identifier ?? []).flatMap((one) => {
    const system = one.system ? config.patient_identifiers[one.system] : undefined
    return system !== undefined && one.value ? [{ system, value: one.value }] : []
  })
  return {
    role: 'self',
    reference:
      (resource.identifier ?? []).find((one) => config.reference_system !== undefined && one.system === config.reference_system)?.value ??
      null,
    external: [{ system: `${connection}.patient`, value: resource.id }, ...numbers],
    emails: telecom(['email']),
    phones: telecom(['phone', 'sms']),
    name: name ? { given: name.given?.join(' ') ?? null, family: name.family ?? null, full: name.text ?? null } : null,
    birthDate: resource.birthDate ?? null,
  }
}

function subjectOf(references: readonly (z.infer<typeof reference> | null | undefined)[], { connection }: Place): PersonClaim | null {
  for (const one of references) {
    const value = idIn(one, 'Patient')
    if (value !== null) return { role: 'self', external: [{ system: `${connection}.patient`, value }] }
  }
  return null
}

/** `Appointment/12`, `https://host/fhir/Appointment/12` or `Appointment/12/_history/3`. */
function idIn(one: z.infer<typeof reference> | null | undefined, type: string): string | null {
  const found = new RegExp(`(?:^|/)${type}/([A-Za-z0-9.-]{1,64})(?:/_history/.*)?$`).exec(one?.reference ?? '')
  return found?.[1] ?? null
}

function referred(one: z.infer<typeof reference> | null | undefined, place: Place): ObjectRef[] {
  const appointmentId = idIn(one, 'Appointment')
  if (appointmentId !== null) return [objectOf('appointment', `Appointment/${appointmentId}`, place)]
  const encounterId = idIn(one, 'Encounter')
  return encounterId === null ? [] : [objectOf('encounter', `Encounter/${encounterId}`, place)]
}

function objectOf(type: string, path: string, { connection }: Place): ObjectRef {
  return { type, id: `${connection}/${path}` }
}

/** Objects of other tools named by an identifier of a configured system: the booking's id on an appointment. */
function labelsOf(identifiers: readonly z.infer<typeof identifier>[] | null | undefined, { config }: Place): ObjectRef[] {
  return (identifiers ?? []).flatMap((one) => {
    const type = one.system ? config.objects[one.system] : undefined
    return type !== undefined && one.value ? [{ type, id: one.value }] : []
  })
}

function at(type: string, occurredAt: number | null, status: string | null): ReadEvent[] {
  return occurredAt === null ? [] : [{ type, occurredAt, status, actor: nobody }]
}

/** FHIR times may be only a day or a month: those are no time of an event. */
function timeOf(value: string | null | undefined): number | null {
  return value ? parseTime(value) : null
}

function iso(value: number | null | undefined): string | null {
  return value === null || value === undefined ? null : new Date(value).toISOString()
}

function codeOf(one: z.infer<typeof concept> | null | undefined): string | null {
  return one?.coding?.[0]?.code ?? null
}

/** Versions are compared as text, so that 10 comes after 9. */
function versionText(version: string | null | undefined): string | null {
  return version && /^\d{1,12}$/.test(version) ? version.padStart(12, '0') : (version ?? null)
}

/** `https://example.org/Questionnaire/intake|2` → `intake` */
function formOf(canonical: string | null | undefined): string | null {
  return canonical?.split('|')[0]?.split('/').filter(Boolean).at(-1) ?? null
}
