/** Finds any of many strings in many bytes, in clear and as it might have been encoded on its way; letter case never matters. */
export class Needles {
  readonly #byStart = new Map<number, { readonly form: string; readonly bytes: Buffer; readonly needle: string }[]>()
  readonly #starts = new Uint8Array(1 << 21)

  constructor(needles: Iterable<string>) {
    for (const needle of new Set(needles)) {
      for (const [form, text] of formsOf(needle)) {
        const bytes = Buffer.from(text.toLowerCase())
        if (bytes.length < 6) throw new Error(`"${needle}" is too short to be told from chance.`)
        const start = bytes.readUIntBE(0, 3)
        const known = this.#byStart.get(start)
        if (known === undefined) this.#byStart.set(start, [{ form, bytes, needle }])
        else if (!known.some((one) => one.bytes.equals(bytes))) known.push({ form, bytes, needle })
        this.#starts[start >> 3] = (this.#starts[start >> 3] ?? 0) | (1 << (start & 7))
      }
    }
  }

  /** What was found, with its form and surroundings; at most ten. */
  findIn(haystack: Buffer): string[] {
    const low = Buffer.alloc(haystack.length)
    for (let at = 0; at < haystack.length; at++) {
      const byte = haystack[at] as number
      low[at] = byte >= 65 && byte <= 90 ? byte + 32 : byte
    }
    const found: string[] = []
    for (let at = 0; at + 2 < low.length && found.length < 10; at++) {
      const start = ((low[at] as number) << 16) | ((low[at + 1] as number) << 8) | (low[at + 2] as number)
      if (((this.#starts[start >> 3] as number) & (1 << (start & 7))) === 0) continue
      for (const { form, bytes, needle } of this.#byStart.get(start) ?? []) {
        if (low.compare(bytes, 0, bytes.length, at, Math.min(at + bytes.length, low.length)) !== 0) continue
        found.push(`${needle} (${form}): …${haystack.subarray(Math.max(0, at - 60), at + bytes.length + 20).toString('latin1')}…`)
      }
    }
    return found
  }
}

export function formsOf(needle: string): readonly (readonly [string, string])[] {
  // Base64 depends on where in its triplet the text begins; the characters its neighbours share are cut.
  const base64 = [0, 1, 2].map((shift): readonly [string, string] => {
    const encoded = Buffer.from(`${'\0'.repeat(shift)}${needle}`)
      .toString('base64')
      .replace(/=+$/, '')
    return ['base64', encoded.slice(shift === 0 ? 0 : shift + 1, encoded.length - 1)]
  })
  const utf8 = Buffer.from(needle)
  return [
    ['in clear', needle],
    ['URL-encoded', encodeURIComponent(needle)],
    ['plus-encoded', encodeURIComponent(needle).replaceAll('%20', '+')],
    ...base64,
    ['hex', utf8.toString('hex')],
  ]
}
