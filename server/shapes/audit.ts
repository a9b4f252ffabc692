import { z } from '@hono/zod-openapi'
import { chainProblemKinds } from '../../jobs/domain/audit-chain.ts'
import { isoTime } from './common.ts'

const fields = z.record(z.string(), z.unknown()).nullable()

export const actShape = z
  .object({
    id: z.string(),
    /** Domain time of the act. */
    at: isoTime,
    /** Wall time of the row. */
    recordedAt: isoTime,
    actor: z.object({ id: z.string(), title: z.string() }),
    act: z.string(),
    target: z.object({ kind: z.string(), id: z.string() }),
    reason: z.string().nullable(),
    before: fields,
    after: fields,
    /** The entry of the chain it stands in; null: in none, which must not be. */
    entry: z.int().nullable(),
  })
  .openapi('Act')
export type ActView = z.output<typeof actShape>

export const actListShape = z.object({
  /** Wall time. */
  asOf: isoTime,
  items: z.array(actShape),
  next: z.string().nullable(),
  /** At most 10,000. */
  total: z.int(),
  isMore: z.boolean(),
  /** What a filter can choose from. */
  words: z.object({
    actors: z.array(z.object({ id: z.string(), title: z.string() })),
    acts: z.array(z.string()),
    targets: z.array(z.string()),
  }),
})

const verificationShape = z.object({
  at: isoTime,
  /** `throughline`, before a checkpoint; `command line`. */
  by: z.string(),
  from: z.int(),
  to: z.int(),
  rows: z.int(),
  /** The last checkpoint it was compared with. */
  checkpoint: z.int().nullable(),
  problem: z
    .object({ kind: z.enum(chainProblemKinds), entry: z.int().nullable(), act: z.string().nullable(), what: z.string() })
    .nullable(),
})

export const chainShape = z
  .object({
    /** All times are wall times. */
    asOf: isoTime,
    /** `broken`: the last look found something; `unverified`: nobody looked at all of it yet; `empty`: nothing was ever done. */
    state: z.enum(['holds', 'broken', 'unverified', 'empty']),
    head: z.object({ entry: z.int(), hash: z.string(), sealedAt: isoTime }).nullable(),
    entries: z.array(
      z.object({ entry: z.int(), hash: z.string(), previous: z.string(), sealedAt: isoTime, rows: z.int(), isVerified: z.boolean() }),
    ),
    /** Up to which entry the last looks found it whole. */
    verifiedTo: z.int(),
    /** The last look, and the last one at all of it. */
    lastLook: verificationShape.nullable(),
    lastWhole: verificationShape.nullable(),
    checkpoints: z.array(
      z.object({
        /** `file`, or `webhook:` and its name. */
        target: z.string(),
        /** 0: nothing was taken yet. */
        entry: z.int(),
        writtenAt: isoTime.nullable(),
        /** Entries since. */
        behind: z.int(),
        /** Since when there is one that it does not cover. */
        behindSince: isoTime.nullable(),
        attempts: z.int(),
        nextAt: isoTime.nullable(),
        /** Why the last try failed. */
        reason: z.string().nullable(),
      }),
    ),
  })
  .openapi('AuditChain')
export type ChainView = z.output<typeof chainShape>
