import type { catalogue } from '../catalogue.svelte.ts'
import { shortId } from '../format/count.ts'
import { severities, statuses, wordOf } from '../words.ts'
import { shownZone } from '../zone.svelte.ts'
import type { FilterKey, Grouping } from './query.ts'
import { spanInWords } from './span.ts'

const claims: Readonly<Record<string, string>> = { me: 'by me', anyone: 'by anyone', nobody: 'by nobody' }
const endings: Readonly<Record<string, string>> = { person: 'a person', itself: 'the tools' }

/** A value of a filter as people say it. */
export function filterValueTitle(key: FilterKey | Grouping, value: string, words: typeof catalogue): string {
  switch (key) {
    case 'kind':
      return words.kindTitle(value)
    case 'severity':
      return wordOf(severities, value).word
    case 'status':
      return value === 'ended' ? 'Ended, any way' : value === 'all' ? 'All' : wordOf(statuses, value).word
    case 'owner':
      return words.ownerTitle(value)
    case 'connection':
      return words.toolTitle(value)
    case 'expectation':
      return words.expectationTitle(value)
    case 'program':
      return words.data?.programs.find((program) => program.key === value)?.title ?? value
    case 'claimed':
      return claims[value] ?? value
    case 'endedby':
      return endings[value] ?? value
    case 'due':
    case 'occurred':
    case 'opened':
    case 'closed':
      return spanInWords(value, shownZone())
    case 'subject':
    case 'journey':
      return shortId(value)
    case 'site':
      return value === 'none' ? 'No site' : words.siteTitle(value)
    case 'regressed':
      return value
  }
}
