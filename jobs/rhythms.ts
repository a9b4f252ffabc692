import type { Configuration } from './configuration.ts'
import type { Rhythm } from './domain/standstill.ts'

/** Parts of the workspace that are judged by a job each. */
export const judgingRanges = 4
export const judgeEveryMs = 1_000
export const watchEveryMs = 5_000
export const tallyEveryMs = 15_000
export const reportEveryMs = 60_000
const fastestPollMs = 1_000

/** How often a connection is read, wall time: polls keep the pace of the domain clock. */
export function pollEveryMs(pollSeconds: number, speed: number): number {
  return Math.max(fastestPollMs, Math.round((pollSeconds * 1000) / Math.max(1, speed)))
}

/** Every job whose standing still must show, with its rhythm. A connection without its secret is not read and says so itself. */
export function rhythmsOf({ connections }: Pick<Configuration, 'connections'>, speed: number): readonly Rhythm[] {
  const judging = Array.from(
    { length: judgingRanges },
    (_, range): Rhythm => ({
      job: `judge:${range}`,
      title: 'Judging',
      everyMs: judgeEveryMs,
      isVital: true,
      meaning: 'What was read is not judged: new violations are not found, and what was set right does not close.',
    }),
  )
  const polls = connections
    .filter((connection) => connection.disabled === null)
    .map(
      ({ id, title, pollSeconds }): Rhythm => ({
        job: `poll:${id}`,
        title: `Reading ${title}`,
        everyMs: pollEveryMs(pollSeconds, speed),
        meaning: 'What happened there since is not known.',
      }),
    )
  return [
    {
      job: 'clock',
      title: 'The clock',
      everyMs: judgeEveryMs,
      isVital: true,
      meaning: 'Time does not go on for Throughline, so no deadline passes.',
    },
    ...judging,
    ...polls,
    {
      job: 'watch',
      title: 'The watch over unread tools',
      everyMs: watchEveryMs,
      meaning: 'A tool that is no longer read is not reported as blind.',
    },
    { job: 'tally', title: 'Counting', everyMs: tallyEveryMs, meaning: 'Totals of journeys and promises are old.' },
    { job: 'report', title: 'Reporting', everyMs: reportEveryMs, meaning: 'Days are not closed, and no report goes out.' },
  ]
}
