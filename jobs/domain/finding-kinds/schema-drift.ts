import { spoken, text } from './words.ts'
import type { FindingKind } from './finding-kind.ts'

export const schemaDrift: FindingKind = {
  kind: 'schema_drift',
  title: 'Changed shape',
  meaning: 'A tool answers in a shape its connector does not know; some of it cannot be read.',
  defaultSeverity: 'medium',
  icon: 'file-warning',
  sentence: (detail, names) => {
    const [connection = '', ...stream] = text(detail, 'stream', '').split('.')
    const subject = connection === '' ? 'A stream' : `“${spoken(stream.join('.'))}” of ${names.tool(connection)}`
    const paths = text(detail, 'count', '2') === '1' ? 'path' : 'paths'
    return `${subject} answers with ${text(detail, 'count', 'several')} unknown ${paths}: ${text(detail, 'paths', 'see the evidence')}.`
  },
}
