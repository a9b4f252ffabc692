import { z } from '@hono/zod-openapi'
import { deliveryChannels, deliveryStates } from '../../db/schema/reports.ts'
import { isoTime } from './common.ts'
import { findingShape } from './finding.ts'

const numbers = {
  opening: z.int(),
  opened: z.int(),
  regressed: z.int(),
  reopened: z.int(),
  waiver_expired: z.int(),
  transferredIn: z.int(),
  ended: z.int(),
  verified: z.int(),
  waived: z.int(),
  false_alarm: z.int(),
  void: z.int(),
  withdrawn: z.int(),
  transferredOut: z.int(),
  closing: z.int(),
}
export const lineShape = z.object(numbers).openapi('ReportLine')
const rowShape = z.object({ key: z.string().nullable(), title: z.string(), ...numbers }).openapi('ReportRow')
export const dayShape = z.iso.date().openapi({ example: '2026-03-02' })

export const deliveryShape = z
  .object({
    channel: z.enum(deliveryChannels),
    /** An owner or a webhook; never an address. */
    target: z.string(),
    title: z.string(),
    state: z.enum(deliveryStates),
    attempts: z.int(),
    nextAt: isoTime.nullable(),
    sentAt: isoTime.nullable(),
    reason: z.string().nullable(),
  })
  .openapi('ReportDelivery')

export const reportShape = z
  .object({
    format: z.string(),
    workspace: z.string(),
    day: dayShape,
    zone: z.string(),
    startsAt: isoTime,
    endsAt: isoTime,
    hours: z.number(),
    closedAt: isoTime,
    final: z.boolean(),
    total: lineShape,
    programs: z.array(rowShape),
    owners: z.array(rowShape),
    sites: z.array(rowShape),
    kinds: z.array(rowShape),
    adjustments: z.array(
      z.object({
        day: dayShape.nullable(),
        opened: z.int(),
        regressed: z.int(),
        reopened: z.int(),
        waiver_expired: z.int(),
        ended: z.int(),
        amended: z.int(),
      }),
    ),
    streams: z.int(),
    unread: z.array(
      z.object({ stream: z.string(), title: z.string(), readTo: isoTime.nullable(), reason: z.string().nullable(), unknown: z.int() }),
    ),
  })
  .openapi('Report')

export const reportHeadShape = z
  .object({
    day: dayShape,
    final: z.boolean(),
    closedAt: isoTime,
    total: lineShape,
    unread: z.int(),
    unknown: z.int(),
    deliveries: z.partialRecord(z.enum(deliveryStates), z.int()),
  })
  .openapi('ReportHead')

export const changeShape = z
  .object({
    finding: findingShape,
    /** Null where the number counts what stood, not what changed. */
    change: z
      .object({
        at: isoTime,
        entered: z.enum(['opened', 'regressed', 'reopened', 'waiver_expired']).nullable(),
        ended: z.string().nullable(),
        owner: z.string(),
        kind: z.string(),
        fromOwner: z.string().nullable(),
        fromKind: z.string().nullable(),
      })
      .nullable(),
  })
  .openapi('ReportedChange')
