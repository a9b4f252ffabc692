import { z } from '@hono/zod-openapi'
import { connectionStateShape } from './connection.ts'
import { isoTime, ownerShape, severityShape } from './common.ts'
import { findingShape } from './finding.ts'

const severityCounts = z.partialRecord(severityShape, z.int())

export const overviewShape = z
  .object({
    asOf: isoTime,
    /** What needs someone now; what is snoozed is counted in `snoozed` only. */
    open: z.object({
      findings: z.int(),
      snoozed: z.int(),
      overdue: z.int(),
      /** Due within the next 24 hours. */
      soon: z.int(),
      claimed: z.int(),
      /** Nobody has acknowledged them. */
      untouched: z.int(),
      subjects: z.int(),
      bySeverity: severityCounts,
      byOwner: z.array(
        z.object({ owner: ownerShape, findings: z.int(), overdue: z.int(), bySeverity: severityCounts, nextDueAt: isoTime.nullable() }),
      ),
    }),
    /** Since midnight in the workspace's zone. `before`: the same stretch of the day before. */
    today: z.object({
      from: isoTime,
      opened: z.int(),
      verified: z.int(),
      ended: z.int(),
      before: z.object({ opened: z.int(), verified: z.int() }),
    }),
    /** Since the time that was asked for, as the findings stand now. */
    changes: z.object({ since: isoTime, opened: z.int(), endedByItself: z.int(), endedByPeople: z.int(), fellDue: z.int() }).nullable(),
    connections: z.object({
      total: z.int(),
      notFresh: z.array(
        z.object({
          id: z.string(),
          title: z.string(),
          state: connectionStateShape,
          message: z.string().nullable(),
          readTo: isoTime.nullable(),
        }),
      ),
    }),
    /** Promises that cannot be judged, because what would show them was not read far enough. */
    unknown: z.object({ verdicts: z.int(), asOf: isoTime }),
    /** Of what nobody holds, what falls due first. */
    urgent: z.array(findingShape),
    /** The running promises whose deadline comes first. */
    next: z.array(
      z.object({
        journeyId: z.string(),
        program: z.string(),
        programTitle: z.string(),
        expectation: z.string(),
        title: z.string(),
        stepTitle: z.string().nullable(),
        dueAt: isoTime,
      }),
    ),
  })
  .openapi('Overview')

const flow = z.object({ opened: z.int(), verified: z.int(), endedOtherwise: z.int() })

export const trendsShape = z
  .object({
    asOf: isoTime,
    /** How long one bucket is; days and weeks are those of the workspace's zone. */
    unit: z.enum(['hour', 'day', 'week']),
    buckets: z.array(flow.extend({ from: isoTime, to: isoTime })),
    period: flow.extend({ from: isoTime, to: isoTime }),
    /** The stretch of the same length before it. */
    previous: flow.extend({ from: isoTime, to: isoTime }),
    /** Open findings by how long they have been open; without a `from` the oldest, without a `to` the youngest. */
    ages: z.array(
      z.object({ from: isoTime.nullable(), to: isoTime.nullable(), title: z.string(), findings: z.int(), bySeverity: severityCounts }),
    ),
    stages: z.object({
      asOf: isoTime,
      programs: z.array(
        z.object({
          program: z.string(),
          title: z.string(),
          ended: z.int(),
          stages: z.array(z.object({ stage: z.string(), title: z.string(), journeys: z.int(), withFindings: z.int() })),
        }),
      ),
    }),
    /** Pairs of tools that must agree. */
    pairs: z.object({
      asOf: isoTime,
      items: z.array(
        z.object({
          program: z.string(),
          expectation: z.string(),
          title: z.string(),
          matched: z.int(),
          differing: z.int(),
          settling: z.int(),
          unknown: z.int(),
        }),
      ),
    }),
  })
  .openapi('OverviewTrends')

export const freshnessShape = z
  .object({
    asOf: isoTime,
    from: isoTime,
    cellMs: z.int(),
    items: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        state: connectionStateShape,
        /** One letter per cell, oldest first: `o` read on time, `l` late, `e` failing, `n` nothing known. */
        cells: z.string(),
      }),
    ),
  })
  .openapi('Freshness')
