import type { Service } from '../calcom/records.ts'
import { canary } from '../canary.ts'
import type { Person } from '../people.ts'
import { displayPhone } from '../people.ts'
import type { Random } from '../random.ts'
import { alphanumerics } from '../random.ts'
import { iso, minute } from '../times.ts'
import type { Collection, Resource, Script } from '../writes.ts'

export const referenceSystem = 'urn:throughline:ref'
export const bookingSystem = 'https://cal.com/booking'
const own = 'https://northwind.example'

export interface Chart {
  readonly patientId: string
  /** Writes a new version of a resource of this patient. */
  save(type: ResourceType, id: string, at: number, body: Resource): void
}
export type ResourceType = 'Patient' | 'Appointment' | 'Encounter' | 'QuestionnaireResponse' | 'Task' | 'Communication'

const newId = (random: Random) => random.text(16, alphanumerics)
const narrative = (type: string, id: string): Resource => ({
  status: 'generated',
  div: `<div xmlns="http://www.w3.org/1999/xhtml">${canary(`fhir.${type}.text`, id)}</div>`,
})
const subject = (chart: Chart): Resource => ({ reference: `Patient/${chart.patientId}`, display: canary('fhir.display', chart.patientId) })

export function openChart(script: Script, random: Random, person: Person, at: number): Chart {
  const patientId = newId(random)
  const versions = new Map<string, number>()
  const chart: Chart = {
    patientId,
    save(type, id, updatedAt, body) {
      const version = (versions.get(id) ?? 0) + 1
      versions.set(id, version)
      script.write(`fhir.${type}` as Collection, id, updatedAt, {
        resourceType: type,
        id,
        meta: { versionId: String(version), lastUpdated: iso(updatedAt) },
        text: narrative(type, id),
        ...body,
      })
    },
  }
  chart.save('Patient', patientId, at, {
    identifier: [
      { system: `${own}/mrn`, value: `MRN${random.int(1_000_000, 9_999_999)}` },
      ...(person.ref === null ? [] : [{ system: referenceSystem, value: person.ref }]),
    ],
    active: true,
    name: [{ use: 'official', family: person.family, given: [person.given] }],
    telecom: [
      { system: 'phone', value: displayPhone(person.phone), use: 'mobile' },
      { system: 'email', value: person.email },
    ],
    birthDate: person.birthDate,
    address: [{ text: canary('fhir.address', patientId) }],
  })
  return chart
}

export function answerIntake(random: Random, chart: Chart, at: number): string {
  const id = newId(random)
  const body: Resource = {
    questionnaire: `${own}/Questionnaire/intake`,
    subject: subject(chart),
    authored: iso(at),
    item: [{ linkId: '1', text: canary('fhir.question', id), answer: [{ valueString: canary('fhir.answer', id) }] }],
  }
  chart.save('QuestionnaireResponse', id, at - random.int(4, 30) * minute, {
    ...body,
    status: 'in-progress',
    authored: iso(at - 4 * minute),
  })
  chart.save('QuestionnaireResponse', id, at, { ...body, status: 'completed' })
  return id
}

export interface EhrAppointment {
  readonly id: string
  readonly body: Resource
}

export function chartAppointment(
  random: Random,
  chart: Chart,
  at: number,
  options: { booking: string; start: number; service: Service },
): EhrAppointment {
  const id = newId(random)
  const body: Resource = {
    identifier: [{ system: bookingSystem, value: options.booking }],
    status: 'booked',
    serviceType: [{ coding: [{ system: `${own}/service`, code: options.service }] }],
    description: canary('fhir.description', id),
    comment: canary('fhir.comment', id),
    start: iso(options.start),
    end: iso(options.start + 50 * minute),
    created: iso(at),
    participant: [{ actor: subject(chart), status: 'accepted' }],
  }
  chart.save('Appointment', id, at, body)
  return { id, body }
}

export function setAppointmentStatus(chart: Chart, appointment: EhrAppointment, at: number, status: string): void {
  chart.save('Appointment', appointment.id, at, {
    ...appointment.body,
    status,
    ...(status === 'cancelled' ? { cancelationReason: { text: canary('fhir.cancelationReason', appointment.id) } } : {}),
  })
}

/** A visit: begun at `at`, finished `lastsMs` later. Its appointment is null for a walk-in. */
export function visit(
  random: Random,
  chart: Chart,
  at: number,
  lastsMs: number,
  appointment: EhrAppointment | null,
): { id: string; finishedAt: number } {
  const id = newId(random)
  const finishedAt = at + lastsMs
  const body: Resource = {
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'VR' },
    subject: subject(chart),
    ...(appointment === null ? {} : { appointment: [{ reference: `Appointment/${appointment.id}` }] }),
    reasonCode: [{ text: canary('fhir.reason', id) }],
  }
  chart.save('Encounter', id, at, { ...body, status: 'in-progress', statusHistory: [], period: { start: iso(at) } })
  chart.save('Encounter', id, finishedAt, {
    ...body,
    status: 'finished',
    statusHistory: [{ status: 'in-progress', period: { start: iso(at), end: iso(finishedAt) } }],
    period: { start: iso(at), end: iso(finishedAt) },
  })
  return { id, finishedAt }
}

export function sharePlan(random: Random, chart: Chart, at: number, encounter: string): string {
  const id = newId(random)
  chart.save('Communication', id, at, {
    status: 'completed',
    category: [{ coding: [{ system: `${own}/communication`, code: 'care-plan' }] }],
    subject: subject(chart),
    encounter: { reference: `Encounter/${encounter}` },
    sent: iso(at),
    payload: [{ contentString: canary('fhir.payload', id) }],
    note: [{ text: canary('fhir.note', id) }],
  })
  return id
}

export function offboard(random: Random, chart: Chart, at: number): string {
  const id = newId(random)
  const body: Resource = {
    intent: 'order',
    code: { coding: [{ system: `${own}/task`, code: 'offboarding' }] },
    description: canary('fhir.task.description', id),
    for: subject(chart),
    authoredOn: iso(at - 40 * minute),
    note: [{ text: canary('fhir.task.note', id) }],
  }
  chart.save('Task', id, at - 40 * minute, { ...body, status: 'requested', lastModified: iso(at - 40 * minute) })
  chart.save('Task', id, at, { ...body, status: 'completed', lastModified: iso(at) })
  return id
}
