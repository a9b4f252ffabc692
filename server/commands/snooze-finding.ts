import type { FindingRow } from '../../db/schema/findings.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import type { AppDeps } from '../deps.ts'
import type { Act } from './act-on-finding.ts'
import { actOnFinding } from './act-on-finding.ts'

/** Puts a finding away until a time of the domain clock. It stays open and counts. */
export function snoozeFinding(deps: AppDeps, act: Act & { readonly until: number; readonly reason: string | null }): Promise<FindingRow> {
  return actOnFinding(deps, act, 'snooze', (_, now) => {
    if (act.until <= now)
      throw new AppError('invalid_input', `It is ${new Date(now).toISOString()} already: choose a later time to snooze until.`)
    return { set: { snoozedUntil: act.until }, reason: act.reason }
  })
}
