import { createHash } from 'node:crypto'

const minute = 60_000

export interface Bucket {
  /** What is counted together; holds no address and no e-mail. */
  readonly key: string
  /** Guesses within the window. */
  readonly limit: number
  readonly windowMs: number
}

export interface Guess {
  /** As typed. */
  readonly account: string
  /** Where it comes from; null: not known, and then all such guesses are counted together. */
  readonly address: string | null
  /** A device this account signed in on before, by a cookie we gave it: others' guesses do not count against it. */
  readonly device: string | null
}

/**
 * What one guess counts against. A stranger's guesses fill the account's bucket and that of their network; the owner of the account comes
 * from a device that is known, which has a bucket of its own, and so is never locked out by them.
 */
export function bucketsOf({ account, address, device }: Guess): readonly Bucket[] {
  const who = account.trim().toLowerCase()
  if (device !== null) return [{ key: keyOf('device', device, who), limit: 10, windowMs: 15 * minute }]
  const [near, wide] = networksOf(address)
  return [
    { key: keyOf('network', near), limit: 30, windowMs: 15 * minute },
    ...(wide === null ? [] : [{ key: keyOf('wide network', wide), limit: 100, windowMs: 15 * minute }]),
    { key: keyOf('account', who), limit: 10, windowMs: 15 * minute },
  ]
}

/** An IPv6 customer has a whole /64, and many a /48: addresses within are one guesser. */
export function networksOf(address: string | null): [near: string, wide: string | null] {
  if (address === null) return ['unknown', null]
  const text = address.toLowerCase().replace(/%.*$/, '')
  const mapped = /^(?:0*:)*:?ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(text)?.[1]
  if (mapped !== undefined) return [mapped, null]
  if (!text.includes(':')) return [text, null]
  const groups = groupsOf(text)
  return [`${groups.slice(0, 4).join(':')}::/64`, `${groups.slice(0, 3).join(':')}::/48`]
}

function groupsOf(text: string): string[] {
  const [head = '', tail] = text.split('::')
  const parts = (side: string) => (side === '' ? [] : side.split(':')).map((group) => group.replace(/^0+(?=.)/, ''))
  const left = parts(head)
  const right = tail === undefined ? [] : parts(tail)
  const gap = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  return [...left, ...Array<string>(gap).fill('0'), ...right]
}

function keyOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32)
}
