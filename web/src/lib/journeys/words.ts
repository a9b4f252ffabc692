import type { Ghost, JourneyDetail } from '../api-types.ts'

/** How a ghost stands, for tables and panels. */
export const ghostWords: Readonly<Record<Ghost['state'], string>> = {
  missing: 'Missing',
  pending: 'Expected',
  at_risk: 'At risk',
  unknown: 'Not read far enough',
  late: 'Late',
}

const ends: Readonly<Record<string, string>> = { ends: 'completed', abandoned: 'abandoned', final: 'closed with its file' }
export const endedAs = (reason: string | null): string => ends[reason ?? ''] ?? 'ended'

/** What one looks for in a journey, in order of time: its gaps and the evidence of its findings. */
export function troubles(journey: Pick<JourneyDetail, 'events' | 'ghosts'>): { id: string; at: string }[] {
  return [
    ...journey.events.filter((event) => event.findings.length > 0).map((event) => ({ id: event.id, at: event.occurredAt })),
    ...journey.ghosts.filter((ghost) => ghost.state === 'missing').map((ghost) => ({ id: ghost.id, at: ghost.dueAt ?? '' })),
  ].sort((a, b) => a.at.localeCompare(b.at))
}
