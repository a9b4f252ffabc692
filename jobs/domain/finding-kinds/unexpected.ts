import { step } from './words.ts'
import type { FindingKind } from './finding-kind.ts'

export const unexpected: FindingKind = {
  kind: 'unexpected',
  title: 'Must not happen',
  meaning: 'Something happened to this person that must not.',
  defaultSeverity: 'critical',
  icon: 'ban',
  sentence: (detail, names) => {
    const after = step(detail, 'after', names, '')
    return `${step(detail, 'never', names, 'A step')} happened${after === '' ? ' although it never must' : ` after ${after}`}.`
  },
}
