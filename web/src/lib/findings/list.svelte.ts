import { api } from '../api.ts'
import type { FindingList, FindingRow } from '../api-types.ts'
import { Resource } from '../resource.svelte.ts'
import { type FindingQuery, toApi } from './query.ts'

const pageSize = 50
const largestPage = 200

/** The list as it is being read: rows change in place, but none appears, moves or vanishes until the reader asks. */
export class FindingsShown extends Resource<FindingList> {
  /** Findings that match and are not shown yet. */
  fresh = $state(0)
  gone = $state.raw<ReadonlySet<string>>(new Set())
  isLoadingMore = $state(false)
  #query: FindingQuery

  constructor(query: FindingQuery) {
    super((signal) => api.findings({ ...toApi(query), limit: pageSize }, signal))
    this.#query = query
  }

  get query(): FindingQuery {
    return this.#query
  }

  get rows(): FindingRow[] {
    return this.data?.items ?? []
  }

  async show(): Promise<void> {
    await this.refresh()
    this.fresh = 0
    this.gone = new Set()
  }

  async loadMore(): Promise<void> {
    const before = this.data
    if (!before?.next || this.isLoadingMore) return
    this.isLoadingMore = true
    try {
      const page = await api.findings({ ...toApi(this.#query), limit: pageSize, cursor: before.next })
      const known = new Set(before.items.map((each) => each.id))
      this.data = { ...before, items: [...before.items, ...page.items.filter((each) => !known.has(each.id))], next: page.next }
    } finally {
      this.isLoadingMore = false
    }
  }

  /** Puts a row that was just changed here in its place, without waiting for the list. */
  replace(row: FindingRow): void {
    if (this.data) this.data = { ...this.data, items: this.data.items.map((each) => (each.id === row.id ? row : each)) }
  }

  /** Reads the same stretch again: values are replaced where they stand, what is new is only counted. */
  async catchUp(): Promise<void> {
    const before = this.data
    if (!before || this.isLoading) return
    const limit = Math.min(largestPage, Math.max(pageSize, before.items.length))
    const page = await api.findings({ ...toApi(this.#query), limit }).catch(() => undefined)
    if (!page || this.data !== before) return
    const now = new Map(page.items.map((each) => [each.id, each]))
    const shown = new Set(before.items.map((each) => each.id))
    this.data = { ...page, items: before.items.map((each) => now.get(each.id) ?? each), next: before.next }
    this.fresh = page.items.filter((each) => !shown.has(each.id)).length
    if (page.next === null) this.gone = new Set(before.items.filter((each) => !now.has(each.id)).map((each) => each.id))
  }
}
