import { z } from '@hono/zod-openapi'
import type { AuditFilter } from '../db/records/audit-list.ts'
import { idShape, wordList } from './shapes/common.ts'
import { spanOf, spanShape } from './shapes/time-span.ts'

/** The filters of the audit by the names of the address. Several values of one name: any of them. */
export const auditFilterShape = z.object({
  actor: wordList,
  act: wordList,
  /** Kinds of target, such as `finding`. */
  kind: wordList,
  /** The id of a target. */
  target: z.string().trim().min(1).max(200).optional(),
  /** One row. */
  row: idShape.optional(),
  /** By the wall time of the row. */
  recorded: spanShape,
})
export type AuditFilterQuery = z.output<typeof auditFilterShape>

/** @param wallNow what `now` means in a stretch of time: rows are recorded by the wall clock. */
export function toAuditFilter(query: AuditFilterQuery, wallNow: number): AuditFilter {
  return {
    actors: query.actor,
    acts: query.act,
    targetKinds: query.kind,
    ...(query.target === undefined ? {} : { targetId: query.target }),
    ...(query.row === undefined ? {} : { id: query.row }),
    ...spanOf('recorded', query.recorded, wallNow),
  }
}
