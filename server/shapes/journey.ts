import { z } from '@hono/zod-openapi'
import { actorShape, isoTime, objectShape, severityShape } from './common.ts'
import { connectionStateShape } from './connection.ts'
import { findingShape } from './finding.ts'

export const journeyRowShape = z
  .object({
    id: z.string(),
    program: z.string(),
    programTitle: z.string(),
    subjectId: z.string().nullable(),
    object: objectShape.nullable(),
    stage: z.string(),
    stageTitle: z.string(),
    startedAt: isoTime,
    lastEventAt: isoTime,
    endedAt: isoTime.nullable(),
    endReason: z.string().nullable(),
    events: z.int(),
    openFindings: z.int(),
    worstSeverity: severityShape.nullable(),
    nextDueAt: isoTime.nullable(),
    nextExpected: z.string().nullable(),
    nextExpectedTitle: z.string().nullable(),
    /** Connections in which the person is known. */
    tools: z.array(z.string()).optional(),
  })
  .openapi('Journey')

export const journeyEventShape = z
  .object({
    id: z.string(),
    connection: z.string(),
    stream: z.string(),
    externalId: z.string(),
    type: z.string(),
    step: z.string().nullable(),
    /** Of its step; else what happened, in words. */
    title: z.string(),
    status: z.string().nullable(),
    occurredAt: isoTime,
    occurredAfter: isoTime.nullable(),
    observedAt: isoTime,
    actor: actorShape,
    objects: z.array(objectShape),
    undone: z.boolean(),
    deepLink: z.string().nullable(),
    findings: z.array(z.string()),
  })
  .openapi('JourneyEvent')

/** Events of one tool that lie close together, counted: its window, asked for again, shows them. */
export const clusterShape = z
  .object({
    id: z.string(),
    connection: z.string(),
    from: isoTime,
    to: isoTime,
    count: z.int(),
    /** Of most of them. */
    title: z.string(),
    /** How many of them are evidence of a finding. */
    evidence: z.int(),
  })
  .openapi('EventCluster')

export const journeyWindowShape = z
  .object({
    asOf: isoTime,
    items: z.array(journeyEventShape),
    clusters: z.array(clusterShape),
    next: z.string().nullable(),
    /** Events in the window, folded or not. */
    total: z.int(),
  })
  .openapi('JourneyEvents')

export const ghostShape = z
  .object({
    id: z.string(),
    expectation: z.string(),
    step: z.string(),
    title: z.string(),
    connection: z.string(),
    /** `late`: it came, after the deadline. */
    state: z.enum(['pending', 'at_risk', 'missing', 'unknown', 'late']),
    from: isoTime.nullable(),
    dueAt: isoTime.nullable(),
    /** When it came, of one that is late. */
    cameAt: isoTime.nullable().optional(),
    readTo: isoTime.nullable(),
    findingId: z.string().nullable(),
  })
  .openapi('Ghost')

export const questionShape = z
  .object({
    asks: z.enum([
      'What occurred',
      'What is pending',
      'What failed',
      'What changed',
      'What must happen next',
      'Who is responsible',
      'Which automations are active',
      'What is unresolved',
    ]),
    answers: z.array(
      z.object({
        text: z.string(),
        at: isoTime.nullable(),
        tone: z.enum(['bad', 'warn', 'good', 'wait', 'plain']),
        findingId: z.string().nullable(),
      }),
    ),
  })
  .openapi('Question')

export const journeyShape = z
  .object({
    asOf: isoTime,
    id: z.string(),
    program: z.string(),
    programTitle: z.string(),
    programVersion: z.int(),
    subjectId: z.string().nullable(),
    object: objectShape.nullable(),
    stage: z.string(),
    stageTitle: z.string(),
    startedAt: isoTime,
    lastEventAt: isoTime,
    endedAt: isoTime.nullable(),
    endReason: z.string().nullable(),
    questions: z.array(questionShape),
    lanes: z.array(
      z.object({
        connection: z.string(),
        title: z.string(),
        connector: z.string(),
        readTo: isoTime.nullable(),
        state: connectionStateShape,
      }),
    ),
    /** All of them, or of more than 500 those that stand out; the others are counted in `clusters`. */
    events: z.array(journeyEventShape),
    clusters: z.array(clusterShape).optional(),
    eventCount: z.int().optional(),
    ghosts: z.array(ghostShape),
    verdicts: z.array(
      z.object({
        expectation: z.string(),
        title: z.string(),
        state: z.string(),
        kind: z.string().nullable(),
        dueAt: isoTime.nullable(),
        occurredAt: isoTime.nullable(),
        readTo: isoTime.nullable(),
        unreadStream: z.string().nullable(),
        /** Rows of that stream are set aside: what is missing may be among them. */
        rowsSetAside: z.boolean().optional(),
      }),
    ),
    findings: z.array(findingShape),
    links: z.array(
      z.object({
        connection: z.string(),
        stream: z.string(),
        externalId: z.string(),
        rule: z.string(),
        via: z.string().nullable(),
        inferred: z.boolean(),
      }),
    ),
  })
  .openapi('JourneyDetail')

export type JourneyView = z.output<typeof journeyShape>
export type JourneyEventView = z.output<typeof journeyEventShape>
export type ClusterView = z.output<typeof clusterShape>
export type GhostView = z.output<typeof ghostShape>
export type QuestionView = z.output<typeof questionShape>
