import { duration, step } from './words.ts'
import type { FindingKind } from './finding-kind.ts'

export const stuck: FindingKind = {
  kind: 'stuck',
  title: 'No movement',
  meaning: 'This journey has not moved for longer than it may.',
  defaultSeverity: 'medium',
  icon: 'pause',
  sentence: (detail, names) =>
    `Nothing has happened for ${duration(detail, 'afterMs', 'longer than allowed')} since ${step(detail, 'stage', names, 'the last step')}.`,
}
