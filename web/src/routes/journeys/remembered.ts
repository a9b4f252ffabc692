/** The last list, so that coming back from a journey stands where one left, and j/k walk through it. */
let last: { href: string; ids: readonly string[]; activeId: string | undefined } | undefined

export function remember(href: string, ids: readonly string[], activeId?: string): void {
  last = { href, ids, activeId: activeId ?? (last?.href === href ? last.activeId : undefined) }
}

export const lastList = (): string | undefined => last?.href
export const lastRow = (href: string): string | undefined => (last?.href === href ? last.activeId : undefined)

export function placeOf(id: string): { index: number; of: number } | undefined {
  const index = last?.ids.indexOf(id) ?? -1
  return last && index !== -1 ? { index, of: last.ids.length } : undefined
}

export function neighbour(id: string, by: number): string | undefined {
  const index = last?.ids.indexOf(id) ?? -1
  const next = index === -1 ? undefined : last?.ids[index + by]
  if (next && last) last.activeId = next
  return next
}
