import Banknote from '@lucide/svelte/icons/banknote'
import CircleCheck from '@lucide/svelte/icons/circle-check'
import CircleOff from '@lucide/svelte/icons/circle-off'
import FilePen from '@lucide/svelte/icons/file-pen'
import Hourglass from '@lucide/svelte/icons/hourglass'
import Megaphone from '@lucide/svelte/icons/megaphone'
import MessageSquare from '@lucide/svelte/icons/message-square'
import type { RunbookSummary } from '../api-types.ts'
import { counted } from '../format/count.ts'
import { paths } from '../paths.ts'
import type { Word } from '../words.ts'

/** What it reaches: money and messages cannot be called back. */
export const reaches: Record<RunbookSummary['reach'], Word> = {
  money: { word: 'Moves money', icon: Banknote, tone: 'warn' },
  message: { word: 'Writes to people', icon: MessageSquare, tone: 'wait' },
  record: { word: 'Changes a record', icon: FilePen, tone: 'wait' },
  notice: { word: 'Tells an owner', icon: Megaphone, tone: 'plain' },
  none: { word: 'Changes nothing', icon: Hourglass, tone: 'plain' },
}
export const inForce: Word = { word: 'In force', icon: CircleCheck, tone: 'good' }
export const outOfForce: Word = { word: 'Out of force', icon: CircleOff, tone: 'plain' }

const open = 'open,acknowledged,acting,verifying,verification_failed'

/** The open findings of the promises that name it, and that it is for: exactly those its number counts. */
export const findingsOf = ({ promises, kinds }: Pick<RunbookSummary, 'promises' | 'kinds'>): string =>
  paths.findings({
    program: [...new Set(promises.map(({ program }) => program))],
    expectation: [...new Set(promises.map(({ key }) => key))],
    kind: kinds,
    status: open,
  })

export const rolesOf = (roles: RunbookSummary['roles']): string => roles.map(({ title }) => title.toLowerCase()).join(' or ')

/** `an approver, within 4 hours`. */
export function approvalOf(approval: RunbookSummary['approval']): string {
  if (approval === null) return 'nobody is asked'
  const title = approval.by.title.toLowerCase()
  const minutes = Math.round(approval.withinMs / 60_000)
  const within = minutes % 60 === 0 ? counted(minutes / 60, 'hour') : counted(minutes, 'minute')
  return `${/^[aeiou]/.test(title) ? 'an' : 'a'} ${title} other than who asks, within ${within}`
}
