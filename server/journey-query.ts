import { z } from '@hono/zod-openapi'
import type { JourneyFilter } from '../db/records/journeys.ts'
import { journeySorts } from '../db/records/journeys.ts'
import { idShape, limitShape, wordList } from './shapes/common.ts'

const unitsMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }
const length = '\\d{1,5}[mhd]'
const spanPattern = new RegExp(`^(?:(${length})?\\.\\.(${length})?|(${length}))$`)

/** `1d..3d`, `3d..`, `..1h`; `3d` alone is at least that long. */
export const spanShape = z
  .string()
  .regex(spanPattern, 'expected a span such as 3d, 1d..3d or ..6h, with m, h or d')
  .openapi({ type: 'string', example: '1d..3d' })

export const journeyQueryShape = z.object({
  program: wordList,
  stage: wordList,
  subject: idShape.optional(),
  ended: z.enum(['true', 'false']).optional(),
  open: z.enum(['true', 'false']).optional(),
  /** For how long nothing has happened. */
  stuck: spanShape.optional(),
  /** Connections in which the person is known. */
  tool: wordList,
  /** Connections in which the person is not known. */
  without: wordList,
  q: z.string().max(200).optional(),
  sort: z.enum(journeySorts).default('activity'),
  cursor: z.string().max(1000).optional(),
  limit: limitShape,
})

export function spanMs(span: string): { atLeast: number | null; below: number | null } {
  const [, from, to, alone] = spanPattern.exec(span) ?? []
  const ms = (text: string | undefined) => (text === undefined ? null : Number(text.slice(0, -1)) * (unitsMs[text.slice(-1)] ?? 0))
  return { atLeast: ms(from ?? alone), below: ms(to) }
}

/** `streamsOf`: the ids of a connection's streams. */
export function toJourneyFilter(
  query: z.output<typeof journeyQueryShape>,
  now: number,
  streamsOf: (connection: string) => readonly number[],
): JourneyFilter {
  const { atLeast, below } = spanMs(query.stuck ?? '..')
  return {
    programs: query.program,
    stages: query.stage,
    ...(query.ended === undefined ? {} : { ended: query.ended === 'true' }),
    withFindings: query.open === 'true',
    ...(query.stuck === undefined
      ? {}
      : { lastEvent: { after: below === null ? null : now - below, upTo: atLeast === null ? null : now - atLeast } }),
    ...(query.tool.length === 0 ? {} : { inStreams: query.tool.flatMap(streamsOf) }),
    ...(query.without.length === 0 ? {} : { notInStreams: query.without.flatMap(streamsOf) }),
    ...(query.subject === undefined ? {} : { subject: query.subject }),
    ...(query.q ? { text: query.q } : {}),
  }
}
