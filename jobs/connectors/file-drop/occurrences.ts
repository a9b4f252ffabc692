/**
 * Counts how often each row content was seen in one file: semantics.md 1 names a row without an id by (content hash, n-th occurrence).
 * Keeps 64 bits per distinct row in one flat table: about 14 bytes a row, so ten million rows take some 130 MB.
 */
export class Occurrences {
  #high = new Uint32Array(2048)
  #low = new Uint32Array(2048)
  #used = 0
  readonly #repeated = new Map<string, number>()

  /** How often this content came before; `contentHash` is hex. */
  next(contentHash: string): number {
    const low = Number.parseInt(contentHash.slice(8, 16), 16) || 1
    const high = Number.parseInt(contentHash.slice(0, 8), 16)
    if (this.#insert(high, low)) return 0
    const before = this.#repeated.get(contentHash) ?? 1
    this.#repeated.set(contentHash, before + 1)
    return before
  }

  #insert(high: number, low: number): boolean {
    const mask = this.#low.length - 1
    let slot = high & mask
    while (this.#low[slot] !== 0) {
      if (this.#low[slot] === low && this.#high[slot] === high) return false
      slot = (slot + 1) & mask
    }
    this.#low[slot] = low
    this.#high[slot] = high
    this.#used += 1
    if (this.#used > this.#low.length * 0.7) this.#grow()
    return true
  }

  #grow(): void {
    const [high, low] = [this.#high, this.#low]
    this.#high = new Uint32Array(high.length * 2)
    this.#low = new Uint32Array(low.length * 2)
    this.#used = 0
    for (let slot = 0; slot < low.length; slot += 1) if (low[slot] !== 0) this.#insert(high[slot]!, low[slot]!)
  }
}
