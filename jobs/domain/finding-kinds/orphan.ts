import { step } from './words.ts'
import type { FindingKind } from './finding-kind.ts'

export const orphan: FindingKind = {
  kind: 'orphan',
  title: 'Without a journey',
  meaning: 'A record belongs to no journey, so nobody is looked after through it.',
  defaultSeverity: 'medium',
  icon: 'unlink',
  sentence: (detail, names) => `${step(detail, 'step', names, 'A record')} belongs to no journey.`,
}
