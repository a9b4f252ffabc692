import { step, times } from './words.ts'
import type { FindingKind } from './finding-kind.ts'

export const duplicate: FindingKind = {
  kind: 'duplicate',
  title: 'Duplicate',
  meaning: 'The same thing happened more often to this person than it may.',
  defaultSeverity: 'high',
  icon: 'copy',
  sentence: (detail, names) => {
    const happened = typeof detail.count === 'number' ? times(detail.count) : 'too often'
    const allowed = typeof detail.limit === 'number' ? `, at most ${times(detail.limit)} is allowed` : ''
    return `${step(detail, 'of', names, 'A step')} happened ${happened}${allowed}.`
  },
}
