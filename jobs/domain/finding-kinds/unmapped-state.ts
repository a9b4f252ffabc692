import { capital, field, state, text } from './words.ts'
import type { FindingKind } from './finding-kind.ts'

export const unmappedState: FindingKind = {
  kind: 'unmapped_state',
  title: 'Unmapped state',
  meaning: 'A tool shows a value nobody has said the meaning of, so agreement cannot be judged.',
  defaultSeverity: 'medium',
  icon: 'circle-help',
  sentence: (detail, names) => {
    const { tool, field: name } = field(text(detail, 'field', ''), names)
    const value = `“${state(text(detail, 'value', 'a value'))}”`
    return `${capital(tool || 'a tool')} shows ${name === null ? value : `${name} ${value}`}, which the program does not map.`
  },
}
