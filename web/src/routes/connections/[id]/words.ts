import type { ConnectionDetail, QuarantinedRow } from '#lib/api-types.ts'
import CircleCheck from '@lucide/svelte/icons/circle-check'
import CircleSlash from '@lucide/svelte/icons/circle-slash'
import Handshake from '@lucide/svelte/icons/handshake'
import type { ChartSpec } from '#lib/charts/chart-spec.ts'
import { duration } from '#lib/format/time.ts'
import type { Word } from '#lib/words.ts'

export type About = NonNullable<ConnectionDetail['about']>
export type AboutStream = About['streams'][number]
export type ShownPass = ConnectionDetail['streams'][number]['passes'][number] & { readonly streamTitle: string }

export const verifiedWords: Record<About['verified'], { readonly title: string; readonly meaning: string }> = {
  'real-service': { title: 'Against the service itself', meaning: 'It was tried against the vendor’s own service.' },
  'outside-emulator': {
    title: 'Against an emulator',
    meaning: 'It was tried against an emulator made by others, not yet against the service itself.',
  },
  'spec-only': {
    title: 'Against the specification',
    meaning: 'It is built to the vendor’s specification and not yet tried against the service itself.',
  },
}

export const quarantinedWords: Record<QuarantinedRow['state'], Word> = {
  stands: { word: 'Stands', icon: CircleSlash, tone: 'bad' },
  accepted: { word: 'Accepted', icon: Handshake, tone: 'plain' },
  gone: { word: 'Gone', icon: CircleCheck, tone: 'good' },
}

const cursors: Record<string, string> = {
  'updated-since': 'reads what changed since the last pass',
  'newest-first': 'reads from the newest back to what it knows',
  'sync-token': 'asks for what changed since a token of the tool',
  'event-log': 'follows the tool’s own log of events',
  window: 'reads a window of time again in each pass',
  file: 'reads files as they appear or change',
}
const deletions: Record<string, string> = {
  seen: 'deletions show as they happen',
  tombstone: 'the tool says what was deleted',
  invisible: 'deletions show only in a full sweep',
  none: 'nothing is ever deleted there',
}

/** How a stream is read, as a sentence without a capital. */
export function howRead({ cursor, deletions: deletion, overlapSeconds, fullSweepSeconds }: AboutStream): string {
  return [
    `${cursors[cursor] ?? cursor}${overlapSeconds > 0 ? `, and ${duration(overlapSeconds * 1000)} back again` : ''}`,
    deletions[deletion] ?? deletion,
    fullSweepSeconds === null ? '' : `a full sweep is due every ${duration(fullSweepSeconds * 1000)}`,
  ]
    .filter(Boolean)
    .join('; ')
}

/** The latest passes of all streams, latest first. */
export function latestPasses(it: Pick<ConnectionDetail, 'streams'>, most: number): ShownPass[] {
  return it.streams
    .flatMap((stream) => stream.passes.map((pass) => ({ ...pass, streamTitle: stream.title })))
    .sort((a, b) => b.startedAt.localeCompare(a.startedAt) || b.id.localeCompare(a.id, 'en', { numeric: true }))
    .slice(0, most)
}

const milliseconds = (value: number) => (value < 10_000 ? `${Math.round(value)} ms` : duration(value))

/** How long the tool took to answer, pass by pass; undefined where fewer than two passes asked anything. */
export function answerTimes(
  passes: readonly ShownPass[],
  timeText: (at: number) => string,
): { spec: ChartSpec; summary: string } | undefined {
  const asked = passes.filter((pass) => pass.requests !== null).reverse()
  const last = asked.at(-1)?.requests
  if (asked.length < 2 || !last) return undefined
  const slowest = asked.reduce((worst, pass) => ((pass.requests?.p95Ms ?? 0) > (worst.requests?.p95Ms ?? 0) ? pass : worst))
  return {
    spec: {
      kind: 'line',
      xTitle: 'Pass',
      xs: asked.map((pass) => Date.parse(pass.startedAt)),
      xText: timeText,
      series: [
        { label: 'Half of the answers within', values: asked.map((pass) => pass.requests?.p50Ms ?? null), tone: 'accent' },
        { label: '95 of 100 within', values: asked.map((pass) => pass.requests?.p95Ms ?? null), tone: 'warn', look: 'dashed' },
      ],
      valueText: milliseconds,
    },
    summary: `Last pass: half of the answers within ${milliseconds(last.p50Ms)}, 95 of 100 within ${milliseconds(last.p95Ms)}. The slowest of the last ${asked.length} passes, at ${timeText(Date.parse(slowest.startedAt))}: ${milliseconds(slowest.requests?.p95Ms ?? 0)}.`,
  }
}
