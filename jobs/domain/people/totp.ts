import { createHmac, timingSafeEqual } from 'node:crypto'

/** RFC 6238 with the values every authenticator knows: SHA-1, 30 seconds, 6 digits. */
const stepMs = 30_000
const digits = 6
/** A clock may differ by one step either way. */
const drift = 1
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

export function stepAt(now: number): number {
  return Math.floor(now / stepMs)
}

export function codeAt(secret: Buffer, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', secret).update(counter).digest()
  const offset = (mac[mac.length - 1] ?? 0) & 15
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 10 ** digits).padStart(digits, '0')
}

/**
 * The step whose code this is, or null. A code at or before `lastStep` was used already and never fits again: who looked over a shoulder
 * is late.
 */
export function acceptedStep(secret: Buffer, code: string, now: number, lastStep: number | null): number | null {
  const given = Buffer.from(
    code
      .replace(/\s/g, '')
      .padEnd(digits)
      .slice(0, digits + 1),
  )
  let accepted: number | null = null
  for (let step = stepAt(now) - drift; step <= stepAt(now) + drift; step++) {
    const fits = isSame(given, Buffer.from(codeAt(secret, step)))
    if (fits && step > (lastStep ?? -1)) accepted = step
  }
  return accepted
}

function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

export function toBase32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{1,5}/g) ?? []).map((five) => alphabet[Number.parseInt(five.padEnd(5, '0'), 2)]).join('')
}

/** What an authenticator reads from a picture, or takes typed. */
export function totpUri(secret: Buffer, issuer: string, account: string): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`
  return `otpauth://totp/${label}?secret=${toBase32(secret)}&issuer=${encodeURIComponent(issuer)}`
}
