import { text } from './words.ts'
import type { FindingKind } from './finding-kind.ts'

export const ambiguousIdentity: FindingKind = {
  kind: 'ambiguous_identity',
  title: 'Ambiguous identity',
  meaning: 'It is not certain which person these records are about, so they are kept apart.',
  defaultSeverity: 'medium',
  icon: 'users',
  sentence: (detail) =>
    `Records share ${keys[text(detail, 'tokenKind', '')] ?? 'a key'} but may be ${text(detail, 'candidates', 'several')} different people.`,
}

const keys: Readonly<Record<string, string>> = {
  email: 'an e-mail address',
  phone: 'a phone number',
  name_birth_date: 'a name and birth date',
  reference: 'a reference',
  external: 'a number of another system',
}
