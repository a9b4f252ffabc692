import { capital, field, state, text } from './words.ts'
import type { FindingKind } from './finding-kind.ts'

export const drift: FindingKind = {
  kind: 'drift',
  title: 'Tools disagree',
  meaning: 'Two tools tell different things about this person, beyond the time they have to settle.',
  defaultSeverity: 'high',
  icon: 'git-compare-arrows',
  sentence: (detail, names) => {
    const said = (side: 'authority' | 'other') => {
      const { tool, field: name } = field(text(detail, side, ''), names)
      const values = text(detail, `${side}Value`, '').split(', ').map(state).join(' and ')
      return `${tool} ${values === 'nothing' ? 'shows nothing' : name === null ? `says ${values}` : `says ${name} ${values}`}`
    }
    return detail.authority === undefined || detail.other === undefined
      ? 'Two tools say different things.'
      : `${capital(said('authority'))}, ${said('other')}.`
  },
}
