import type { Random } from './random.ts'

export const collections = [
  'stripe.payment_intents',
  'stripe.charges',
  'stripe.refunds',
  'stripe.events',
  'stripe.balance_transactions',
  'calcom.bookings',
  'twilio.messages',
  'fhir.Patient',
  'fhir.Appointment',
  'fhir.Encounter',
  'fhir.QuestionnaireResponse',
  'fhir.Task',
  'fhir.Communication',
] as const
export type Collection = (typeof collections)[number]

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
export type Resource = { readonly [key: string]: Json }

/** One version of one object of a tool, and when the tool's own API begins to show it (eventual consistency). */
export interface Write {
  readonly visibleAt: number
  /** The tool's own change time. */
  readonly updatedAt: number
  readonly collection: Collection
  readonly id: string
  readonly body: Resource
}

/** How late a change may show in each tool's API, ms. Connectors declare at least this as their lag. */
export const visibleWithinMs = { stripe: 25_000, calcom: 75_000, twilio: 75_000, fhir: 90_000 } as const

export class Script {
  readonly writes: Write[] = []
  readonly #random: Random
  constructor(random: Random) {
    this.#random = random
  }

  write(collection: Collection, id: string, updatedAt: number, body: Resource): void {
    const tool = collection.slice(0, collection.indexOf('.')) as keyof typeof visibleWithinMs
    const mostly = this.#random.chance(0.7) ? 0.1 : 1
    this.writes.push({
      visibleAt: updatedAt + Math.floor(this.#random.next() * visibleWithinMs[tool] * mostly),
      updatedAt,
      collection,
      id,
      body,
    })
  }
}
