import type { FindingRow } from '../../db/schema/findings.ts'
import type { changeFinding } from '../../db/records/findings.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import type { Person } from '../deps.ts'

export type FindingSet = Parameters<typeof changeFinding>[3]

/** What a person asks for one finding, or for many alike. Times are epoch ms; `until` of the domain clock. */
export type AskedAct =
  | { readonly act: 'acknowledge' }
  | { readonly act: 'claim'; readonly minutes: number }
  | { readonly act: 'release' }
  | { readonly act: 'snooze'; readonly until: number; readonly reason: string | null }
  | { readonly act: 'unsnooze' }
  | { readonly act: 'assign'; readonly owner: string; readonly reason: string | null }
  | { readonly act: 'waive'; readonly until: number; readonly reason: string }
  | { readonly act: 'false_alarm'; readonly reason: string }

export interface Moment {
  /** Domain time. */
  readonly now: number
  /** Wall time: leases follow it. */
  readonly wallNow: number
  readonly me: Person
}

const letGo = { snoozedUntil: null, claimedBy: null, claimedUntil: null } as const

/**
 * What an act changes, the same for every finding it is done to.
 * @throws AppError invalid_input for a time that has passed.
 */
export function decideAct(asked: AskedAct, { now, wallNow, me }: Moment): { readonly set: FindingSet; readonly reason: string | null } {
  switch (asked.act) {
    case 'acknowledge':
      return { set: { status: 'acknowledged' }, reason: null }
    case 'claim':
      return { set: { claimedBy: me.id, claimedUntil: wallNow + asked.minutes * 60_000 }, reason: null }
    case 'release':
      return { set: { claimedBy: null, claimedUntil: null }, reason: null }
    case 'snooze':
      refusePast(asked.until, now, 'to snooze until')
      return { set: { snoozedUntil: asked.until }, reason: asked.reason }
    case 'unsnooze':
      return { set: { snoozedUntil: null }, reason: null }
    case 'assign':
      return { set: { owner: asked.owner, ownerReason: `Assigned by ${me.title}.` }, reason: asked.reason }
    case 'waive':
      refusePast(asked.until, now, 'for the waiver to end')
      return {
        set: { status: 'waived', waivedUntil: asked.until, closedAt: now, closedReason: 'waived', closingEvidenceAt: now, ...letGo },
        reason: asked.reason,
      }
    case 'false_alarm':
      return {
        set: { status: 'false_alarm', closedAt: now, closedReason: 'person', closingEvidenceAt: now, ...letGo },
        reason: asked.reason,
      }
  }
}

/** Why an act would change nothing about a finding; null: it would. */
export function whyNothingChanges(finding: Pick<FindingRow, 'owner'>, asked: AskedAct): string | null {
  return asked.act === 'assign' && finding.owner === asked.owner ? `It is ${asked.owner}'s already.` : null
}

/** @throws AppError invalid_input */
export function requireOwner(owners: readonly { readonly key: string }[], owner: string): void {
  const keys = owners.map(({ key }) => key)
  if (!keys.includes(owner)) throw new AppError('invalid_input', `There is no owner "${owner}" in owners.yaml. It has: ${keys.join(', ')}.`)
}

function refusePast(until: number, now: number, what: string): void {
  if (until <= now) throw new AppError('invalid_input', `It is ${new Date(now).toISOString()} already: choose a later time ${what}.`)
}
