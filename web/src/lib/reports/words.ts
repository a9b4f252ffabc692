import CircleCheck from '@lucide/svelte/icons/circle-check'
import CircleQuestionMark from '@lucide/svelte/icons/circle-question-mark'
import CircleX from '@lucide/svelte/icons/circle-x'
import Clock from '@lucide/svelte/icons/clock'
import MailX from '@lucide/svelte/icons/mail-x'
import Send from '@lucide/svelte/icons/send'
import type { ReportDelivery } from '../api-types.ts'
import type { Word } from '../words.ts'

type DeliveryState = ReportDelivery['state']

export const deliveryStates: Record<DeliveryState, Word> = {
  waiting: { word: 'Waiting', icon: Clock, tone: 'wait' },
  sending: { word: 'Sending', icon: Send, tone: 'wait' },
  sent: { word: 'Sent', icon: CircleCheck, tone: 'good' },
  unknown: { word: 'Not known', icon: CircleQuestionMark, tone: 'warn' },
  given_up: { word: 'Given up', icon: CircleX, tone: 'bad' },
  no_address: { word: 'No address', icon: MailX, tone: 'warn' },
}

/** The state of a day's deliveries that needs someone most, with how many there are of it. */
export function worstDelivery(counts: Partial<Record<DeliveryState, number>>): { state: DeliveryState; count: number } | null {
  for (const state of ['given_up', 'unknown', 'no_address', 'waiting', 'sending', 'sent'] as const) {
    const count = counts[state] ?? 0
    if (count > 0) return { state, count }
  }
  return null
}
