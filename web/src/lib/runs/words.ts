import Ban from '@lucide/svelte/icons/ban'
import CircleCheck from '@lucide/svelte/icons/circle-check'
import CircleDashed from '@lucide/svelte/icons/circle-dashed'
import CircleHelp from '@lucide/svelte/icons/circle-question-mark'
import CircleSlash from '@lucide/svelte/icons/circle-slash'
import CircleX from '@lucide/svelte/icons/circle-x'
import Clock from '@lucide/svelte/icons/clock'
import Hourglass from '@lucide/svelte/icons/hourglass'
import ScanSearch from '@lucide/svelte/icons/scan-search'
import TriangleAlert from '@lucide/svelte/icons/triangle-alert'
import Undo2 from '@lucide/svelte/icons/undo-2'
import UserRound from '@lucide/svelte/icons/user-round'
import Wrench from '@lucide/svelte/icons/wrench'
import type { RunState, RunStepRow } from '../api-types.ts'
import type { Word } from '../words.ts'

export const runStates: Record<RunState, Word> = {
  waiting_approval: { word: 'Waits for approval', icon: Hourglass, tone: 'warn' },
  waiting_person: { word: 'Waits for a person', icon: UserRound, tone: 'warn' },
  acting: { word: 'Acting', icon: Wrench, tone: 'wait' },
  outcome_unknown: { word: 'Outcome unknown', icon: CircleHelp, tone: 'bad' },
  verifying: { word: 'Verifying', icon: ScanSearch, tone: 'wait' },
  verified: { word: 'Verified', icon: CircleCheck, tone: 'good' },
  already_satisfied: { word: 'Was so already', icon: CircleCheck, tone: 'good' },
  verification_failed: { word: 'Not verified', icon: TriangleAlert, tone: 'bad' },
  refused: { word: 'Refused', icon: CircleSlash, tone: 'bad' },
  failed: { word: 'Failed', icon: CircleX, tone: 'bad' },
  rejected: { word: 'Rejected', icon: CircleSlash, tone: 'plain' },
  expired: { word: 'Expired', icon: Clock, tone: 'plain' },
  void: { word: 'Void', icon: Ban, tone: 'plain' },
  cancelled: { word: 'Cancelled', icon: Undo2, tone: 'plain' },
}

export const stepStates: Record<RunStepRow['state'], Word> = {
  pending: { word: 'To do', icon: CircleDashed, tone: 'plain' },
  acting: { word: 'Acting', icon: Wrench, tone: 'wait' },
  waiting: { word: 'Waiting', icon: Clock, tone: 'wait' },
  done: { word: 'Sent', icon: CircleCheck, tone: 'wait' },
  already: { word: 'Was so already', icon: CircleCheck, tone: 'good' },
  refused: { word: 'Refused', icon: CircleSlash, tone: 'bad' },
  failed: { word: 'Failed', icon: CircleX, tone: 'bad' },
  unknown: { word: 'Outcome unknown', icon: CircleHelp, tone: 'bad' },
  skipped: { word: 'Left out', icon: CircleSlash, tone: 'plain' },
}
const shown: Word = { word: 'Shown by the tool', icon: CircleCheck, tone: 'good' }

/** A step is green only once a later read showed its effect. */
export const stepWord = (step: Pick<RunStepRow, 'state' | 'shownAt'>): Word =>
  step.state === 'done' && step.shownAt !== null ? shown : stepStates[step.state]

export const outcomes: Record<string, string> = {
  done: 'the tool took it',
  already_done: 'the tool had done it already',
  refused: 'the tool said no',
  unknown: 'no answer came',
  unreached: 'it did not reach the tool',
}
