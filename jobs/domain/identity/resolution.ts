import type { IdentityKind, RecordFact } from '../facts.ts'

/** What resolution reads of a record. */
export type IdentityFact = Pick<RecordFact, 'id' | 'objects' | 'role' | 'keys'>

/** A person's standing word on two records; withdrawn ones are not passed in. */
export interface Decision {
  readonly decision: 'must_link' | 'cannot_link'
  readonly recordA: string
  readonly recordB: string
}

/** `first`: the smallest record of its cluster, from which the others are reached. */
export type LinkRule = 'first' | 'must_link' | 'object' | IdentityKind

/** Why a record is in its cluster. Following `via` always ends at the record whose rule is `first`. */
export interface Link {
  readonly recordId: string
  readonly rule: LinkRule
  readonly via: string | null
  /** True where it was the only candidate rather than shown to be the same person. */
  readonly inferred: boolean
}

export interface ResolvedCluster {
  /** Sorted. */
  readonly recordIds: readonly string[]
  /** One per record, in the order of `recordIds`. */
  readonly links: readonly Link[]
}

/**
 * `fits_several`: the cluster of `recordId` could belong to any of the candidates and stays apart.
 * `key_shared`: the candidates (`recordId` is one of them) share a reference or a name with birth date although other ids stand between them,
 * or share an e-mail or phone with which one of them shows no name that could be compared.
 */
export interface Ambiguity {
  readonly recordId: string
  readonly kind: 'fits_several' | 'key_shared'
  /** The kind of evidence that is shared. */
  readonly by: IdentityKind | 'object'
  /** The smallest record of each candidate cluster, sorted. */
  readonly candidates: readonly string[]
}

export interface Resolution {
  /** A partition of all records, sorted by their first record. */
  readonly clusters: readonly ResolvedCluster[]
  /** At most one per record, sorted by record. */
  readonly ambiguities: readonly Ambiguity[]
}
