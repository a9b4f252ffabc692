import type { FindingsShown } from '#lib/findings/list.svelte.ts'

/** The last list, so that coming back from a finding stands where one left, and j/k walk through it. */
let last: { href: string; list: FindingsShown; activeId: string | undefined } | undefined

export function remember(href: string, list: FindingsShown, activeId: string | undefined): void {
  last = { href, list, activeId }
}

export const readAgain = (href: string): FindingsShown | undefined => (last?.href === href && last.list.data ? last.list : undefined)
export const lastRow = (href: string): string | undefined => (last?.href === href ? last.activeId : undefined)
export const lastActive = (): string | undefined => last?.href

export function neighbour(id: string, by: number): string | undefined {
  const rows = last?.list.rows ?? []
  const index = rows.findIndex((row) => row.id === id)
  const next = index === -1 ? undefined : rows[index + by]
  if (next && last) last.activeId = next.id
  return next?.id
}
