import { step } from './words.ts'
import type { FindingKind } from './finding-kind.ts'

export const disorder: FindingKind = {
  kind: 'disorder',
  title: 'Out of order',
  meaning: 'A step happened before the one that must come first.',
  defaultSeverity: 'medium',
  icon: 'arrow-down-up',
  sentence: (detail, names) =>
    `${step(detail, 'then', names, 'A step')} happened without ${step(detail, 'first', names, 'the step that must come')} before it.`,
}
