import type { ProgramVersionRow } from '../db/records/workspaces.ts'
import { parseProgram } from './domain/parse-program.ts'
import type { EarlierVersion, ProgramInForce, ProgramVersion } from './domain/program-versions.ts'

/**
 * Adds to each program the versions it replaced (semantics.md 22). One whose source this Throughline no longer understands is left out and
 * said: the journeys that had ended under it go by the next version that can be read.
 */
export function withEarlierVersions(
  programs: readonly ProgramVersion[],
  rows: readonly ProgramVersionRow[],
  warn: (line: string) => void,
): ProgramInForce[] {
  return programs.map((inForce) => {
    const { key } = inForce.program
    const own = rows.filter((row) => row.program === key)
    const earlier = own.flatMap((row, index): EarlierVersion[] => {
      const next = own[index + 1]
      if (next === undefined || row.version >= inForce.version) return []
      // Read without the connections of today: it may speak of one that is gone.
      const parsed = parseProgram(row.source, `program ${key}, version ${row.version}`)
      if (parsed.ok) return [{ program: parsed.program, version: row.version, until: next.appliedAt }]
      warn(
        `Version ${row.version} of the program "${key}" can no longer be read (${parsed.problems[0]?.message ?? 'its source is broken'}). Journeys that had ended under it are judged by the next version that can.`,
      )
      return []
    })
    return earlier.length === 0 ? inForce : { ...inForce, earlier }
  })
}
