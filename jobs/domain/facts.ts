/** The facts every rule is judged from. All times are epoch milliseconds (UTC); all ids are plain strings. Nothing here identifies a person. */

export type Scalar = string | number | boolean | null

/** Allow-listed operational fields of a record, by our field name. */
export type Ops = Readonly<Record<string, Scalar>>

export type ActorKind = 'person' | 'automation' | 'agent' | 'throughline' | 'unknown'
export interface Actor {
  readonly kind: ActorKind
  /** The tool's own operational id of the actor (`wf-12`, an API key label), never a name or address. */
  readonly id: string | null
}

/** A business thing that events also belong to. `root` names the object this one continues (the booking a reschedule came from). */
export interface ObjectRef {
  readonly type: string
  readonly id: string
  readonly root?: string
}

export type IdentityKind = 'reference' | 'external' | 'name_birth_date' | 'email' | 'phone'

/** One keyed token by which a record may be linked, with the veto tokens salted by that same key (identity.md). */
export interface IdentityKey {
  readonly kind: IdentityKind
  /** For `reference` and `external`: the numbering system, e.g. `ehr.patient`. Two different tokens of one system never belong to one subject. */
  readonly system?: string
  /** 32 hex digits. */
  readonly token: string
  readonly firstName?: string
  readonly fullName?: string
  readonly birthDate?: string
}

/**
 * How a record's identity counts. `self`: it is about that person. `payer` and `contact`: weak evidence
 * (someone else's card, a phone number alone): attached to the sole candidate or reported as ambiguous, never a bridge between two people.
 */
export type IdentityRole = 'self' | 'payer' | 'contact'

/** The current version of one record. */
export interface RecordFact {
  /** 32 hex digits: hash(connection, stream, external id). The canonical order of records is the order of these ids. */
  readonly id: string
  /** `<connection>.<stream>` */
  readonly stream: string
  readonly externalId: string
  readonly updatedAt: number
  readonly observedAt: number
  readonly status: string | null
  readonly ops: Ops
  readonly objects: readonly ObjectRef[]
  readonly role: IdentityRole
  readonly keys: readonly IdentityKey[]
  /** When the record was deleted (tombstone or the complete sweep that missed it), else null. */
  readonly deletedAt: number | null
}

/** Something that happened to a record. Its state at that time is `{...record.ops, status, ...ops}`. */
export interface EventFact {
  readonly recordId: string
  readonly type: string
  readonly occurredAt: number
  /** Set when the change was only seen between two reads: it occurred in the interval (occurredAfter, occurredAt]. */
  readonly occurredAfter: number | null
  readonly observedAt: number
  readonly status: string | null
  /** Fields that had another value then than the record has now; usually null. */
  readonly ops: Ops | null
  readonly actor: Actor
  /** Position in its file; orders events of equal time. 0 for tools. */
  readonly seq: number
}
