import { deadline, duration, step } from './words.ts'
import type { FindingKind } from './finding-kind.ts'

export const late: FindingKind = {
  kind: 'late',
  title: 'Late step',
  meaning: 'The promised step came, but after its deadline.',
  defaultSeverity: 'medium',
  icon: 'clock-alert',
  sentence: (detail, names) => {
    const due = deadline(detail, names)
    return `${step(detail, 'expect', names, 'The expected step')} came ${duration(detail, 'lateByMs', 'too')} late${due === '' ? '' : `: it was due${due}`}.`
  },
}
