import type { Overview } from '../api-types.ts'
import { counted } from '../format/count.ts'
import type { Tone } from '../words.ts'

export interface Headline {
  /** The answer to “Is anything falling through?”. */
  answer: string
  /** What one must know with it. */
  more: string
  tone: Tone
}

/**
 * The answer in words. It is calm only when nothing is open, every tool is read and the engine is alive: not having looked is never
 * “nothing there”.
 * @param isSilent the engine gives no sign of life, or the API does not answer
 * @param still what else of Throughline stands still, such as `Reading Stripe`
 */
export function headlineOf({ open, connections, unknown }: Overview, isSilent: boolean, still: readonly string[] = []): Headline {
  const { total } = connections
  const notFresh = connections.notFresh.length
  const stopped = still.length === 1 ? `${still[0]} stands still` : `${still.length} jobs of Throughline stand still`
  const unread = still.length > 0 ? stopped : `${notFresh} of ${counted(total, 'tool')} ${notFresh === 1 ? 'is' : 'are'} not up to date`
  const waiting = `${counted(unknown.verdicts, 'promise')} cannot be judged until ${unknown.verdicts === 1 ? 'its tool is' : 'their tools are'} read further`
  if (isSilent) {
    return {
      answer: `It cannot be told now: ${still.length === 1 && still[0] !== 'The engine' ? lowered(stopped) : 'Throughline has gone silent'}`,
      more: `When it was last heard, ${open.findings === 0 ? 'nothing was open' : `${counted(open.findings, 'finding')} ${open.findings === 1 ? 'was' : 'were'} open`}. What happened since is not known.`,
      tone: 'bad',
    }
  }
  if (open.findings > 0) {
    const critical = open.bySeverity.critical ?? 0
    const about = open.subjects > 0 ? ` about ${counted(open.subjects, 'person', 'people')}` : ''
    const worse = [critical > 0 && `${critical} critical`, open.overdue > 0 && `${open.overdue} overdue`].filter(Boolean).join(', ')
    return {
      answer: `Yes: ${counted(open.findings, 'finding')}${about}${worse ? `, ${worse}` : ''}`,
      more:
        notFresh > 0 || still.length > 0
          ? `There may be more: ${unread}.`
          : unknown.verdicts > 0
            ? `Besides, ${waiting}.`
            : `All ${counted(total, 'tool')} are up to date.`,
      tone: critical > 0 || open.overdue > 0 ? 'bad' : 'warn',
    }
  }
  if (notFresh > 0 || still.length > 0)
    return { answer: `Nothing known, but ${unread}`, more: 'What was not read is not judged, so this is no all-clear.', tone: 'warn' }
  if (unknown.verdicts > 0)
    return { answer: 'Nothing that could be judged', more: `${waiting.charAt(0).toUpperCase()}${waiting.slice(1)}.`, tone: 'wait' }
  return {
    answer: 'No: nothing is falling through',
    more: `Every promise that could be judged is kept, and ${total === 1 ? 'the one tool is' : `all ${total} tools are`} up to date.`,
    tone: 'good',
  }
}

const lowered = (text: string) => text.charAt(0).toLowerCase() + text.slice(1)

/** `12 more than in the 7 days before`, `as many as …` */
export function compared(now: number, before: number, than: string): string {
  if (now === before) return `as many as ${than}`
  return now > before ? `${counted(now - before, 'more', 'more')} than ${than}` : `${counted(before - now, 'fewer', 'fewer')} than ${than}`
}
