import type { FindingRow } from '../../db/schema/findings.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import type { AppDeps } from '../deps.ts'
import type { Act } from './act-on-finding.ts'
import { actOnFinding } from './act-on-finding.ts'

/** Accepts a violation, for a reason and until a time; then it is open again if it still stands. */
export function waiveFinding(deps: AppDeps, act: Act & { readonly until: number; readonly reason: string }): Promise<FindingRow> {
  return actOnFinding(deps, act, 'waive', (_, now) => {
    if (act.until <= now)
      throw new AppError('invalid_input', `It is ${new Date(now).toISOString()} already: choose a later time for the waiver to end.`)
    return {
      set: {
        status: 'waived',
        waivedUntil: act.until,
        closedAt: now,
        closedReason: 'waived',
        closingEvidenceAt: now,
        snoozedUntil: null,
        claimedBy: null,
        claimedUntil: null,
      },
      reason: act.reason,
    }
  })
}
