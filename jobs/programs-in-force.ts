import type { Sql, Tx } from '../db/records/bulk.ts'
import { readProgramsInForce, readProgramsMark, type StoredProgramVersion } from '../db/records/programs.ts'
import { readProgramVersions } from '../db/records/workspaces.ts'
import { AppError } from './domain/errors.ts'
import { parseProgram } from './domain/parse-program.ts'
import type { Program } from './domain/program.ts'
import type { ProgramInForce } from './domain/program-versions.ts'
import { withEarlierVersions } from './earlier-versions.ts'

/**
 * The programs this process judges by: those in force in the record, whoever applied them. They are read again when another version is
 * found there; whatever was judged meanwhile by the one before is rolled back (`judge-in-force.ts`).
 */
export class ProgramsInForce {
  readonly #workspaceId: number
  readonly #warn: (line: string) => void
  #mark = ''
  #programs: readonly ProgramInForce[] = []

  private constructor(workspaceId: number, warn: (line: string) => void) {
    this.#workspaceId = workspaceId
    this.#warn = warn
  }

  /** @throws AppError invalid_configuration when this Throughline cannot read a version in force. */
  static async open(sql: Sql, workspaceId: number, warn: (line: string) => void): Promise<ProgramsInForce> {
    const opened = new ProgramsInForce(workspaceId, warn)
    await opened.#read(sql)
    return opened
  }

  get programs(): readonly ProgramInForce[] {
    return this.#programs
  }

  /** Names what `programs` are; another text, other programs. */
  get mark(): string {
    return this.#mark
  }

  /** Reads them again if others are in force now; answers whether. What cannot be read leaves those of before, and is thrown. */
  async refresh(sql: Sql): Promise<boolean> {
    if ((await readProgramsMark(sql, this.#workspaceId)) === this.#mark) return false
    await this.#read(sql)
    return true
  }

  /** Whether the record, as this transaction sees it, has the programs of `mark` in force. */
  async isInForce(tx: Sql | Tx, mark: string): Promise<boolean> {
    return (await readProgramsMark(tx, this.#workspaceId)) === mark && mark === this.#mark
  }

  async #read(sql: Sql): Promise<void> {
    const { mark, rows, versions } = (await sql.begin('isolation level repeatable read read only', async (tx) => ({
      mark: await readProgramsMark(tx, this.#workspaceId),
      rows: await readProgramsInForce(tx, this.#workspaceId),
      versions: await readProgramVersions(tx, this.#workspaceId),
    }))) as {
      mark: string
      rows: StoredProgramVersion[]
      versions: Awaited<ReturnType<typeof readProgramVersions>>
    }
    const inForce = rows.map((row) => ({ program: readStored(row), version: row.version }))
    this.#programs = withEarlierVersions(inForce, versions, this.#warn)
    this.#mark = mark
  }
}

function readStored({ program, version, source }: StoredProgramVersion): Program {
  // Read without the connections of today: it may speak of one that is gone, and what it shows is then unknown.
  const parsed = parseProgram(source, `program ${program}, version ${version}`)
  if (parsed.ok) return parsed.program
  const [problem] = parsed.problems
  throw new AppError(
    'invalid_configuration',
    `Version ${version} of the program "${program}", which is in force, cannot be read by this Throughline (line ${problem?.line ?? 1}: ${problem?.message ?? 'its text is broken'}). Apply a version it can read with throughline apply.`,
  )
}
