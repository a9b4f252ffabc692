import type { Sql } from '../../db/records/bulk.ts'
import type { ProgramsInForce } from '../programs-in-force.ts'
import { drainJudging, type JudgeCount, type JudgeDeps } from './judge.ts'

type Watched = Pick<ProgramsInForce, 'mark' | 'refresh' | 'isInForce'>

/**
 * Drains judging by the programs in force at the moment each batch commits. Applying a version marks everything in its own transaction, so
 * a batch that took such a mark also sees that version: it asks after its work, rolls back when it judged by another one, and goes on with
 * the one in force. The marks are then still there.
 */
export async function drainByProgramsInForce(
  sql: Sql,
  programs: Watched,
  deps: JudgeDeps,
  parts: readonly [number, number],
  onBatch: (count: JudgeCount) => void = () => {},
): Promise<JudgeCount> {
  let before: JudgeCount = { components: 0, findings: 0 }
  for (;;) {
    await programs.refresh(sql)
    let done: JudgeCount = { components: 0, findings: 0 }
    const total = () => ({ components: before.components + done.components, findings: before.findings + done.findings })
    try {
      done = await drainJudging(onlyInForce(sql, programs), deps, parts, (count) => {
        done = count
        onBatch(total())
      })
      return total()
    } catch (error) {
      if (!(error instanceof ProgramsChanged)) throw error
      before = total()
    }
  }
}

class ProgramsChanged extends Error {}

/** The same client, whose transactions end with that question. */
function onlyInForce(sql: Sql, programs: Watched): Sql {
  const begin = (work: Parameters<Sql['begin']>[1]) => {
    const { mark } = programs
    return sql.begin(async (tx) => {
      const result = await work(tx)
      if (!(await programs.isInForce(tx, mark))) throw new ProgramsChanged('Another version came into force meanwhile.')
      return result
    })
  }
  return new Proxy(sql, { get: (target, name) => (name === 'begin' ? begin : Reflect.get(target, name)) })
}
