import { z } from '@hono/zod-openapi'
import { isoTime, objectShape, severityShape } from './common.ts'

const endingsShape = z.object({
  /** Goes on. */
  open: z.int(),
  /** Reached its end here. */
  ended: z.int(),
  /** Nothing moved any more until it was given up. */
  abandoned: z.int(),
})

const stepShape = z.object({
  step: z.string(),
  title: z.string(),
  /** `<connection>.<stream>` */
  stream: z.string(),
  connection: z.string(),
  connectionTitle: z.string(),
  /** Journeys of the range that passed it. */
  journeys: z.int(),
  /** Journeys of the range that stand at it, or ended at it: their last step that still counts. */
  last: endingsShape,
  /** Journeys that go on and stand at it now, whenever they began. */
  hereNow: z.int(),
})

const moveShape = z.object({
  /** Null: the beginning. */
  from: z.string().nullable(),
  to: z.string(),
  /** Journeys of the range that went from the one to the other, with nothing between. */
  journeys: z.int(),
  /** Half took no longer, within 10 %; null at the beginning. */
  medianMs: z.number().nullable(),
})

const promiseShape = z.object({
  expectation: z.string(),
  called: z.array(z.string()),
  kind: z.string(),
  title: z.string(),
  promise: z.string(),
  severity: severityShape,
  /** `after` and what is to follow, or what is first and what comes then; null where it is about one step, or none. */
  from: z.string().nullable(),
  to: z.string().nullable(),
  activations: z.int(),
  violations: z.int(),
  unknown: z.int(),
  /** Open findings, the snoozed ones included, whenever they began. */
  openFindings: z.int(),
})

export const mapShape = z
  .object({
    asOf: isoTime,
    program: z.string(),
    title: z.string(),
    purpose: z.string(),
    programs: z.array(z.object({ key: z.string(), title: z.string() })),
    /** Newest first. */
    versions: z.array(z.object({ version: z.int(), isInForce: z.boolean() })),
    /** Whose steps are shown and whose journeys are counted; null: those in force, and journeys of every version. */
    version: z.int().nullable(),
    /** Whole days (UTC) in which the counted journeys began; the end does not belong to it. */
    range: z.object({ from: isoTime, to: isoTime }),
    /** As of when journeys are counted; null: they never were. */
    countedAt: isoTime.nullable(),
    journeys: z.int(),
    steps: z.array(stepShape),
    moves: z.array(moveShape),
    promises: z.array(promiseShape),
  })
  .openapi('ProgramMap')
export type MapView = z.output<typeof mapShape>

export const passedJourneyShape = z
  .object({
    id: z.string(),
    subjectId: z.string().nullable(),
    object: objectShape.nullable(),
    startedAt: isoTime,
    /** Titles of the steps it passed, in order. */
    path: z.array(z.string()),
    ending: z.string(),
    stageTitle: z.string().nullable(),
  })
  .openapi('PassedJourney')
