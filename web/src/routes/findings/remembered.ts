import type { FindingsShown } from '#lib/findings/list.svelte.ts'

interface Remembered {
  /** The address of the list as it was left. */
  href: string
  /** What was read, whatever way it was shown. */
  key: string
  list: FindingsShown
  activeId: string | undefined
}

/** The last list, so that coming back from a finding stands where one left, and j/k walk through it. */
let last: Remembered | undefined

export function remember(list: Remembered): void {
  last = list
}

export const readAgain = (key: string): FindingsShown | undefined => (last?.key === key && last.list.data ? last.list : undefined)
export const lastRow = (key: string): string | undefined => (last?.key === key ? last.activeId : undefined)
export const lastActive = (): string | undefined => last?.href

export interface Place {
  /** From one. */
  readonly at: number
  readonly of: number
  readonly previous: string | undefined
  readonly next: string | undefined
}

/** Where a finding stands in the last list. Undefined: it is not in it. */
export function placeOf(id: string): Place | undefined {
  const rows = last?.list.rows ?? []
  const index = rows.findIndex((row) => row.id === id)
  if (!last || index === -1) return undefined
  return { at: index + 1, of: last.list.data?.total ?? rows.length, previous: rows[index - 1]?.id, next: rows[index + 1]?.id }
}

/** Walking on from the finding one reads moves the place one comes back to. */
export function walkTo(id: string): void {
  if (last) last.activeId = id
}
