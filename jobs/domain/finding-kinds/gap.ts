import { deadline, step } from './words.ts'
import type { FindingKind } from './finding-kind.ts'

export const gap: FindingKind = {
  kind: 'gap',
  title: 'Missing step',
  meaning: 'Something the program promised this person did not happen.',
  defaultSeverity: 'high',
  icon: 'circle-dashed',
  sentence: (detail, names) => `${step(detail, 'expect', names, 'The expected step')} did not happen${deadline(detail, names)}.`,
}
