import type { Severity } from '../program.ts'
import type { Names } from './words.ts'

/** One file per kind of finding: how it is named and explained. The catalogue sends these to the console. */
export interface FindingKind {
  readonly kind: string
  readonly title: string
  /** One sentence: what it means for the person concerned. */
  readonly meaning: string
  readonly defaultSeverity: Severity
  /** Hours from opening to due by severity; null: the shared table. */
  readonly icon: string
  /** The sentence of one finding, from its verdict's `detail`: “Booking confirmation” did not happen within 15 minutes after “Visit booked”. */
  sentence(detail: Readonly<Record<string, string | number | boolean | null>>, names: Names): string
}
