import { spokenField, state, step, text } from './words.ts'
import type { FindingKind } from './finding-kind.ts'

export const wrongVariant: FindingKind = {
  kind: 'wrong_variant',
  title: 'Wrong variant',
  meaning: 'The step came in time, but not the one that was promised: another template, service or price.',
  defaultSeverity: 'medium',
  icon: 'replace',
  sentence: (detail, names) => {
    const value = (key: 'observed' | 'expected') =>
      detail[key] === null || detail[key] === undefined ? 'none' : state(text(detail, key, ''))
    const name = spokenField(text(detail, 'field', 'a field'))
    return `${step(detail, 'expect', names, 'The step')} came with ${name} ${value('observed')} instead of ${value('expected')}.`
  },
}
