export interface ConnectorGuide {
  /** Which key to make, and what it may do. */
  readonly key: string
  readonly where: string
  /** A short name for the connection, as programs will say it. */
  readonly name: string
  /** For settings that must be given: something to replace. */
  readonly examples: Readonly<Record<string, string>>
}

/** By connector id. One that is not here is shown by its schema alone. */
export const connectorGuides: Readonly<Record<string, ConnectorGuide>> = {
  stripe: {
    key: 'A restricted key that may read payment intents, charges and refunds, and nothing else.',
    where: 'In Stripe: Developers, API keys, Create restricted key.',
    name: 'billing',
    examples: {},
  },
  calcom: {
    key: 'An API key of a user or team that sees the bookings.',
    where: 'In Cal.com: Settings, Developer, API keys.',
    name: 'booking',
    examples: {},
  },
  twilio: {
    key: 'The auth token of a subaccount, or of the account whose messages count.',
    where: 'In Twilio: Console, Account info. The account SID stands beside it and is no secret.',
    name: 'texts',
    examples: { account_sid: 'AC00000000000000000000000000000000' },
  },
  fhir: {
    key: 'A bearer token that may read Patient, Appointment, Encounter, QuestionnaireResponse, Task and Communication.',
    where: 'Ask whoever runs the EHR for a read-only backend client; the base address ends before the resource names.',
    name: 'ehr',
    examples: { base_url: 'https://ehr.example/fhir/R4' },
  },
  'file-drop': {
    key: 'None: it reads files below the configuration folder.',
    where: 'Export CSV or NDJSON from any tool and put it there. docs/csv.md goes through it step by step.',
    name: 'exports',
    examples: {},
  },
}
