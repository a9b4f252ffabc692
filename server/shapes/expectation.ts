import { z } from '@hono/zod-openapi'
import { verdictStates } from '../../db/schema/words.ts'
import { isoTime, objectShape, ownerShape, severityShape } from './common.ts'
import { connectionStateShape } from './connection.ts'
import { findingShape } from './finding.ts'

export const verdictStateShape = z.enum(verdictStates)

/** One stream a promise hangs on, and how far absence in it counts. */
export const coverageShape = z.object({
  /** `<connection>.<stream>` */
  stream: z.string(),
  title: z.string(),
  connection: z.string(),
  connectionTitle: z.string(),
  /** `shows`: must be read past the deadline before absence counts. `starts`: without it the promise is never asked. */
  why: z.enum(['shows', 'starts']),
  readTo: isoTime.nullable(),
  state: connectionStateShape,
  reason: z.string().nullable(),
})

export const expectationShape = z
  .object({
    program: z.string(),
    programTitle: z.string(),
    expectation: z.string(),
    /** Every name its findings go by: earlier versions may have called it otherwise. */
    called: z.array(z.string()),
    /** False: no version in force makes this promise any more; journeys that had ended still keep it. */
    isInForce: z.boolean(),
    kind: z.string(),
    title: z.string(),
    promise: z.string(),
    severity: severityShape,
    owner: ownerShape,
    budget: z.number().nullable(),
    /** Every activation there is, whatever its verdict; void ones are none. */
    activations: z.int(),
    /** Activations by state, as many entries as states that occur; of `void` the verdicts. */
    states: z.partialRecord(verdictStateShape, z.int()),
    violations: z.int(),
    /** Journeys with at least one violation. */
    journeys: z.int(),
    findings: z.object({
      /** Open, the snoozed ones included. */
      open: z.int(),
      ended: z.int(),
      /** Of the ended ones: false alarm, void or withdrawn, so that nobody had anything to do. */
      noise: z.int(),
    }),
    coverage: z.array(coverageShape),
    /** How far the least-read stream that would show a violation was read; null: one never was. */
    readTo: isoTime.nullable(),
  })
  .openapi('Expectation')

export const expectationListShape = z
  .object({
    items: z.array(expectationShape),
    next: z.null(),
    asOf: isoTime,
    total: z.int(),
    /** When anything was last judged; null: nothing ever was by this engine. */
    judgedAt: isoTime.nullable(),
  })
  .openapi('ExpectationList')

const weekShape = z.object({
  from: isoTime,
  to: isoTime,
  /** As in the whole: activations by state, of `void` the verdicts. */
  states: z.partialRecord(verdictStateShape, z.int()),
  activations: z.int(),
  violations: z.int(),
})

const curveShape = z.object({
  /** `start`: elapsed time since the promise began. `deadline`: time to its deadline, negative before it. */
  origin: z.enum(['start', 'deadline']),
  deadlineMs: z.int(),
  /** Share that has come by each time, unfinished activations counted for as long as they were seen. */
  points: z.array(z.object({ elapsedMs: z.number(), share: z.number(), atRisk: z.int() })),
  /** What an axis shows. */
  fromMs: z.number(),
  untilMs: z.number(),
  medianMs: z.number().nullable(),
  shareByDeadline: z.number(),
  came: z.int(),
  unfinished: z.int(),
})

export const expectationDetailShape = expectationShape
  .extend({
    asOf: isoTime,
    judgedAt: isoTime.nullable(),
    /** Of the program. */
    version: z.int(),
    ifItFails: z.string().nullable(),
    producedBy: z.string().nullable(),
    runbook: z.string().nullable(),
    /** The steps it is about, the anchor first; empty where it is about none. */
    steps: z.array(z.object({ step: z.string(), title: z.string() })),
    /** Its lines in the program file; null: no file in force holds it. */
    source: z.object({ file: z.string(), firstLine: z.int(), text: z.string() }).nullable(),
    routing: z.array(z.object({ kind: z.string(), title: z.string(), owner: ownerShape, reason: z.string() })),
    /** Oldest first, the running week last. `asOf`: when they were counted. */
    weeks: z.object({ asOf: isoTime, items: z.array(weekShape) }),
    /** Null: the promise has no deadline to measure against, or nothing has come yet. */
    curve: curveShape.extend({ asOf: isoTime, since: isoTime }).nullable(),
    recent: z.array(findingShape),
  })
  .openapi('ExpectationDetail')

export const activationShape = z
  .object({
    expectation: z.string(),
    activation: z.string(),
    state: verdictStateShape,
    kind: z.string().nullable(),
    kindTitle: z.string().nullable(),
    activations: z.int(),
    violations: z.int(),
    dueAt: isoTime.nullable(),
    occurredAt: isoTime.nullable(),
    evidenceAt: isoTime.nullable(),
    unreadStream: z.string().nullable(),
    readTo: isoTime.nullable(),
    journeyId: z.string().nullable(),
    subjectId: z.string().nullable(),
    object: objectShape.nullable(),
    stageTitle: z.string().nullable(),
  })
  .openapi('Activation')

export type ExpectationView = z.output<typeof expectationShape>
export type ExpectationDetailView = z.output<typeof expectationDetailShape>
