import type { IdentityKey, IdentityKind } from '../facts.ts'
import type { Cluster } from './clusters.ts'
import { addEvidence } from './clusters.ts'
import { birthDatePartDigits } from './normalise-birth-date.ts'
import type { IdentityFact } from './resolution.ts'

/** One token and the records that carry it, in canonical order. */
export interface SharedKey {
  readonly token: string
  readonly kind: IdentityKind
  /** Records about the person who has the key. */
  readonly strong: number[]
  /** Records of payers and contacts. */
  readonly weak: number[]
}

const birthDatePart = new RegExp(`.{1,${birthDatePartDigits}}`, 'g')
const hotAfterFirstNames = 4

/** Which tokens link which records. A hot e-mail or phone (more than four first names) is left out: it links nothing. */
export class SharedKeys {
  readonly #ofRecord: SharedKey[][] = []
  readonly #byKind = new Map<IdentityKind, SharedKey[]>()
  readonly #strong: boolean[]

  constructor(records: readonly IdentityFact[], hotTokens: ReadonlySet<string>, vetoes: boolean) {
    this.#strong = records.map((record) => record.role === 'self' || !vetoes)
    const byToken = new Map<string, SharedKey & { names: string[] }>()
    for (const [index, record] of records.entries()) {
      for (const key of record.keys) {
        let shared = byToken.get(key.token)
        if (!shared) byToken.set(key.token, (shared = { token: key.token, kind: key.kind, strong: [], weak: [], names: [] }))
        const holders = this.#strong[index] ? shared.strong : shared.weak
        if (holders.at(-1) !== index) holders.push(index)
        if (key.firstName !== undefined && shared.names.length <= hotAfterFirstNames && !shared.names.includes(key.firstName)) {
          shared.names.push(key.firstName)
        }
      }
    }
    const isHot = (shared: { token: string; kind: IdentityKind; names: string[] }) =>
      vetoes &&
      (shared.kind === 'email' || shared.kind === 'phone') &&
      (shared.names.length > hotAfterFirstNames || hotTokens.has(shared.token))
    for (const record of records) {
      const keys: SharedKey[] = []
      for (const { token } of record.keys) {
        const shared = byToken.get(token)
        if (shared && !isHot(shared) && !keys.includes(shared)) keys.push(shared)
      }
      this.#ofRecord.push(keys)
    }
    for (const shared of byToken.values()) {
      if (shared.strong.length + shared.weak.length < 2 || isHot(shared)) continue
      const others = this.#byKind.get(shared.kind)
      if (others) others.push(shared)
      else this.#byKind.set(shared.kind, [shared])
    }
    for (const keys of this.#byKind.values()) if (keys.length > 1) keys.sort(byHolders)
  }

  /** Whether the record is about the person who has its keys: not a payer's, not a bare contact. */
  isStrong(index: number): boolean {
    return this.#strong[index] === true
  }

  of(index: number): readonly SharedKey[] {
    return this.#ofRecord[index] ?? []
  }

  /**
   * Those that more than one record carries, in canonical order: by the records that carry them, never by token, so that a rotation of the
   * workspace key changes nothing.
   */
  ofKind(kind: IdentityKind): readonly SharedKey[] {
    return this.#byKind.get(kind) ?? []
  }
}

function byHolders(a: SharedKey, b: SharedKey): number {
  return compareLists(a.strong, b.strong) || compareLists(a.weak, b.weak)
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const difference = (a[at] as number) - (b[at] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** What a record's keys say, laid into its cluster. */
export function learn(cluster: Cluster, keys: readonly IdentityKey[]): void {
  for (const key of keys) {
    if (key.kind === 'reference' || key.kind === 'external') cluster.refs = addEvidence(cluster.refs, key.system ?? key.kind, key.token)
    const name = key.kind === 'phone' ? key.fullName : key.firstName
    if (name !== undefined && (key.kind === 'email' || key.kind === 'phone')) cluster.names = addEvidence(cluster.names, key.token, name)
    for (const part of key.birthDate?.match(birthDatePart) ?? []) cluster.births = addEvidence(cluster.births, key.token, part)
    if (key.firstName !== undefined || key.kind === 'name_birth_date') cluster.named = true
  }
}
