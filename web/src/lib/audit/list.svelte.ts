import { api } from '../api.ts'
import type { ActList } from '../api-types.ts'
import { Resource } from '../resource.svelte.ts'
import { type AuditQuery, toApi } from './query.ts'

const pageSize = 50

/** The acts as they are being read: what is written meanwhile shows when one reads again. */
export class ActsShown extends Resource<ActList> {
  isLoadingMore = $state(false)
  #query: AuditQuery

  constructor(query: AuditQuery) {
    super((signal) => api.audit({ ...toApi(query), limit: pageSize }, signal))
    this.#query = query
  }

  async loadMore(): Promise<void> {
    const before = this.data
    if (!before?.next || this.isLoadingMore) return
    this.isLoadingMore = true
    try {
      const page = await api.audit({ ...toApi(this.#query), limit: pageSize * 2, cursor: before.next })
      if (this.data === before) this.data = { ...before, items: [...before.items, ...page.items], next: page.next }
    } catch {
      // The button stays; asking again asks again.
    } finally {
      this.isLoadingMore = false
    }
  }
}
