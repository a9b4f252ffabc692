import { toast } from 'svelte-sonner'
import { api } from '../api.ts'
import type { BulkAct, FindingAction } from '../api-types.ts'
import { counted } from '../format/count.ts'

export const actedWords: Record<FindingAction, string> = {
  acknowledge: 'acknowledged',
  assign: 'assigned',
  claim: 'claimed: yours to fix',
  release: 'released',
  snooze: 'snoozed',
  unsnooze: 'back on the list',
  waive: 'waived',
  comment: 'commented',
  'false-alarm': 'closed as false alarm',
}

const askEveryMs = 700

/** The act on many findings that is running, told until it ends. It goes on on the server whether or not anyone looks. */
class BulkShown {
  act = $state.raw<BulkAct>()
  problem = $state('')
  #onEnd: () => void = () => {}
  #timer: ReturnType<typeof setTimeout> | undefined

  follow(bulk: BulkAct, onEnd: () => void): void {
    this.#onEnd = onEnd
    this.act = bulk
    this.#take(bulk)
  }

  async stop(): Promise<void> {
    await this.#ask((id) => api.stopBulk(id))
  }

  async continue(): Promise<void> {
    await this.#ask((id) => api.continueBulk(id))
  }

  #take(bulk: BulkAct): void {
    if (this.act?.id !== bulk.id) return
    clearTimeout(this.#timer)
    this.problem = ''
    if (bulk.state === 'running') {
      this.act = bulk
      this.#timer = setTimeout(() => void this.#ask((id) => api.bulk(id)), askEveryMs)
      return
    }
    this.act = undefined
    tellBulk(bulk)
    this.#onEnd()
  }

  async #ask(question: (id: string) => Promise<BulkAct>): Promise<void> {
    const id = this.act?.id
    if (!id) return
    clearTimeout(this.#timer)
    try {
      this.#take(await question(id))
    } catch (problem) {
      this.problem = problem instanceof Error ? problem.message : 'It is not known how far it is.'
      this.#timer = setTimeout(() => void this.#ask((each) => api.bulk(each)), askEveryMs * 5)
    }
  }
}

/** The end of an act on many, in totals that add up. */
function tellBulk(bulk: BulkAct): void {
  const action = bulk.act === 'false_alarm' ? 'false-alarm' : (bulk.act as FindingAction)
  if (bulk.done > 0) toast.success(`${counted(bulk.done, 'finding')} ${actedWords[action]}.`)
  const left = bulk.skipped.reduce((sum, { count }) => sum + count, 0)
  const [first] = bulk.skipped
  if (first) {
    const others = bulk.skipped.length > 1 ? `, and ${counted(bulk.skipped.length - 1, 'other reason')}` : ''
    toast.info(`${counted(left, 'finding')} left as ${left === 1 ? 'it was' : 'they were'}: ${first.why}${others}`)
  }
  if (bulk.state === 'stopped') toast.info(`Stopped: ${counted(bulk.total - bulk.handled, 'finding')} not looked at.`)
}

export const bulkShown = new BulkShown()
