import type { Context } from 'hono'
import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** The address at the other end of the line; null where there is no line, as in a test. */
export function peerAddress(context: Context): string | null {
  const env = context.env as { readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } } } | undefined
  return env?.incoming?.socket?.remoteAddress ?? null
}

/**
 * Where a request comes from. What a header says counts only as far as proxies we trust wrote it: read from the right, the first address
 * that is none of theirs.
 */
export function clientAddress(context: Context, trustedProxies: readonly string[]): string | null {
  const peer = peerAddress(context)
  if (peer === null || !isWithin(peer, trustedProxies)) return peer
  const told = (context.req.header('x-forwarded-for') ?? '').split(',').map((each) => each.trim())
  for (const address of told.reverse()) {
    if (!ipaddr.isValid(address)) return peer
    if (!isWithin(address, trustedProxies)) return address
  }
  return peer
}

/** Whether an address is one of these, or in one of these networks. */
export function isWithin(address: string, networks: readonly string[]): boolean {
  const at = parse(address)
  if (at === null) return false
  return networks.some((network) => {
    const [base = '', bits] = network.split('/')
    const from = parse(base)
    if (from === null || from.kind() !== at.kind()) return false
    return at.match(from, bits === undefined ? (from.kind() === 'ipv4' ? 32 : 128) : Number(bits))
  })
}

export function isLoopback(address: string): boolean {
  return parse(address)?.range() === 'loopback'
}

function parse(text: string): Address | null {
  return ipaddr.isValid(text) ? ipaddr.process(text) : null
}
