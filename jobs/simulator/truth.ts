/** One planted fault, as its injector knows it. The engine never reads this; the score compares findings with it. */
export interface Truth {
  readonly kind: string
  /** The expectation of the demo program, or null for what needs no program (ambiguous identity, schema drift, blind). */
  readonly expectation: string | null
  /** Surrogate of the person, or null where it concerns a stream. */
  readonly person: string | null
  /** Records of which the finding must name at least one: `<connection>.<stream>` and the tool's own id. */
  readonly records: readonly { readonly stream: string; readonly externalId: string }[]
  /** Domain time from which it can be known with every stream read to then; a late one is a gap from here on. */
  readonly from: number
  /** When a missed step came after all: from then on the finding is `late`. */
  readonly cameAt: number | null
  /** From when it is no longer so, null: it stays. */
  readonly until: number | null
}

export const plantedKinds = [
  'gap',
  'late',
  'early',
  'disorder',
  'unexpected',
  'wrong_variant',
  'duplicate',
  'drift',
  'unmapped_state',
  'stuck',
  'orphan',
  'ambiguous_identity',
  'schema_drift',
  'blind',
] as const
export type PlantedKind = (typeof plantedKinds)[number]
