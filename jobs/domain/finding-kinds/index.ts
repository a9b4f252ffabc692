import type { FindingKind } from './finding-kind.ts'
import { ambiguousIdentity } from './ambiguous-identity.ts'
import { blind } from './blind.ts'
import { disorder } from './disorder.ts'
import { drift } from './drift.ts'
import { duplicate } from './duplicate.ts'
import { early } from './early.ts'
import { gap } from './gap.ts'
import { late } from './late.ts'
import { orphan } from './orphan.ts'
import { schemaDrift } from './schema-drift.ts'
import { stuck } from './stuck.ts'
import { unexpected } from './unexpected.ts'
import { unmappedState } from './unmapped-state.ts'
import { wrongVariant } from './wrong-variant.ts'

export const findingKinds: readonly FindingKind[] = [
  gap,
  late,
  early,
  disorder,
  unexpected,
  wrongVariant,
  duplicate,
  drift,
  unmappedState,
  stuck,
  orphan,
  ambiguousIdentity,
  schemaDrift,
  blind,
]

export const findingKindByName: ReadonlyMap<string, FindingKind> = new Map(findingKinds.map((kind) => [kind.kind, kind]))
