import type { Severity } from './program.ts'

const hoursToSettle: Readonly<Record<Severity, number>> = { critical: 4, high: 24, medium: 72, low: 168 }

/** How long an owner has, from opening, by severity. */
export function settleWithinMs(severity: Severity): number {
  return hoursToSettle[severity] * 3_600_000
}
