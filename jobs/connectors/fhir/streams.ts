import type { StreamSpec } from '../connector.ts'

const everywhere = [
  'resourceType',
  'implicitRules',
  '_implicitRules',
  'language',
  '_language',
  'text',
  'contained',
  'extension',
  'modifierExtension',
  'meta.*',
]
const identifiers = ['identifier[].system', 'identifier[].value']
const changed = ['meta.lastUpdated', 'meta.versionId']

function words(list: string): readonly string[] {
  return list.split(' ').filter(Boolean)
}

function streamOf(
  name: string,
  title: string,
  fields: { keys: string; ops: string; shows: string; dropped: string },
  statuses: string,
): StreamSpec {
  return {
    name,
    title,
    cursor: 'updated-since',
    deletions: 'invisible',
    lagSeconds: 120,
    overlapSeconds: 900,
    fullSweepSeconds: 86_400,
    fields: {
      keys: ['id', ...words(fields.keys)],
      ops: [...changed, ...words(fields.ops)],
      dropped: [...everywhere, ...words(fields.dropped)],
    },
    ...(name === 'patients' ? {} : { linkedBy: ['patients'] }),
    shows: words(fields.shows),
    statuses: words(statuses),
  }
}

/** Every element of the R4 resource is named: an extension of the standard is drift, not silence. */
export const streams: readonly StreamSpec[] = [
  streamOf(
    'patients',
    'Patients',
    {
      keys: `${identifiers.join(' ')} name telecom birthDate`,
      ops: 'active',
      shows: '',
      dropped:
        'identifier[].* _active gender _gender _birthDate deceasedBoolean _deceasedBoolean deceasedDateTime _deceasedDateTime address maritalStatus multipleBirthBoolean _multipleBirthBoolean multipleBirthInteger _multipleBirthInteger photo contact communication generalPractitioner managingOrganization link',
    },
    'active inactive',
  ),
  streamOf(
    'appointments',
    'Appointments',
    {
      keys: `${identifiers.join(' ')} participant[].actor.reference`,
      ops: 'status start end created serviceType',
      shows: 'startsAt endsAt service',
      dropped:
        'identifier[].* participant[].* participant[].actor.* cancelationReason serviceCategory specialty appointmentType reasonCode reasonReference priority description supportingInformation minutesDuration slot comment patientInstruction basedOn requestedPeriod _status _priority _description _start _end _minutesDuration _created _comment _patientInstruction',
    },
    'proposed pending booked arrived fulfilled cancelled noshow entered-in-error checked-in waitlist',
  ),
  streamOf(
    'encounters',
    'Encounters',
    {
      keys: `${identifiers.join(' ')} subject appointment`,
      ops: 'status class statusHistory period',
      shows: 'class startedAt endedAt',
      dropped:
        'identifier[].* _status classHistory type serviceType priority episodeOfCare basedOn participant length reasonCode reasonReference diagnosis account hospitalization location serviceProvider partOf',
    },
    'planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown',
  ),
  streamOf(
    'questionnaire_responses',
    'Form responses',
    {
      keys: 'identifier subject encounter',
      ops: 'status questionnaire authored',
      shows: 'form',
      dropped: '_status _authored _questionnaire basedOn partOf author source item',
    },
    'in-progress completed amended entered-in-error stopped',
  ),
  streamOf(
    'tasks',
    'Tasks',
    {
      keys: `${identifiers.join(' ')} for focus encounter`,
      ops: 'status code authoredOn lastModified',
      shows: 'code',
      dropped:
        'identifier[].* instantiatesCanonical instantiatesUri _instantiatesUri basedOn groupIdentifier partOf _status statusReason businessStatus intent _intent priority _priority description _description _authoredOn _lastModified executionPeriod requester performerType owner location reasonCode reasonReference insurance note relevantHistory restriction input output',
    },
    'draft requested received accepted rejected ready cancelled in-progress on-hold failed completed entered-in-error',
  ),
  streamOf(
    'communications',
    'Communications',
    {
      keys: `${identifiers.join(' ')} subject about encounter`,
      ops: 'status category sent received',
      shows: 'category',
      dropped:
        'identifier[].* instantiatesCanonical instantiatesUri _instantiatesUri basedOn partOf inResponseTo _status statusReason priority _priority medium topic _sent _received recipient sender reasonCode reasonReference payload note',
    },
    'preparation in-progress not-done on-hold stopped completed entered-in-error unknown',
  ),
]
