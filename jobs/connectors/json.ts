/** What a value becomes when its bytes are not valid UTF-8, or its key stands twice: it fits no schema, so only its record is quarantined. */
export const unreadable: unique symbol = Symbol('bytes that are not UTF-8')

export interface JsonLimits {
  readonly depth: number
  readonly nodes: number
}
const defaultLimits: JsonLimits = { depth: 64, nodes: 2_000_000 }

const sources = new WeakMap<object, Uint8Array>()

/** The bytes an object of `parseJson` was read from, for its raw hash. */
export function rawBytes(value: unknown): Uint8Array | null {
  return typeof value === 'object' && value !== null ? (sources.get(value) ?? null) : null
}

const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
const plainText = /[ !#-[\]-~]*"/y
const run = /[ !#-[\]-\u00ff]*/y
const escaped = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const space = /[ \t\n\r]*/y

/**
 * JSON as bytes, read without loss: a number that JavaScript would change (above 2^53, `19.10`, `1e2`, `-0`) stays its source text,
 * invalid UTF-8 becomes `unreadable`, `__proto__` is a plain key, and a key given twice fits no schema (`unreadable`).
 * @throws SyntaxError without any of the text.
 */
export function parseJson(bytes: Uint8Array, limits: JsonLimits = defaultLimits): unknown {
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', start)
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let at = 0
  let nodes = 0

  const fail = (what: string): never => {
    throw new SyntaxError(`not JSON: ${what} at byte ${at + start}`)
  }
  const skip = () => {
    space.lastIndex = at
    space.test(text)
    at = space.lastIndex
  }
  const readText = (): string | typeof unreadable => {
    at += 1
    plainText.lastIndex = at
    if (plainText.test(text)) {
      const value = text.slice(at, plainText.lastIndex - 1)
      at = plainText.lastIndex
      return value
    }
    const from = at - 1
    for (;;) {
      run.lastIndex = at
      run.test(text)
      at = run.lastIndex
      if (text[at] === '"') break
      escaped.lastIndex = at
      if (!escaped.test(text)) return fail('an unfinished string')
      at = escaped.lastIndex
    }
    at += 1
    const raw = text.slice(from, at)
    try {
      return JSON.parse(utf8.decode(Buffer.from(raw, 'latin1'))) as string
    } catch {
      return unreadable
    }
  }
  const readValue = (depth: number): unknown => {
    if (depth > limits.depth) fail(`more than ${limits.depth} levels`)
    nodes += 1
    if (nodes > limits.nodes) fail(`more than ${limits.nodes} values`)
    const from = at
    const first = text[at]
    if (first === '"') return readText()
    if (first === '{') return readObject(depth, from)
    if (first === '[') return readArray(depth)
    scalar.lastIndex = at
    const source = scalar.exec(text)?.[0]
    if (source === undefined) return fail('an unexpected character')
    at = scalar.lastIndex
    if (source === 'true') return true
    if (source === 'false') return false
    if (source === 'null') return null
    const number = Number(source)
    return String(number) === source && (!Number.isInteger(number) || Number.isSafeInteger(number)) ? number : source
  }
  const readObject = (depth: number, from: number): object => {
    const object: Record<string, unknown> = {}
    at += 1
    skip()
    if (text[at] === '}') at += 1
    else
      for (;;) {
        if (text[at] !== '"') fail('a key was expected')
        const key = readText()
        skip()
        if (text[at] !== ':') fail('a colon was expected')
        at += 1
        skip()
        const value = readValue(depth + 1)
        const name = key === unreadable ? '\u0000' : key
        if (name === '__proto__') Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true })
        else object[name] = Object.hasOwn(object, name) ? unreadable : value
        skip()
        const next = text[at]
        at += 1
        if (next === '}') break
        if (next !== ',') fail('a comma was expected')
        skip()
      }
    if (depth <= 3) sources.set(object, bytes.subarray(from + start, at + start))
    return object
  }
  const readArray = (depth: number): unknown[] => {
    const array: unknown[] = []
    at += 1
    skip()
    if (text[at] === ']') {
      at += 1
      return array
    }
    for (;;) {
      array.push(readValue(depth + 1))
      skip()
      const next = text[at]
      at += 1
      if (next === ']') return array
      if (next !== ',') fail('a comma was expected')
      skip()
    }
  }

  skip()
  const value = readValue(0)
  skip()
  if (at !== text.length) fail('something after the end')
  return value
}
