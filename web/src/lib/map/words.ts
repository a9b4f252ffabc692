import { count, counted } from '../format/count.ts'
import { duration } from '../format/time.ts'
import type { MapEdge, MapPromise, MapStep } from './graph.ts'

/** `368 · 3 min`, on the line. */
export function edgeLabel({ journeys, medianMs, isForbidden, promises }: MapEdge): string {
  if (isForbidden) return journeys > 0 ? `must not · ${count(journeys)}` : 'must not'
  if (journeys === 0) return promises.length === 1 ? 'promised' : `${promises.length} promises`
  return medianMs === null ? count(journeys) : `${count(journeys)} · ${within(medianMs)}`
}

/** One event may be two steps. */
const within = (ms: number): string => (ms === 0 ? 'at once' : duration(ms))

/** What stands behind the label, said to those who do not see the line. */
export function edgeInWords({ journeys, medianMs, openFindings, promises }: MapEdge): string {
  const passed =
    journeys === 0
      ? 'no journey went straight'
      : `${counted(journeys, 'journey')} went straight${medianMs === null ? '' : `, half ${medianMs === 0 ? 'at once' : `within ${duration(medianMs)}`}`}`
  const promise =
    promises.length === 0 ? 'nothing is promised' : `${counted(promises.length, 'promise')}, ${counted(openFindings, 'open finding')}`
  return `${passed}; ${promise}`
}

export function stepInWords({ hereNow, last }: MapStep, promises: readonly MapPromise[]): string {
  const open = promises.reduce((sum, { openFindings }) => sum + openFindings, 0)
  const parts = [
    `${count(hereNow)} stand here now`,
    ...(last.abandoned ? [`${count(last.abandoned)} went quiet here`] : []),
    ...(open ? [counted(open, 'open finding')] : []),
  ]
  return parts.join(', ')
}
