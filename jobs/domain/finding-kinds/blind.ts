import { capital, duration, spoken, text } from './words.ts'
import type { FindingKind } from './finding-kind.ts'

export const blind: FindingKind = {
  kind: 'blind',
  title: 'Not read',
  meaning: 'A tool could not be read, so nothing is known about what happens in it.',
  defaultSeverity: 'high',
  icon: 'eye-off',
  sentence: (detail, names) => {
    if (typeof detail.setAside === 'string') return detail.setAside
    const streams = text(detail, 'streams', '').split(', ').filter(Boolean)
    const named = streams.map((stream) => spoken(stream.slice(stream.indexOf('.') + 1)).toLowerCase()).join(', ')
    const tool = capital(names.tool(text(detail, 'connection', 'a tool')))
    return `${tool} was not completely read for longer than ${duration(detail, 'blindAfterMs', 'it may be')}${named === '' ? '' : `: ${named}`}.`
  },
}
