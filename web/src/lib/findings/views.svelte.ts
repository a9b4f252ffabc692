import { api } from '../api.ts'
import type { View } from '../api-types.ts'
import { live } from '../live.svelte.ts'
import { Resource } from '../resource.svelte.ts'
import { addressOf, type FindingQuery, queryOf } from './query.ts'

const recountAfterMs = 8_000

/** The views above the list, with their counts. Read once for all pages, counted again as findings change. */
class Views extends Resource<{ items: View[]; asOf: string }> {
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor() {
    super((signal) => api.findingViews(signal))
  }

  get items(): View[] {
    return this.data?.items ?? []
  }

  /** The view whose filters these are, whatever the order of the address. */
  of(query: FindingQuery): View | undefined {
    const address = addressOf(query)
    return this.items.find((view) => addressOf(queryOf(view.query)) === address)
  }

  /** Counts again while the caller is on the screen. */
  follow(): () => void {
    void this.refresh()
    const stop = live.listen(({ topic }) => {
      if (topic !== 'finding' || this.#timer) return
      this.#timer = setTimeout(() => {
        this.#timer = undefined
        void this.refresh()
      }, recountAfterMs)
    })
    return () => {
      clearTimeout(this.#timer)
      this.#timer = undefined
      stop()
      this.stop()
    }
  }
}

export const views = new Views()
