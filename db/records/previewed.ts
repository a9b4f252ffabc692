import type { Sql } from './bulk.ts'
import { arrayOf, hexOf, partCount } from './bulk.ts'

const everyPart = Array.from({ length: partCount }, (_, part) => part)

/** Of these fingerprints those a finding answers to, with its id. */
export async function readFindingIds(sql: Sql, workspaceId: number, fingerprints: readonly string[]): Promise<Map<string, string>> {
  if (fingerprints.length === 0) return new Map()
  const rows = await sql<{ id: string; fingerprint: string }[]>`
    select id, fingerprint from findings where workspace_id = ${workspaceId} and part = any(${arrayOf(everyPart)}::smallint[])
      and fingerprint = any(${arrayOf(fingerprints)}::uuid[])`
  return new Map(rows.map((row) => [hexOf(row.fingerprint), hexOf(row.id)]))
}

/** Of these journeys those in the record. */
export async function readKnownJourneys(sql: Sql, workspaceId: number, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const rows = await sql<{ id: string }[]>`
    select id from journeys where workspace_id = ${workspaceId} and part = any(${arrayOf(everyPart)}::smallint[]) and id = any(${arrayOf(ids)}::uuid[])`
  return new Set(rows.map((row) => hexOf(row.id)))
}
