import type { Scalar } from '../facts.ts'
import { currentValue } from '../correlate.ts'
import type { Deadline } from '../program.ts'
import type { Occurrence } from './expectation.ts'
import { toEpoch } from './zoned-time.ts'

/** When the promise falls due, from the anchor's current value (semantics.md 17); null when the field it hangs on holds no time. */
export function deadlineAt(deadline: Deadline, anchor: Occurrence, timezone: string): number | null {
  if (deadline.field === null) return anchor.at + deadline.offsetMs
  const base = timeOf(currentValue(anchor.record, deadline.field), timezone)
  return base === null ? null : base + deadline.offsetMs
}

function timeOf(value: Scalar, timezone: string): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  return typeof value === 'string' ? toEpoch(value, timezone) : null
}
