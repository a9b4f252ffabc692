import type { Finding, FindingStatus } from './finding.ts'

/** Every status a finding may pass into from each one. Endings lead back to `open` only: by contrary evidence, or when a waiver runs out. */
const transitions: Readonly<Record<FindingStatus, readonly FindingStatus[]>> = {
  open: ['acknowledged', 'acting', 'verified', 'waived', 'false_alarm', 'void', 'withdrawn'],
  acknowledged: ['open', 'acting', 'verified', 'waived', 'false_alarm', 'void', 'withdrawn'],
  acting: ['open', 'verifying', 'verified', 'false_alarm', 'void', 'withdrawn'],
  verifying: ['open', 'acknowledged', 'verified', 'verification_failed', 'false_alarm', 'void', 'withdrawn'],
  verification_failed: ['open', 'acknowledged', 'acting', 'verified', 'waived', 'false_alarm', 'void', 'withdrawn'],
  verified: ['open', 'false_alarm', 'void', 'withdrawn'],
  waived: ['open', 'verified', 'false_alarm', 'void', 'withdrawn'],
  false_alarm: ['open', 'verified'],
  void: ['open', 'verified'],
  withdrawn: ['open', 'verified'],
}

const openStatuses: ReadonlySet<FindingStatus> = new Set(['open', 'acknowledged', 'acting', 'verifying', 'verification_failed'])

export function isOpen(status: FindingStatus): boolean {
  return openStatuses.has(status)
}

/** A waiver that ran out holds nothing any more: the finding is open again, or ends as the tools show. */
export function isWaiverOver({ status, waivedUntil }: Pick<Finding, 'status' | 'waivedUntil'>, now: number): boolean {
  return status === 'waived' && waivedUntil !== null && waivedUntil <= now
}

export function mayBecome(from: FindingStatus, to: FindingStatus): boolean {
  return transitions[from].includes(to)
}

export const personActs = ['acknowledge', 'assign', 'claim', 'release', 'snooze', 'unsnooze', 'waive', 'comment', 'false_alarm'] as const
export type PersonAct = (typeof personActs)[number]

export type Can = { readonly ok: true } | { readonly ok: false; readonly why: string }
const yes: Can = { ok: true }
const no = (why: string): Can => ({ ok: false, why })

const statusWords: Readonly<Record<FindingStatus, string>> = {
  open: 'open',
  acknowledged: 'acknowledged',
  acting: 'being acted on',
  verifying: 'being verified',
  verification_failed: 'back after a failed verification',
  verified: 'verified',
  waived: 'waived',
  false_alarm: 'closed as a false alarm',
  void: 'void',
  withdrawn: 'withdrawn',
}

/** What a person may do with a finding now, and why not. `wallNow`: leases follow wall time. */
export function whatOneCanDo(
  finding: Pick<Finding, 'status' | 'claimedBy' | 'claimedUntil'> & Partial<Pick<Finding, 'snoozedUntil'>>,
  actor: string,
  wallNow: number,
): Readonly<Record<PersonAct, Can>> {
  const open = isOpen(finding.status)
  const ended = no(`This finding is ${statusWords[finding.status]}.`)
  const holder = finding.claimedBy !== null && (finding.claimedUntil ?? 0) > wallNow ? finding.claimedBy : null
  const heldByOther = holder !== null && holder !== actor
  const held = no(`${holder} has claimed it until ${new Date(finding.claimedUntil ?? 0).toISOString()}.`)
  const whenOpen = !open ? ended : heldByOther ? held : yes
  const ending = (to: FindingStatus): Can =>
    !open
      ? ended
      : heldByOther
        ? held
        : mayBecome(finding.status, to)
          ? yes
          : no(`It is ${statusWords[finding.status]}; wait until that is over.`)
  return {
    acknowledge: finding.status === 'acknowledged' ? no('It is already acknowledged.') : ending('acknowledged'),
    assign: open ? yes : ended,
    claim: !open ? ended : heldByOther ? held : yes,
    release: holder === null ? no('Nobody has claimed it.') : heldByOther ? held : yes,
    snooze: whenOpen,
    unsnooze: (finding.snoozedUntil ?? null) === null ? no('It is not snoozed.') : whenOpen,
    waive: ending('waived'),
    comment: yes,
    false_alarm: ending('false_alarm'),
  }
}
