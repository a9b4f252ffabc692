/** A seeded source of chance: the same seed and label always give the same numbers (cyrb128 into sfc32). */
export interface Random {
  /** [0, 1) */
  next(): number
  /** Whole number in [from, to], both included. */
  int(from: number, to: number): number
  pick<T>(items: readonly T[]): T
  chance(share: number): boolean
  /** `length` characters of `alphabet`. */
  text(length: number, alphabet: string): string
  shuffle<T>(items: readonly T[]): T[]
}

export const hexDigits = '0123456789abcdef'
export const alphanumerics = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

function stateOf(text: string): [number, number, number, number] {
  let [a, b, c, d] = [1779033703, 3144134277, 1013904242, 2773480762]
  for (let i = 0; i < text.length; i++) {
    const k = text.charCodeAt(i)
    a = b ^ Math.imul(a ^ k, 597399067)
    b = c ^ Math.imul(b ^ k, 2869860233)
    c = d ^ Math.imul(c ^ k, 951274213)
    d = a ^ Math.imul(d ^ k, 2716044179)
  }
  a = Math.imul(c ^ (a >>> 18), 597399067)
  b = Math.imul(d ^ (b >>> 22), 2869860233)
  c = Math.imul(a ^ (c >>> 17), 951274213)
  d = Math.imul(b ^ (d >>> 19), 2716044179)
  return [(a ^ b ^ c ^ d) >>> 0, (b ^ a) >>> 0, (c ^ a) >>> 0, (d ^ a) >>> 0]
}

export function randomFrom(seed: string | number, ...labels: readonly (string | number)[]): Random {
  let [a, b, c, d] = stateOf([seed, ...labels].join('/'))
  const next = () => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return (t >>> 0) / 4294967296
  }
  for (let i = 0; i < 12; i++) next()
  const int = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  const pick = <T>(items: readonly T[]): T => {
    const item = items[int(0, items.length - 1)]
    if (item === undefined) throw new Error('Nothing to pick from.')
    return item
  }
  return {
    next,
    int,
    pick,
    chance: (share) => next() < share,
    text: (length, alphabet) => Array.from({ length }, () => alphabet.charAt(int(0, alphabet.length - 1))).join(''),
    shuffle(items) {
      const copy = [...items]
      for (let i = copy.length - 1; i > 0; i--) {
        const j = int(0, i)
        const [x, y] = [copy[i], copy[j]]
        if (x !== undefined && y !== undefined) [copy[i], copy[j]] = [y, x]
      }
      return copy
    },
  }
}
