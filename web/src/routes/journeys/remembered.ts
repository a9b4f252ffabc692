import type { JourneysShown } from '#lib/journeys/list.svelte.ts'

/** The last list, so that coming back from a journey stands where one left, and j/k walk through it. */
let last: { href: string; list: JourneysShown; activeId: string | undefined } | undefined

export function remember(href: string, list: JourneysShown, activeId: string | undefined): void {
  last = { href, list, activeId }
}

export const readAgain = (href: string): JourneysShown | undefined => (last?.href === href && last.list.data ? last.list : undefined)
export const lastList = (): string | undefined => last?.href
export const lastRow = (href: string): string | undefined => (last?.href === href ? last.activeId : undefined)

const indexOf = (id: string): number => last?.list.rows.findIndex((row) => row.id === id) ?? -1

export function placeOf(id: string): { index: number; of: number } | undefined {
  const index = indexOf(id)
  return last && index !== -1 ? { index, of: last.list.rows.length } : undefined
}

export function neighbour(id: string, by: number): string | undefined {
  const index = indexOf(id)
  const next = index === -1 ? undefined : last?.list.rows[index + by]?.id
  if (next && last) last.activeId = next
  return next
}
