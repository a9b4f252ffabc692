import { z } from '@hono/zod-openapi'
import { countClaims, countEndings } from '../db/records/finding-relations.ts'
import { countFindings, listFindings } from '../db/records/findings.ts'
import type { FindingRow } from '../db/schema/findings.ts'
import type { AppDeps } from './deps.ts'
import { parseFindingAddress, toFindingFilter } from './finding-query.ts'
import { iso, isoTime, statusShape } from './shapes/common.ts'
import { connectionsOf, findingShape, toFindingView } from './shapes/finding.ts'
import { viewContext } from './view-context.ts'

/** What began within this long of each other and broke the same promise in the same tools likely has one cause. */
const onsetMs = 3_600_000
const shownAtMost = 5

const countedShape = z.object({
  count: z.int(),
  /** The filters of the list that shows exactly these. */
  query: z.string(),
})

export const findingRelatedShape = z
  .object({
    asOf: isoTime,
    /** Open findings of the same promise and tools that began within an hour of this one; this one is among them while it is open. */
    alike: countedShape.extend({ items: z.array(findingShape), from: isoTime, to: isoTime }),
    /** Open findings of the same person or object, this one included. */
    same: countedShape.nullable(),
    /** Who is on any of those alike. */
    claims: z.array(z.object({ who: z.string(), count: z.int() })),
    claimsQuery: z.string(),
    /** How findings of the same promise ended before. */
    endings: z.array(
      z.object({ status: statusShape, reason: z.string().nullable(), count: z.int(), medianMs: z.int(), query: z.string() }),
    ),
  })
  .openapi('FindingRelated')

/** What stands around one finding: how far the same trouble reaches, who is on it, and how it was settled before. */
export async function readFindingRelated(deps: AppDeps, finding: FindingRow): Promise<z.output<typeof findingRelatedShape>> {
  const { database, id: workspaceId, clock } = deps.workspace
  const { db } = database
  const now = clock.now()
  const onset = finding.occurredAt ?? finding.openedAt
  const [from, to] = [onset - onsetMs, onset + onsetMs]
  const promise = addressOf({ expectation: finding.expectation, program: finding.program })
  const alike = addressOf({
    expectation: finding.expectation,
    program: finding.program,
    connection: connectionsOf(finding.streams).join(','),
    occurred: `${iso(from)}..${iso(to)}`,
  })
  const claimed = `${alike}&claimed=anyone`
  const same =
    finding.subjectId !== null
      ? addressOf({ subject: finding.subjectId })
      : finding.objectId !== null
        ? addressOf({ q: finding.objectId })
        : null
  const filterOf = (address: string) => toFindingFilter(deps, parseFindingAddress(address) ?? parseFindingAddress('')!, now)
  const alikeFilter = await filterOf(alike)
  const [count, page, claims, endings, sameCount] = await Promise.all([
    countFindings(db, workspaceId, alikeFilter),
    listFindings(db, workspaceId, alikeFilter, { sort: 'occurred', cursor: null, limit: shownAtMost + 1 }),
    countClaims(db, workspaceId, await filterOf(claimed)),
    countEndings(db, workspaceId, await filterOf(`${promise}&status=ended`)),
    same === null ? null : countFindings(db, workspaceId, await filterOf(same)),
  ])
  const view = viewContext(deps)
  return {
    asOf: iso(now),
    alike: {
      count,
      query: alike,
      items: page.rows
        .filter((row) => row.id !== finding.id)
        .slice(0, shownAtMost)
        .map((row) => toFindingView(row, view)),
      from: iso(from),
      to: iso(to),
    },
    same: same === null || sameCount === null ? null : { count: sameCount, query: same },
    claims,
    claimsQuery: claimed,
    endings: endings.map((ending) => ({ ...ending, query: `${promise}&status=${ending.status}` })),
  }
}

/** As the address of the list, without what is not known. */
function addressOf(filters: Readonly<Record<string, string | null>>): string {
  return Object.entries(filters)
    .flatMap(([name, value]) => (value === null || value === '' ? [] : [`${name}=${encodeURIComponent(value).replaceAll('%2C', ',')}`]))
    .join('&')
}
