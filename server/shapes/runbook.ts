import { z } from '@hono/zod-openapi'
import { isoTime } from './common.ts'
import { diffLineShape } from './program.ts'

/** How far an action reaches: money and messages to people cannot be called back. */
export const reachShape = z.enum(['money', 'message', 'record', 'notice', 'none'])

const roleShape = z.object({ key: z.string(), title: z.string() })

const runbookSummaryShape = z.object({
  key: z.string(),
  title: z.string(),
  purpose: z.string(),
  isInForce: z.boolean(),
  /** In force, else the last one that was. */
  version: z.int(),
  versions: z.int(),
  appliedAt: isoTime,
  appliedBy: z.string(),
  removedAt: isoTime.nullable(),
  removedBy: z.string().nullable(),
  steps: z.int(),
  reach: reachShape,
  /** Who may run it. */
  roles: z.array(roleShape),
  /** Null: nobody is asked. */
  approval: z.object({ by: roleShape, withinMs: z.int() }).nullable(),
  /** Promises that name it. */
  promises: z.array(z.object({ program: z.string(), key: z.string(), title: z.string() })),
  /** Kinds of findings it is for; empty: any. */
  kinds: z.array(z.string()),
  /** Findings of those promises that are open and that it is for. */
  openFindings: z.int(),
  /** Why it cannot be run now, and what to do; null: it can. */
  problem: z.string().nullable(),
})

export const runbookListShape = z
  .object({ items: z.array(runbookSummaryShape), next: z.null(), total: z.int(), asOf: isoTime })
  .openapi('RunbookList')
export type RunbookListView = z.output<typeof runbookListShape>

const actionShape = z.object({
  /** As the file writes it: `billing.refund`. */
  action: z.string(),
  /** Null: Throughline itself. */
  tool: z.string().nullable(),
  title: z.string(),
  does: z.string(),
  reach: reachShape,
  isKnown: z.boolean(),
  inputs: z.array(z.object({ label: z.string(), value: z.string() })),
})

export const runbookDetailShape = runbookSummaryShape
  .extend({
    asOf: isoTime,
    source: z.string(),
    /** Which findings it may run on. */
    isFor: z.string(),
    inputList: z.array(z.object({ name: z.string(), title: z.string(), isAsked: z.boolean(), sentence: z.string() })),
    stepList: z.array(
      actionShape.extend({
        name: z.string(),
        /** 1-based. */
        line: z.int(),
        tries: z.string().nullable(),
        conditions: z.array(z.string()),
        fallback: actionShape.nullable(),
        compensate: actionShape.nullable(),
        verifiedBy: z.string().nullable(),
      }),
    ),
    limits: z.array(z.string()),
    /** Newest first. */
    history: z.array(
      z.object({ version: z.int(), appliedAt: isoTime, appliedBy: z.string(), isInForce: z.boolean(), isReadable: z.boolean() }),
    ),
  })
  .openapi('RunbookDetail')
export type RunbookDetailView = z.output<typeof runbookDetailShape>

export const runbookVersionDiffShape = z.object({ from: z.int(), to: z.int(), diff: z.array(diffLineShape) }).openapi('RunbookVersionDiff')
export type RunbookVersionDiffView = z.output<typeof runbookVersionDiffShape>
