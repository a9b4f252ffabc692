import { api } from '../api.ts'
import type { JourneyList, JourneyRow } from '../api-types.ts'
import { Resource } from '../resource.svelte.ts'
import { type JourneyQuery, toApi } from './query.ts'

const pageSize = 50
const largestPage = 200

/** The list as it is being read: rows change in place, none moves while one reads. */
export class JourneysShown extends Resource<JourneyList> {
  isLoadingMore = $state(false)
  #query: JourneyQuery

  constructor(query: JourneyQuery) {
    super((signal) => api.journeys({ ...toApi(query), limit: pageSize }, signal))
    this.#query = query
  }

  get rows(): JourneyRow[] {
    return this.data?.items ?? []
  }

  async loadMore(): Promise<void> {
    const before = this.data
    if (!before?.next || this.isLoadingMore) return
    this.isLoadingMore = true
    try {
      const page = await api.journeys({ ...toApi(this.#query), limit: pageSize * 2, cursor: before.next })
      const known = new Set(before.items.map((each) => each.id))
      this.data = { ...page, total: before.total, items: [...before.items, ...page.items.filter((each) => !known.has(each.id))] }
    } catch {
      // The button stays; asking again asks again.
    } finally {
      this.isLoadingMore = false
    }
  }

  async catchUp(): Promise<void> {
    const before = this.data
    if (!before || this.isLoading || this.isLoadingMore) return
    if (before.items.length === 0) return this.refresh()
    const limit = Math.min(largestPage, Math.max(pageSize, before.items.length))
    const page = await api.journeys({ ...toApi(this.#query), limit }).catch(() => undefined)
    if (!page || this.data !== before) return
    const now = new Map(page.items.map((each) => [each.id, each]))
    this.data = { ...page, items: before.items.map((each) => now.get(each.id) ?? each), next: before.next }
  }
}
