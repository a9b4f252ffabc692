import type { Sql, Tx } from '../db/records/bulk.ts'
import { readAllRunbookVersions, readRunbooksInForce, type StoredRunbookVersion } from '../db/records/runbooks.ts'
import { AppError } from './domain/errors.ts'
import { parseRunbook } from './domain/parse-runbook.ts'
import type { Runbook } from './domain/runbook.ts'

export interface RunbookVersion {
  readonly runbook: Runbook
  readonly version: number
}

/** A version of the record, read without the connections of today; null: this Throughline cannot read it. */
export function readStoredRunbook({ runbook, version, source }: StoredRunbookVersion): Runbook | null {
  const parsed = parseRunbook(source, `runbook ${runbook}, version ${version}`)
  return parsed.ok ? parsed.runbook : null
}

/** The runbooks in force, by key. One that this Throughline cannot read is left out: `runbookToRun` says so when it is asked for. */
export async function runbooksInForce(sql: Sql | Tx, workspaceId: number): Promise<RunbookVersion[]> {
  return (await readRunbooksInForce(sql, workspaceId)).flatMap((row) => {
    const runbook = readStoredRunbook(row)
    return runbook === null ? [] : [{ runbook, version: row.version }]
  })
}

/**
 * The runbook of this key as it is in force, or the version a run remembers.
 * @throws AppError not_found when there is none; invalid_configuration when this Throughline cannot read it.
 */
export async function runbookToRun(sql: Sql | Tx, workspaceId: number, key: string, version?: number): Promise<RunbookVersion> {
  const rows = version === undefined ? await readRunbooksInForce(sql, workspaceId) : await readAllRunbookVersions(sql, workspaceId)
  const row = rows.find((one) => one.runbook === key && (version === undefined || one.version === version))
  if (row === undefined) {
    const known = rows.map(({ runbook }) => runbook).join(', ')
    throw new AppError(
      'not_found',
      version === undefined
        ? `There is no runbook "${key}" in force. ${known === '' ? 'There is none at all: add one to runbooks/ and apply it.' : `Known: ${known}.`}`
        : `The runbook "${key}" has no version ${version}.`,
    )
  }
  const runbook = readStoredRunbook(row)
  if (runbook !== null) return { runbook, version: row.version }
  throw new AppError(
    'invalid_configuration',
    `Version ${row.version} of the runbook "${key}" cannot be read by this Throughline. Apply a version it can read with throughline apply.`,
  )
}
