import type { Sql } from '../db/records/bulk.ts'
import { beatAll } from '../db/records/heartbeats.ts'

const leastWallMs = 2_000
/** Of the domain clock: one that leaps must not make a job look as if it stood still. */
const leastDomainMs = 20_000

/** Signs of life of the jobs of this process, written at most every other second. */
export class Pulse {
  readonly #sql: Sql
  readonly #workspaceId: number
  readonly #now: () => number
  readonly #last = new Map<string, { readonly wall: number; readonly domain: number }>()
  #clockAt = Number.NEGATIVE_INFINITY

  constructor(sql: Sql, workspaceId: number, now: () => number) {
    this.#sql = sql
    this.#workspaceId = workspaceId
    this.#now = now
  }

  /** These jobs ended a round, or are getting on with a long one. */
  async beat(...jobs: readonly string[]): Promise<void> {
    const [wall, domain] = [Date.now(), this.#now()]
    const due = jobs.filter((job) => {
      const last = this.#last.get(job)
      return last === undefined || Math.abs(wall - last.wall) >= leastWallMs || domain - last.domain >= leastDomainMs
    })
    if (due.length === 0) return
    for (const job of due) this.#last.set(job, { wall, domain })
    await beatAll(this.#sql, this.#workspaceId, due, domain)
  }

  /** The domain clock went on since it was last asked for. */
  async beatClock(): Promise<void> {
    const at = this.#now()
    if (at <= this.#clockAt) return
    this.#clockAt = at
    await this.beat('clock')
  }
}
