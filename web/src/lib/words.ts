import Ban from '@lucide/svelte/icons/ban'
import BellOff from '@lucide/svelte/icons/bell-off'
import Circle from '@lucide/svelte/icons/circle'
import CircleCheck from '@lucide/svelte/icons/circle-check'
import CircleDashed from '@lucide/svelte/icons/circle-dashed'
import CircleDot from '@lucide/svelte/icons/circle-dot'
import CircleQuestionMark from '@lucide/svelte/icons/circle-question-mark'
import CircleX from '@lucide/svelte/icons/circle-x'
import Clock from '@lucide/svelte/icons/clock'
import Diamond from '@lucide/svelte/icons/diamond'
import Eye from '@lucide/svelte/icons/eye'
import EyeOff from '@lucide/svelte/icons/eye-off'
import Gauge from '@lucide/svelte/icons/gauge'
import Handshake from '@lucide/svelte/icons/handshake'
import Hourglass from '@lucide/svelte/icons/hourglass'
import KeyRound from '@lucide/svelte/icons/key-round'
import OctagonAlert from '@lucide/svelte/icons/octagon-alert'
import Pause from '@lucide/svelte/icons/pause'
import ScanSearch from '@lucide/svelte/icons/scan-search'
import Shapes from '@lucide/svelte/icons/shapes'
import TriangleAlert from '@lucide/svelte/icons/triangle-alert'
import Unplug from '@lucide/svelte/icons/unplug'
import Undo2 from '@lucide/svelte/icons/undo-2'
import Wrench from '@lucide/svelte/icons/wrench'
import type { ConnectionState, FindingStatus, Severity } from './api-types.ts'

export type Tone = 'bad' | 'warn' | 'good' | 'wait' | 'plain'
/** A state as people read it: a word, a shape of its own, and only then a colour. */
export interface Word {
  word: string
  icon: typeof Circle
  tone: Tone
}

export const severities: Record<Severity, Word> = {
  critical: { word: 'Critical', icon: OctagonAlert, tone: 'bad' },
  high: { word: 'High', icon: TriangleAlert, tone: 'warn' },
  medium: { word: 'Medium', icon: Diamond, tone: 'wait' },
  low: { word: 'Low', icon: Circle, tone: 'plain' },
}

export const statuses: Record<FindingStatus | 'snoozed', Word> = {
  open: { word: 'Open', icon: CircleDot, tone: 'plain' },
  snoozed: { word: 'Snoozed', icon: Clock, tone: 'plain' },
  acknowledged: { word: 'Acknowledged', icon: Eye, tone: 'wait' },
  acting: { word: 'Acting', icon: Wrench, tone: 'wait' },
  verifying: { word: 'Verifying', icon: ScanSearch, tone: 'wait' },
  verification_failed: { word: 'Not verified', icon: TriangleAlert, tone: 'bad' },
  verified: { word: 'Verified', icon: CircleCheck, tone: 'good' },
  waived: { word: 'Waived', icon: Handshake, tone: 'plain' },
  false_alarm: { word: 'False alarm', icon: BellOff, tone: 'plain' },
  void: { word: 'Void', icon: Ban, tone: 'plain' },
  withdrawn: { word: 'Withdrawn', icon: Undo2, tone: 'plain' },
}

export const connectionStates: Record<ConnectionState, Word> = {
  ok: { word: 'Up to date', icon: CircleCheck, tone: 'good' },
  late: { word: 'Late', icon: Clock, tone: 'warn' },
  blind: { word: 'Blind', icon: EyeOff, tone: 'bad' },
  auth_failed: { word: 'Key refused', icon: KeyRound, tone: 'bad' },
  rate_limited: { word: 'Rate limited', icon: Gauge, tone: 'warn' },
  failed: { word: 'Failing', icon: CircleX, tone: 'bad' },
  schema_drift: { word: 'Shape changed', icon: Shapes, tone: 'warn' },
  paused: { word: 'Paused', icon: Pause, tone: 'warn' },
  removed: { word: 'Not configured', icon: Unplug, tone: 'plain' },
  new: { word: 'Not read yet', icon: CircleDashed, tone: 'wait' },
}

export const verdicts: Record<string, Word> = {
  pending: { word: 'Pending', icon: Hourglass, tone: 'wait' },
  at_risk: { word: 'At risk', icon: TriangleAlert, tone: 'warn' },
  satisfied: { word: 'Kept', icon: CircleCheck, tone: 'good' },
  satisfied_late: { word: 'Kept, late', icon: Clock, tone: 'warn' },
  unknown: { word: 'Unknown', icon: CircleQuestionMark, tone: 'wait' },
  violated: { word: 'Broken', icon: CircleX, tone: 'bad' },
  void: { word: 'Void', icon: Ban, tone: 'plain' },
}

const unknown = (word: string): Word => ({ word, icon: CircleQuestionMark, tone: 'plain' })

/** The word of a state, or the state itself where we have none: a new state must show, not vanish. */
export function wordOf(words: Record<string, Word>, state: string): Word {
  return words[state] ?? unknown(state)
}

export const endedStatuses: readonly FindingStatus[] = ['verified', 'waived', 'false_alarm', 'void', 'withdrawn']
export const isEnded = (status: FindingStatus): boolean => endedStatuses.includes(status)

export function shownStatus(finding: { status: FindingStatus; snoozedUntil: string | null }, now: number): FindingStatus | 'snoozed' {
  return finding.status === 'open' && finding.snoozedUntil && Date.parse(finding.snoozedUntil) > now ? 'snoozed' : finding.status
}
