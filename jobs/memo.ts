/** A bounded cache of two generations: when the young one is full it becomes the old one, and what was asked for meanwhile moves over. */
export function memoise<T>(compute: (key: string) => T, maxEntries: number): (key: string) => T {
  let young = new Map<string, T>()
  let old = new Map<string, T>()
  const half = Math.max(1, maxEntries >> 1)
  return (key) => {
    const hit = young.get(key)
    if (hit !== undefined) return hit
    const value = old.get(key) ?? compute(key)
    if (young.size >= half) {
      old = young
      young = new Map()
    }
    young.set(key, value)
    return value
  }
}
