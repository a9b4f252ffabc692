/** The last list as it was shown, so that j and k walk through it from the page of a connection. */
let last: { readonly href: string; readonly ids: readonly string[] } | undefined

export function rememberList(href: string, ids: readonly string[]): void {
  last = { href, ids }
}

export const lastList = (): string | undefined => last?.href

export interface Neighbours {
  readonly previous: string | undefined
  readonly next: string | undefined
}

/** In the last list, or in the order given where it is not in it. */
export function neighboursOf(id: string, otherwise: readonly string[]): Neighbours {
  const ids = last?.ids.includes(id) ? last.ids : otherwise
  const index = ids.indexOf(id)
  return index === -1 ? { previous: undefined, next: undefined } : { previous: ids[index - 1], next: ids[index + 1] }
}
