import { duration, step } from './words.ts'
import type { FindingKind } from './finding-kind.ts'

export const early: FindingKind = {
  kind: 'early',
  title: 'Early step',
  meaning: 'The step came before it was allowed to.',
  defaultSeverity: 'medium',
  icon: 'fast-forward',
  sentence: (detail, names) => `${step(detail, 'expect', names, 'The step')} came ${duration(detail, 'earlyByMs', 'some time')} too early.`,
}
