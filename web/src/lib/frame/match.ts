/**
 * How well typed words fit a text: 0 when one of them is not in it; more when they begin the text or its words.
 * Case, accents and the signs between words make no difference.
 */
export function fitOf(typed: string, text: string): number {
  const words = plain(typed).split(' ').filter(Boolean)
  if (words.length === 0) return 1
  const hay = plain(text)
  let fit = 0
  for (const word of words) {
    const at = hay.indexOf(word)
    if (at === -1) return 0
    fit += at === 0 ? 4 : hay.includes(` ${word}`) ? 2 : 1
  }
  return fit / words.length
}

/** The best first; equals keep their order. */
export function bestOf<T>(typed: string, items: readonly T[], textOf: (item: T) => string, most: number): T[] {
  return items
    .map((item, index) => ({ item, index, fit: fitOf(typed, textOf(item)) }))
    .filter(({ fit }) => fit > 0)
    .sort((a, b) => b.fit - a.fit || a.index - b.index)
    .slice(0, most)
    .map(({ item }) => item)
}

const plain = (text: string): string =>
  text
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
